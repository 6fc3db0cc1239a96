"""The grid that predictions of memory and of time are held against: `grid()`. Imported by memory.py and step_time.py.

Three families, and what a user may turn: size, batch, length, vocabulary, padding, activation checkpointing, optimizer,
precision, accumulation and LoRA. Every step is small enough for a processor: none takes more than about a second.
"""

from trivium.adapt.lora import Lora
from trivium.architecture import Architecture
from trivium.families.registry import FAMILIES
from trivium.plan.workload import Workload

#: One family of each kind, which meet every setting; the others meet the sizes alone.
THREE = ("bert", "gpt2", "t5")
OTHERS = ("bart", "bloom", "llama")


def model(family: str, dim: int = 256, depth: int = 4, vocab: int = 4096, positions: int = 1024) -> Architecture:
    """A model of heads of 64 channels; `depth` layers on each side of a pair."""
    return FAMILIES[family].preset(vocab=vocab, dim=dim, depth=depth, heads=max(2, dim // 64), positions=positions)


def step(architecture: Architecture, rows: int = 8, inputs: int = 128, **settings: object) -> Workload:
    """A step as each kind is trained: an encoder speaks at 15 % of its tokens, a pair writes a quarter of its input."""
    match architecture.kind:
        case "encoder":
            settings = {"targets": round(0.15 * rows * inputs), **settings}
        case "encoder-decoder":
            settings = {"outputs": inputs // 4, **settings}
    return Workload(architecture, rows=rows, inputs=inputs, **settings)  # type: ignore[arg-type]


def grid() -> list[Workload]:
    """Each workload once, the same ones in the same order at every call."""
    found = [step(model(family, dim, depth)) for family in (*THREE, *OTHERS) for dim, depth in ((128, 2), (320, 4))]
    for family in THREE:
        architecture = model(family)
        shapes = ((2, 64), (24, 64), (3, 256), (1, 512), (4, 512))
        found += [step(architecture, rows, inputs) for rows, inputs in shapes]
        found += [step(model(family, 512, 2)), step(model(family, 128, 8)), step(model(family, vocab=16_384))]
        found += [step(architecture, masked=True), step(architecture, rows=4, accumulation=3)]
        found += [step(architecture, rows, activation_checkpointing=True) for rows in (4, 16)]
        found += [step(architecture, optimizer="muon"), step(model(family, 512, 2), rows=2, optimizer="muon")]
        found += [step(model(family, 128, 2), rows=2, inputs=64, precision="bfloat16")]
        found += [step(architecture, lora=Lora()), step(architecture, lora=Lora(rank=32, targets=("*.layers.*",)))]
        found += [step(architecture, lora=Lora(targets=("*mlp*",)), activation_checkpointing=True)]
    return found
