"""A fine-tuning: a model and examples in, a folder with the model that does the task out.

    folder/
        config.json, model.safetensors, ...   the model, as trivium.load and transformers open it
        adapter/                              with LoRA: the update alone, as PEFT opens it; the model has it merged
        run.yaml, metrics.jsonl               settings, data, what was expected and what was measured
        checkpoint-<step>/                    what a resume needs

Run the same again at any time: what was stopped or killed continues to the same bits, and what is done is only read.
"""

__all__ = ["FineTuned", "finetune"]

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import nn

from trivium.adapt.copies import merged
from trivium.adapt.fingerprint import fingerprint
from trivium.adapt.low_rank import adapted_layers, add_lora
from trivium.adapt.peft_folder import save_adapter
from trivium.data.examples import Examples
from trivium.errors import DataError, UsageError
from trivium.finetune.batching import Shuffled, batches_of, in_order
from trivium.finetune.estimate import estimate
from trivium.finetune.heads import starting_model
from trivium.finetune.labels import labels_of
from trivium.finetune.prepared import Prepared
from trivium.finetune.registry import TASKS, task_of
from trivium.finetune.settings import FineTuneSettings
from trivium.language_model import LanguageModel, load
from trivium.model import Transformer
from trivium.objectives.batch import Batch
from trivium.plan.quote import Quote
from trivium.tasks.text_to_text import read_tasks, written_tasks
from trivium.train.bill import Line
from trivium.train.run import first_quote, read_result, run_training
from trivium.train.settings import TrainSettings
from trivium.train.state import TrainResult
from trivium.train.stop import Stop
from trivium.train.validation import Validation, validate

_ADAPTER = "adapter"
#: Settings that rows depend on.
_OF_THE_ROWS = {
    "max_tokens",
    "too_long",
    "class_weights",
    "text_task",
    "copy_epochs",
    "chat_template",
    "pad_token",
    "preference",
}


@dataclass(frozen=True)
class FineTuned:
    """What a fine-tuning did, and where its model is.

    `labels` are in the order of the head. `left_out` counts what was not taught, by the reason: rows that are no
    examples, and examples that cannot be read; `cut` those whose end was not read; `noticed` what is odd and was
    taught, such as tags out of order. All are of training and held-out examples together. `trained_parameters` are
    those that changed, of `result.parameters`.
    """

    folder: Path
    task: str
    labels: tuple[str, ...]
    examples: int
    held_out: int
    left_out: Mapping[str, int]
    cut: int
    trained_parameters: int
    result: TrainResult
    bill: tuple[Line, ...] = ()
    noticed: Mapping[str, int] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether the model is there; else the same call goes on."""
        return self.result.finished

    @property
    def stopped_early(self) -> bool:
        """Whether weights of an earlier step than the last are the model's, as their validation loss was lower."""
        return self.result.kept_step is not None and self.result.kept_step < self.result.steps

    def load(self, device: torch.device | str | None = None) -> LanguageModel:
        """The model."""
        return load(self.folder, device)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        own = {name: getattr(self, name) for name in ("task", "labels", "examples", "held_out", "cut")}
        return {
            "folder": str(self.folder),
            **own,
            "left_out": dict(self.left_out),
            "noticed": dict(self.noticed),
            "trained_parameters": self.trained_parameters,
            "stopped_early": self.stopped_early,
            "result": self.result.to_dict(),
            "bill": [line.to_dict() for line in self.bill],
        }


@dataclass(frozen=True)
class _Run:
    """Everything that the loop is given, made of the examples."""

    lm: LanguageModel
    train: Prepared
    held_out: Prepared | None
    settings: FineTuneSettings
    steps: TrainSettings

    def build(self) -> Transformer:
        """The model as it starts."""
        model = starting_model(self.lm.model, self.train.architecture, self.settings.seed)
        if self.settings.lora is not None:
            add_lora(model, self.settings.lora)
        return model

    def batches(self, step: int) -> Iterator[Batch]:
        """The batches of a step."""
        copied = self.settings.copy_steps(len(self.train.rows))
        of, place = (self.train.copies, step) if step < copied else (self.train.rows, step - copied)
        rows = Shuffled(of, self.settings.batch, self.settings.seed)(place)
        return batches_of(rows, self.train.pad, self.train.batching)

    def validate(self, model: nn.Module) -> Validation:
        """The loss on the held-out examples."""
        held_out = self.held_out
        assert held_out is not None
        batches = in_order(held_out.rows, held_out.pad, held_out.batching, self.settings.batch)
        return validate(model, batches, held_out.loss_fn, of="task")

    def save(self, folder: Path, model: nn.Module, base: str | None) -> None:
        """The finished model; of a low-rank one the merged model, and the update beside it."""
        assert isinstance(model, Transformer)
        tasks = read_tasks(self.train.config) or self.lm.text_tasks
        whole = model
        if adapted_layers(model):
            save_adapter(folder / _ADAPTER, model, base, written_tasks(tasks))
            whole = merged(model)
        words = self.train.tokenizer or self.lm.tokenizer
        done = replace(self.lm, model=whole.eval(), tokenizer=words, vectors=self.train.vectors, text_tasks=tasks)
        done.save(folder)


def finetune(
    lm: LanguageModel,
    train: Examples,
    folder: Path | str,
    held_out: Examples | None = None,
    settings: FineTuneSettings | None = None,
    *,
    task: str | None = None,
    labels: Sequence[str] = (),
    base: str | None = None,
    console: Console | None = None,
    stop: Stop | None = None,
) -> FineTuned:
    """Teach `lm` the task that the examples show, in `folder`; `lm` itself stays as it is.

    With `held_out` examples the finished model is the one of the lowest loss on them, which may be of an earlier step
    than the last. `task` and `labels` are those of the examples where they are not given. `base` names the model that
    `lm` was loaded from, for an adapter's config. Raises `DataError` for labels that are unknown or have no example,
    `UsageError` for a model that cannot do the task, and `CheckpointError` for a folder that holds another run.
    """
    settings, folder = settings or FineTuneSettings(), Path(folder)
    if adapted_layers(lm.model):
        raise UsageError("This model is a base with an adapter: fine-tune `lm.merged()`, or the base with new updates.")
    name = task_of(lm.architecture, train, task)
    run = _run(lm, train, held_out, settings, name, labels_of(train, labels))
    ready, out = run.train, run.held_out
    if ready.preview and console is not None:
        console.print(f"the first example, what is asked for between arrows:\n{ready.preview}", highlight=False)
    model = run.build()
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    title = f"{name} ({ready.architecture.family}, {trained:,} weights trained)"
    quote = None if read_result(folder) else _quote(run, folder, model, title)
    del model
    result = run_training(
        folder,
        run.build,
        run.batches,
        run.steps,
        lambda into, model: run.save(into, model, base),
        loss_fn=ready.loss_fn,
        validate=None if out is None else run.validate,
        identity=_identity(run, train, held_out, name),
        flops_per_token=None if quote is None else quote.flops / quote.tokens,
        console=console,
        title=title,
        stop=stop,
        expectation=quote,
        finish_with="best",
    )
    expected = first_quote(folder)
    both = [ready] if out is None else [ready, out]
    return FineTuned(
        folder,
        name,
        getattr(ready.architecture.task, "labels", ()),
        len(train),
        0 if held_out is None else len(held_out),
        _sum([train.skipped, {} if held_out is None else held_out.skipped, *(each.left_out for each in both)]),
        sum(each.cut for each in both),
        trained,
        result,
        Quote.from_dict(expected).lines(result) if expected else (),
        _sum(each.noticed for each in both),
    )


def _run(
    lm: LanguageModel,
    train: Examples,
    held_out: Examples | None,
    settings: FineTuneSettings,
    task: str,
    labels: Sequence[str],
) -> _Run:
    ready = _prepared(lm, train, labels, settings, task)
    out = None if held_out is None else _prepared(lm, held_out, labels, _plain(settings), task)
    if settings.copy_epochs and not ready.copies:
        raise UsageError(f"copy_epochs is {settings.copy_epochs:g}, and {task} has no answers to copy: leave it out.")
    return _Run(lm, ready, out, settings, settings.train_settings(len(ready.rows), out is not None))


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    return dict(sum((Counter(each) for each in counts), Counter()))


def _prepared(
    lm: LanguageModel, examples: Examples, labels: Sequence[str], settings: FineTuneSettings, task: str
) -> Prepared:
    ready = TASKS[task](lm, examples, labels, settings)
    if not ready.rows:
        reasons = "; ".join(f"{count:,} with {reason}" for reason, count in ready.left_out.items())
        raise DataError(f"None of the {len(examples):,} examples of {examples.where} can be read: {reasons}.")
    return ready


def _plain(settings: FineTuneSettings) -> FineTuneSettings:
    """What held-out examples are measured by: each weighs the same, and none is a copy."""
    return settings.model_copy(update={"class_weights": "equal", "copy_epochs": 0.0})


def _quote(run: _Run, folder: Path, model: Transformer, title: str) -> Quote:
    begun = first_quote(folder)
    if begun is not None:
        return Quote.from_dict(begun)
    with torch.random.fork_rng():
        return estimate(
            model,
            run.batches,
            run.train.loss_fn,
            run.steps,
            title=title,
            tokens=round(run.train.tokens * run.steps.steps / run.settings.epoch_steps(len(run.train.rows))),
            lora=run.settings.lora,
            validate=None if run.held_out is None else run.validate,
        )


def _identity(run: _Run, train: Examples, held_out: Examples | None, task: str) -> dict[str, Any]:
    settings = run.settings.model_dump(mode="json", include=_OF_THE_ROWS)
    lora = run.settings.lora
    return {
        "task": task,
        "finetune": {**settings, "batch": run.settings.batch, "lora": None if lora is None else asdict(lora)},
        "architecture": run.train.architecture.to_dict(),
        "base": fingerprint(run.lm.model),
        "examples": train.fingerprint,
        "held_out": None if held_out is None else held_out.fingerprint,
    }
