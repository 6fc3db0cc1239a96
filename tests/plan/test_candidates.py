"""Which published models are considered, and which of them fit."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.plan.advice import Option, options_for
from trivium.plan.candidates import Limits, candidates, largest, next_larger
from trivium.plan.devices import DEVICES

WIDE = Limits(256, 0, 64, memory_bytes=10**12, latency_seconds=None, per_token=False, weights="bfloat16")
KINDS = {
    "encoder": options_for("text-classification", "fine-tune")[0],
    "decoder": options_for("generation", "prompt")[0],
    "pair": options_for("translation", "fine-tune")[0],
}
DEVICE = DEVICES["a100-sxm-80"]


def test_the_largest_without_a_limit_is_the_largest_published() -> None:
    found = {kind: largest(option, WIDE, None) for kind, option in KINDS.items()}
    assert {kind: model and model.name for kind, model in found.items()} == {
        "encoder": "roberta large",
        "decoder": "llama 3.1-405b",
        "pair": "t5 v1.1-xxl",
    }


def test_of_equals_the_first_in_order_of_preference() -> None:
    # BERT-large and RoBERTa-large have layers of the same size; LLaMA 3 and 3.1 differ in their positions only.
    names = [model.name for model in candidates(KINDS["encoder"], WIDE, None)]
    assert names.index("roberta large") < names.index("bert large-uncased")
    assert "roberta camembert-base" not in names


@pytest.mark.parametrize(
    ("kind", "inputs", "outputs", "readers"),
    [
        ("encoder", 512, 9999, {"roberta base", "roberta large", "bert base-uncased", "bert large-uncased"}),
        ("encoder", 513, 0, set()),
        ("decoder", 8000, 193, {"llama 3.1-8b", "llama 3.1-70b", "llama 3.1-405b", "llama 3.2-1b", "llama 3.2-3b"}),
        ("decoder", 131_073, 0, set()),
    ],
)
def test_what_reads_is_what_positions_allow(kind: str, inputs: int, outputs: int, readers: set[str]) -> None:
    limits = replace(WIDE, inputs=inputs, outputs=outputs)
    assert {model.name for model in candidates(KINDS[kind], limits, None) if model.reads} == readers


def test_a_pair_reads_and_writes_apart() -> None:
    for inputs, outputs, reads in ((1024, 1024, True), (1025, 1, False), (1, 1025, False)):
        limits = replace(WIDE, inputs=inputs, outputs=outputs)
        bart = next(model for model in candidates(KINDS["pair"], limits, None) if model.family == "bart")
        assert bart.reads is reads


def test_examples_in_a_prompt_are_read_by_all_but_encoders() -> None:
    limits = replace(WIDE, inputs=400, shot_tokens=1600)
    assert [limits.read_by(kind) for kind in ("encoder", "decoder", "encoder-decoder")] == [400, 2000, 2000]
    assert all(model.reads for model in candidates(KINDS["encoder"], limits, None))
    assert not any(model.reads for model in candidates(KINDS["decoder"], limits, None) if model.family == "gpt2")


@given(
    kind=st.sampled_from(sorted(KINDS)),
    gigabytes=st.floats(0.05, 200),
    more=st.floats(1, 20),
    milliseconds=st.floats(0.1, 20_000),
    slack=st.floats(1, 20),
    per_token=st.booleans(),
)
def test_more_room_never_gives_a_smaller_model(
    kind: str, gigabytes: float, more: float, milliseconds: float, slack: float, per_token: bool
) -> None:
    tight = replace(WIDE, memory_bytes=round(gigabytes * 1e9), latency_seconds=milliseconds / 1e3, per_token=per_token)
    assert tight.latency_seconds is not None
    for wider in (
        replace(tight, memory_bytes=round(tight.memory_bytes * more)),
        replace(tight, latency_seconds=tight.latency_seconds * slack),
        replace(tight, latency_seconds=None),
    ):
        assert _size(KINDS[kind], wider) >= _size(KINDS[kind], tight)


def _size(option: Option, limits: Limits) -> int:
    model = largest(option, limits, DEVICE)
    if model is None:
        return 0
    assert model.fits(limits)
    assert model.serving.memory_bytes <= limits.memory_bytes
    larger = next_larger(option, model, limits, DEVICE)
    assert larger is None or not larger.fits(limits)
    return model.non_embedding_parameters


def test_a_limit_for_a_token_is_the_requests_where_none_is_written() -> None:
    limits = replace(WIDE, latency_seconds=0.01, per_token=True)
    bert, gpt2 = (
        next(model for model in candidates(option, limits, DEVICE) if model.family == family)
        for option, family in ((KINDS["encoder"], "bert"), (KINDS["decoder"], "gpt2"))
    )
    assert bert.seconds(limits) == bert.serving.request_seconds
    assert gpt2.seconds(limits) == gpt2.serving.token_seconds != gpt2.serving.request_seconds


def test_limits_say_themselves() -> None:
    assert str(replace(WIDE, memory_bytes=24 * 10**9)) == "24 GB"
    assert str(replace(WIDE, latency_seconds=0.005)) == "1,000 GB and 5 ms a request"
    assert str(replace(WIDE, latency_seconds=0.005, per_token=True)) == "1,000 GB and 5 ms a token"
