"""`trivium plan`: what a model takes to hold, to answer and to train, before anything runs."""

__all__ = ["plan"]

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trivium.cli.console import JsonOption, Lines, Page, Table, emit, say
from trivium.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from trivium.quotes.asked import Asked
    from trivium.quotes.budgeted import BudgetQuote
    from trivium.quotes.quote import HereTime, ModelQuote
    from trivium.scaling.budget_plan import BudgetPlan


def plan(
    model: Annotated[
        str | None,
        typer.Argument(
            help="A published name (gpt2-xl, bloom-176b), config.json, folder or hub id.", show_default=False
        ),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(help='Instead of a model: "1e21 flops", "2 pf-days", "8xh100 for 3 days", "10 minutes here".'),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="Where it runs: h100, 8xh100, ...; here is this machine, measured.")
    ] = None,
    rows: Annotated[int, typer.Option(help="Training: rows of a micro-batch on each device.", min=1)] = 1,
    length: Annotated[int | None, typer.Option(help="Training: tokens of a row.", min=1)] = None,
    output_length: Annotated[
        int | None, typer.Option(help="Training an encoder-decoder: tokens written for a row.", min=1)
    ] = None,
    targets: Annotated[int | None, typer.Option(help="Training: tokens of a row that bear a loss.", min=1)] = None,
    tokens: Annotated[float | None, typer.Option(help="Training: tokens of the whole run, such as 300e9.")] = None,
    masked: Annotated[
        bool, typer.Option("--masked", help="Training: rows are padded, or hold several documents.")
    ] = False,
    precision: Annotated[str | None, typer.Option(help="Training: float32, bfloat16.")] = None,
    optimizer: Annotated[str, typer.Option(help="Training: adamw, muon.")] = "adamw",
    checkpointing: Annotated[
        bool, typer.Option("--checkpointing", help="Training: recompute each block's activations.")
    ] = False,
    accumulation: Annotated[int, typer.Option(help="Training: micro-batches of a step.", min=1)] = 1,
    lora: Annotated[int | None, typer.Option(help="Training: low-rank updates of this rank alone.", min=1)] = None,
    sharding: Annotated[
        str | None, typer.Option(help="Of several devices: none, optimizer, gradients, weights (ZeRO 0 to 3).")
    ] = None,
    requests: Annotated[int, typer.Option(help="Answering: requests at once.", min=1)] = 1,
    prompt_tokens: Annotated[int | None, typer.Option(help="Answering: tokens read.", min=1)] = None,
    new_tokens: Annotated[int | None, typer.Option(help="Answering: tokens written.", min=0)] = None,
    weights: Annotated[str | None, typer.Option(help="Answering: float32, bfloat16, float16, int8, int4.")] = None,
    utilisation: Annotated[float, typer.Option(help="The share of the peak that training reaches.")] = 0.4,
    price: Annotated[float | None, typer.Option(help="Of a device-hour, in your currency.", min=0)] = None,
    law: Annotated[str | None, typer.Option(help="The scaling law: a published one's name, or a fit's file.")] = None,
    family: Annotated[str, typer.Option(help="With --budget: the family of the model.")] = "llama",
    vocabulary: Annotated[int | None, typer.Option(help="With --budget: ids of the tokenizer.", min=2)] = None,
    unique_tokens: Annotated[float | None, typer.Option(help="With --budget: tokens of text that there are.")] = None,
    inference_tokens: Annotated[
        float | None, typer.Option(help="With --budget: tokens that the model will read and write in its life.")
    ] = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="With --device here: time real steps anew; without, only once.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw memory, or with --budget the frontier: a .png, .svg or .pdf.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a model takes: memory to hold, to answer and to train, operations, time, loss; and whether it fits.

    With --budget instead of a model: which model to build, on how much data, and then the same of it. Nothing is
    allocated; of a hub id only config.json is fetched.
    """
    from trivium.quotes.asked import Settings
    from trivium.quotes.budgeted import quote_budget
    from trivium.quotes.quote import quote
    from trivium.scaling.laws import DEFAULT_LAW
    from trivium.scaling.own_law import law_of

    if (model is None) == (budget is None):
        raise UsageError("Name a model, or give a --budget in its place: `trivium plan gpt2-xl`.")
    if calibrate and device != "here":
        raise UsageError("--calibrate times real steps on this machine: it goes with --device here.")
    settings = Settings(
        rows=rows,
        length=length,
        outputs=output_length,
        targets=targets,
        tokens=tokens,
        masked=masked,
        precision=precision,
        optimizer=optimizer,
        activation_checkpointing=checkpointing,
        accumulation=accumulation,
        lora_rank=lora,
        sharding=sharding,
        requests=requests,
        prompt_tokens=prompt_tokens,
        new_tokens=new_tokens,
        weights=weights,
    )
    chosen = DEFAULT_LAW if law is None else law_of(law)
    found: ModelQuote | BudgetQuote
    if model is not None:
        found = quote(
            model,
            settings,
            device=device,
            utilisation=utilisation,
            price_per_hour=price,
            law=chosen,
            adapting=lora is not None,
            here=_here(calibrate) if device == "here" else None,
        )
        shown = _quote(found)
    else:
        assert budget is not None
        found = quote_budget(
            budget,
            family,
            settings,
            device=device,
            utilisation=utilisation,
            price_per_hour=price,
            law=chosen,
            vocabulary=vocabulary,
            unique_tokens=unique_tokens,
            inference_tokens=inference_tokens,
        )
        shown = [*_plan(found.plan), *_quote(found.quote)]
    if plot is not None:
        from trivium.plan.picture import save_chart

        save_chart(found.plot(), plot)
        say(f"plot: {plot}")
    emit(found, as_json=as_json, human=Page(shown))


def _here(fresh: bool) -> "Callable[[Asked], HereTime]":
    """Predicts a step by this machine's calibration, which is made where there is none."""
    import torch

    from trivium.plan.profile import predict_step
    from trivium.plan.profiling import machine_profile
    from trivium.quotes.quote import HereTime

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    profile = machine_profile(device, fresh=fresh, report=say)
    return lambda asked: HereTime(predict_step(profile, asked.workload), profile.error)


def _quote(found: "ModelQuote") -> list[str | Table | Lines]:
    from trivium.quotes import tables

    memory = Table(tables.MEMORY_COLUMNS, list(tables.memory_rows(found)))
    times = Table(tables.COMPUTE_COLUMNS, list(tables.compute_rows(found)))
    return [tables.headline(found), memory, times, Lines(list(tables.lines(found)))]


def _plan(found: "BudgetPlan") -> list[str | Table | Lines]:
    from trivium.quotes import tables

    return [f"{found.budget.text}: {found.budget.flops:.4g} FLOPs", Lines(list(tables.plan_lines(found)))]
