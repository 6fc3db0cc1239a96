"""A law by name, and from a saved fit."""

from pathlib import Path

import pytest

from trivium.errors import DataError, UsageError
from trivium.scaling.fit import fit
from trivium.scaling.laws import LAWS
from trivium.scaling.own_law import law_of
from trivium.scaling.parametric import ParametricLaw
from trivium.scaling.points import Point


def test_a_published_name() -> None:
    assert law_of("kaplan") == LAWS["kaplan"]
    with pytest.raises(UsageError, match="Did you mean 'kaplan'"):
        law_of("kaplam")


def test_a_saved_fit(tmp_path: Path) -> None:
    planted = ParametricLaw(1.7, 400.0, 1000.0, 0.34, 0.36)
    points = [
        Point(n, ratio * n, 6 * ratio * n * n, planted.loss(n, ratio * n))
        for n in (1e7, 3e7, 1e8, 3e8)
        for ratio in (5, 20, 80)
    ]
    fit(points, approach=3, bootstrap=0).save(tmp_path / "fit.json")
    law = law_of(str(tmp_path / "fit.json"))
    assert law.loss(1e9, 2e10) == pytest.approx(planted.loss(1e9, 2e10), rel=1e-3)
    assert (law.parameters, law.tokens) == ((1e7, 3e8), (5e7, 2.4e10))
    assert law.beyond(1e9, 2e10)


def test_a_file_that_is_no_fit(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(DataError, match="not a saved fit"):
        law_of(str(tmp_path / "other.json"))
