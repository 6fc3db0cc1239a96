"""Counts against the published ones (instantiated with transformers 5.23) and against torch's own counter."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from trivium import architecture as arch
from trivium.errors import ModelError
from trivium.families import bert, gpt2, llama, t5
from trivium.families.registry import FAMILIES
from trivium.model import Transformer

PUBLISHED = {
    "BERT-base, masked LM": (bert.preset(), 109_514_298),
    "BERT-large, masked LM": (bert.preset(dim=1024, depth=24, heads=16), 335_174_458),
    "GPT-2": (gpt2.preset(), 124_439_808),
    "GPT-2 medium": (gpt2.preset(dim=1024, depth=24, heads=16), 354_823_168),
    "GPT-2 large": (gpt2.preset(dim=1280, depth=36, heads=20), 774_030_080),
    "GPT-2 XL": (gpt2.preset(dim=1600, depth=48, heads=25), 1_557_611_200),
    "GPT-3 175B": (gpt2.preset(dim=12_288, depth=96, heads=96, positions=2048), 174_604_259_328),
    "LLaMA 7B": (llama.preset(hidden=11_008, tied=False), 6_738_415_616),
    "LLaMA 65B": (llama.preset(dim=8192, depth=80, heads=64, hidden=22_016, tied=False), 65_285_660_672),
    "Llama-2 70B": (
        llama.preset(dim=8192, depth=80, heads=64, kv_heads=8, hidden=28_672, tied=False),
        68_976_648_192,
    ),
    "Llama-3.2 1B": (
        llama.preset(vocab=128_256, dim=2048, depth=16, heads=32, kv_heads=8, hidden=8192),
        1_235_814_400,
    ),
    "T5 small": (t5.preset(), 60_506_624),
    "T5 base": (t5.preset(dim=768, depth=12, heads=12), 222_903_552),
    "T5 11B": (t5.preset(dim=1024, depth=24, heads=128, head_dim=128, hidden=65_536), 11_307_321_344),
    "T5 v1.1 small": (
        t5.preset(depth=8, heads=6, head_dim=64, hidden=1024, activation="gelu_tanh", gated=True, tied=False),
        76_961_152,
    ),
}

#: Every family there is, and what its plain preset does not show.
TINY = {
    **{name: family.preset(vocab=61, dim=24, depth=2, heads=4, positions=40) for name, family in FAMILIES.items()},
    "grouped": llama.preset(vocab=61, dim=24, depth=2, heads=4, kv_heads=2, head_dim=6, tied=False),
    "t5 v1.1": t5.preset(vocab=61, dim=24, depth=2, heads=3, decoder_depth=1, head_dim=6, gated=True, tied=False),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_parameter_counts(name: str) -> None:
    architecture, published = PUBLISHED[name]
    assert architecture.parameters == published


@pytest.mark.parametrize("family", TINY)
def test_the_count_is_what_the_built_model_holds(family: str) -> None:
    model = Transformer(TINY[family])
    assert TINY[family].parameters == sum(parameter.numel() for parameter in model.parameters())


@given(
    dim=st.sampled_from([16, 24, 48]),
    depth=st.integers(1, 3),
    heads=st.sampled_from([2, 4]),
    vocab=st.integers(10, 200),
    family=st.sampled_from([family.preset for family in FAMILIES.values()]),
)
def test_the_count_is_exact_at_any_shape(dim, depth, heads, vocab, family) -> None:
    architecture = family(vocab=vocab, dim=dim, depth=depth, heads=heads, positions=32)
    with torch.device("meta"):
        model = Transformer(architecture)
    assert architecture.parameters == sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("family", TINY)
@pytest.mark.parametrize("rows", [1, 3])
def test_flops_are_what_torch_counts(family: str, rows: int) -> None:
    architecture = TINY[family]
    if rows > 1 and any(isinstance(layer.position, arch.RelativeSinusoids) for layer in architecture.stacks[-1].layers):
        pytest.skip("the waves of the distances are projected once for all rows, and counted for each")
    model = Transformer(architecture)
    ids = torch.zeros(rows, 20, dtype=torch.long)
    decoder_ids = torch.zeros(rows, 7, dtype=torch.long) if architecture.kind == "encoder-decoder" else None
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH), torch.no_grad():
        model(ids, None, decoder_ids)
    assert counter.get_total_flops() == rows * architecture.flops(20, None if decoder_ids is None else 7)


def test_training_flops_are_what_torch_counts_over_a_step() -> None:
    architecture = TINY["gpt2"]
    model = Transformer(architecture)
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        model(torch.zeros(2, 20, dtype=torch.long)).sum().backward()
    assert counter.get_total_flops() == 2 * architecture.training_flops(20)


def test_six_times_the_parameters_is_the_rule_for_wide_models() -> None:
    architecture = PUBLISHED["GPT-3 175B"][0]
    assert architecture.training_flops(2048) / 2048 == pytest.approx(6 * architecture.parameters, rel=0.03)


def test_a_pattern_repeats_over_the_depth() -> None:
    layer = TINY["gpt2"].decoder.pattern[0]
    wide = arch.Layer(attention=layer.attention, mlp=arch.MLP(hidden=200, activation="gelu"), norms=layer.norms)
    stack = arch.Stack(depth=4, pattern=(layer, wide), causal=True)
    assert [inner.mlp.hidden for inner in stack.layers] == [96, 200, 96, 200]
    model = Transformer(arch.Architecture(family="gpt2", vocab=61, dim=24, decoder=stack, head=arch.Head()))
    assert model.architecture.parameters == sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: llama.preset(vocab=10, dim=15, depth=1, heads=3), "even"),
        (lambda: llama.preset(vocab=10, dim=16, depth=1, heads=4, kv_heads=3), "divisor"),
        (lambda: arch.Stack(depth=3, pattern=TINY["gpt2"].decoder.pattern * 2, causal=True), "multiple"),
        (lambda: arch.Architecture(family="gpt2", vocab=10, dim=8), "encoder, a decoder"),
        (
            lambda: arch.Architecture(
                family="t5", vocab=10, dim=24, encoder=TINY["t5"].encoder, decoder=TINY["gpt2"].decoder
            ),
            "Cross-attention",
        ),
    ],
)
def test_what_cannot_be_built_says_why(build, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        build()
