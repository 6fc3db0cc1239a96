"""What a fit says: predictions, optima, extrapolation; and that it is the same after a file."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.scaling.planted import CHINCHILLA, isoflops, planted
from trivium.errors import DataError, StorageError, UsageError
from trivium.scaling.fit import fit
from trivium.scaling.fitted import Fit


@pytest.fixture(scope="module")
def parametric() -> Fit:
    return fit(planted(5, count=40), bootstrap=60)


@pytest.fixture(scope="module")
def frontier() -> Fit:
    return fit(isoflops(0), 2, bootstrap=60)


def test_a_prediction_holds_the_scatter_of_single_runs(parametric: Fit) -> None:
    loss, low, high = parametric.predict(1e9, 2e10)
    assert loss == parametric.law.loss(1e9, 2e10)
    assert low < loss < high
    assert (high - low) / loss > 2 * 0.01 * 1.6  # 90 % of a scatter of 1 % is 1.64 times that on either side
    assert parametric.predict(1e9, 2e10) == (loss, low, high)


def test_an_optimum_spends_the_budget(parametric: Fit) -> None:
    found = parametric.optimum(1e21)
    assert 6 * found.optimum.parameters * found.optimum.tokens == pytest.approx(1e21)
    for interval, value in ((found.parameters, found.optimum.parameters), (found.tokens, found.optimum.tokens)):
        assert interval is not None
        assert value in interval
    truth = CHINCHILLA.optimum(1e21)
    assert truth.loss is not None
    assert found.loss is not None
    assert found.parameters is not None
    assert truth.loss in found.loss
    assert truth.parameters in found.parameters
    assert found.warning is None


def test_far_predictions_are_said_to_be_extrapolations(parametric: Fit) -> None:
    assert parametric.extrapolation(9.9 * parametric.largest_flops) is None
    said = parametric.extrapolation(100 * parametric.largest_flops)
    assert said is not None
    assert "are 100 times the largest compute of the points" in said
    assert parametric.optimum(100 * parametric.largest_flops).warning == said


def test_flops_counted_otherwise_make_the_same_optimum() -> None:
    points = isoflops(0)
    halved, whole = (fit([replace(point, flops=point.flops / k) for point in points], 2, bootstrap=0) for k in (2, 1))
    assert halved.flops_per_parameter_and_token == pytest.approx(3)
    ours, theirs = halved.optimum(1e21).optimum, whole.optimum(2e21).optimum
    assert ours.parameters == pytest.approx(theirs.parameters, rel=1e-6)


def test_without_a_bootstrap_there_are_no_intervals(parametric: Fit) -> None:
    bare = replace(parametric, samples=())
    assert bare.exponents()["alpha"].interval is None
    assert bare.optimum(1e21).parameters is None
    assert len(set(bare.predict(1e9, 2e10))) == 1


def test_a_frontier_says_nothing_of_loss(frontier: Fit) -> None:
    with pytest.raises(UsageError, match=r"Approach 2 says which size is best, not its loss\. Fit with approach 3"):
        frontier.predict(1e9, 2e10)
    assert frontier.optimum(1e21).loss is None
    assert set(frontier.exponents()) == {"a", "b"}


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_sizes_that_are_none(parametric: Fit, value: float) -> None:
    with pytest.raises(UsageError, match="is no size of a run"):
        parametric.predict(value, 1e9)
    with pytest.raises(UsageError, match="is no size of a run"):
        parametric.optimum(value)


@pytest.mark.parametrize("name", ["parametric", "frontier"])
def test_it_is_the_same_after_a_file(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    found = request.getfixturevalue(name)
    found.save(tmp_path / "fit.json")
    again = Fit.load(tmp_path / "fit.json")
    assert again == found
    assert again.optimum(1e21) == found.optimum(1e21)
    json.loads((tmp_path / "fit.json").read_text(), parse_constant=pytest.fail)


def test_a_file_that_is_no_fit(parametric: Fit, tmp_path: Path) -> None:
    path = tmp_path / "fit.json"
    with pytest.raises(DataError, match=r"cannot be read: No such file .* `trivium fit points --save`"):
        Fit.load(path)
    parametric.save(path)
    whole = path.read_text()
    for content in ("", "[]", "{}", '{"kind": "other"}', whole[: len(whole) // 2], whole.replace('"law"', '"lore"')):
        path.write_text(content)
        with pytest.raises(DataError, match="is not a saved fit"):
            Fit.load(path)


def test_a_place_that_cannot_be_written(parametric: Fit, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        parametric.save(tmp_path / "file" / "fit.json")
