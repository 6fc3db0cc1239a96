"""`trivium run`: a whole project from its file."""

__all__ = ["run"]

from pathlib import Path
from typing import Annotated, Any

import typer

from trivium.cli.console import JsonOption, Table, emit, printable
from trivium.cli.run_tasks import show_tasks


def run(
    project: Annotated[Path, typer.Argument(help="A project file (YAML; see `trivium schema`).", show_default=False)],
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Change a value of the file.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Prepare the data and show the plan; train nothing.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Train also what does not fit the memory that is free.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Do what a project file has sections for: pretrain, fine-tune, prompt, compare; and write report.html.

    Stop it at any point (Ctrl-C saves first): the same command goes on where it was, and what is finished is not done
    again. What does not fit the memory is refused before anything is allocated, with what would fit.
    """
    from rich.console import Console

    from trivium.project.read import read_project
    from trivium.project.run import run_project

    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    result = run_project(read_project(project, overrides or ()), dry_run=dry_run, force=force, console=console)
    if as_json:
        emit(result, as_json=True)
    elif result.finished:
        if result.content["models"]:
            _show(result.content["models"])
        show_tasks(result.content)
        emit(str(result.report), as_json=False, human=f"\nreport: {result.report}")
    elif dry_run and not result.content["models"]:
        emit(result, as_json=False, human="The file pretrains nothing, so there is no plan. It is right as it stands.")
    elif dry_run:
        emit(result, as_json=False, human=_plan(result.content["models"]))
        emit(result, as_json=False, human=_memory(result.content["models"]))
    else:
        emit(result, as_json=False, human=f"stopped; saved in {result.out}. The same command goes on from there.")
        raise typer.Exit(1)


def _plan(models: list[dict[str, Any]]) -> Table:
    quotes = [model["quote"] for model in models]
    columns = (
        "model",
        "kind",
        "parameters",
        "width",
        "layers",
        "tokens",
        "steps",
        "step, ms",
        "time, s",
        "GFLOP/s",
        "PF/s-days",
    )
    rows = [
        (
            quote["name"],
            quote["kind"],
            quote["parameters"],
            quote["dim"],
            quote["depth"],
            quote["tokens"],
            quote["steps"],
            round(1000 * quote["step_seconds"], 1),
            round(quote["whole_seconds"], 1),
            round(quote["flops_per_second"] / 1e9, 1),
            quote["petaflop_s_days"],
        )
        for quote in quotes
    ]
    return Table(columns, rows, title="The plan")


def _memory(models: list[dict[str, Any]]) -> Table:
    from trivium.train.bill import quantity

    quotes = [model["quote"] for model in models if model["quote"]["memory"]]
    parts = list(quotes[0]["memory"]) if quotes else []
    rows = [
        (
            quote["name"],
            *(quantity(quote["memory"][part], "B") for part in parts),
            ", ".join(f"{what} {quantity(size, 'B')}" for what, size in list(quote["rest"].items())[:2]),
            quote["peak_phase"],
        )
        for quote in quotes
    ]
    columns = ("model", *parts, "most of the rest", "peak in")
    return Table(columns, rows, title="\nMemory of a step's tensors, at their peak")


def _show(models: list[dict[str, Any]]) -> None:
    rows = []
    for model in models:
        score = model["evaluation"]["score"]
        validation, bigram = score["validation"], model["evaluation"].get("bigram")
        beat = f"bigram {bigram['bits_per_byte']:.3f}" if bigram else f"unigram {score['unigram_accuracy']:.1%}"
        has = f"{validation['bits_per_byte']:.3f} bits/byte" if bigram else f"{score['accuracy']:.1%} right"
        quote = model["quote"]
        rows.append(
            (quote["name"], quote["kind"], quote["parameters"], validation["loss"], validation["perplexity"], has, beat)
        )
    columns = ("model", "kind", "parameters", "held-out loss", "perplexity", "has", "to beat")
    emit(None, as_json=False, human=Table(columns, rows, title="\nOn held-out text"))
    _show_bill(models)
    for model in models:
        for sample in model["evaluation"]["samples"]:
            said = sample["text"] if model["quote"]["kind"] != "decoder" else sample["asked"] + sample["text"]
            emit(
                None,
                as_json=False,
                human=f"\n{model['quote']['name']}: {printable(sample['asked'])}\n  → {printable(said)}",
            )


def _show_bill(models: list[dict[str, Any]]) -> None:
    from trivium.train.bill import Line

    bills = [(model["quote"]["name"], Line.from_dict(line)) for model in models for line in model["bill"]["lines"]]
    columns = ("model", "what", "expected", "measured", "error")
    rows = [(name, *line.cells()) for name, line in bills]
    emit(None, as_json=False, human=Table(columns, rows, title="\nThe bill"))
    for note in dict.fromkeys(f"{line.what}: {line.note}" for _, line in bills if line.note):
        emit(None, as_json=False, human=note)
