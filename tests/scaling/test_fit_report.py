"""Fits beside each other and beside what was published."""

import json

import pytest

from tests.scaling.planted import curves, isoflops, planted
from trivium.errors import DataError
from trivium.scaling.fit_report import KAPLAN, PUBLISHED, FitReport, fit_report


@pytest.fixture(scope="module")
def report() -> FitReport:
    points = {1: curves(0, moments=10), 2: isoflops(0, sizes=5), 3: planted(5, count=25)}
    return fit_report(points, bootstrap=20, budgets=[1e21, 5.76e23], runs=[(70e9, 1.4e12)], kaplan=True)


def test_what_was_published() -> None:
    assert PUBLISHED["a"] == {1: 0.50, 2: 0.49, 3: 0.46}
    assert all(PUBLISHED["a"][n] + PUBLISHED["b"][n] == pytest.approx(1) for n in (1, 2, 3))
    assert (KAPLAN["a"], KAPLAN["b"]) == (0.73, 0.27)
    assert [value for name, value in KAPLAN.items() if "L(" in name] == [0.076, 0.095, 0.057, 0.076, 0.103]


def test_every_number_stands_beside_the_published_one(report: FitReport) -> None:
    columns, rows = report.numbers()
    assert columns == ("approach", "number", "fitted", "90% interval", "Chinchilla", "Kaplan")
    assert [(row[0], row[4], row[5]) for row in rows if "a: " in str(row[1])] == [
        ("1", 0.50, 0.73),
        ("2", 0.49, 0.73),
        ("3", 0.46, 0.73),
    ]
    (alpha,) = [row for row in rows if str(row[1]).startswith("α: ")]
    assert alpha[2] == f"{report.fits[2].exponents()['alpha'].value:.4g}"
    assert " to " in str(alpha[3])
    assert report.kaplan is not None
    joint = (report.kaplan.joint_size, report.kaplan.joint_data)
    assert [row[2] for row in rows[-2:]] == [f"{power.exponent:.4g}" for power in joint]
    assert len(rows) == 2 + 2 + 7 + 5


def test_budgets_and_runs(report: FitReport) -> None:
    _, optima = report.budgets()
    assert [row[:2] for row in optima] == [(flops, n) for flops in ("1e+21", "5.76e+23") for n in ("1", "2", "3")]
    assert [row[7] == "" for row in optima] == [True, True, False] * 2, "only a law of loss says a loss"
    _, (run,) = report.runs()
    assert run[:2] == ("7e+10", "1.4e+12")
    assert report.predictions[0][2].loss == report.fits[2].predict(70e9, 1.4e12).loss


def test_how_sure_it_is(report: FitReport) -> None:
    said = report.lines()
    (sure,) = [text for word, text in said if word == "approach 3" and text.startswith("converged: ")]
    assert sure.startswith("converged: of 4,500 starts the best 40 were followed to the end, ")
    assert sure.endswith("variable projection found the same")
    assert any(word == "beyond" and "times the largest compute" in text for word, text in said)
    assert [text for _, text in said if text.startswith("outlier: N = ")]


def test_an_approach_that_cannot_be_fitted_is_said_beside_those_that_can() -> None:
    points = isoflops(0, sizes=5)
    found = fit_report({1: points, 2: points}, bootstrap=5)
    assert [one.approach for one in found.fits] == [2]
    assert found.lines()[-1][0] == "approach 1"
    assert found.lines()[-1][1].startswith("not fitted: Approach 1 draws the envelope of training curves")
    with pytest.raises(DataError, match="Approach 1 draws the envelope"):
        fit_report({1: points}, bootstrap=5)


def test_plain_data(report: FitReport) -> None:
    document = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert [one["approach"] for one in document["fits"]] == [1, 2, 3]
    assert "samples" not in document["fits"][0]
    assert document["kaplan"]["size"]["exponent"] > 0
    assert document["optima"][0]["optimum"]["flops"] == 1e21
    assert document["predictions"][0]["low"] < document["predictions"][0]["loss"] < document["predictions"][0]["high"]
