"""GPT-3 (Brown et al. 2020): GPT-2's block, with dense and locally banded layers in turn (section 2.1).

Its weights were never published, so the model type is Trivium's own; the weights have GPT-2's names.
"""

__all__ = ["GPT3", "SIZES", "preset", "read_config", "write_config"]

from dataclasses import replace
from typing import Any

from trivium import architecture as arch
from trivium.families import gpt2
from trivium.families.family import Config, Family, config_value


def preset(
    *,
    vocab: int = 50_257,
    dim: int = 768,
    depth: int = 12,
    heads: int = 12,
    positions: int = 2048,
    window: int | None = 256,
    dropout: float = 0.0,
) -> arch.Architecture:
    """GPT-3 Small unless told otherwise.

    Every second layer sees `window` tokens, itself among them. The paper does not say how wide its bands are: 256 is
    our choice, and changes no count. Without a window every layer is dense: GPT-2's own page, which Hugging Face opens.
    """
    dense = gpt2.preset(vocab=vocab, dim=dim, depth=depth, heads=heads, positions=positions, dropout=dropout)
    return dense if window is None else _banded(dense, window)


def _banded(architecture: arch.Architecture, window: int) -> arch.Architecture:
    stack = architecture.decoder
    assert stack is not None
    dense = stack.pattern[0]
    banded = replace(dense, attention=replace(dense.attention, window=window))
    pattern = (dense, banded) if stack.depth % 2 == 0 else ((dense, banded) * stack.depth)[: stack.depth]
    return replace(architecture, family="gpt3", decoder=replace(stack, pattern=pattern))


def read_config(config: Config) -> arch.Architecture:
    """GPT-2's fields, and `window`."""
    return _banded(gpt2.read_config(config), config_value(config, "window"))


def write_config(architecture: arch.Architecture) -> dict[str, Any]:
    """What `read_config` reads."""
    stack = architecture.decoder
    assert stack is not None
    windows = {layer.attention.window for layer in stack.layers} - {None}
    return {**gpt2.write_config(architecture), "window": windows.pop() if windows else stack.context}


#: Table 2.1, with the widths that table D.1's parameters come from: 5,120 for 13B (not 5,140), 2,048 of XL's heads.
SIZES: dict[str, dict[str, Any]] = {
    "small": {},
    "medium": {"dim": 1024, "depth": 24, "heads": 16},
    "large": {"dim": 1536, "depth": 24, "heads": 16},
    "xl": {"dim": 2048, "depth": 24, "heads": 16},
    "2.7b": {"dim": 2560, "depth": 32, "heads": 32},
    "6.7b": {"dim": 4096, "depth": 32, "heads": 32},
    "13b": {"dim": 5120, "depth": 40, "heads": 40},
    "175b": {"dim": 12_288, "depth": 96, "heads": 96},
}

GPT3 = Family(
    name="gpt3",
    kind="decoder",
    model_type="gpt3",
    classes="GPT3",
    objective="causal",
    tokenizer="bpe",
    prefix=gpt2.GPT2.prefix,
    preset=preset,
    read_config=read_config,
    write_config=write_config,
    table=gpt2.GPT2.table,
    sizes=SIZES,
)
