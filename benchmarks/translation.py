"""Encoder-decoders from nothing on three tasks from text to text, beside what costs nothing; writes translation.md.

    python benchmarks/translation.py                                      a quiet machine: 20 minutes a task at most
    python benchmarks/translation.py --tasks translation                  one of them
    python benchmarks/translation.py --minutes 1 --items 1000             a proof that it runs; writes nothing

    task         data           model reads         says          must beat
    translation  medical-en-fr  an English term     it in French  the source copied; word for word from a dictionary
    summaries    news-titles    the article's head  its title     its first sentence
    answers      trivia         a quiz question     the answer    the commonest answer

Each model first copies answers (`copy_epochs`): without that it writes fluent French about something else, as it has
not learnt to look at what it reads (docs/LOG.md). A model has no weight and no token but what the training examples
gave it. Of these a twentieth is held out, and says which step's weights are kept; the test split is read once, at the
end. `--minutes` bounds the training: where the recipe's epochs would take longer on this machine, there are fewer.
"""

import argparse
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from trivium.data.example_reader import read_examples
from trivium.data.examples import Examples, TextPair
from trivium.evaluate.baselines import CopySource, LeadSentence, MostCommon
from trivium.evaluate.evaluation import Evaluation, evaluate
from trivium.evaluate.head_predictor import HeadPredictor
from trivium.evaluate.predictions import Predictor
from trivium.evaluate.word_dictionary import WordDictionary
from trivium.finetune.fresh import fresh_model
from trivium.finetune.fresh_settings import FreshSettings
from trivium.finetune.run import finetune
from trivium.finetune.settings import FineTuneSettings
from trivium.language_model import LanguageModel
from trivium.tasks.text_to_text import TextTask

HERE = Path(__file__).parent


_BART = FreshSettings(family="bart", dropout=0.2, options={"scaled": True})


@dataclass(frozen=True)
class Recipe:
    """A task: its examples, the model that learns it, how, and what it has to beat."""

    data: str
    test: str | None
    task: TextTask
    metrics: tuple[str, ...]
    baselines: tuple[tuple[str, Callable[[Examples], Predictor]], ...]
    settings: FineTuneSettings
    model: FreshSettings


def copy(train: Examples) -> Predictor:
    """The source itself."""
    return CopySource()


def lead(train: Examples) -> Predictor:
    """The first sentence."""
    return LeadSentence()


_SETTINGS = FineTuneSettings(
    copy_epochs=6, epochs=18, batch=64, learning_rate=1e-3, weight_decay=0.1, warmup_fraction=0.05, precision="float32"
)
RECIPES = {
    "translation": Recipe(
        "medical-en-fr",
        "test",
        TextTask("translation_en_to_fr", source_tokens=64, answer_tokens=64),
        ("chrf", "bleu"),
        (("source copied", copy), ("word for word", WordDictionary.of)),
        _SETTINGS,
        _BART,
    ),
    "summaries": Recipe(
        "news-titles",
        None,
        TextTask("summarization", source_tokens=96, answer_tokens=32),
        ("rouge1", "rougeL"),
        (("first sentence", lead),),
        _SETTINGS.model_copy(update={"copy_epochs": 6.0, "epochs": 14.0, "batch": 16}),  # there are few: small steps
        _BART.model_copy(update={"vocabulary": 2000}),
    ),
    "answers": Recipe(
        "trivia",
        "test",
        TextTask("question_answering", source_tokens=64, answer_tokens=24),
        ("exact_match", "token_f1"),
        (("commonest answer", MostCommon.of),),
        _SETTINGS.model_copy(update={"copy_epochs": 2.0, "epochs": 10.0}),
        _BART,
    ),
}


def bounded(lm: LanguageModel, train: Examples, settings: FineTuneSettings, minutes: float) -> FineTuneSettings:
    """The settings with as many epochs of both kinds as fit the minutes; a few steps of a run say what one takes."""
    with tempfile.TemporaryDirectory() as aside:
        few = settings.model_copy(update={"copy_epochs": 0.0, "epochs": 1.0})
        tried = finetune(lm, train.sample(20 * settings.batch), aside, settings=few)
    seconds = tried.result.median_step_seconds
    assert seconds is not None
    most = 60 * minutes / (1.2 * seconds * settings.epoch_steps(len(train)))  # validations and checkpoints with it
    part = min(1.0, max(most, 0.01) / (settings.copy_epochs + settings.epochs))
    return settings.model_copy(update={"copy_epochs": part * settings.copy_epochs, "epochs": part * settings.epochs})


@dataclass(frozen=True)
class Outcome:
    """The figures of a task, the model's last, and what the model took."""

    recipe: Recipe
    evaluations: tuple[tuple[str, Evaluation], ...]
    weights: int
    epochs: float
    minutes: float
    samples: tuple[tuple[str, str, str], ...]


def measured(recipe: Recipe, minutes: float, items: int | None, folder: Path) -> Outcome:
    """Baselines and model, taught and measured on the same examples."""
    train = read_examples(recipe.data, split="train")
    if recipe.test is None:
        train, test = train.split(0.1, seed=0)
    else:
        test = read_examples(recipe.data, split=recipe.test)
    if items is not None:
        train, test = train.sample(items), test.sample(items // 4)
    found = [(name, evaluate(make(train), test, metrics=recipe.metrics)) for name, make in recipe.baselines]
    begin = time.perf_counter()
    taught, held_out = train.split(0.05, seed=0)
    lm = fresh_model(recipe.model, taught)
    settings = recipe.settings.model_copy(update={"text_task": recipe.task})
    settings = bounded(lm, taught, settings, minutes - (time.perf_counter() - begin) / 60)
    done = finetune(lm, taught, folder, held_out, settings)
    spent = (time.perf_counter() - begin) / 60
    own = evaluate(HeadPredictor(done.load("cpu")), test, metrics=recipe.metrics)
    pairs = [pair for pair in test if isinstance(pair, TextPair)]
    shown = zip(pairs[:6], own.predictions[:6], strict=True)
    samples = tuple((pair.source[:80], pair.targets[0], str(said.said)) for pair, said in shown)
    return Outcome(recipe, (*found, ("this model", own)), lm.architecture.parameters, settings.epochs, spent, samples)


def table(outcome: Outcome) -> list[str]:
    """The figures with their intervals, how far the model is above each baseline, and what it says."""
    names = outcome.recipe.metrics
    lines = [
        "| | " + " | ".join(f"{name} | 95 % interval" for name in names) + " |",
        "|---|" + "---:|---|" * len(names),
    ]
    for who, found in outcome.evaluations:
        metrics = [found.metric(name) for name in names]
        lines.append(f"| {who} | " + " | ".join(f"{m.value:.3g} | {m.low:.3g} to {m.high:.3g}" for m in metrics) + " |")
    own = outcome.evaluations[-1][1]
    for who, found in outcome.evaluations[:-1]:
        above = own.less(found, names[0])
        lines += ["", f"Above {who}, paired, in {names[0]}: {above}."]
    lines += [
        "",
        f"{outcome.weights:,} weights, {outcome.epochs:.1f} epochs, {outcome.minutes:.1f} minutes, tokenizer included; "
        f"measured on {own.items:,} test items.",
        "",
        "| source | wanted | said |",
        "|---|---|---|",
        *(f"| {' | '.join(text.replace('|', '/') for text in each)} |" for each in outcome.samples),
        "",
    ]
    return lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, measure, print, and write the page where it is whole."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", default=",".join(RECIPES))
    parser.add_argument("--minutes", type=float, default=19.0, help="of training, a task")
    parser.add_argument("--items", type=int, help="train on so many examples, and measure on a quarter as many")
    asked = parser.parse_args(arguments)
    machine = f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    page = [
        "# Text to text from nothing",
        "",
        f"Written by `benchmarks/translation.py`, which says what is measured. {machine}.",
        "",
    ]
    for name in asked.tasks.split(","):
        with tempfile.TemporaryDirectory() as aside:
            outcome = measured(RECIPES[name], asked.minutes, asked.items, Path(aside) / name)
        lines = [f"## {name.capitalize()}", "", *table(outcome)]
        print("\n".join(lines), flush=True)
        page += lines
    if asked.items is None and set(asked.tasks.split(",")) == set(RECIPES):
        (HERE / "translation.md").write_text("\n".join(page))


if __name__ == "__main__":
    main()
