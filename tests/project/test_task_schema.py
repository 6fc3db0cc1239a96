"""A project that pretrains two tiny models, teaches one, asks the other, and compares: each thing once."""

import json
from pathlib import Path
from typing import Any

import pytest
import transformers as hf

from trivium.cli.main import main
from trivium.errors import UsageError
from trivium.project.read import dump_project, parse_project
from trivium.project.run import ProjectResult, run_project
from trivium.project.splits import splits_of

LABELS = ("object", "statement")


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("labelled") / "rows.jsonl"
    rows = [{"text": f"The {LABELS[n % 2]} number {n} is one <b>.", "label": LABELS[n % 2]} for n in range(80)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def content(corpus: Path, labelled: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("tasks") / "out"
    task = {"data": str(labelled), "held_out": 0.25}
    return {
        "scope": {"name": "tasks", "out": str(out), "seed": 3, "minutes": 0.5},
        "data": {"mix": [{"path": str(corpus)}], "held_out": 0.1, "length": 64},
        "model": {"families": ["bert", "gpt2"], "vocabulary": 700, "dim": 32, "tokens_per_parameter": 0.4},
        "train": {"batch_tokens": 512, "learning_rate": 0.01, "precision": "float32"},
        "evaluate": {"rows": 8},
        "finetune": {
            "kinds": {"model": "bert", **task, "train": {"epochs": 2, "learning_rate": 3e-3, "precision": "float32"}},
            "fresh": {
                "model": {"family": "bart", "vocabulary": 300, "dim": 32, "depth": 1, "heads": 2},
                **task,
                "train": {"epochs": 1, "precision": "float32"},
            },
        },
        "prompt": {"asked": {"model": "gpt2", **task, "shots": [0, 1], "items": 6, "ways": ["plain", "per-character"]}},
        "compare": {**task, "candidates": ["most-common", "naive-bayes", "kinds"]},
    }


@pytest.fixture(scope="module")
def done(content: dict[str, Any]) -> ProjectResult:
    return run_project(parse_project(content))


@pytest.mark.slow
def test_a_pretrained_model_is_taught_and_opens_in_transformers(done: ProjectResult, labelled: Path) -> None:
    one = done.content["finetuned"]["kinds"]
    assert one["examples"] + one["splits"]["choose"] + one["splits"]["held_out"] == 80
    assert one["evaluation"]["items"] == 20
    assert 0 <= one["evaluation"]["metrics"]["accuracy"]["value"] <= 1
    lines = {line["what"]: line for line in one["bill"]}
    assert lines["whole time"]["measured"] > 0
    theirs = hf.pipeline("text-classification", str(done.out / "kinds"))
    assert theirs("The object is one.")[0]["label"] in LABELS


@pytest.mark.slow
def test_a_model_may_start_from_nothing(done: ProjectResult) -> None:
    one = done.content["finetuned"]["fresh"]
    assert one["model"] == "a new bart"
    assert one["evaluation"]["items"] == 20
    assert hf.AutoModelForSequenceClassification.from_pretrained(done.out / "fresh").config.model_type == "bart"


@pytest.mark.slow
def test_a_pretrained_model_is_asked(done: ProjectResult) -> None:
    one = done.content["prompts"]["asked"]
    assert [(row["shots"]["count"], row["way"]) for row in one["rows"]] == [
        (0, "plain"), (0, "per-character"), (1, "plain"), (1, "per-character"),
    ]  # fmt: skip
    assert one["items"] == 6
    assert one["first"]["text"].endswith("Label:")


@pytest.mark.slow
def test_candidates_are_compared(done: ProjectResult) -> None:
    assert {row[0] for row in done.content["comparison"]["table"]["rows"]} == {"most-common", "naive-bayes", "kinds"}


@pytest.mark.slow
def test_the_report_has_every_task_and_escapes_it(done: ProjectResult) -> None:
    page = done.report.read_text()
    for text in (
        "kinds: bert taught classification",
        "asked: gpt2 as it is",
        "Which model does it best",
        "naive-bayes",
    ):
        assert text in page
    assert "number 1 is one <b>" not in page


@pytest.mark.slow
def test_what_is_done_is_not_done_again(done: ProjectResult) -> None:
    files = ["kinds/model.safetensors", "prompts/asked.json", "kinds/run.yaml"]
    before = [(done.out / name).stat().st_mtime_ns for name in files]
    again = run_project(parse_project(done.content["project"]))
    assert again.content["finetuned"] == done.content["finetuned"]
    assert again.content["prompts"] == done.content["prompts"]
    assert [(done.out / name).stat().st_mtime_ns for name in files] == before


@pytest.mark.slow
def test_the_command_line_shows_every_task(done: ProjectResult, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(done.out / "project.yaml")]) == 0
    shown = capsys.readouterr().out
    for text in ("kinds: bert taught classification, on 20", "The bill of kinds", "asked: gpt2 as it is, on 6"):
        assert text in shown
    assert "Which model does it best" in shown


def test_tasks_alone_need_no_text_to_pretrain_on(labelled: Path) -> None:
    project = parse_project({"compare": {"data": str(labelled), "candidates": ["most-common"]}})
    assert project.pretrained == ()
    assert parse_project(json.loads(json.dumps(project.model_dump(mode="json")))) == project
    assert "candidates" in dump_project(project)


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({}, "the file asks for nothing: it needs a section data, prompt, finetune or compare"),
        ({"finetune": {"a b": {"model": "m", "data": "d"}}}, "'a b' cannot name a stage"),
        ({"finetune": {"compare": {"model": "m", "data": "d"}}}, "'compare' cannot name a stage"),
        ({"finetune": {"a": {"model": "b", "data": "d"}, "b": {"model": "m", "data": "d"}}}, "put that first"),
        ({"data": {"mix": ["x"]}, "finetune": {"bert": {"model": "m", "data": "d"}}}, "which is a model that is pretr"),
        ({"finetune": {"a": {"model": "m", "data": "d", "train": {"epoch": 1}}}}, "Did you mean 'epochs'"),
        ({"finetune": {"a": {"model": "m", "data": "d", "train": {"seed": 1}}}}, "the seed is scope.seed"),
        ({"finetune": {"a": {"model": "m"}}}, "'finetune.a.data' is missing"),
        ({"prompt": {"a": {"model": "m", "data": "d", "ways": ["plane"]}}}, "Did you mean 'plain'"),
        ({"prompt": {"a": {"model": "m", "data": "d", "order": "balance"}}}, "Did you mean 'balanced'"),
        ({"prompt": {"a": {"model": "m", "data": "d", "shots": [-1]}}}, "greater than or equal to 0"),
        ({"compare": {"data": "d", "candidates": ["naive-baies"]}}, "Did you mean 'naive-bayes'"),
        ({"compare": {"data": "d", "candidates": ["naive-bayes"], "out": "x"}}, "out is decided by scope.out"),
        ({"compare": {"data": "d", "candidates": []}}, "'compare.candidates' is"),
    ],
)
def test_wrong_sections_are_named(sections: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_project(sections)


def test_the_splits_of_a_task_share_nothing(labelled: Path) -> None:
    project = parse_project({"finetune": {"a": {"model": "m", "data": str(labelled), "held_out": 0.5, "items": 10}}})
    splits = splits_of(project.finetune["a"], seed=1)
    assert len(splits.held_out) == 10
    texts = [{str(one) for one in part} for part in (splits.train, splits.choose, splits.held_out)]
    assert not texts[0] & texts[1]
    assert not (texts[0] | texts[1]) & texts[2]
