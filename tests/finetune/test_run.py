"""A fine-tuning in its folder: to the same bits after a stop, the best model at the end, readable by transformers."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file

from tests.finetune.tiny import EXAMPLES, body, opposites
from trivium.adapt.lora import Lora
from trivium.data.examples import Examples, LabelledText
from trivium.errors import CheckpointError, DataError
from trivium.finetune import run
from trivium.finetune.run import FineTuned, finetune
from trivium.finetune.settings import FineTuneSettings
from trivium.language_model import LanguageModel, load
from trivium.objectives.batch import Batch
from trivium.train.loss import LossSum
from trivium.train.stop import Stop

QUICK = FineTuneSettings(epochs=3, batch=8, learning_rate=2e-3, precision="float32")
TRAIN, HELD_OUT = opposites().split(0.25)
#: The same texts with the other label: the better the training, the worse the loss on them.
WRONG = replace(
    HELD_OUT,
    examples=tuple(LabelledText(e.text, "no" if e.label == "yes" else "yes") for e in HELD_OUT.examples),
)


def accuracy(lm: LanguageModel, examples: Examples) -> float:
    said = lm.classify([example.text for example in examples])
    return sum(one.label == example.label for one, example in zip(said, examples, strict=True)) / len(examples)


def stopping(lm: LanguageModel, folder: Path, after: int, **options: object) -> FineTuned:
    """Run until so many batches have been learned from, then stop."""
    stop, seen = Stop(), 0
    task = run.TASKS["classification"]

    def prepare(*arguments):
        ready = task(*arguments)

        def loss(model: torch.nn.Module, batch: Batch) -> LossSum:
            nonlocal seen
            seen += torch.is_grad_enabled()
            if seen == after:
                stop.request("test")
            return ready.loss_fn(model, batch)

        return replace(ready, loss_fn=loss)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "TASKS", {**run.TASKS, "classification": prepare})
        patch.setattr(run, "_quote", lambda *arguments: None)
        return finetune(lm, TRAIN, folder, HELD_OUT, QUICK, stop=stop, **options)


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama", "t5"])
def test_every_family_learns_a_task(family: str, tmp_path: Path) -> None:
    lm = body(family)
    before = {name: tensor.clone() for name, tensor in lm.model.state_dict().items()}
    done = finetune(lm, TRAIN, tmp_path, settings=QUICK.model_copy(update={"epochs": 8.0, "learning_rate": 5e-3}))
    assert done.finished
    assert accuracy(done.load(), TRAIN) > 0.9
    assert all(torch.equal(tensor, before[name]) for name, tensor in lm.model.state_dict().items())
    lines = {line.what: line for line in done.bill}
    assert lines["memory"].error == pytest.approx(0, abs=0.1)
    assert lines["tokens"].expected == pytest.approx(lines["tokens"].measured, rel=0.02)
    assert json.loads(json.dumps(done.to_dict()))["task"] == "classification"


def test_stopped_and_continued_it_is_the_same_run(tmp_path: Path) -> None:
    whole = finetune(body("bert"), TRAIN, tmp_path / "whole", HELD_OUT, QUICK)
    for after in (2, 3, 6):
        stopped = stopping(body("bert"), tmp_path / "parts", after)
        assert not stopped.finished
        assert stopped.result.stopped_by == "test"
    done = finetune(body("bert"), TRAIN, tmp_path / "parts", HELD_OUT, QUICK)
    assert done.result.best_validation_loss == whole.result.best_validation_loss
    ours, theirs = (load_file(tmp_path / name / "model.safetensors") for name in ("parts", "whole"))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    again = finetune(body("bert"), TRAIN, tmp_path / "parts", HELD_OUT, QUICK)
    assert again.result == done.result


def test_the_best_model_is_the_finished_one_and_patience_ends_the_run(tmp_path: Path) -> None:
    settings = QUICK.model_copy(update={"epochs": 20.0, "patience": 2, "learning_rate": 5e-3})
    done = finetune(body("bert"), TRAIN, tmp_path, WRONG, settings)
    assert done.stopped_early
    result = done.result
    assert result.steps < settings.steps(len(TRAIN))
    assert result.best_step is not None
    assert result.kept_step == result.best_step == result.steps - 2 * settings.epoch_steps(len(TRAIN))
    assert result.validation is not None
    assert result.best_validation_loss is not None
    assert result.validation.loss > result.best_validation_loss
    model = done.load()
    texts = [example.text for example in WRONG]
    probabilities = [c.scores[str(e.label)] for c, e in zip(model.classify(texts), WRONG, strict=True)]
    loss = -torch.tensor(probabilities).log().mean()
    assert float(loss) == pytest.approx(result.best_validation_loss, rel=1e-4)


@pytest.mark.parametrize("form", EXAMPLES)
def test_transformers_pipeline_gives_the_same_answers(form: str, tmp_path: Path) -> None:
    settings = QUICK.model_copy(update={"epochs": 1.0})
    done = finetune(body("bert"), EXAMPLES[form], tmp_path, settings=settings)
    classify = hf.pipeline("text-classification", model=str(tmp_path), tokenizer=str(tmp_path), top_k=None)
    texts = [example.text for example in EXAMPLES[form]]
    for ours, theirs in zip(done.load().classify(texts), classify(texts), strict=True):
        assert ours.scores == pytest.approx({one["label"]: one["score"] for one in theirs}, abs=1e-5)


def test_low_rank_updates_train_little_and_are_merged(tmp_path: Path) -> None:
    settings = QUICK.model_copy(update={"lora": Lora(rank=2), "epochs": 1.0})
    lm = body("bert")
    lm.save(tmp_path / "base")
    done = finetune(lm, TRAIN, tmp_path / "run", HELD_OUT, settings, base=str(tmp_path / "base"))
    assert done.trained_parameters < (done.result.parameters or 0) / 4
    texts = [example.text for example in HELD_OUT]
    merged = done.load().classify(texts)
    adapted = load(tmp_path / "run" / "adapter").classify(texts)
    for ours, theirs in zip(merged, adapted, strict=True):
        assert ours.scores == pytest.approx(theirs.scores, abs=1e-5)


def test_another_run_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    one = QUICK.model_copy(update={"epochs": 1.0})
    finetune(body("bert"), TRAIN, tmp_path, settings=one)
    with pytest.raises(CheckpointError, match="holds another run: examples"):
        finetune(body("bert"), HELD_OUT, tmp_path, settings=one)
    with pytest.raises(CheckpointError, match=r"holds another run: train\.learning_rate"):
        finetune(body("bert"), TRAIN, tmp_path, settings=one.model_copy(update={"learning_rate": 1e-4}))


def test_what_cannot_be_read_is_counted_or_refused(tmp_path: Path) -> None:
    long = FineTuneSettings(epochs=1, batch=8, max_tokens=12, too_long="leave out", precision="float32")
    done = finetune(body("bert"), EXAMPLES["classification"], tmp_path / "left", settings=long)
    assert sum(done.left_out.values()) > 0
    cut = long.model_copy(update={"too_long": "cut"})
    assert finetune(body("bert"), EXAMPLES["classification"], tmp_path / "cut", settings=cut).cut > 0
    nothing = long.model_copy(update={"max_tokens": 2})
    with pytest.raises(DataError, match=r"None of the 5 examples of tiny can be read: 5 with more than 2 tokens"):
        finetune(body("bert"), EXAMPLES["classification"], tmp_path / "none", settings=nothing)
    with pytest.raises(DataError, match="which the model is not taught"):
        finetune(body("bert"), TRAIN, tmp_path / "unknown", EXAMPLES["classification"], QUICK)
