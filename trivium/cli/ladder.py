"""`trivium fit ladder`: small models on one's own data, and what they say of a large one."""

__all__ = ["ladder"]

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trivium.cli.console import JsonOption, Table, emit, say
from trivium.errors import UsageError

if TYPE_CHECKING:
    from trivium.project.ladder_run import LadderResult

_FORMATS = (".svg", ".png", ".pdf")


def ladder(
    project: Annotated[Path, typer.Argument(help="A project file (YAML; see `trivium schema`).", show_default=False)],
    family: Annotated[str, typer.Option("--family", help="The family of all models.")] = "gpt2",
    minutes: Annotated[float, typer.Option("--minutes", help="Minutes that the small models may train.")] = 10.0,
    target: Annotated[
        str,
        typer.Option(
            "--target",
            help='The large run: "8x" the largest small one\'s compute, "20 minutes here", or a budget ("1e15 flops").',
        ),
    ] = "8x",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="The folder of it all. By default ladder-FAMILY in the project's.", show_default=False
        ),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw loss against compute into this file (.svg, .png, .pdf).")
    ] = None,
    run_target: Annotated[
        bool, typer.Option("--run-target", help="Then train the large run, and show predicted and measured.")
    ] = False,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Change a value of the file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Train small models of several sizes on your data, fit the scaling law, and predict the loss of a large run.

    Runs of several lengths share their steps. Stop it at any point: the same command goes on where it was. It writes
    target.yaml, which `trivium run` trains.
    """
    from rich.console import Console

    from trivium.files import storage_errors
    from trivium.project.ladder_run import run_ladder
    from trivium.project.read import read_project

    if plot and plot.suffix.lower() not in _FORMATS:
        raise UsageError(f"--plot {plot}: the name must end in {', '.join(_FORMATS)}.")
    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    content = read_project(project, overrides or ())
    result = run_ladder(content, family, minutes, target, out=out, run_target=run_target, console=console)
    if plot and result.target:
        with storage_errors(plot):
            plot.parent.mkdir(parents=True, exist_ok=True)
            result.plot().savefig(plot, dpi=150)
        say(f"plot: {plot}")
    if as_json:
        emit(result, as_json=True)
    elif result.target is None:
        emit(result, as_json=False, human=f"stopped; saved in {result.out}. The same command goes on from there.")
    else:
        _show(result)
    if result.target is None:
        raise typer.Exit(1)


def _show(result: "LadderResult") -> None:
    found, target, plan = result.forecast, result.target, result.plan
    assert found is not None
    assert target is not None
    rows = []
    for run in result.runs:
        law = found.law(run.parameters, run.body_parameters, run.tokens)
        rows.append((run.parameters, run.dim, run.tokens, run.flops / 1e12, run.loss, f"{run.loss / law - 1:+.2%}"))
    columns = ("parameters", "width", "tokens", "TFLOPs", "held-out loss", "off the law")
    emit(None, as_json=False, human=Table(columns, rows, title="The rungs"))
    lines = [
        f"\nlaw: {_law(found.fit.law)}, N of {found.size} parameters",
        f"shared steps saved {1 - plan.flops / plan.separate_flops:.0%} of the computation",
        *(f"caution: {warning}" for warning in result.cautions),
    ]
    if found.backtest is not None:
        lines.append(f"the largest size, foretold by the others: within {found.backtest:.2%}")
    lines += [
        f"\nthe large run: {target.times:.3g} times the largest rung, {target.flops / 1e12:.3g} TFLOPs, about "
        f"{target.seconds / 60:.2g} minutes here",
        f"  {target.parameters:,} parameters, {target.dim} wide, {target.depth} layers, {target.tokens:,.0f} tokens",
        f"predicted held-out loss: {target.loss:.3f} ({target.low:.3f} to {target.high:.3f})",
    ]
    if result.measured is None:
        lines.append(f"train it with: trivium run {result.out / 'target.yaml'}")
    else:
        lines.append(f"measured held-out loss:  {result.measured:.3f} ({result.error:+.2%})")
    emit(None, as_json=False, human="\n".join(lines))


def _law(law: object) -> str:
    from trivium.scaling.parametric import ParametricLaw

    assert isinstance(law, ParametricLaw)
    size = f"{law.size_scale:.3g} / N^{law.size_exponent:.3g}"
    return f"L = {law.irreducible:.3g} + {size} + {law.data_scale:.3g} / D^{law.data_exponent:.3g}"
