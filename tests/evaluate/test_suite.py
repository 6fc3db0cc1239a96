"""Every model does every task that it can; what was done is not done again."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.decode.tiny import TEXTS, speaker
from tests.tasks.tiny import headed
from trivium.errors import DataError, UsageError
from trivium.evaluate import suite as rooms
from trivium.evaluate.evaluation import Evaluation
from trivium.evaluate.head_predictor import HeadPredictor
from trivium.evaluate.perplexity import Perplexity, perplexity
from trivium.evaluate.suite import run_suite
from trivium.evaluate.suite_settings import DataTask, Suite, TextTask
from trivium.language_model import LanguageModel

MODELS: dict[str, Callable[[], LanguageModel]] = {
    "runs/classifier": lambda: headed("bert", "sequence-classification", ("pos", "neg")),
    "runs-classifier": lambda: headed("gpt2", "sequence-classification", ("pos", "neg")),
    "writer": lambda: LanguageModel(*speaker("gpt2")),
}


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    rows = [{"text": f"{text} {n}", "label": "pos" if n % 3 else "neg"} for n in range(9) for text in TEXTS[:3]]
    (tmp_path / "films.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in [*rows, {"text": "", "label": "x"}])
    )
    (tmp_path / "wiki.txt").write_text("\n\n".join(TEXTS[:4]))
    tasks = {
        "films": DataTask(data=str(tmp_path / "films.jsonl"), metrics=("accuracy",)),
        "wiki": TextTask(text=str(tmp_path / "wiki.txt"), window=32),
    }
    return Suite(tasks=tasks, models=tuple(MODELS), limit=20)


def _load(name: str) -> LanguageModel:
    return MODELS[name]()


def test_each_model_with_each_task(suite: Suite, tmp_path: Path) -> None:
    result = run_suite(suite, _load, tmp_path / "results")
    assert [(row.model, row.task) for row in result.rows] == [(model, task) for model in MODELS for task in suite.tasks]
    films = result.row("runs/classifier", "films").result
    assert isinstance(films, Evaluation)
    assert films.items == 20
    assert films.skipped == {"no text": 1}
    assert [metric.name for metric in films.metrics] == ["accuracy"]
    assert "is for text-to-text" in result.row("writer", "films").reason
    assert "Perplexity is of a decoder's texts" in result.row("runs/classifier", "wiki").reason
    wiki = result.row("writer", "wiki").result
    assert isinstance(wiki, Perplexity)
    texts = (tmp_path / "wiki.txt").read_text()
    assert wiki.nats == pytest.approx(perplexity(_load("writer"), [texts], window=32).nats)
    assert "writer  wiki  perplexity" in str(result)
    films_panel, wiki_panel = result.plot().axes
    assert [label.get_text() for label in films_panel.get_yticklabels()] == ["runs/classifier", "runs-classifier"]
    assert wiki_panel.get_title(loc="left").startswith("wiki: perplexity")
    kept = json.loads((tmp_path / "results/suite.json").read_text())
    assert len(kept["rows"]) == 6
    folders = {path.parent.parent.name for path in (tmp_path / "results").rglob("evaluation.json")}
    assert len(folders) == 3  # the names of two models differ in a sign that no folder's name may have
    assert "writer" in folders


def test_what_is_finished_is_read(suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = suite.model_copy(update={"models": ("writer", "runs/classifier")})
    first = run_suite(suite, _load, tmp_path / "results")

    def once(lm: LanguageModel, *rest: object, **options: object) -> Perplexity:
        if lm.architecture.kind == "decoder":
            pytest.fail("read again")
        return perplexity(lm, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(HeadPredictor, "predict", lambda *_: pytest.fail("asked again"))
    monkeypatch.setattr(rooms, "perplexity", once)
    again = run_suite(suite, _load, tmp_path / "results")
    assert [row.metrics for row in again.rows] == [row.metrics for row in first.rows]
    (tmp_path / "wiki.txt").write_text("Something else.")
    with pytest.raises(pytest.fail.Exception, match="read again"):
        run_suite(suite, _load, tmp_path / "results")


def test_progress_is_told_of_every_pair(suite: Suite) -> None:
    seen: list[tuple[str, str, int, int | None]] = []
    run_suite(suite, _load, None, lambda *told: seen.append(told))
    assert ("runs/classifier", "films", 20, 20) in seen
    assert [of for model, task, _, of in seen if task == "wiki"] == [None]


def test_the_items_of_a_limit_are_the_same_for_all_models(suite: Suite) -> None:
    result = run_suite(suite, _load)
    one, other = (result.row(model, "films").result for model in ("runs/classifier", "runs-classifier"))
    assert isinstance(one, Evaluation)
    assert isinstance(other, Evaluation)
    assert one.less(other).items == 20


def test_mistakes_in_the_data_come_before_any_model(suite: Suite) -> None:
    wrong = suite.model_copy(update={"tasks": {"films": DataTask(data="nowhere.jsonl")}})
    with pytest.raises(DataError):
        run_suite(wrong, lambda name: pytest.fail("loaded"))
    with pytest.raises(UsageError, match="names no model"):
        run_suite(suite.model_copy(update={"models": ()}), _load)


def test_labels_of_the_data_by_the_models_names(suite: Suite) -> None:
    """A model of LABEL_0 and LABEL_1 is measured by their meaning."""
    films = suite.tasks["films"]
    assert isinstance(films, DataTask)
    named = films.model_copy(update={"labels": {"LABEL_0": "pos", "LABEL_1": "neg"}})
    only = suite.model_copy(update={"tasks": {"films": named}, "models": ("m",)})
    lm = headed("bert", "sequence-classification", ("LABEL_0", "LABEL_1"))
    [row] = run_suite(only, lambda name: lm).rows
    assert row.metrics == run_suite(suite.model_copy(update={"models": ("runs/classifier",)}), _load).rows[0].metrics
