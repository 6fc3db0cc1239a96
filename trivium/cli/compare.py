"""`trivium compare`: which candidate serves a labelled file best, with the evidence."""

__all__ = ["compare"]

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trivium.cli.console import JsonOption, Lines, Page, Table, emit, say
from trivium.errors import UsageError

if TYPE_CHECKING:
    from trivium.compare.comparison import Comparison


def compare(
    plan: Annotated[
        Path | None, typer.Argument(help="A YAML file with what the options say.", show_default=False)
    ] = None,
    data: Annotated[
        str | None, typer.Option("--data", help="Examples: a file, a folder, a name of the catalogue or a hub id.")
    ] = None,
    candidates: Annotated[
        list[str] | None,
        typer.Option(
            "--candidates",
            help='What to compare: "most-common naive-bayes minilm+head smollm2-135m@4-shot smollm2-135m+lora".',
        ),
    ] = None,
    split: Annotated[str | None, typer.Option("--split", help="The split of the data, where it has several.")] = None,
    columns: Annotated[
        list[str] | None, typer.Option("--column", metavar="ROLE=NAME", help="The column of a role: label=stars.")
    ] = None,
    test: Annotated[str | None, typer.Option("--test", help="Other examples to hold out, not a share.")] = None,
    test_split: Annotated[str | None, typer.Option("--test-split", help="The split that is held out.")] = None,
    held_out: Annotated[float | None, typer.Option("--held-out", help="Share that is held out. [0.2]")] = None,
    train_items: Annotated[int | None, typer.Option("--train-items", help="Train on so many at most.")] = None,
    held_out_items: Annotated[int | None, typer.Option("--held-out-items", help="Hold out so many at most.")] = None,
    metric: Annotated[str | None, typer.Option("--metric", help="What decides. By the form of task.")] = None,
    margin: Annotated[
        float | None, typer.Option("--margin", help="A difference that does not matter, as a share. [0.01]")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Starts every random draw. [0]")] = None,
    seeds: Annotated[int | None, typer.Option("--seeds", help="Train and prompt each so often. [1]")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="The folder of it all. [runs/compare]")] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare models, prompts and baselines on your labelled examples, and recommend one.

    A candidate is a baseline (most-common, naive-bayes, ...), a model as it is (my-folder), prompted
    (smollm2-135m@4-shot), or fine-tuned: with a head (minilm+head), to write its answer (my-t5+text), by low-rank
    adapters (smollm2-135m+lora). Settings stand behind a colon: minilm+head:epochs=2,learning_rate=5e-5.

    All go through the same splits. Stop it at any point: the same command goes on with the next candidate.
    """
    from trivium.compare.run import compare as run
    from trivium.compare.settings import parse_compare_settings, read_compare_settings

    asked = {
        "data": data,
        "candidates": candidates,
        "split": split,
        "columns": _columns(columns or []) or None,
        "test": test,
        "test_split": test_split,
        "held_out": held_out,
        "train_items": train_items,
        "held_out_items": held_out_items,
        "metric": metric,
        "margin": margin,
        "seed": seed,
        "seeds": seeds,
        "out": out,
    }
    given: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    if plan is None and not {"data", "candidates"} <= set(given):
        raise UsageError("Say what to compare: --data and --candidates, or a YAML file that has both.")
    settings = parse_compare_settings(given) if plan is None else read_compare_settings(plan, **given)
    found = run(settings, say)
    emit(found, as_json=as_json, human=_drawn(found))


def _columns(said: list[str]) -> dict[str, str]:
    for one in said:
        if "=" not in one:
            raise UsageError(f"--column {one}: write ROLE=NAME, such as label=stars.")
    return dict(one.split("=", 1) for one in said)


def _drawn(found: "Comparison") -> Page:
    from trivium.compare.comparison import COLUMNS

    title = f"{found.ranking.best.score.name.replace('_', ' ')} on {found.settings.data}: {found.splits}"
    remarks = [(name, " ".join(said)) for name, said in found.remarks.items() if said]
    failed = [(failure.name, f"failed: {failure.reason}") for failure in found.failed]
    parts: list[str | Table | Lines] = [Table(COLUMNS, found.rows(), title=title)]
    if remarks or failed:
        parts.append(Lines([*remarks, *failed]))
    return Page([*parts, str(found.recommendation), f"report: {found.settings.out / 'report.html'}"])
