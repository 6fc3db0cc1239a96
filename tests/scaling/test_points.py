"""Points, and the ends of training curves."""

import pytest

from trivium.scaling.points import Point, last_of_runs


def test_the_last_point_of_a_run_stands_for_it() -> None:
    points = [Point(1.0, tokens, 6 * tokens, 5 - tokens, run) for tokens, run in ((1.0, "a"), (3.0, "a"), (2.0, "a"))]
    other, alone = Point(2.0, 1.0, 12.0, 3.0, "b"), Point(3.0, 1.0, 18.0, 2.5)
    assert last_of_runs([*points, other, alone, alone]) == [alone, alone, points[1], other]


def test_plain_data() -> None:
    point = Point(1e9, 2e10, 1.2e20, 2.5, "a")
    assert Point(**point.to_dict()) == point


def test_a_point_does_not_change() -> None:
    with pytest.raises(AttributeError):
        Point(1.0, 1.0, 6.0, 1.0).loss = 2.0  # type: ignore[misc]
