"""Quote and bill: units, errors, and the way into a report and back."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.families import gpt2
from trivium.plan.quote import Bill, ExpectedLoss, Quote
from trivium.train.state import TrainResult
from trivium.train.step_memory import StepMemory
from trivium.train.validation import Validation

#: GPT-3 as Brown et al. 2020 trained it (table 2.1 and D.1), in steps of 3.2 million tokens.
GPT3 = gpt2.preset(dim=12_288, depth=96, heads=96, positions=2048)
QUOTE = Quote(
    name="decoder", family="gpt2", kind="decoder", dim=12_288, depth=96, parameters=GPT3.parameters,
    tokens=300_000_000_000, steps=93_750, rows=1562, flops=3.14e23, rule_flops=6 * GPT3.parameters * 3e11,
    seconds=1e6, step_seconds=10.0, between_seconds=1e5, memory=StepMemory(700, 600, 1400, 100), rest={"logits": 100},
    peak_phase="backward pass", loss=ExpectedLoss(1.8, 1.7, 1.9, 0.9, "a ladder"),
)  # fmt: skip


def result(**changes: object) -> TrainResult:
    """Of a run that went as quoted."""
    done = TrainResult(
        finished=True, steps=QUOTE.steps, tokens=QUOTE.tokens, targets=QUOTE.tokens, seconds=1e6,
        tokens_per_second=3e5, flops_per_second=3.14e17, peak_memory_bytes=4000, loss=1.8, mean_loss=1.8,
        validation=Validation(1.8, 1000), best_validation_loss=1.8, parameters=QUOTE.parameters,
        memory=QUOTE.memory, median_step_seconds=10.0, between_seconds=1e5,
    )  # fmt: skip
    return dataclasses.replace(done, **changes)


def test_units_of_table_d1() -> None:
    assert QUOTE.petaflop_s_days == pytest.approx(3640, rel=0.002)
    assert QUOTE.rule_flops == pytest.approx(QUOTE.flops, rel=0.002)
    assert QUOTE.tokens_per_parameter == pytest.approx(1.7, rel=0.02)


def test_a_quote_goes_through_a_report() -> None:
    values = json.loads(json.dumps(QUOTE.to_dict()))
    assert Quote.from_dict(values) == QUOTE
    assert values["petaflop_s_days"] == QUOTE.petaflop_s_days
    assert values["tokens_per_parameter"] == QUOTE.tokens_per_parameter


def test_a_quote_of_an_older_version_still_reads() -> None:
    values = QUOTE.to_dict()
    old = {name: values[name] for name in ("name", "family", "kind", "dim", "depth", "parameters", "tokens", "steps",
           "rows", "flops", "rule_flops", "seconds")}  # fmt: skip
    quote = Quote.from_dict({**old, "memory_bytes": 2_800_000_000_000})
    assert quote.step_seconds == 1e6 / 93_750
    assert quote.memory is None
    lines = {line.what: line for line in quote.lines(result())}
    assert lines["memory"].expected is None
    assert lines["memory"].measured == 2800


def test_a_bill_that_matches_its_quote_has_no_error() -> None:
    bill = Bill.of(QUOTE, result())
    names = ["parameters", "tokens", "a step", "whole time", "rate", "memory"]
    parts = ["  weights", "  gradients", "  optimizer", "  rest"]
    assert [line.what for line in bill.lines] == [*names, *parts, "resident", "held-out loss"]
    expected = {line.what: line for line in bill.lines}
    assert expected["resident"].error is None
    assert expected["resident"].measured == 4000
    assert all(line.error == 0 for line in bill.lines if line.what != "resident")
    assert expected["rate"].expected == pytest.approx(3.14e17)
    assert expected["held-out loss"].note == "1.700 to 1.900 expected in 90% of cases, by a ladder"


def test_the_loss_of_all_held_out_text_goes_before_the_last_validation() -> None:
    assert Bill.of(QUOTE, result(), 1.89).lines[-1].error == pytest.approx(0.05)
    assert QUOTE.lines(result(validation=None))[-1].what == "resident"


def test_on_a_gpu_the_allocators_peak_stands_beside_the_formula() -> None:
    lines = {line.what: line for line in QUOTE.lines(result(device="cuda", peak_memory_bytes=2856))}
    assert "resident" not in lines
    assert lines["allocated"].error == pytest.approx(0.02)


def test_what_was_not_measured_has_no_line() -> None:
    unknown = result(memory=None, median_step_seconds=None, flops_per_second=None, parameters=None, validation=None)
    assert [line.what for line in QUOTE.lines(unknown)] == ["tokens", "whole time", "resident"]


@given(seconds=st.floats(0.1, 10), tokens=st.floats(0.1, 10), memory=st.integers(1, 10_000))
def test_errors_are_measured_over_expected(seconds: float, tokens: float, memory: int) -> None:
    bill = Bill.of(
        QUOTE,
        result(
            tokens=round(tokens * QUOTE.tokens), seconds=seconds * 1e6, between_seconds=0.0,
            median_step_seconds=10 * seconds, memory=StepMemory(700, 600, 1400, memory),
        ),
    )  # fmt: skip
    errors = {line.what: line.error for line in bill.lines}
    assert errors["whole time"] == pytest.approx(seconds / 1.1 - 1, abs=1e-9)
    assert errors["a step"] == pytest.approx(seconds - 1, abs=1e-9)
    assert errors["tokens"] == pytest.approx(tokens - 1, abs=1e-9)
    assert errors["  rest"] == pytest.approx(memory / 100 - 1, abs=1e-9)
    assert errors["memory"] == pytest.approx((2700 + memory) / 2800 - 1, abs=1e-9)
    written = json.loads(json.dumps(bill.to_dict()))
    assert [line["error"] for line in written["lines"]] == [line.error for line in bill.lines]
    assert Quote.from_dict(written["quote"]) == QUOTE
