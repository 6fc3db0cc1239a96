"""`trivium fit points`: the tables, the document, the files, and what is refused."""

import json
from pathlib import Path

import pytest

from tests.scaling.planted import isoflops
from trivium.cli.main import main
from trivium.scaling.fitted import Fit


@pytest.fixture
def table(tmp_path: Path) -> Path:
    lines = [f"{point.parameters},{point.tokens},{point.loss}" for point in isoflops(0, sizes=5)]
    (tmp_path / "runs.csv").write_text("\n".join(["size,tokens,loss", *lines]) + "\n")
    return tmp_path / "runs.csv"


def run(*arguments: object) -> int:
    return main(["fit", "points", *map(str, arguments)])


def test_a_person_sees_numbers_optima_and_how_sure_they_are(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--params", "size", "--approach", "all", "--bootstrap", 20, "--budget", "1e24", "--budget", "2 pf-days"]
    assert run(table, *options, "--predict", "70e9,1.4e12") == 0
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert lines[0].startswith("45 points, ")
    assert lines[1].split() == ["approach", "number", "fitted", "90%", "interval", "Chinchilla", "Kaplan"]
    assert lines[2].split()[-2:] == ["0.49", "0.73"]
    assert sum(line.startswith("1.73e+20 ") for line in lines) == 2
    assert "Predicted loss of a run" in lines
    assert any(line.startswith("approach 1  not fitted: ") for line in lines)
    assert any("times the largest compute of the points" in line for line in lines)
    assert shown.err == ""


def test_a_program_gets_one_document_and_files(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = ["--save", tmp_path / "fit.json", "--plot", tmp_path / "plots" / "fit.svg"]
    assert run(table, "--params", "size", "--approach", 2, "--bootstrap", 20, "--budget", 1e21, *files, "--json") == 0
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    saved = Fit.load(tmp_path / "fit.json")
    assert document["fits"][0]["exponents"]["a"]["value"] == saved.law.size_share
    assert document["optima"][0]["optimum"]["parameters"] == saved.optimum(1e21).optimum.parameters
    assert (tmp_path / "plots" / "fit.svg").read_text().rstrip().endswith("</svg>")
    assert shown.err.splitlines() == [f"saved: {tmp_path / 'fit.json'}", f"drawn: {tmp_path / 'plots' / 'fit.svg'}"]


def test_only_the_ends_of_curves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        f"{point.parameters},{tokens},{point.loss},{number}"
        for number, point in enumerate(isoflops(0, sizes=5))
        for tokens in (point.tokens / 2, point.tokens)
    ]
    path = tmp_path / "curves.csv"
    path.write_text("\n".join(["params,tokens,loss,run", *lines]) + "\n")
    assert run(path, "--approach", 2, "--bootstrap", 0, "--ends") == 0
    assert capsys.readouterr().out.startswith("45 points of 45 runs, ")


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ([], 1, "has no column 'params': it has 'size', 'tokens', 'loss'. Name the column of params with --params"),
        (["--approach", "4"], 2, "There is no approach '4': choose 1, 2, 3 or all."),
        (["--approach", "all", "--save", "a.json"], 2, "--save and --plot are of one fit: choose one --approach."),
        (["--approach", "2", "--predict", "1,2"], 2, "--predict needs approach 3."),
        (["--predict", "70b"], 2, "--predict '70b' is not N,D: write two numbers"),
        (["--budget", "much"], 2, "'much' is no budget"),
        (["--params", "size", "--approach", "2", "--bootstrap", "-1"], 2, "-1 resamples"),
        (["--params", "size", "--approach", "2", "--bootstrap", "0", "--plot", "fit.gif"], 2, "must end in .svg, .png"),
    ],
)
def test_what_is_refused(
    table: Path, options: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(table, *options) == code
    assert said in capsys.readouterr().err
