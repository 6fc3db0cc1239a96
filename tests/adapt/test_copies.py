"""Copies of modules over the same tensors, and merging."""

import torch

from tests.adapt.adapters import adapted, logits
from trivium.adapt.copies import merged, same_tensors, without_updates
from trivium.adapt.lora import Lora
from trivium.adapt.low_rank import adapted_layers
from trivium.families.registry import FAMILIES
from trivium.model import Transformer


def tiny(family: str = "t5") -> Transformer:
    return Transformer(FAMILIES[family].preset(vocab=97, dim=32, depth=2, heads=2, positions=16)).eval()


def test_a_copy_has_the_same_tensors_and_modules_of_its_own() -> None:
    model = tiny()
    again = same_tensors(model)
    assert torch.equal(logits(again), logits(model))
    for (name, one), (other, two) in zip(model.named_parameters(), again.named_parameters(), strict=True):
        assert name == other
        assert one is two
    assert again.head.projection.weight is again.tokens.weight
    assert again.encoder.layers[0] is not model.encoder.layers[0]


def test_the_base_of_an_adapted_model_and_the_merged_one() -> None:
    for lora in (Lora(), Lora(decomposed=True, targets=("*mlp*",))):
        base = tiny()
        alone = logits(base)
        model = adapted(base, lora)
        said = logits(model)
        assert not torch.allclose(said, alone, atol=1e-3)
        # Not to the last digit: where T5's biases are trained, torch takes another kernel.
        torch.testing.assert_close(logits(without_updates(model)), alone, atol=1e-5, rtol=1e-5)
        plain = merged(model)
        assert not adapted_layers(plain)
        torch.testing.assert_close(logits(plain), said, atol=1e-5, rtol=1e-5)
        assert torch.equal(logits(model), said)  # what was merged stands as it was
        own = {id(weight) for weight in model.parameters()}
        assert sum(id(weight) not in own for weight in plain.parameters()) == len(adapted_layers(model))


def test_merged_weights_are_summed_in_float32_and_have_the_precision_of_the_base() -> None:
    model = adapted(tiny("gpt2").to(torch.bfloat16), Lora())
    plain = merged(model)
    assert {weight.dtype for weight in plain.parameters()} == {torch.bfloat16}
    name, layer = next(iter(adapted_layers(model).items()))
    up, down = layer.up.weight.float(), layer.down.weight.float()
    expected = (layer.base.weight.float() + 2 * up @ down).to(torch.bfloat16)
    assert torch.equal(plain.get_parameter(f"{name}.weight"), expected)
