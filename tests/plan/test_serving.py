"""Memory and time of a request, against published figures and sums by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.architecture import Architecture
from trivium.families.registry import FAMILIES
from trivium.plan.devices import DEVICES, Device
from trivium.plan.serving import cache_bytes, peak_of, rule_flops, serving


def published(family: str, size: str) -> Architecture:
    return FAMILIES[family].size(size)


@pytest.mark.parametrize(
    ("family", "size", "expected"),
    [
        ("llama", "2-7b", 524_288),
        ("llama", "2-70b", 327_680),
        ("llama", "3-8b", 131_072),
        ("bloom", "176b", 4_014_080),
        ("gpt3", "175b", 4_718_592),
    ],
)
def test_keys_and_values_of_a_token(family: str, size: str, expected: int) -> None:
    architecture = published(family, size)
    assert cache_bytes(architecture, 1, 0) == cache_bytes(architecture, 0, 1) == expected
    assert cache_bytes(architecture, 1, 0, 4) == 2 * expected


def test_keys_and_values_of_a_full_context() -> None:
    assert cache_bytes(published("llama", "2-7b"), 4000, 96) == 2 * 2**30
    assert cache_bytes(published("llama", "2-70b"), 0, 4096) == 1.25 * 2**30


def test_an_encoder_keeps_nothing_and_a_pair_keeps_the_input_once() -> None:
    assert cache_bytes(published("bert", "base-uncased"), 512, 10) == 0
    t5 = published("t5", "base")  # 12 layers, 12 heads of 64
    a_token = 2 * 12 * 12 * 64 * 2
    assert cache_bytes(t5, 100, 0) == 100 * a_token
    assert cache_bytes(t5, 100, 7) == 107 * a_token


def test_the_rule_of_n_and_2n() -> None:
    pair, decoder = published("t5", "large"), published("gpt2", "large")
    encoder_size, decoder_size = (stack.parameters(pair.dim) for stack in pair.stacks)
    assert rule_flops(pair, 300, 50) == 6 * (encoder_size * 300 + decoder_size * 50)
    n = decoder.stacks[0].parameters(decoder.dim)
    assert rule_flops(decoder, 300, 50) == 6 * n * 350
    # As much written as read: 3 FLOP a parameter and token, half of a decoder's 6.
    assert rule_flops(pair, 64, 64) == 3 * (encoder_size + decoder_size) * 128


def test_an_encoder_reads_by_its_flops_or_by_its_weights() -> None:
    bert, device = published("bert", "base-uncased"), DEVICES["l4"]
    long = serving(bert, 512, 64, "bfloat16", device)
    assert long.read_seconds == pytest.approx(bert.flops(512, targets=0) / (0.4 * 121e12))
    assert long.request_seconds == long.read_seconds
    assert long.token_seconds is None
    short = serving(bert, 1, 0, "bfloat16", device)
    assert short.read_seconds == pytest.approx(2 * bert.encoder.parameters(768) / 300e9)  # type: ignore[union-attr]


def test_a_token_reads_all_weights_of_a_decoder_and_the_cache() -> None:
    gpt2, device = published("gpt2", "xl"), DEVICES["a100-sxm-80"]
    taken = serving(gpt2, 100, 28, "float16", device)
    assert taken.weight_bytes == 2 * 1_557_611_200
    assert taken.cache_bytes == 128 * 2 * 48 * 1600 * 2
    assert taken.memory_bytes == round(1.2 * taken.weight_bytes) + taken.cache_bytes
    assert taken.token_seconds == pytest.approx((taken.weight_bytes + taken.cache_bytes) / 2039e9)
    assert taken.request_seconds == pytest.approx(taken.read_seconds + 28 * taken.token_seconds)


def test_a_token_reads_the_decoder_of_a_pair_only() -> None:
    t5, device = published("t5", "large"), DEVICES["a10"]
    taken = serving(t5, 512, 64, "bfloat16", device)
    assert taken.token_seconds is not None
    assert 0.5 < taken.token_seconds / (taken.weight_bytes / 600e9) < 0.65


def test_an_untied_table_of_tokens_is_looked_up_and_not_read() -> None:
    llama = published("llama", "2-7b")
    taken = serving(llama, 1, 1, "bfloat16", DEVICES["h100-sxm"])
    read = 2 * (llama.parameters - llama.vocab * llama.dim) + taken.cache_bytes
    assert taken.token_seconds == pytest.approx(read / 3350e9)


def test_small_weights_are_multiplied_in_16_bits_and_keep_16_bit_keys() -> None:
    llama, device = published("llama", "2-7b"), DEVICES["a100-sxm-80"]
    half, small = (serving(llama, 2000, 10, name, device) for name in ("bfloat16", "int4"))
    assert small.weight_bytes * 4 == half.weight_bytes
    assert small.cache_bytes == half.cache_bytes
    assert small.read_seconds == half.read_seconds
    assert peak_of(DEVICES["t4"], "bfloat16") == 8.1e12  # it has none, and falls back to float32
    assert peak_of(DEVICES["tpu-v4"], "float32") == 275e12
    assert peak_of(DEVICES["a10"], "float32") == 31.2e12


def test_without_a_device_there_is_no_time() -> None:
    taken = serving(published("gpt2", "small"), 10, 10, "float32")
    assert taken.read_seconds is taken.token_seconds is taken.request_seconds is None
    assert taken.to_dict()["weight_bytes"] == 4 * 124_439_808


@given(
    size=st.sampled_from([("gpt2", "small"), ("bert", "base-uncased"), ("t5", "small"), ("llama", "smollm2-135m")]),
    inputs=st.integers(1, 500),
    outputs=st.integers(1, 100),
    device=st.sampled_from(list(DEVICES.values())),
)
def test_more_tokens_take_no_less(size: tuple[str, str], inputs: int, outputs: int, device: Device) -> None:
    architecture = published(*size)
    less = serving(architecture, inputs, outputs, "float16", device)
    more = serving(architecture, inputs + 1, outputs + 1, "float16", device)
    assert more.memory_bytes >= less.memory_bytes
    assert more.flops > less.flops
    assert more.request_seconds >= less.request_seconds  # type: ignore[operator]
