"""Several updates as one, and one as several: the products are the same."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.adapt.adapters import adapted
from trivium.adapt.copies import without_updates
from trivium.adapt.lora import Lora
from trivium.adapt.low_rank import adapted_layers
from trivium.adapt.peft_layers import published_linears, split, stacked
from trivium.families.registry import FAMILIES
from trivium.model import Transformer
from trivium.weights.names import to_stored

NAMES = ("query", "key", "value")


def tiny(family: str) -> Transformer:
    return Transformer(FAMILIES[family].preset(vocab=50, dim=24, depth=1, heads=3, positions=16)).eval()


@given(
    family=st.sampled_from(["gpt2", "bloom"]),
    chosen=st.sets(st.sampled_from(NAMES), min_size=1),
    shared=st.booleans(),
    rank=st.integers(1, 5),
    rank_stabilized=st.booleans(),
    decomposed=st.booleans(),
)
def test_fused_updates_are_the_same_product_and_come_back(
    family: str, chosen: set[str], shared: bool, rank: int, rank_stabilized: bool, decomposed: bool
) -> None:
    names = [name for name in NAMES if name in chosen]
    targets = (f"*attention.{'+'.join(names)}",) if shared else tuple(f"*attention.{name}" for name in names)
    lora = Lora(rank, 3.0, targets=targets, rank_stabilized=rank_stabilized, decomposed=decomposed)
    model = adapted(tiny(family), lora)
    base, layers = without_updates(model), adapted_layers(model)
    [entry] = [entry for entry in published_linears(base, FAMILIES[family]).values() if len(entry.ours) == 3]
    update = stacked(entry, layers, base)
    assert len(update.down) == update.lora.rank == (rank if shared else rank * len(names))
    whole = update.lora.scale * update.up @ update.down
    each = {
        name: layers[name].scale * layers[name].up.weight @ layers[name].down.weight
        if name in layers
        else torch.zeros_like(base.get_submodule(name).weight)
        for name in entry.ours
    }
    torch.testing.assert_close(whole, to_stored(replace(entry, transposed=False), each))
    back = dict(split(entry, update, base))
    assert back.keys() == layers.keys()
    for name, part in back.items():
        assert part.lora.scale == pytest.approx(lora.scale)
        assert torch.equal(part.up, layers[name].up.weight)
        assert torch.equal(part.down, layers[name].down.weight)
        assert not decomposed or torch.equal(part.magnitude, layers[name].magnitude)


def test_every_linear_module_has_a_name_of_its_own() -> None:
    for family in ("bert", "gpt2", "t5", "bart", "bloom", "llama", "roberta", "opt", "gpt1"):
        model = tiny(family)
        modules = published_linears(model, FAMILIES[family])
        held = [name for entry in modules.values() for name in entry.ours]
        linears = {name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
        assert set(held) == linears
        assert len(held) == len(linears)
