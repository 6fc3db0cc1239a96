"""Inference memory: published figures, the real models of three families, and what must hold for every request."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivium.architecture import Architecture
from trivium.errors import UsageError
from trivium.families.registry import FAMILIES
from trivium.plan.inference import BLOCK, SCALE_BYTES, inference_memory, weight_bytes
from trivium.plan.serving import cache_bytes


def published(family: str, size: str) -> Architecture:
    return FAMILIES[family].size(size)


@pytest.mark.parametrize(
    ("family", "size", "tokens", "expected"),
    [
        ("llama", "2-7b", 4096, 2 * 2**30),
        ("llama", "2-70b", 4096, 1.25 * 2**30),
        ("llama", "3-8b", 1000, 131_072_000),
        ("bloom", "176b", 2048, 2048 * 4_014_080),
        ("gpt3", "175b", 2048, 2048 * 4_718_592),
    ],
)
def test_published_caches(family: str, size: str, tokens: int, expected: float) -> None:
    architecture = published(family, size)
    taken = inference_memory(architecture, 1, tokens - 1, 1)
    assert taken.cache == expected == cache_bytes(architecture, tokens, 0)
    assert inference_memory(architecture, 3, tokens - 1, 1).cache == 3 * expected
    assert inference_memory(architecture, 1, tokens - 1, 1, "float32").cache == 2 * expected
    assert inference_memory(architecture, 1, tokens - 1, 1, "float32", "int8").cache == expected / 2
    assert inference_memory(architecture, 1, tokens - 1, 1, "int4").cache == expected


def test_a_pair_keeps_its_input_once_and_its_own_start_token() -> None:
    t5 = published("t5", "base")  # 12 layers, 12 heads of 64
    a_token = 2 * 12 * 12 * 64 * 2
    taken = inference_memory(t5, 1, 100, 7)
    assert taken.cache == (100 + 1 + 7) * a_token
    assert taken.source == 100 * 768 * 2
    assert "cache" not in inference_memory(t5, 1, 5000, 1).items  # the encoder reads before there is a cache


def test_an_encoder_keeps_nothing() -> None:
    taken = inference_memory(published("bert", "base-uncased"), 8, 512, 0)
    assert taken.cache == 0
    assert taken.total == taken.while_reading


def test_weights_by_format() -> None:
    llama = published("llama", "2-7b")
    size = llama.parameters
    assert weight_bytes(llama, "float32") == 4 * size
    assert weight_bytes(llama, "bfloat16") == weight_bytes(llama, "float16") == 2 * size
    matrices = 32 * (4 * 4096 * 4096 + 3 * 4096 * 11_008)  # of llama-2-7b's layers
    scales = matrices // BLOCK * SCALE_BYTES
    assert weight_bytes(llama, "int8") == matrices + scales + 2 * (size - matrices)
    assert weight_bytes(llama, "int4") == matrices // 2 + scales + 2 * (size - matrices)
    assert 0.5 < weight_bytes(llama, "int4") / size < 0.65


def test_items_sum_to_the_total() -> None:
    for family, size in (("bert", "base-uncased"), ("gpt2", "xl"), ("t5", "large"), ("gopher", "280b")):
        for inputs, outputs in ((1, 100), (400, 1)):
            taken = inference_memory(published(family, size), 2, inputs, outputs)
            assert sum(taken.items.values()) == taken.total == taken.to_dict()["total"]
            assert min(taken.items.values()) > 0


def test_every_published_model_in_a_moment() -> None:
    start = time.process_time()
    for family in FAMILIES.values():
        for size in family.sizes:
            inference_memory(family.size(size), 4, 100, 28, "int4")
    assert time.process_time() - start < 10  # some sixty models, with every call's types checked


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(["bert", "gpt2", "llama", "bloom", "gopher", "t5", "bart"]),
    st.integers(1, 16),
    st.integers(1, 400),
    st.integers(1, 100),
    st.booleans(),
)
def test_more_takes_more(family: str, rows: int, inputs: int, outputs: int, padded: bool) -> None:
    architecture = FAMILIES[family].preset(vocab=1000, dim=64, depth=2, heads=4, positions=1024)
    taken = inference_memory(architecture, rows, inputs, outputs, padded=padded).total
    assert inference_memory(architecture, rows + 1, inputs, outputs, padded=padded).total > taken
    assert inference_memory(architecture, rows, inputs + 1, outputs, padded=padded).total >= taken
    assert inference_memory(architecture, rows, inputs, outputs + 1, padded=padded).total >= taken
    assert inference_memory(architecture, rows, inputs, outputs, "float32", padded=padded).total > taken


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"rows": 0}, "rows of at least 1, got 0"),
        ({"inputs": 0}, "inputs of at least 1"),
        ({"outputs": -1}, "outputs of at least 0"),
        ({"inputs": 1020}, "1,030 positions, and this model has 1,024"),
    ],
)
def test_what_cannot_be(request_: dict[str, object], said: str) -> None:
    asked = {"rows": 1, "inputs": 10, "outputs": 10} | request_
    with pytest.raises(UsageError, match=said):
        inference_memory(published("gpt2", "small"), **asked)  # type: ignore[arg-type]
