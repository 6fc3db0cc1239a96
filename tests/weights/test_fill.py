"""A model filled from named tensors: all is checked before anything is read, and every tensor is used once."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from trivium.errors import ModelError
from trivium.families import bert, gpt2, llama, t5
from trivium.families.registry import family_named
from trivium.model import Transformer
from trivium.weights.fill import fill
from trivium.weights.names import entries, to_stored

SIZE = {"vocab": 61, "dim": 24, "depth": 2, "heads": 2, "positions": 32}
ARCHITECTURES = {
    "bert": bert.preset(**SIZE),
    "gpt2": gpt2.preset(**SIZE),
    "llama": llama.preset(**SIZE),
    "t5": t5.preset(**SIZE),
}


class Tensors:
    """Weights in memory that remember what was read of them."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.where = "memory"
        self.tensors = dict(tensors)
        self.shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
        self.read_names: list[str] = []

    def read(self, name: str) -> Tensor:
        self.read_names.append(name)
        return self.tensors[name].clone()


def weights(family: str, **changed: Tensor | None) -> Tensors:
    model = Transformer(ARCHITECTURES[family], torch.Generator().manual_seed(0))
    parameters = {name: parameter.detach() for name, parameter in model.named_parameters()}
    stored = {entry.stored: to_stored(entry, parameters) for entry in entries(model, family_named(family))}
    return Tensors({name: t for name, t in {**stored, **changed}.items() if t is not None})


@pytest.mark.parametrize("family", ARCHITECTURES)
def test_every_tensor_is_read_once(family: str) -> None:
    source = weights(family)
    model = fill(ARCHITECTURES[family], source)
    assert sorted(source.read_names) == sorted(source.shapes)
    assert not model.training
    expected = Transformer(ARCHITECTURES[family], torch.Generator().manual_seed(0))
    for (name, ours), (_, theirs) in zip(model.named_parameters(), expected.named_parameters(), strict=True):
        assert torch.equal(ours, theirs), name
        assert ours.is_contiguous(), name


def test_precision_and_device_are_as_asked() -> None:
    model = fill(ARCHITECTURES["llama"], weights("llama"), torch.bfloat16, "cpu")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}


def test_all_that_does_not_fit_is_said_at_once_and_nothing_is_read() -> None:
    source = weights(
        "gpt2",
        **{
            "transformer.wpe.weight": None,
            "transformer.h.2.ln_1.weight": torch.ones(24),
            "transformer.ln_f.bias": torch.ones(25),
            "transformer.h.0.attn.c_attn.weight": torch.ones(72, 24),
        },
    )
    with pytest.raises(ModelError) as caught:
        fill(ARCHITECTURES["gpt2"], source)
    for said in (
        "lacks transformer.wpe.weight",
        "holds transformer.h.2.ln_1.weight, which nothing reads",
        "'transformer.ln_f.bias' as (25,), and the config asks for (24,)",
        "'transformer.h.0.attn.c_attn.weight' as (72, 24), and the config asks for (24, 72)",
    ):
        assert said in str(caught.value)
    assert source.read_names == []


def test_a_second_name_of_another_shape_is_said_before_reading() -> None:
    source = weights("gpt2", **{"lm_head.weight": torch.ones(60, 24)})
    with pytest.raises(ModelError, match=r"'lm_head.weight' as \(60, 24\), and the config asks for \(61, 24\)"):
        fill(ARCHITECTURES["gpt2"], source)
    assert source.read_names == []


def test_two_names_of_one_tensor_are_not_guessed_at() -> None:
    source = weights("bert", **{"bert.embeddings.LayerNorm.gamma": torch.ones(24)})
    with pytest.raises(ModelError, match=r"twice, as 'bert.embeddings.LayerNorm.weight' and as '.*gamma'"):
        fill(ARCHITECTURES["bert"], source)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_numbers_that_are_none_are_named(bad: float, dtype: torch.dtype) -> None:
    source = weights("llama")
    source.tensors = {name: tensor.to(dtype) for name, tensor in source.tensors.items()}
    source.tensors["model.layers.1.mlp.up_proj.weight"][3, 4] = bad
    with pytest.raises(
        ModelError, match=r"'model.layers.1.mlp.up_proj.weight' in memory holds 1 values of [\d,]+ that"
    ):
        fill(ARCHITECTURES["llama"], source)


def test_finite_numbers_whose_sum_is_not_are_fine() -> None:
    source = weights("llama")
    source.tensors = {name: tensor.half() for name, tensor in source.tensors.items()}
    source.tensors["model.norm.weight"][:] = 60_000  # the sum overflows float16
    assert fill(ARCHITECTURES["llama"], source).decoder.final_norm.weight[0] == 60_000


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.float8_e4m3fn])
def test_quantized_tensors_are_not_taken_for_numbers(dtype: torch.dtype) -> None:
    source = weights("llama")
    name = "model.layers.0.self_attn.q_proj.weight"
    source.tensors[name] = source.tensors[name].to(dtype)
    with pytest.raises(ModelError, match=r"is stored as \w+: these weights are quantized"):
        fill(ARCHITECTURES["llama"], source)
