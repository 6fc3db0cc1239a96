"""`trivium run`: a whole project from its file."""

__all__ = ["run"]

from pathlib import Path
from typing import Annotated, Any

import typer

from trivium.cli.console import JsonOption, Table, emit, printable


def run(
    project: Annotated[Path, typer.Argument(help="A project file (YAML; see `trivium schema`).", show_default=False)],
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Change a value of the file.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Prepare the data and show the plan; train nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Prepare the data, plan, train each model, evaluate, and write report.html.

    Stop it at any point (Ctrl-C saves first): the same command goes on where it was, and what is finished is not done
    again.
    """
    from rich.console import Console

    from trivium.project.read import read_project
    from trivium.project.run import run_project

    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    result = run_project(read_project(project, overrides or ()), dry_run=dry_run, console=console)
    if as_json:
        emit(result, as_json=True)
    elif result.finished:
        _show(result.content["models"])
        emit(str(result.report), as_json=False, human=f"\nreport: {result.report}")
    elif dry_run:
        emit(result, as_json=False, human=_plan(result.content["models"]))
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
        "time, s",
        "memory, MB",
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
            round(quote["seconds"], 1),
            round(quote["memory_bytes"] / 1e6, 1),
            quote["petaflop_s_days"],
        )
        for quote in quotes
    ]
    return Table(columns, rows, title="The plan")


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
    lines = [
        (model["quote"]["name"], line["what"], *_pair(line), f"{line['error']:+.1%}")
        for model in models
        for line in model["bill"]["lines"]
    ]
    emit(
        None, as_json=False, human=Table(("model", "what", "expected", "measured", "error"), lines, title="\nThe bill")
    )
    for model in models:
        for sample in model["evaluation"]["samples"]:
            said = sample["text"] if model["quote"]["kind"] != "decoder" else sample["asked"] + sample["text"]
            emit(
                None,
                as_json=False,
                human=f"\n{model['quote']['name']}: {printable(sample['asked'])}\n  → {printable(said)}",
            )


def _pair(line: dict[str, Any]) -> tuple[str, str]:
    scale, unit = {"s": (1.0, " s"), "B": (1e6, " MB"), "FLOP/s": (1e9, " GFLOP/s")}.get(line["unit"], (1.0, ""))
    digits = ",.1f" if unit else ",.0f"
    return f"{line['expected'] / scale:{digits}}{unit}", f"{line['measured'] / scale:{digits}}{unit}"
