"""`trivium train`: a model is taught the task that a file shows."""

__all__ = ["train"]

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trivium.cli.console import JsonOption, Lines, Page, Table, emit, say
from trivium.cli.over_file import ColumnOption, DeviceOption, ModelArgument, named_columns
from trivium.errors import UsageError

if TYPE_CHECKING:
    from trivium.data.examples import Examples
    from trivium.finetune.measured import Measured
    from trivium.finetune.run import FineTuned
    from trivium.finetune.settings import FineTuneSettings


# What a person may say, an option each.
_Data = Annotated[
    str, typer.Option("--data", help="A file, folder, catalogue name or hub id of examples.", show_default=False)
]
_Out = Annotated[Path, typer.Option("--out", help="The folder of the run and its model.", show_default=False)]
_HeldOut = Annotated[str, typer.Option("--held-out", help="A share of the data, or other examples; 0: none.")]
_Split = Annotated[str | None, typer.Option(help="The part of the data to train on, such as train.")]
_HeldOutSplit = Annotated[str | None, typer.Option(help="The part of the data that is held out, such as validation.")]
_Items = Annotated[int | None, typer.Option(help="Train on so many examples, drawn by the seed.", min=1)]
_Task = Annotated[str | None, typer.Option(help="What to teach, not said by the examples: embedding, conversation.")]
_Labels = Annotated[str | None, typer.Option(help="Labels in their order, with commas. Those of the data.")]
_Epochs = Annotated[float | None, typer.Option(help="How often every example is read. 3.")]
_Batch = Annotated[int | None, typer.Option(help="Examples of one step. 32.")]
_LearningRate = Annotated[float | None, typer.Option(help="The highest learning rate. 5e-5.")]
_Patience = Annotated[int | None, typer.Option(help="End after so many validations without a lower loss.")]
_MaxTokens = Annotated[int | None, typer.Option(help="Cut longer texts. What the model reads.")]
_Lora = Annotated[int | None, typer.Option(help="Train low-rank updates of this rank, and the head.", min=1)]
_Seed = Annotated[int, typer.Option(help="Of every random draw.", min=0)]
_Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any other setting (docs/finetune.md).")
]


def train(
    model: ModelArgument,
    source: _Data,
    out: _Out,
    held_out: _HeldOut = "0.1",
    split: _Split = None,
    held_out_split: _HeldOutSplit = None,
    column: ColumnOption = None,
    items: _Items = None,
    task: _Task = None,
    labels: _Labels = None,
    epochs: _Epochs = None,
    batch: _Batch = None,
    learning_rate: _LearningRate = None,
    patience: _Patience = None,
    max_tokens: _MaxTokens = None,
    lora: _Lora = None,
    seed: _Seed = 0,
    overrides: _Overrides = None,
    device: DeviceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Teach a model the task that a file of examples shows, and measure it on examples that are held out.

    The columns say the task: text and label, tokens and tags, question and context and answers, source and target. The
    finished model is the one of the lowest held-out loss. Stop it at any point: the same command goes on.
    """
    from rich.console import Console

    from trivium.finetune.measured import measured
    from trivium.finetune.run import finetune
    from trivium.language_model import load

    said = {
        "epochs": epochs,
        "batch": batch,
        "learning_rate": learning_rate,
        "patience": patience,
        "max_tokens": max_tokens,
        "lora": None if lora is None else {"rank": lora, "alpha": 2 * lora},
        "seed": seed,
    }
    settings = _settings({name: value for name, value in said.items() if value is not None}, overrides or [])
    taught, tested = _examples(source, split, held_out, held_out_split, column, items, seed)
    lm = load(model, device)
    done = finetune(
        lm,
        taught,
        out,
        tested,
        settings,
        task=task,
        labels=tuple(label.strip() for label in labels.split(",")) if labels else (),
        base=model,
        console=Console(stderr=True, markup=False, highlight=False, emoji=False),
    )
    if not done.finished:
        say(f"stopped; saved in {out}. The same command goes on from there.")
        raise typer.Exit(1)
    found = None
    if tested is not None:
        found = measured(done, lm, tested, settings, done.folder / "held-out", str(done.folder))
    document = {**done.to_dict(), "evaluation": None if found is None else found.to_dict()}
    emit(document, as_json=as_json, human=_page(done, found))


def _settings(said: dict[str, Any], overrides: list[str]) -> "FineTuneSettings":
    import yaml

    from trivium.finetune.settings import parse_finetune_settings

    for each in overrides:
        name, equals, value = each.partition("=")
        if not equals:
            raise UsageError(f"--set {each} sets nothing: write --set weight_decay=0.1.")
        said[name] = yaml.safe_load(value)
    return parse_finetune_settings(said)


def _examples(
    source: str,
    split: str | None,
    held_out: str,
    held_out_split: str | None,
    column: list[str] | None,
    items: int | None,
    seed: int,
) -> tuple["Examples", "Examples | None"]:
    """Those to teach, and those to choose and measure by."""
    from trivium.data.example_reader import read_examples

    columns = named_columns(column)
    taught = read_examples(source, split=split, columns=columns)
    if items is not None:
        taught = taught.sample(items, seed)
    if held_out_split is not None:
        return taught, read_examples(source, split=held_out_split, columns=columns)
    try:
        share = float(held_out)
    except ValueError:
        return taught, read_examples(held_out, columns=columns)
    return (taught, None) if share == 0 else taught.split(share, seed)


def _page(done: "FineTuned", found: "Measured | None") -> Page:
    result = done.result
    kept = f"of step {result.kept_step:,}" + (" (the lowest held-out loss)" if done.stopped_early else "")
    left_out = "; ".join(f"{count:,} with {reason}" for reason, count in done.left_out.items())
    lines = [
        ("task", done.task + (f": {', '.join(done.labels)}" if done.labels else "")),
        ("examples", f"{done.examples:,}, and {done.held_out:,} held out"),
        ("left out", left_out or "none"),
        ("cut", f"{done.cut:,}"),
        *((what, f"{count:,}") for what, count in done.noticed.items()),
        ("model", f"{kept}, of {result.steps:,}"),
        ("trained", f"{done.trained_parameters:,} of {result.parameters or 0:,} weights"),
        ("folder", str(done.folder)),
    ]
    parts: list[str | Table | Lines] = [Lines(lines)]
    if found is not None:
        parts.append(
            Table(("metric", "value", "low", "high"), [(m.name, m.value, m.low, m.high) for m in found.metrics])
        )
        parts += list(found.remarks)
    return Page(parts)
