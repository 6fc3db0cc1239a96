"""Quote and bill: units, errors, and the way into a report and back."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.families import gpt2
from trivium.plan.quote import Bill, Line, Quote

#: GPT-3 as Brown et al. 2020 trained it (table 2.1 and D.1), in steps of 3.2 million tokens.
GPT3 = gpt2.preset(dim=12_288, depth=96, heads=96, positions=2048)
QUOTE = Quote(
    name="decoder", family="gpt2", kind="decoder", dim=12_288, depth=96, parameters=GPT3.parameters,
    tokens=300_000_000_000, steps=93_750, rows=1562, flops=3.14e23, rule_flops=6 * GPT3.parameters * 3e11,
    seconds=1e6, memory_bytes=2_800_000_000_000,
)  # fmt: skip


def test_units_of_table_d1() -> None:
    assert QUOTE.petaflop_s_days == pytest.approx(3640, rel=0.002)
    assert QUOTE.rule_flops == pytest.approx(QUOTE.flops, rel=0.002)
    assert QUOTE.tokens_per_parameter == pytest.approx(1.7, rel=0.02)


def test_a_quote_goes_through_a_report() -> None:
    values = json.loads(json.dumps(QUOTE.to_dict()))
    assert Quote.from_dict(values) == QUOTE
    assert values["petaflop_s_days"] == QUOTE.petaflop_s_days
    assert values["tokens_per_parameter"] == QUOTE.tokens_per_parameter


def test_a_bill_that_matches_its_quote_has_no_error() -> None:
    bill = Bill.of(
        QUOTE, parameters=QUOTE.parameters, tokens=QUOTE.tokens, seconds=1e6, memory_bytes=QUOTE.memory_bytes
    )
    assert [line.what for line in bill.lines] == ["parameters", "tokens", "time", "memory", "rate"]
    assert [line.error for line in bill.lines] == [0] * 5
    assert bill.lines[-1].expected == pytest.approx(3.14e17)


@given(seconds=st.floats(0.1, 10), tokens=st.floats(0.1, 10), memory=st.floats(0.1, 10))
def test_errors_are_measured_over_expected(seconds: float, tokens: float, memory: float) -> None:
    read = round(tokens * QUOTE.tokens)
    bill = Bill.of(
        QUOTE, parameters=QUOTE.parameters, tokens=read, seconds=seconds * QUOTE.seconds,
        memory_bytes=round(memory * QUOTE.memory_bytes),
    )  # fmt: skip
    errors = {line.what: line.error for line in bill.lines}
    assert errors["time"] == pytest.approx(seconds - 1, abs=1e-9)
    assert errors["tokens"] == pytest.approx(tokens - 1, abs=1e-9)
    assert errors["memory"] == pytest.approx(memory - 1, abs=1e-9)
    assert errors["rate"] == pytest.approx(tokens / seconds - 1, abs=1e-6), "half of the tokens in half of the time"
    written = json.loads(json.dumps(bill.to_dict()))
    assert [line["error"] for line in written["lines"]] == [line.error for line in bill.lines]
    assert Quote.from_dict(written["quote"]) == QUOTE


def test_nothing_expected_is_no_error() -> None:
    assert Line("memory", "B", 0.0, 5.0).error == 0
    assert dataclasses.replace(Line("time", "s", 4.0, 5.0), measured=3.0).error == -0.25
