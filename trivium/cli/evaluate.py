"""`trivium evaluate`: how good a model is, on examples, on running text, or on a suite of both."""

__all__ = ["evaluate"]

import contextlib
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trivium.cli.console import JsonOption, Lines, Page, Table, emit, say
from trivium.errors import UsageError

if TYPE_CHECKING:
    from trivium.data.examples import Examples
    from trivium.evaluate.evaluation import Evaluation
    from trivium.evaluate.perplexity import Perplexity
    from trivium.evaluate.predictions import Predictor
    from trivium.evaluate.suite import SuiteResult, SuiteTold
    from trivium.evaluate.suite_settings import DataTask, Suite
    from trivium.language_model import LanguageModel

_PLAIN_SECONDS = 10.0
#: Labels are shown one by one where they are no more than these; the JSON document has all.
_LABELS = 30


def evaluate(
    models: Annotated[
        list[str] | None,
        typer.Argument(help="Folders, runs, catalogue names or hub ids.", show_default=False, metavar="MODEL..."),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="Examples: a file, a catalogue name, a hub id.", show_default=False)
    ] = None,
    text: Annotated[
        str | None, typer.Option(help="Running text: perplexity and bits per byte of a decoder.", show_default=False)
    ] = None,
    suite: Annotated[Path | None, typer.Option(help="A YAML file of tasks, and of models.", show_default=False)] = None,
    split: Annotated[str | None, typer.Option(help="A part of the data, such as test.")] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="Which column is what: label=stars; with --text its name alone.", show_default=False),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(help="A label of the model by the data's name: LABEL_1=positive.", show_default=False),
    ] = None,
    metric: Annotated[list[str] | None, typer.Option(help="Only these metrics.", show_default=False)] = None,
    limit: Annotated[int | None, typer.Option(help="So many items, drawn by the seed.", min=1)] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Of texts: end after so many tokens.", min=1)] = None,
    window: Annotated[int | None, typer.Option(help="With --text: tokens that are read at once.", min=2)] = None,
    stride: Annotated[int | None, typer.Option(help="With --text: by how many tokens windows move on.", min=1)] = None,
    seed: Annotated[int | None, typer.Option(help="Draws the items of a limit and the resamples.", min=0)] = None,
    output: Annotated[Path, typer.Option(help="Where samples and figures are kept.")] = Path("evaluations"),
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, ... The GPU if there is one.")] = None,
    dtype: Annotated[str | None, typer.Option(help="float32, bfloat16 or float16. The file's own.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure models: every figure with its 95 % interval, every sample kept.

    A task head says labels, tags or answers, a decoder or encoder-decoder texts. The same command goes on where it was,
    and reads what is finished. Prompts are measured by `trivium prompt`.
    """
    if sum(given is not None for given in (data, text, suite)) != 1:
        raise UsageError("Say what to evaluate on, by one of --data FILE, --text FILE and --suite FILE.")
    options = {"split": split, "column": column, "label": label, "metric": metric, "max_tokens": max_tokens}
    options |= {"window": window, "stride": stride}
    given = {name: value for name, value in options.items() if value not in (None, [])}
    asked = _suite(suite, data, text, given, models or [], limit, seed)

    from trivium.evaluate.suite import run_suite
    from trivium.language_model import load

    def loaded(model: str) -> "LanguageModel":
        say(f"loading {model}")
        return load(model, device, dtype)

    with _progress() as told:
        result = run_suite(asked, loaded, output, told, _predictor_of)
    if len(result.rows) == 1 and result.rows[0].error is not None:
        raise result.rows[0].error
    emit(result, as_json=as_json, human=_drawn(result, output))
    if all(row.error for row in result.rows):
        raise typer.Exit(1)


def _predictor_of(lm: "LanguageModel", task: "DataTask", examples: "Examples") -> "Predictor":
    """A model by its head; one that was taught a task as text is asked in words, whatever the form."""
    from trivium.compare.spoken import SpokenPredictor
    from trivium.evaluate.suite import head_of

    predictor = head_of(lm, task, examples)
    if predictor.forms == ("text-to-text",) and examples.form != "text-to-text" and len(lm.text_tasks) == 1:
        return SpokenPredictor(predictor, examples.form)
    return predictor


def _suite(
    path: Path | None,
    data: str | None,
    text: str | None,
    given: dict[str, Any],
    models: list[str],
    limit: int | None,
    seed: int | None,
) -> "Suite":
    """What was asked for, as a suite of one task where it is none."""
    from trivium.evaluate.suite_settings import DataTask, Suite, TextTask, read_suite

    several: dict[str, Any] = {"models": tuple(models)} if models else {}
    several |= {name: value for name, value in (("limit", limit), ("seed", seed)) if value is not None}
    if path is not None:
        if given:
            raise UsageError(f"--{next(iter(given))} is said for each task in the suite: write it in {path}.")
        return read_suite(path).model_copy(update=several)
    if not models:
        raise UsageError("There is no model: name one, for example `trivium evaluate runs/reviews --data reviews`.")
    foreign = {"window", "stride"} if data is not None else {"label", "metric", "max_tokens"}
    if wrong := sorted(foreign & set(given)):
        raise UsageError(f"--{wrong[0]} does not go with --{'data' if data is not None else 'text'}.")
    task: DataTask | TextTask
    if data is not None:
        tokens = {"max_tokens": given["max_tokens"]} if "max_tokens" in given else {}
        task = DataTask(
            data=data,
            split=given.get("split"),
            columns=_named(given.get("column", []), "column", "label=stars"),
            labels=_named(given.get("label", []), "label", "LABEL_1=positive"),
            metrics=tuple(given["metric"]) if "metric" in given else None,
            options=tokens,
        )
    else:
        assert text is not None
        task = TextTask(
            text=text,
            split=given.get("split"),
            column=next(iter(given.get("column", [])), None),
            window=given.get("window"),
            stride=given.get("stride"),
        )
    name = re.sub(r"[^\w.-]+", "-", Path(data or text or "").stem).strip("-.") or "task"
    return Suite(tasks={name: task}, **several)


def _named(pairs: list[str], option: str, like: str) -> dict[str, str]:
    named = {}
    for each in pairs:
        ours, equals, theirs = each.partition("=")
        if not (equals and ours and theirs):
            raise UsageError(f"--{option} {each} does not name two things: write --{option} {like}.")
        named[ours] = theirs
    return named


def _drawn(result: "SuiteResult", output: Path) -> Page:
    """One evaluation whole; several as a table."""
    from trivium.evaluate.perplexity import Perplexity

    parts: list[str | Table | Lines] = []
    if len(result.rows) == 1 and (only := result.rows[0].result) is not None:
        parts += _of_text(only) if isinstance(only, Perplexity) else _of_examples(only)
    else:
        rows = [
            (row.model, row.task, metric.name, metric.value, metric.low, metric.high, metric.items)
            for row in result.rows
            for metric in row.metrics
        ]
        parts.append(Table(("model", "task", "metric", "value", "low", "high", "items"), rows))
        said = [(f"{row.model}, {row.task}", row.reason) for row in result.rows if row.reason]
        parts += [Lines([("not measured", f"{who}: {why}") for who, why in said])] if said else []
    return Page([*parts, f"Samples and figures: {output}"])


def _metrics(result: "Evaluation | Perplexity") -> Table:
    rows = [(metric.name, metric.value, metric.low, metric.high) for metric in result.metrics]
    confidence = result.metrics[0].confidence
    return Table(("metric", "value", f"low ({confidence:.0%})", "high"), rows)


def _of_examples(result: "Evaluation") -> list[str | Table | Lines]:
    rate = f"{result.items / result.seconds:,.1f} items/s" if result.seconds else ""
    skipped = "; ".join(f"{count:,} with {reason}" for reason, count in result.skipped.items())
    said = [
        ("examples", f"{result.items:,} of {result.where}, {result.form}"),
        ("left out", skipped),
        ("time", f"{result.seconds:,.1f} s, {rate}"),
        *result.how.items(),
        *((f"compared: {name}", how) for name, how in result.normalisation.items()),
        ("first input", result.first_input),
        *(("note", remark) for remark in result.remarks),
    ]
    parts: list[str | Table | Lines] = [Lines([(word, text) for word, text in said if text]), _metrics(result)]
    if result.labels and len(result.labels) <= _LABELS:
        columns = ("label", "precision", "recall", "f1", "there", "said")
        rows = [tuple(getattr(row, name) for name in columns) for row in result.labels]
        parts.append(Table(columns, rows))
    return parts


def _of_text(result: "Perplexity") -> list[str | Table | Lines]:
    said = [
        ("text", f"{result.documents:,} documents of {result.where}: {result.tokens:,} tokens, {result.bytes:,} bytes"),
        ("left out", f"{result.empty:,} empty documents" if result.empty else ""),
        ("windows", f"{result.window:,} tokens, each {result.stride:,} further on"),
        ("first token", f"follows {result.prefix}" if result.prefix else "not counted: nothing stands before it"),
        ("time", f"{result.seconds:,.1f} s, {result.tokens / result.seconds:,.0f} tokens/s"),
        ("note", "one document: no interval" if result.documents == 1 else ""),
    ]
    return [Lines([(word, text) for word, text in said if text]), _metrics(result)]


@contextlib.contextmanager
def _progress() -> Iterator["SuiteTold"]:
    """One live line for each task on a terminal, a plain line now and then elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    if console.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True) as bar:
            lines: dict[tuple[str, str], TaskID] = {}

            def live(model: str, task: str, done: int, of: int | None) -> None:
                if (model, task) not in lines:
                    lines[model, task] = bar.add_task(f"{model}, {task}", total=of)
                bar.update(lines[model, task], total=of, completed=done)

            yield live
        return
    said = [time.monotonic()]

    def plain(model: str, task: str, done: int, of: int | None) -> None:
        if time.monotonic() - said[0] >= _PLAIN_SECONDS:
            said[0] = time.monotonic()
            say(f"{model}, {task}: {done:,} tokens" if of is None else f"{model}, {task}: {done:,} of {of:,}")

    yield plain
