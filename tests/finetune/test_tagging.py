"""Rows are those of the recipe of `transformers`; what is odd in the data is counted, and what is wrong is said."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf

from tests.decode.tiny import speaker, tokenizer
from trivium.architecture import TokenLabels
from trivium.data.examples import Examples, TaggedWords
from trivium.errors import DataError, UsageError
from trivium.families.registry import family_named
from trivium.finetune.heads import starting_model
from trivium.finetune.run import finetune
from trivium.finetune.settings import FineTuneSettings
from trivium.finetune.tagging import prepare_tagging
from trivium.language_model import LanguageModel
from trivium.model import Transformer
from trivium.objectives.batch import IGNORE
from trivium.objectives.collate import collate

LABELS = ("B-LOC", "B-PER", "I-PER", "O")
SENTENCES = [
    ("The/O old/O Unbelievably/B-PER Long-Winded/I-PER walked/O ./O"),
    ("naïve/O U.S./B-LOC semi-final/O 日本語/O don't/O"),
]


def examples(*sentences: str) -> Examples:
    pairs = [[word.rsplit("/", 1) for word in sentence.split()] for sentence in sentences]
    made = [TaggedWords(tuple(word for word, _ in pair), tuple(tag for _, tag in pair)) for pair in pairs]
    return Examples("tagging", tuple(made))


def bert() -> LanguageModel:
    return LanguageModel(*speaker("bert"))


@pytest.mark.parametrize("limit", [None, 20])
def test_rows_are_those_of_the_recipe(limit: int | None, tmp_path: Path) -> None:
    lm = bert()
    lm.tokenizer.save(tmp_path)
    theirs = hf.AutoTokenizer.from_pretrained(tmp_path)
    taught = examples(*SENTENCES)
    prepared = prepare_tagging(lm, taught, LABELS, FineTuneSettings(max_tokens=limit))
    assert prepared.cut == (0 if limit is None else 2)
    assert (prepared.left_out, prepared.noticed, prepared.pad) == ({}, {}, lm.tokenizer.pad_id)
    for row, example in zip(prepared.rows, taught, strict=True):
        assert isinstance(example, TaggedWords)
        cut = {"truncation": limit is not None, "max_length": limit}
        encoding = theirs(list(example.words), is_split_into_words=True, **cut)
        words, expected = encoding.word_ids(), []
        for place, word in enumerate(words):
            fresh = word is not None and (place == 0 or word != words[place - 1])
            expected.append(LABELS.index(example.tags[word]) if fresh else IGNORE)
        assert row.input_ids.tolist() == encoding["input_ids"]
        assert row.targets.tolist() == expected
        assert row.segments is not None
        assert row.segments.tolist() == encoding["token_type_ids"]


def random_model(family: str) -> LanguageModel:
    words = tokenizer("bpe")
    sizes = {"vocab": words.vocabulary, "dim": 24, "depth": 2, "heads": 2, "positions": 64}
    return LanguageModel(Transformer(family_named(family).preset(**sizes)).eval(), words)


@pytest.mark.parametrize("family", ["gpt2", "llama", "t5", "bloom", "roberta"])
def test_every_family_with_such_a_head_asks_every_word(family: str) -> None:
    prepared = prepare_tagging(random_model(family), examples(*SENTENCES), LABELS, FineTuneSettings())
    assert isinstance(prepared.architecture.task, TokenLabels)
    assert prepared.architecture.task.labels == LABELS
    assert [int((row.targets != IGNORE).sum()) for row in prepared.rows] == [6, 5]


def test_a_family_without_such_a_head_says_so() -> None:
    with pytest.raises(UsageError, match="no head 'token-classification' for opt"):
        prepare_tagging(random_model("opt"), examples(*SENTENCES), LABELS, FineTuneSettings())


def test_tags_out_of_order_are_counted_and_taught() -> None:
    taught = examples("Ada/I-PER walked/O down/B-LOC Lane/I-PER", "Ada/B-PER Love/I-PER \u0001/O")
    prepared = prepare_tagging(bert(), taught, LABELS, FineTuneSettings())
    assert prepared.noticed == {"tags out of BIO order": 2, "words without a token": 1}
    targets = [row.targets[row.targets != IGNORE].tolist() for row in prepared.rows]
    assert targets == [[2, 3, 0, 2], [1, 2]]


def test_bioes_is_taught_as_it_stands() -> None:
    taught = examples("Ada/B-PER Love/E-PER met/O Al/S-PER", "Ada/B-PER met/O")
    prepared = prepare_tagging(bert(), taught, ("B-PER", "E-PER", "O", "S-PER"), FineTuneSettings())
    assert prepared.noticed == {"tags out of BIOES order": 1}


def test_an_unknown_tag_is_an_error() -> None:
    with pytest.raises(DataError, match=r"1 of the 2 examples .* 'B-PR'.* Did you mean 'B-PER'\?"):
        prepare_tagging(bert(), examples("Ada/B-PR Love/B-PR met/O", "no/O"), LABELS, FineTuneSettings())


def test_long_sentences_are_cut_left_out_or_refused() -> None:
    taught = examples(SENTENCES[0], "no/O")
    with pytest.raises(UsageError, match=r"Sentence 1 of the examples has \d+ tokens, and 10 are read"):
        prepare_tagging(bert(), taught, LABELS, FineTuneSettings(max_tokens=10, too_long="refuse"))
    prepared = prepare_tagging(bert(), taught, LABELS, FineTuneSettings(max_tokens=10, too_long="leave out"))
    assert (len(prepared.rows), prepared.left_out, prepared.cut) == (1, {"more than 10 tokens": 1}, 0)
    prepared = prepare_tagging(bert(), taught, LABELS, FineTuneSettings(max_tokens=2))
    assert (len(prepared.rows), prepared.left_out) == (0, {"no word with a token": 2})


def test_rare_tags_can_weigh_more() -> None:
    taught = examples("a/O b/O c/O d/B-PER")
    prepared = prepare_tagging(bert(), taught, ("B-PER", "O"), FineTuneSettings(class_weights="balanced"))
    lm = bert()
    model = starting_model(lm.model, prepared.architecture, seed=0).eval()
    logits = model.task_logits(collate(prepared.rows).input_ids).log_softmax(-1)[0].detach()
    [row] = prepared.rows
    asked = np.flatnonzero(row.targets != IGNORE)
    expected = -sum((2 / 3 if row.targets[at] else 2) * float(logits[at, row.targets[at]]) for at in asked)
    said = prepared.loss_fn(model, collate(prepared.rows))
    assert float(said.loss_sum.detach()) == pytest.approx(expected, rel=1e-5)


def test_what_is_taught_is_what_transformers_says(tmp_path: Path) -> None:
    """From words to a folder; then both tag the same words alike, by each one's own alignment."""
    taught = examples(*SENTENCES * 4, "Ada/I-PER walked/O down/O")
    settings = FineTuneSettings(epochs=4, batch=4, learning_rate=1e-2, precision="float32")
    skipping = replace(taught, skipped={"an empty word": 3})
    done = finetune(bert(), skipping, tmp_path / "run", taught, settings)
    assert done.left_out == {"an empty word": 3}
    assert done.labels == LABELS
    assert done.noticed == {"tags out of BIO order": 2}, "one of those taught, one of those held out"
    lm = done.load()
    theirs = hf.AutoModelForTokenClassification.from_pretrained(done.folder).eval()
    words = hf.AutoTokenizer.from_pretrained(done.folder)
    said = set()
    for example, tags in zip(taught, lm.tag_words([example.words for example in taught]), strict=True):  # type: ignore[union-attr]
        assert isinstance(example, TaggedWords)
        encoding = words(list(example.words), is_split_into_words=True, return_tensors="pt")
        with torch.no_grad():
            best = theirs(**encoding).logits[0].argmax(-1).tolist()
        for place, word in enumerate(tags.words):
            first = encoding.word_ids().index(place)
            assert word.label == theirs.config.id2label[best[first]]
        said |= {word.label for word in tags.words}
    assert len(said) > 1, "one label everywhere would prove nothing"
