"""`trivium fit points`: scaling laws of one's own runs."""

__all__ = ["points"]

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trivium.cli.console import JsonOption, Table, emit, say
from trivium.errors import UsageError

if TYPE_CHECKING:
    from trivium.scaling.fit_report import FitReport

#: What `--approach` may be.
_APPROACHES = {"1": (1,), "2": (2,), "3": (3,), "all": (1, 2, 3)}


def points(
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="Tables (csv, tsv, json, jsonl, parquet), run folders, folders of runs.", show_default=False
        ),
    ],
    params: Annotated[str, typer.Option(help="A table's column of parameters.")] = "params",
    tokens: Annotated[str, typer.Option(help="Its column of tokens; without one, C / 6 N.")] = "tokens",
    flops: Annotated[str, typer.Option(help="Its column of FLOPs; without one, 6 N D.")] = "flops",
    loss: Annotated[str, typer.Option(help="Its column of held-out losses.")] = "loss",
    run: Annotated[str, typer.Option(help="Its column that names runs, whose points are not independent.")] = "run",
    approach: Annotated[str, typer.Option(help="Of Hoffmann et al. 2022: 1, 2, 3, or all.")] = "3",
    ends: Annotated[bool, typer.Option("--ends", help="Approaches 2 and 3: only each run's last point.")] = False,
    kaplan: Annotated[bool, typer.Option("--kaplan", help="Also the forms of Kaplan et al. 2020.")] = False,
    bootstrap: Annotated[int, typer.Option(help="Resamples for the intervals; 0 for none.")] = 200,
    drop_outliers: Annotated[bool, typer.Option("--drop-outliers", help="Fit again without them.")] = False,
    budget: Annotated[
        list[str] | None, typer.Option(help='Say the best model for it: 1e21, "2 pf-days". Repeatable.')
    ] = None,
    predict: Annotated[list[str] | None, typer.Option(help="N,D: say the loss of such a run. Repeatable.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the fit: a .svg, .png or .pdf.")] = None,
    save: Annotated[Path | None, typer.Option(help="Write the fit as JSON, for later predictions.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Fit scaling laws to your own runs, with intervals, outliers and warnings.

    1 draws the envelope of training curves, 2 a valley for every budget, 3 fits L(N, D) = E + A/N^α + B/D^β.
    """
    from trivium.scaling.budget import parse_budget
    from trivium.scaling.fit_report import fit_report
    from trivium.scaling.points import last_of_runs
    from trivium.scaling.run_folders import read_points
    from trivium.scaling.tables import Columns

    if approach not in _APPROACHES:
        raise UsageError(f"There is no approach '{approach}': choose 1, 2, 3 or all.")
    chosen = _APPROACHES[approach]
    if (save or plot) and len(chosen) > 1:
        raise UsageError("--save and --plot are of one fit: choose one --approach.")
    if predict and 3 not in chosen:
        raise UsageError(f"Approach {approach} says which size is best, not its loss: --predict needs approach 3.")
    budgets = [parse_budget(text).flops for text in budget or []]
    runs = [_size_and_tokens(text) for text in predict or []]
    columns = Columns(params, tokens, flops, loss, run)
    curves = read_points(paths, columns, whole_curves=True) if 1 in chosen else []
    rest = read_points(paths, columns) if set(chosen) != {1} else []
    rest = last_of_runs(rest) if ends else rest
    found = fit_report(
        {number: curves if number == 1 else rest for number in chosen},
        bootstrap=bootstrap,
        drop_outliers=drop_outliers,
        budgets=budgets,
        runs=runs,
        kaplan=kaplan,
    )
    if save:
        found.fits[0].save(save)
        say(f"saved: {save}")
    if plot:
        _draw(found, plot, budgets)
        say(f"drawn: {plot}")
    emit(found, as_json=as_json, human=_shown(found))


def _size_and_tokens(text: str) -> tuple[float, float]:
    try:
        size, tokens = (float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"--predict '{text}' is not N,D: write two numbers, as in --predict 1e9,2e10.") from error
    return size, tokens


def _draw(found: "FitReport", path: Path, budgets: list[float]) -> None:
    import matplotlib

    from trivium.files import storage_errors

    formats = (".svg", ".png", ".pdf")
    if path.suffix.lower() not in formats:
        raise UsageError(f"--plot {path}: the name must end in {', '.join(formats)}.")
    figure = found.fits[0].plot(budgets)
    # The same fit is the same file: text as text, and names that are no random numbers.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "trivium"}), storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)


def _shown(found: "FitReport") -> object:
    from rich.console import Group
    from rich.table import Table as Grid
    from rich.text import Text

    parts: list[object] = [Table(*found.numbers(), title=found.title)]
    if found.optima:
        parts += [Text(), Table(*found.budgets(), title="Best model for a budget")]
    if found.predictions:
        parts += [Text(), Table(*found.runs(), title="Predicted loss of a run")]
    below = Grid.grid(padding=(0, 2))
    below.add_column(style="bold")
    below.add_column(overflow="fold")
    for word, said in found.lines():
        below.add_row(Text(word), Text(said))
    return Group(*parts, Text(), below)  # type: ignore[arg-type]  # a Table draws itself
