"""Several tasks by several models: each pair measured and kept in its own folder, so that a suite goes on where it was.

results/suite.json
results/<model>/<task>/evaluation.json, samples.jsonl
"""

__all__ = ["PredictorOf", "SuiteResult", "SuiteRow", "SuiteTold", "head_of", "run_suite"]

import hashlib
import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trivium.data.example_reader import read_examples
from trivium.data.examples import Examples, Question
from trivium.data.sources import Source, open_source
from trivium.errors import TriviumError, UsageError
from trivium.evaluate.evaluation import Evaluation, evaluate
from trivium.evaluate.head_predictor import HeadPredictor
from trivium.evaluate.identity import identity_of
from trivium.evaluate.perplexity import Perplexity, perplexity
from trivium.evaluate.predictions import Predictor
from trivium.evaluate.samples import EVALUATION
from trivium.evaluate.suite_settings import DataTask, Suite, TextTask
from trivium.files import atomic_write
from trivium.language_model import LanguageModel
from trivium.metrics.metric import Metric

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Called with the model, the task, how many items are done, and of how many (None: not known).
SuiteTold = Callable[[str, str, int, int | None], None]
#: How a model is asked for the examples of a task.
PredictorOf = Callable[[LanguageModel, DataTask, Examples], Predictor]


@dataclass(frozen=True)
class SuiteRow:
    """What one model does with one task: its figures, or why there are none."""

    model: str
    task: str
    result: Evaluation | Perplexity | None = None
    error: TriviumError | None = None

    @property
    def reason(self) -> str:
        """Why there are no figures."""
        return "" if self.error is None else str(self.error)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Its figures."""
        return () if self.result is None else self.result.metrics

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        result = None if self.result is None else self.result.to_dict()
        return {"model": self.model, "task": self.task, "result": result, "reason": self.reason}


@dataclass(frozen=True)
class SuiteResult:
    """Every model with every task, in the order of the suite."""

    rows: tuple[SuiteRow, ...]

    def row(self, model: str, task: str) -> SuiteRow:
        """One of them."""
        return next(row for row in self.rows if (row.model, row.task) == (model, task))

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"rows": [row.to_dict() for row in self.rows]}

    def plot(self) -> "Figure":
        """The first figure of every model, a panel a task. Raises `UsageError` where nothing was measured."""
        from trivium.evaluate.picture import score_chart

        panels: dict[str, list[tuple[str, Metric]]] = {}
        for row in self.rows:
            panels.setdefault(row.task, []).extend((row.model, metric) for metric in row.metrics[:1])
        return score_chart(panels)

    def __str__(self) -> str:
        return "\n".join(
            f"{row.model}  {row.task}  "
            + (", ".join(f"{m.name} {m}" for m in row.metrics) or f"not measured: {row.reason}")
            for row in self.rows
        )


def run_suite(
    suite: Suite,
    load: Callable[[str], LanguageModel],
    folder: Path | None = None,
    told: SuiteTold | None = None,
    predictor_of: PredictorOf | None = None,
) -> SuiteResult:
    """Every task by every model, one model in memory at a time; `load` gives a model by its reference.

    `predictor_of` says how a model is asked; by default it is `head_of`.

    What a model cannot do is a row with the reason. All data is read before the first model, so that a mistake in it is
    said at once. Raises `UsageError` where there is no model, and what the readers of data raise.
    """
    if not suite.models:
        raise UsageError("The suite names no model: say `models: [...]` in it, or name one on the command line.")
    material = {name: _material(task, suite) for name, task in suite.tasks.items()}
    folders = _folders(suite.models)
    rows: list[SuiteRow] = []
    for model in suite.models:
        lm = load(model)
        for name, task in suite.tasks.items():
            where = None if folder is None else folder / folders[model] / _plain(name)
            tell = None if told is None else _telling(told, model, name)
            try:
                done: Evaluation | Perplexity
                if isinstance(task, TextTask):
                    done = _read(lm, task, material[name], suite, where, tell)
                else:
                    done = _asked(lm, task, material[name], suite, where, tell, predictor_of or head_of)
                rows.append(SuiteRow(model, name, done))
            except TriviumError as error:
                rows.append(SuiteRow(model, name, error=error))
    result = SuiteResult(tuple(rows))
    if folder is not None and len(rows) > 1:
        kept = {"suite": suite.model_dump(mode="json"), "rows": [_line(row) for row in rows]}
        atomic_write(folder / "suite.json", json.dumps(kept, indent=2, ensure_ascii=False))
    return result


def head_of(lm: LanguageModel, task: DataTask, examples: Examples) -> Predictor:
    """A model asked what its head is for; it may say that there is no answer where some of the questions have none."""
    unanswerable = any(isinstance(example, Question) and not example.answers for example in examples)
    return HeadPredictor(lm, task.labels, or_none=unanswerable, options=task.options)


def _material(task: DataTask | TextTask, suite: Suite) -> Examples | Source:
    if isinstance(task, TextTask):
        return open_source(task.text, split=task.split, column=task.column)
    examples = read_examples(task.data, split=task.split, columns=task.columns)
    limit = task.limit or suite.limit
    return examples if limit is None else replace(examples.sample(limit, suite.seed), skipped=examples.skipped)


def _asked(
    lm: LanguageModel,
    task: DataTask,
    material: Examples | Source,
    suite: Suite,
    folder: Path | None,
    tell: Callable[[int, int | None], None] | None,
    predictor_of: PredictorOf,
) -> Evaluation:
    assert isinstance(material, Examples)
    predictor = predictor_of(lm, task, material)
    return evaluate(predictor, material, metrics=task.metrics, folder=folder, seed=suite.seed, told=tell)


def _read(
    lm: LanguageModel,
    task: TextTask,
    material: Examples | Source,
    suite: Suite,
    folder: Path | None,
    tell: Callable[[int, int | None], None] | None,
) -> Perplexity:
    assert isinstance(material, Source)
    limit = task.limit or suite.limit
    asked = [material.fingerprint, limit, task.window, task.stride, suite.seed, identity_of(lm)]
    key = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
    path = None if folder is None else folder / EVALUATION
    if path is not None and (kept := _kept(path, key)) is not None:
        return kept
    done = perplexity(
        lm,
        itertools.islice(material.documents(), limit),
        window=task.window,
        stride=task.stride,
        where=task.text if material.split is None else f"{task.text} ({material.split})",
        seed=suite.seed,
        told=None if tell is None else (lambda tokens: tell(tokens, None)),
    )
    if path is not None:
        atomic_write(path, json.dumps({**done.to_dict(), "key": key}, indent=2).encode(errors="backslashreplace"))
    return done


def _kept(path: Path, key: str) -> Perplexity | None:
    """What was measured before, of the same text by the same model."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Perplexity.from_dict(content) if content.pop("key") == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _telling(told: SuiteTold, model: str, task: str) -> Callable[[int, int | None], None]:
    return lambda done, of: told(model, task, done, of)


def _folders(models: Sequence[str]) -> Mapping[str, str]:
    """A folder's name for each model, the same for no two."""
    names = [_plain(model) for model in models]
    return {
        model: name if names.count(name) == 1 else f"{name}-{hashlib.sha256(model.encode()).hexdigest()[:6]}"
        for model, name in zip(models, names, strict=True)
    }


def _plain(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "model"


def _line(row: SuiteRow) -> dict[str, Any]:
    return {
        "model": row.model,
        "task": row.task,
        "reason": row.reason,
        "metrics": {m.name: m.to_dict() for m in row.metrics},
    }
