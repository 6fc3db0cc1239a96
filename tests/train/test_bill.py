"""A line of a bill: its error, its way into a report, and how a person reads it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.train.bill import Line, quantity


@given(expected=st.floats(1e-3, 1e18), measured=st.floats(0, 1e18))
def test_the_error_is_measured_over_expected(expected: float, measured: float) -> None:
    line = Line("time", "s", expected, measured)
    assert line.error == pytest.approx(measured / expected - 1)
    assert Line.from_dict(json.loads(json.dumps(line.to_dict()))) == line


def test_what_was_not_expected_has_no_error() -> None:
    line = Line("resident memory", "B", None, 2.5e8, "with what the system holds back")
    assert line.error is None
    assert line.cells() == ("resident memory", "–", "250 MB", "–")
    assert Line("memory", "B", 2e8, 2.5e8).cells() == ("memory", "200 MB", "250 MB", "+25.0%")


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        (6.14e9, "FLOP/s", "6.14 GFLOP/s"),
        (95.1e6, "B", "95.1 MB"),
        (1234.5e6, "B", "1.234 GB"),
        (0.0123, "s", "12.3 ms"),
        (1.014, "s", "1.01 s"),
        (12.34, "s", "12.3 s"),
        (185.0, "s", "3 min 5 s"),
        (239.7, "s", "4 min 0 s"),
        (3.14159, "nats", "3.142 nats"),
        (1234567, "", "1,234,567"),
        (512, "B", "512 B"),
    ],
)
def test_quantities(value: float, unit: str, written: str) -> None:
    assert quantity(value, unit) == written
