"""MiniLM taught three tasks, here and by transformers' own Trainer, and by low-rank updates; writes finetune.md.

    python benchmarks/finetune.py                                 a quiet machine; two cores take an hour or two
    python benchmarks/finetune.py --tasks reviews --ways trivium  one of them
    python benchmarks/finetune.py --items 200                     a proof that it runs; writes no page

What is done is kept in runs/finetune, and a run that was stopped, or asked for another part, goes on behind it.

Film reviews: trained on the catalogue's train split, measured on its test split. CoNLL-2003: entities and word classes,
trained on train, measured on validation. Both ways start from the same weights, head included, read the same tokens
with the same settings, and keep the last step's weights: nothing is chosen by the examples that are measured on.
transformers' folder is opened and measured by the same code as ours.
"""

import argparse
import json
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

import trivium
from trivium.adapt.lora import Lora
from trivium.data.example_reader import read_examples
from trivium.data.examples import Examples
from trivium.evaluate.evaluation import evaluate
from trivium.evaluate.head_predictor import HeadPredictor
from trivium.files import atomic_write
from trivium.finetune.heads import starting_model
from trivium.finetune.labels import labels_of
from trivium.finetune.prepared import Prepared
from trivium.finetune.registry import TASKS
from trivium.finetune.run import finetune
from trivium.finetune.settings import FineTuneSettings
from trivium.language_model import LanguageModel

ROOT = Path(__file__).parent.parent
LORA = Lora(rank=16, alpha=32.0, targets=("*attention.*", "*mlp.*"))


@dataclass(frozen=True)
class Task:
    """What is taught, how, and what has to be reached."""

    name: str
    title: str
    train: Callable[[], Examples]
    test: Callable[[], Examples]
    metric: str
    settings: FineTuneSettings
    lora_settings: FineTuneSettings
    target: float
    simple: str


def conll(split: str, tags: str) -> Callable[[], Examples]:
    """A split of CoNLL-2003 with the tags of this column."""
    return lambda: read_examples("conll2003", split=split, columns={"tags": tags})


_BASE = FineTuneSettings(epochs=3, batch=32, learning_rate=1e-4, precision="float32")
_TAGS = _BASE.model_copy(update={"epochs": 2.0, "learning_rate": 3e-4})
_LORA = {"lora": LORA, "learning_rate": 2e-3}
TASKS_HERE = {
    "reviews": Task(
        "reviews",
        "film reviews, accuracy",
        lambda: read_examples("reviews", split="train"),
        lambda: read_examples("reviews", split="test"),
        "accuracy",
        _BASE,
        _BASE.model_copy(update=_LORA),
        0.84,
        "Naive Bayes 80.7 %",
    ),
    "ner": Task(
        "ner", "CoNLL-2003 entities, F1", conll("train", "tags"), conll("validation", "tags"), "entity_f1",
        _TAGS, _TAGS.model_copy(update=_LORA), 0.88, "",
    ),
    "pos": Task(
        "pos", "CoNLL-2003 word classes, accuracy", conll("train", "pos_tags"), conll("validation", "pos_tags"),
        "accuracy", _TAGS, _TAGS.model_copy(update=_LORA), 0.955, "lookup 88.4 %",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """One way's figure with its interval, its wall and processor seconds, and the share of weights that it trained."""

    value: float
    low: float | None
    high: float | None
    seconds: float
    processor_seconds: float
    share: float


def by_trivium(lm: LanguageModel, train: Examples, settings: FineTuneSettings, folder: Path) -> tuple[Path, float]:
    """The folder of the model, and the share of weights that were trained."""
    done = finetune(lm, train, folder, settings=settings, base="minilm")
    return folder, done.trained_parameters / (done.result.parameters or 1)


def by_trainer(lm: LanguageModel, train: Examples, settings: FineTuneSettings, folder: Path) -> tuple[Path, float]:
    """The same by transformers: the same first weights, the same tokens, padded batches in its own order."""
    import transformers as hf

    ready = TASKS[train.form](lm, train, labels_of(train), settings)
    started = folder / "start"
    LanguageModel(starting_model(lm.model, ready.architecture, settings.seed).eval(), lm.tokenizer).save(started)
    kind = hf.AutoModelForTokenClassification if train.form == "tagging" else hf.AutoModelForSequenceClassification
    model = kind.from_pretrained(started)
    steps = settings.steps(len(ready.rows))
    arguments = hf.TrainingArguments(
        output_dir=str(folder / "trainer"),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=round(settings.warmup_fraction * steps),
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.clip_norm or 0.0,
        seed=settings.seed,
        logging_strategy="no",
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        use_cpu=True,
        bf16=settings.precision == "bfloat16",
        dataloader_pin_memory=False,
    )
    hf.Trainer(model, arguments, train_dataset=_features(ready), data_collator=_collated).train()
    model.save_pretrained(folder / "end")
    lm.tokenizer.save(folder / "end")
    return folder / "end", 1.0


def _features(ready: Prepared) -> list[dict[str, object]]:
    """Rows as Trainer reads them; transformers' heads take -100 at tokens that are not asked."""
    return [
        {"input_ids": row.input_ids, "labels": row.targets if row.label is None else row.label} for row in ready.rows
    ]


def _collated(features: Sequence[dict[str, object]]) -> dict[str, torch.Tensor]:
    """A batch padded to its longest."""
    ids = [np.asarray(one["input_ids"]) for one in features]
    longest = max(map(len, ids))

    def padded(rows: Sequence[np.ndarray], value: int) -> torch.Tensor:
        return torch.from_numpy(np.stack([np.pad(row, (0, longest - len(row)), constant_values=value) for row in rows]))

    labels = [one["labels"] for one in features]
    return {
        "input_ids": padded(ids, 0),
        "attention_mask": padded([np.ones_like(row) for row in ids], 0),
        "labels": padded([np.asarray(label) for label in labels], -100)
        if isinstance(labels[0], np.ndarray)
        else torch.tensor(labels),
    }


def outcome(task: Task, way: str, items: int | None, seed: int) -> Outcome:
    """One way, from the examples to its figure; the one that is kept, where there is one."""
    place = ROOT / "runs" / "finetune" / f"{task.name}-{way}-{items or 'all'}-{seed}.json"
    if not place.is_file():
        atomic_write(place, json.dumps(asdict(_measured(task, way, items, seed))) + "\n")
    return Outcome(**json.loads(place.read_text()))


def _measured(task: Task, way: str, items: int | None, seed: int) -> Outcome:
    train, test = task.train(), task.test()
    if items is not None:
        train, test = train.sample(items), test.sample(items)
    settings = (task.lora_settings if way == "lora" else task.settings).model_copy(update={"seed": seed})
    lm = trivium.load("minilm", device="cpu")
    with tempfile.TemporaryDirectory() as aside:
        begin, processor = time.perf_counter(), time.process_time()
        run = by_trainer if way == "trainer" else by_trivium
        folder, share = run(lm, train, settings, Path(aside))
        seconds, processor = time.perf_counter() - begin, time.process_time() - processor
        found = evaluate(HeadPredictor(trivium.load(folder, device="cpu")), test).metric(task.metric)
    return Outcome(found.value, found.low, found.high, seconds, processor, share)


_WAYS = {"trivium": "Trivium", "trainer": "transformers' Trainer", "lora": "Trivium, LoRA"}


def _cells(task: Task, way: str, outcomes: Sequence[Outcome]) -> str:
    mean, first = statistics.fmean(one.value for one in outcomes), outcomes[0]
    seconds, processor = (
        statistics.fmean(x) for x in zip(*((o.seconds, o.processor_seconds) for o in outcomes), strict=True)
    )
    interval = "–" if first.low is None or first.high is None else f"{100 * first.low:.1f} to {100 * first.high:.1f}"
    return (
        f"| {task.title} | {_WAYS[way]} | {100 * mean:.1f} | {interval} | {100 * outcomes[0].share:.1f} % | "
        f"{seconds / 60:.1f} | {processor / 60:.1f} |"
    )


def main() -> None:
    """Measure, print, and write the table where it is whole."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", default=",".join(TASKS_HERE))
    parser.add_argument("--ways", default=",".join(_WAYS))
    parser.add_argument("--seeds", default="0", help="the mean of these; the interval is the first one's")
    parser.add_argument("--items", type=int, help="train and measure on so many examples")
    asked = parser.parse_args()
    lines = [
        "| task | by | figure, % | 95 % interval | weights trained | wall, min | processor, min |",
        "|---|---|---:|---|---:|---:|---:|",
    ]
    print("\n".join(lines), flush=True)
    for name in asked.tasks.split(","):
        task = TASKS_HERE[name]
        for way in asked.ways.split(","):
            found = [outcome(task, way, asked.items, int(seed)) for seed in asked.seeds.split(",")]
            lines.append(_cells(task, way, found))
            print(lines[-1], flush=True)
    if asked.items is None and set(asked.tasks.split(",")) == set(TASKS_HERE) and "trainer" in asked.ways.split(","):
        said = [
            f"- {task.title}: at least {100 * task.target:.1f} wanted{', ' + task.simple if task.simple else ''}; "
            f"epochs {task.settings.epochs:g}, batch {task.settings.batch}, learning rate "
            f"{task.settings.learning_rate:g} (LoRA {task.lora_settings.learning_rate:g})"
            for task in TASKS_HERE.values()
        ]
        machine = f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
        head = (
            f"# MiniLM taught three tasks\n\nWritten by `benchmarks/finetune.py`, which says what it does. {machine}.\n"
        )
        (ROOT / "benchmarks" / "finetune.md").write_text("\n".join([head, *lines, "", *said, ""]))


if __name__ == "__main__":
    main()
