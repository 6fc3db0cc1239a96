"""`trivium plan`: what a model takes to hold, to answer and to train, before anything runs."""

__all__ = ["plan"]

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trivium.cli.console import JsonOption, Lines, Page, Table, emit, say
from trivium.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from trivium.quotes.asked import Asked
    from trivium.quotes.budgeted import BudgetQuote
    from trivium.quotes.quote import HereTime, ModelQuote
    from trivium.scaling.budget_plan import BudgetPlan


# What a person may say, an option each.
_Model = Annotated[
    str | None,
    typer.Argument(help="A published name (gpt2-xl, bloom-176b), config.json, folder or hub id.", show_default=False),
]
_Budget = Annotated[
    str | None,
    typer.Option(help='Instead of a model: "1e21 flops", "2 pf-days", "8xh100 for 3 days", "10 minutes here".'),
]
_Device = Annotated[str | None, typer.Option(help="Where it runs: h100, 8xh100, ...; here is this machine, measured.")]
_Rows = Annotated[int, typer.Option(help="Training: rows of a micro-batch on each device.", min=1)]
_Length = Annotated[int | None, typer.Option(help="Training: tokens of a row.", min=1)]
_OutputLength = Annotated[
    int | None, typer.Option(help="Training an encoder-decoder: tokens written for a row.", min=1)
]
_Targets = Annotated[int | None, typer.Option(help="Training: tokens of a row that bear a loss.", min=1)]
_Tokens = Annotated[float | None, typer.Option(help="Training: tokens of the whole run, such as 300e9.")]
_Masked = Annotated[bool, typer.Option("--masked", help="Training: rows are padded, or hold several documents.")]
_Precision = Annotated[str | None, typer.Option(help="Training: float32, bfloat16.")]
_Optimizer = Annotated[str, typer.Option(help="Training: adamw, muon.")]
_Checkpointing = Annotated[bool, typer.Option("--checkpointing", help="Training: recompute each block's activations.")]
_Accumulation = Annotated[int, typer.Option(help="Training: micro-batches of a step.", min=1)]
_Lora = Annotated[int | None, typer.Option(help="Training: low-rank updates of this rank alone.", min=1)]
_Sharding = Annotated[
    str | None, typer.Option(help="Of several devices: none, optimizer, gradients, weights (ZeRO 0 to 3).")
]
_Requests = Annotated[int, typer.Option(help="Answering: requests at once.", min=1)]
_PromptTokens = Annotated[int | None, typer.Option(help="Answering: tokens read.", min=1)]
_NewTokens = Annotated[int | None, typer.Option(help="Answering: tokens written.", min=0)]
_Weights = Annotated[str | None, typer.Option(help="Answering: float32, bfloat16, float16, int8, int4.")]
_Utilisation = Annotated[float, typer.Option(help="The share of the peak that training reaches.")]
_Price = Annotated[float | None, typer.Option(help="Of a device-hour, in your currency.", min=0)]
_Law = Annotated[str | None, typer.Option(help="The scaling law: a published one's name, or a fit's file.")]
_Family = Annotated[str | None, typer.Option(help="With --budget: the family of the model. llama.")]
_Vocabulary = Annotated[int | None, typer.Option(help="With --budget: ids of the tokenizer.", min=2)]
_UniqueTokens = Annotated[float | None, typer.Option(help="With --budget: tokens of text that there are.")]
_InferenceTokens = Annotated[
    float | None, typer.Option(help="With --budget: tokens that the model will read and write in its life.")
]
_Calibrate = Annotated[
    bool, typer.Option("--calibrate", help="With --device here: time real steps anew; without, only once.")
]
_Plot = Annotated[Path | None, typer.Option(help="Draw memory, or with --budget the frontier: a .png or .svg.")]


def plan(
    model: _Model = None,
    budget: _Budget = None,
    device: _Device = None,
    rows: _Rows = 1,
    length: _Length = None,
    output_length: _OutputLength = None,
    targets: _Targets = None,
    tokens: _Tokens = None,
    masked: _Masked = False,
    precision: _Precision = None,
    optimizer: _Optimizer = "adamw",
    checkpointing: _Checkpointing = False,
    accumulation: _Accumulation = 1,
    lora: _Lora = None,
    sharding: _Sharding = None,
    requests: _Requests = 1,
    prompt_tokens: _PromptTokens = None,
    new_tokens: _NewTokens = None,
    weights: _Weights = None,
    utilisation: _Utilisation = 0.4,
    price: _Price = None,
    law: _Law = None,
    family: _Family = None,
    vocabulary: _Vocabulary = None,
    unique_tokens: _UniqueTokens = None,
    inference_tokens: _InferenceTokens = None,
    calibrate: _Calibrate = False,
    plot: _Plot = None,
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
    of_model = {"--rows": rows != 1, "--accumulation": accumulation != 1, "--tokens": tokens is not None}
    of_budget = {"--family": family, "--vocabulary": vocabulary, "--unique-tokens": unique_tokens}
    if budget is not None:
        _refuse(of_model, "the plan of a --budget decides that")
    else:
        _refuse({**of_budget, "--inference-tokens": inference_tokens}, "it goes with --budget, and a model is given")
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
    where: dict[str, Any] = {"device": device, "utilisation": utilisation, "price_per_hour": price}
    where["law"] = DEFAULT_LAW if law is None else law_of(law)
    if budget is not None:
        asked: dict[str, Any] = {
            "vocabulary": vocabulary,
            "unique_tokens": unique_tokens,
            "inference_tokens": inference_tokens,
        }
        bought = quote_budget(budget, family or "llama", settings, **where, **asked)
        _show(bought, [*_plan(bought.plan), *_quote(bought.quote)], plot, as_json)
    else:
        here = _here(calibrate) if device == "here" else None
        found = quote(model or "", settings, **where, adapting=lora is not None, here=here)
        _show(found, _quote(found), plot, as_json)


def _refuse(options: Mapping[str, object], why: str) -> None:
    for name, value in options.items():
        if value:
            raise UsageError(f"{name} is of no use here: {why}.")


def _show(
    found: "ModelQuote | BudgetQuote", shown: list[str | Table | Lines], plot: Path | None, as_json: bool
) -> None:
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
