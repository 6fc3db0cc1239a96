"""An evaluation measures, keeps everything, goes on where it was, and compares only what is the same."""

import json
from pathlib import Path

import pytest
from matplotlib.patches import Rectangle

from tests.evaluate.stub import Told
from trivium.data.examples import Examples, LabelledText
from trivium.errors import DataError, UsageError
from trivium.evaluate.evaluation import evaluate
from trivium.evaluate.predictions import Prediction

LABELS = ["pos", "neg"] * 20
EXAMPLES = Examples(
    "classification", tuple(LabelledText(f"Film {n}", label) for n, label in enumerate(LABELS)), "films"
)


def _said(wrong: int) -> list[Prediction]:
    other = {"pos": "neg", "neg": "pos"}
    said = [other[label] if place < wrong else label for place, label in enumerate(LABELS)]
    return [
        Prediction(label, {label: 0.9, other[label]: 0.1}, f"Q: Film {place} A:") for place, label in enumerate(said)
    ]


def test_figures_with_intervals_and_how_they_came_about() -> None:
    evaluation = evaluate(Told.of(EXAMPLES, _said(wrong=10)), EXAMPLES)
    assert evaluation.main.name == "accuracy"
    assert evaluation.metric("accuracy").value == 0.75
    assert evaluation.main.low is not None
    assert evaluation.main.low < 0.75
    assert evaluation.first_input == "Q: Film 0 A:"
    assert evaluation.how == {"template": "{{ text }}"}
    assert "letter by letter" in evaluation.normalisation["labels"]
    assert "accuracy" in str(evaluation)
    assert "films: 40 items" in str(evaluation)
    with pytest.raises(UsageError, match=r"no metric 'acuracy' here\. Did you mean 'accuracy'"):
        evaluation.metric("acuracy")


def test_a_folder_holds_every_sample_and_the_figures(tmp_path: Path) -> None:
    evaluation = evaluate(Told.of(EXAMPLES, _said(wrong=1)), EXAMPLES, folder=tmp_path / "films")
    lines = [json.loads(line) for line in (tmp_path / "films/samples.jsonl").read_text().splitlines()]
    assert [line["score"] for line in lines] == [0.0] + [1.0] * 39
    assert lines[0]["example"] == {"text": "Film 0", "label": "pos"}
    assert lines[0]["said"] == "neg"
    document = json.loads((tmp_path / "films/evaluation.json").read_text())
    assert document["metrics"]["accuracy"]["value"] == evaluation.main.value == 39 / 40
    assert sorted(path.name for path in (tmp_path / "films").iterdir()) == ["evaluation.json", "samples.jsonl"]


def test_one_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    whole = evaluate(Told.of(EXAMPLES, _said(wrong=7)), EXAMPLES)
    killed = Told.of(EXAMPLES, _said(wrong=7), dies_after=3)
    with pytest.raises(KeyboardInterrupt):
        evaluate(killed, EXAMPLES, folder=tmp_path, at_once=8)
    after = Told.of(EXAMPLES, _said(wrong=7))
    done: list[tuple[int, int]] = []
    evaluation = evaluate(after, EXAMPLES, folder=tmp_path, at_once=8, told=lambda *now: done.append(now))
    assert after.asked == 2  # of five batches three were there
    assert done == [(32, 40), (40, 40)]
    assert evaluation.metrics == whole.metrics
    assert evaluation.predictions == whole.predictions
    finished = Told.of(EXAMPLES, _said(wrong=7), dies_after=0)
    assert evaluate(finished, EXAMPLES, folder=tmp_path).metrics == whole.metrics


@pytest.mark.parametrize("change", ["identity", "how", "examples"])
def test_what_is_of_something_else_is_made_anew(tmp_path: Path, change: str) -> None:
    evaluate(Told.of(EXAMPLES, _said(wrong=0)), EXAMPLES, folder=tmp_path)
    again = Told.of(EXAMPLES, _said(wrong=4))
    if change == "how":
        again.how = {"template": "{{ text }}!"}
    examples = EXAMPLES.pick(range(1, 40)) if change == "examples" else EXAMPLES
    evaluation = evaluate(again, examples, folder=tmp_path, identity="other" if change == "identity" else "")
    assert again.asked == 1
    assert evaluation.main.value < 1


def test_two_systems_on_the_same_items_are_paired() -> None:
    good, poor = (evaluate(Told.of(EXAMPLES, _said(wrong)), EXAMPLES) for wrong in (2, 20))
    difference = good.less(poor)
    assert difference.value == pytest.approx(0.45)
    assert difference.is_sure
    assert good.less(good, "macro_f1").value == 0
    fewer = EXAMPLES.pick(range(10))
    with pytest.raises(UsageError, match="different examples"):
        good.less(evaluate(Told.of(EXAMPLES, _said(0)), fewer))


def test_a_predictor_of_another_form_and_one_that_miscounts() -> None:
    with pytest.raises(DataError, match="this predictor is for tagging"):
        evaluate(Told("tagging", {}), EXAMPLES)
    short = Told.of(EXAMPLES, _said(0))
    short.predict = lambda examples: []  # type: ignore[method-assign]
    with pytest.raises(UsageError, match="0 things of 40 examples"):
        evaluate(short, EXAMPLES)


def test_json_of_undefined_figures(tmp_path: Path) -> None:
    numbers = Examples("regression", (LabelledText("a", 1.0), LabelledText("b", 2.0)))
    evaluation = evaluate(Told.of(numbers, [Prediction(0.5)] * 2), numbers, folder=tmp_path)
    document = json.loads((tmp_path / "evaluation.json").read_text(), parse_constant=pytest.fail)
    assert document["metrics"]["pearson"]["value"] is None
    assert "Undefined on these items: pearson, spearman." in evaluation.remarks


def test_the_picture_of_one_that_is_sure_and_of_one_that_says_no_probability() -> None:
    sure = evaluate(Told.of(EXAMPLES, _said(wrong=10)), EXAMPLES).plot()
    assert sure.axes[0].get_title(loc="left") == "films, 40 items"
    [bar] = sure.axes[0].patches
    assert isinstance(bar, Rectangle)
    assert bar.get_height() == 0.75  # of those said with 0.9
    free = [Prediction(prediction.said) for prediction in _said(wrong=10)]
    titles = [axes.get_title(loc="left") for axes in evaluate(Told.of(EXAMPLES, free), EXAMPLES).plot().axes]
    assert titles[0] == "films, accuracy: accuracy, 40 items"
