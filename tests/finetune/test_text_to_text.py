"""Text to text: the rows that are made, what is cut and counted, and models that learn a few pairs by heart."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf

from tests.decode.tiny import speaker, tokenizer
from trivium.data.examples import Example, Examples, LabelledText, Question, TaggedWords, TextPair
from trivium.errors import UsageError
from trivium.families.registry import family_named
from trivium.finetune.registry import TASKS, task_of
from trivium.finetune.run import _Run, finetune
from trivium.finetune.settings import FineTuneSettings, TooLong
from trivium.finetune.text_to_text import as_text_pairs, prepare_text_to_text
from trivium.language_model import LanguageModel
from trivium.model import Transformer
from trivium.objectives.batch import IGNORE
from trivium.tasks.text_to_text import TextTask

WORDS = ("cat", "dog", "mat", "north")
PAIRS = Examples("text-to-text", tuple(TextPair(f"the {word}", (f"{word}s",)) for word in WORDS))
TASK = TextTask("translation_plural", "plural: ")


def _lm(family: str, positions: int = 64, depth: int = 1) -> LanguageModel:
    words = tokenizer("bpe" if family == "gpt2" else "unigram")
    architecture = family_named(family).preset(
        vocab=words.vocabulary, dim=32, depth=depth, heads=2, positions=positions
    )
    return LanguageModel(Transformer(architecture, torch.Generator().manual_seed(0)).eval(), words)


@pytest.mark.parametrize(
    ("example", "source", "target"),
    [
        (TextPair("a", ("b", "c")), "a", "b"),
        (LabelledText("fine", "good"), "fine", "good"),
        (LabelledText(("it rains", "it is wet"), "entails"), "sentence1: it rains sentence2: it is wet", "entails"),
        (LabelledText("fine", ("a", "b")), "fine", "a, b"),
        (LabelledText("fine", 3.5), "fine", "3.5"),
        (TaggedWords(("a", "cat"), ("DT", "NN")), "a cat", "DT NN"),
        (Question("Who?", "Ann did.", ("Ann",), (0,)), "question: Who? context: Ann did.", "Ann"),
        (Question("Why?", "Ann did.", (), ()), "question: Why? context: Ann did.", ""),
    ],
)
def test_any_example_is_a_text_and_its_answer(example: Example, source: str, target: str) -> None:
    (pair,) = as_text_pairs(Examples("classification", (example,)))
    assert isinstance(pair, TextPair)
    assert (pair.source, pair.targets[0]) == (source, target)


def test_labels_are_words() -> None:
    lm, texts = (
        _lm("t5"),
        Examples("classification", (LabelledText("the cat", "animal"), LabelledText("the mat", "thing"))),
    )
    ready = TASKS[task_of(lm.architecture, texts, "text-to-text")](lm, texts, ("animal", "thing"), FineTuneSettings())
    assert [lm.tokenizer.decode(row.targets.tolist()) for row in ready.rows] == ["animal", "thing"]


@pytest.mark.parametrize("family", ["t5", "gpt2"])
def test_the_prefix_is_read_and_the_answer_with_its_end_is_asked_for(family: str) -> None:
    lm = _lm(family)
    words = lm.tokenizer
    ready = prepare_text_to_text(lm, PAIRS, (), FineTuneSettings(text_task=TASK))
    assert (len(ready.rows), ready.cut, ready.left_out) == (len(PAIRS), 0, {})
    row = ready.rows[0]
    asked = row.targets[row.targets != IGNORE].tolist()
    assert asked[-1] == words.end_id
    assert words.decode(asked).strip() == "cats"
    assert words.decode(row.input_ids.tolist()).startswith("plural: the cat")
    if family == "t5":
        assert row.decoder_input_ids is not None
        assert row.decoder_input_ids.tolist() == [words.pad_id, *asked[:-1]]
    assert ready.config == {"task_specific_params": {"translation_plural": {"prefix": "plural: "}}}


def test_what_is_too_long_is_cut_and_counted_left_out_or_refused() -> None:
    lm = _lm("t5")
    long = Examples("text-to-text", (*PAIRS, TextPair("the cat " * 20, ("cat",)), TextPair("a", ("cat " * 20,))))

    def prepared(too_long: TooLong) -> Any:
        return prepare_text_to_text(lm, long, (), FineTuneSettings(text_task=TASK, max_tokens=24, too_long=too_long))

    ready = prepared("cut")
    assert (len(ready.rows), ready.cut) == (len(long), 2)
    source, answer = ready.rows[-2:]
    assert len(source.input_ids) == 24
    assert source.input_ids[-1] == lm.tokenizer.end_id
    assert len(answer.targets) == 24
    assert lm.tokenizer.end_id not in answer.targets  # its end was never seen, and is not taught
    ready = prepared("leave out")
    assert (len(ready.rows), sum(ready.left_out.values())) == (len(PAIRS), 2)
    with pytest.raises(UsageError, match=r"Example 5 of the examples has \d+ tokens more than are read or said"):
        prepared("refuse")


def test_a_decoders_source_and_answer_share_its_positions() -> None:
    lm = _lm("gpt2", positions=24)
    long = Examples("text-to-text", (TextPair("the cat " * 20, ("cat " * 20,)), TextPair("the cat " * 20, ("cat",))))
    both, answer = prepare_text_to_text(lm, long, (), FineTuneSettings(text_task=TASK)).rows
    assert len(both.input_ids) == len(answer.input_ids) == 24
    assert (both.targets != IGNORE).sum() == 12
    assert answer.targets[-1] == lm.tokenizer.end_id


def test_models_that_write_nothing_are_refused() -> None:
    model, words = speaker("bert")
    with pytest.raises(UsageError, match="writes no text"):
        prepare_text_to_text(LanguageModel(model, words), PAIRS, (), FineTuneSettings())


def _taught(lm: LanguageModel, examples: Examples, folder: Path) -> LanguageModel:
    settings = FineTuneSettings(
        epochs=120, batch=4, learning_rate=0.01, betas=(0.9, 0.95), precision="float32", text_task=TASK
    )
    return finetune(lm, examples, folder, settings=settings).load()


@pytest.mark.slow
def test_an_encoder_decoder_learns_to_say_and_to_end(tmp_path: Path) -> None:
    """From its folder it translates what it learned, and so does transformers with the prefix that the folder names."""
    lm = _taught(_lm("t5"), PAIRS, tmp_path)
    done = lm.translate([pair.source for pair in PAIRS if isinstance(pair, TextPair)], max_tokens=20)
    assert [one.text for one in done] == [f"{word}s" for word in WORDS]
    assert {one.finish_reason for one in done} == {"stop"}
    theirs: Any = hf.T5ForConditionalGeneration.from_pretrained(tmp_path)
    words = hf.AutoTokenizer.from_pretrained(tmp_path)
    prefix = theirs.config.task_specific_params["translation_plural"]["prefix"]
    read = words([f"{prefix}the {word}" for word in WORDS], padding=True, return_tensors="pt")
    with torch.no_grad():
        said = theirs.generate(**read, max_new_tokens=20, do_sample=False)
    assert words.batch_decode(said, skip_special_tokens=True) == [one.text for one in done]


def test_answers_are_copied_before_the_task_is_taught(tmp_path: Path) -> None:
    """Every answer is its own source in the first steps; then come the pairs; held-out ones are pairs always."""
    settings = FineTuneSettings(copy_epochs=2, epochs=1, batch=3, text_task=TASK, precision="float32")
    assert (settings.copy_steps(4), settings.steps(4)) == (4, 6)
    lm = _lm("bart")
    ready = prepare_text_to_text(lm, PAIRS, (), settings)
    run = _Run(lm, ready, None, settings, settings.train_settings(4, held_out=False))
    read = [[batch.input_ids for batch in run.batches(step)] for step in range(6)]
    texts = [lm.tokenizer.decode(ids.flatten().tolist()) for step in read for ids in step]
    assert sum("the " in text for text in texts[:4]) == 0
    assert sum("the " in text for text in texts[4:]) == 2
    for name in ("cats", "dogs", "mats", "norths"):
        assert sum(text.count(name) for text in texts) == 2
    done = finetune(lm, PAIRS, tmp_path, PAIRS, settings)
    assert (done.result.steps, done.cut) == (6, 0)


def test_only_answers_can_be_copied(tmp_path: Path) -> None:
    texts = Examples("classification", (LabelledText("the cat", "animal"), LabelledText("the mat", "thing")))
    with pytest.raises(UsageError, match=r"copy_epochs is 1, and classification has no answers to copy"):
        finetune(_lm("bart"), texts, tmp_path, settings=FineTuneSettings(copy_epochs=1), task="classification")


def test_a_decoder_learns_the_same(tmp_path: Path) -> None:
    lm = _taught(_lm("gpt2"), PAIRS, tmp_path)
    done = lm.translate([pair.source for pair in PAIRS if isinstance(pair, TextPair)], max_tokens=20)
    assert [one.text for one in done] == [f"{word}s" for word in WORDS]
    assert {one.finish_reason for one in done} == {"stop"}


def test_models_from_nothing_may_use_muon() -> None:
    assert FineTuneSettings(optimizer="muon").train_settings(10, held_out=False).optimizer == "muon"
