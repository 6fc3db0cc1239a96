"""`trivium which`: which family, objective and size for a task."""

__all__ = ["which"]

from typing import TYPE_CHECKING, Annotated

import typer

from trivium.cli.console import JsonOption, Lines, Page, Table, emit

if TYPE_CHECKING:
    from trivium.plan.recommendation import Recommendation


def which(
    task: Annotated[
        str,
        typer.Option("--task", help='In plain words: "classify support tickets by urgency".', show_default=False),
    ],
    device: Annotated[
        str | None, typer.Option(help='What it will run on: l4, "A100 SXM 80GB", ...; here is this machine, measured.')
    ] = None,
    memory_gb: Annotated[float | None, typer.Option(help="The most memory, with weights, in GB (10^9 bytes).")] = None,
    latency_ms: Annotated[float | None, typer.Option(help="The longest a request may take.")] = None,
    per_token: Annotated[bool, typer.Option("--per-token", help="--latency-ms is for each token written.")] = False,
    input_tokens: Annotated[int | None, typer.Option(help="Tokens read in a request.")] = None,
    output_tokens: Annotated[int | None, typer.Option(help="Tokens written in a request.")] = None,
    examples: Annotated[int | None, typer.Option(help="Labelled examples at hand: 0 if there are none.")] = None,
    fine_tune: Annotated[
        bool | None, typer.Option("--fine-tune/--no-fine-tune", help="Whether you will train. By the examples.")
    ] = None,
    dtype: Annotated[
        str | None, typer.Option(help="Of the weights: float32, bfloat16, float16, int8, int4. The device's 16 bits.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Recommend a family, an objective and a size for a task.

    The task and the labels decide between encoder, decoder and encoder-decoder, by published comparisons; the size is
    the largest published one that fits memory and time. Formulas, numbers and assumptions are shown.
    """
    from trivium.plan.which import which as recommend

    found = recommend(
        task,
        device=device,
        memory_gb=memory_gb,
        latency_ms=latency_ms,
        per_token=per_token,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        examples=examples,
        fine_tune=fine_tune,
        dtype=dtype,
    )
    emit(found, as_json=as_json, human=_drawn(found))


def _drawn(found: "Recommendation") -> Page:
    from trivium.plan.recommendation import COLUMNS

    return Page([Table(COLUMNS, list(found.rows()), title=found.title), Lines(list(found.lines()))])
