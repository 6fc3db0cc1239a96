"""Words, their characters, and entities: by hand on given labels, and against the pipeline of `transformers`."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from tests.tasks.tiny import TEXTS, headed
from trivium.errors import UsageError
from trivium.language_model import LanguageModel, load
from trivium.tasks.reading import read
from trivium.tasks.tag import Word, _words, entities_of
from trivium.tasks.windows import cut_windows
from trivium.tasks.words import read_words

FAMILIES = ["bert", "gpt2", "llama", "t5"]


def entities(labels: str) -> list[tuple[str, str]]:
    """Of words w0, w1, ... with these labels."""
    text, words = " ".join(f"w{index}" for index, _ in enumerate(labels.split())), []
    for index, label in enumerate(labels.split()):
        words.append(Word(f"w{index}", 3 * index, 3 * index + 2, label, 0.5 + index / 10))
    found = list(entities_of(text, words))
    assert all(text[entity.start : entity.end] == entity.text for entity in found)
    return [(entity.label, entity.text) for entity in found]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("O B-PER I-PER O", [("PER", "w1 w2")]),
        ("B-PER B-PER", [("PER", "w0"), ("PER", "w1")]),
        ("I-PER I-PER", [("PER", "w0 w1")]),
        ("B-PER I-LOC", [("PER", "w0"), ("LOC", "w1")]),
        ("B-PER E-PER S-PER I-PER", [("PER", "w0 w1"), ("PER", "w2"), ("PER", "w3")]),
        ("B-PER L-PER U-LOC", [("PER", "w0 w1"), ("LOC", "w2")]),
        ("PER PER O LOC", [("PER", "w0 w1"), ("LOC", "w3")]),
        ("O O", []),
        ("B-first-name I-first-name", [("first-name", "w0 w1")]),
    ],
)
def test_words_make_entities(labels: str, expected: list[tuple[str, str]]) -> None:
    assert entities(labels) == expected


def test_an_entity_is_as_probable_as_its_words_on_average() -> None:
    [entity] = entities_of("w0 w1", [Word("w0", 0, 2, "B-X", 0.5), Word("w1", 3, 5, "I-X", 0.9)])
    assert entity.score == pytest.approx(0.7)


@pytest.mark.parametrize("family", FAMILIES)
def test_words_are_the_texts_own(family: str) -> None:
    lm = headed(family, "token-classification")
    text = "  The old sailor,\nunbelievably naïve, walked — 日本語 — down. "
    [tags] = lm.tag([text])
    assert all(text[word.start : word.end] == word.text and word.text == word.text.strip() for word in tags.words)
    glued = "".join(word.text for word in tags.words)
    assert glued == "".join(text.split())
    assert all(before.end <= after.start for before, after in zip(tags.words, tags.words[1:], strict=False))
    assert not any(char.isspace() for char in glued)
    assert tags.words[1].text == "old"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_word_has_the_label_of_its_first_piece(family: str, tmp_path: Path) -> None:
    lm = headed(family, "token-classification")
    lm.save(tmp_path)
    again: LanguageModel = load(tmp_path)
    theirs = hf.AutoModelForTokenClassification.from_pretrained(tmp_path).eval()
    words = hf.AutoTokenizer.from_pretrained(tmp_path)
    labels = set()
    for text, tags in zip(TEXTS, again.tag(TEXTS), strict=True):
        with torch.no_grad():
            shares = theirs(**words(text, return_tensors="pt", return_token_type_ids=False)).logits[0].softmax(-1)
        [reading] = read(lm.model, lm.tokenizer, [text])
        for word, (token, start, end) in zip(tags.words, _words(text, reading), strict=True):
            assert (word.start, word.end) == (start, end)
            assert word.label == theirs.config.id2label[int(shares[token].argmax())]
            assert word.score == pytest.approx(float(shares[token].max()), abs=1e-4)
            labels.add(word.label)
    assert len(labels) > 1, "one label everywhere would prove nothing"


def test_entities_are_those_of_the_pipeline(tmp_path: Path) -> None:
    lm = headed("bert", "token-classification")
    lm.save(tmp_path)
    pipeline = hf.pipeline("token-classification", model=str(tmp_path), aggregation_strategy="first")
    for text in TEXTS:
        expected = [(row["entity_group"], row["start"], row["end"]) for row in pipeline(text)]
        assert [(entity.label, entity.start, entity.end) for entity in lm.tag(text).entities] == expected


@given(st.lists(st.sampled_from(["O", *(f"{mark}-{kind}" for mark in "BIES" for kind in ("PER", "LOC"))]), max_size=8))
def test_entities_of_any_tags_are_those_of_seqeval(labels: list[str]) -> None:
    words = [Word(f"w{place}", 3 * place, 3 * place + 2, label, 1.0) for place, label in enumerate(labels)]
    text = " ".join(word.text for word in words)
    expected: Any = get_entities(labels)
    found = [(one.label, one.start // 3, (one.end - 2) // 3) for one in entities_of(text, words)]
    assert found == expected


SENTENCES = [
    ["The", "U.S.", "sailor", "didn't", "walk", "."],
    ["Nobody", "knew"],
    ["naïve", "日本語", "semi-final", "x"],
]


@pytest.mark.parametrize("family", FAMILIES)
def test_given_words_have_the_label_of_their_first_piece(family: str, tmp_path: Path) -> None:
    lm = headed(family, "token-classification")
    lm.save(tmp_path)
    theirs = hf.AutoModelForTokenClassification.from_pretrained(tmp_path).eval()
    labels = set()
    for words, tags in zip(SENTENCES, lm.tag_words(SENTENCES), strict=True):
        sentence = read_words(lm.tokenizer, words)
        with torch.no_grad():
            shares = theirs(input_ids=torch.tensor([sentence.read.ids])).logits[0].softmax(-1)
        assert [word.text for word in tags.words] == words
        assert tags.text == " ".join(words)
        for word, first in zip(tags.words, sentence.firsts, strict=True):
            assert word.label == theirs.config.id2label[int(shares[first].argmax())]
            assert word.score == pytest.approx(float(shares[first].max()), abs=1e-4)
            labels.add(word.label)
    assert len(labels) > 1, "one label everywhere would prove nothing"


@torch.no_grad()
def test_a_long_sentence_is_tagged_in_windows() -> None:
    """Its first words as the first window has them, its last ones as the last has them."""
    lm = headed("bert", "token-classification")
    words = ("The old sailor walked down to the harbour . " * 8).split()
    sentence = read_words(lm.tokenizer, words)
    [tags] = lm.tag_words([words])
    assert [word.text for word in tags.words] == words
    windows = cut_windows(sentence.read, 64, 64)
    assert len(windows) > 2
    for window, some in ((windows[0], range(5)), (windows[-1], range(-5, 0))):
        segments = torch.tensor([window.read.segments])
        shares = lm.model.task_logits(torch.tensor([window.read.ids]), None, segments)[0].softmax(-1)
        for word in some:
            first = sentence.firsts[word]
            assert first is not None
            assert tags.words[word].score == pytest.approx(float(shares[window.place(first)].max()), abs=1e-5)


def test_a_word_of_nothing_is_outside() -> None:
    [tags] = headed("bert", "token-classification").tag_words([["The", "\u0000", "sailor"]])
    assert (tags.words[1].label, tags.words[1].score) == ("O", 0.0)
    [tags] = headed("bert", "token-classification", ("NN", "DT")).tag_words([["The", "\u0000"]])
    assert (tags.words[1].label, tags.words[1].score) == ("NN", 0.0)


def test_a_text_is_no_list_of_words() -> None:
    with pytest.raises(UsageError, match=r"Sentence 0 is a text \('The cat'\)"):
        headed("bert", "token-classification").tag_words(["The cat"])
