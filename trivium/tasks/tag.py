"""What each word of a text is, and the entities that words make together.

    Ada    B-PER ┐
    Love   I-PER ┴  PER "Ada Lovelace"      a word's label is that of its first piece
    ##lace
    met    O

Labels are read as BIO, BIOES or BILOU: B and I, or S and U for a word alone, E and L for the last; without such a mark,
neighbours of equal label are one entity. Tags out of order make the entities that `seqeval` (and CoNLL's script) find.
"""

__all__ = ["Entity", "Tags", "Word", "entities_of", "tag", "tag_words"]

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from trivium.architecture import TokenLabels
from trivium.data.tag_scheme import OUTSIDE, parts
from trivium.model import Transformer
from trivium.tasks.reading import Read, batches, read, require_head
from trivium.tasks.windows import Window, cut_windows
from trivium.tasks.words import Sentence, read_words
from trivium.text.tokenizer import Tokenizer

_BEGINS, _ENDS = "BSU", "ESUL"


@dataclass(frozen=True)
class Word:
    """A word, its characters in the text (end excluded), its label and that label's probability."""

    text: str
    start: int
    end: int
    label: str
    score: float


@dataclass(frozen=True)
class Entity:
    """Words that belong together, their label without its mark, and the mean of their probabilities."""

    text: str
    start: int
    end: int
    label: str
    score: float


@dataclass(frozen=True)
class Tags:
    """Every word of a text in order, and the entities among them."""

    text: str
    words: tuple[Word, ...]
    entities: tuple[Entity, ...]

    def __str__(self) -> str:
        return "\n".join(f"{entity.label}  {entity.text}" for entity in self.entities)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


@torch.inference_mode()
def tag(model: Transformer, tokenizer: Tokenizer, texts: Sequence[str], truncate: bool = False) -> list[Tags]:
    """The tags of each text, in their order. Words are what the tokenizer's first cut makes, split at spaces.

    Raises `UsageError` for a model without a head for it or in training mode, and for a text over the model's limit.
    """
    require_head(model, TokenLabels, "tags", "BertForTokenClassification")
    task = model.architecture.task
    assert isinstance(task, TokenLabels)
    readings = read(model, tokenizer, texts, truncate)
    found: dict[int, Tags] = {}
    for batch in batches(model, readings):
        logits = model.task_logits(batch.input_ids, batch.documents, batch.segments).float()
        best = logits.softmax(dim=-1).max(dim=-1)
        for row, place in enumerate(batch.places):
            labels = [task.labels[index] for index in best.indices[row].tolist()]
            words = tuple(
                Word(texts[place][start:end], start, end, labels[token], float(best.values[row, token]))
                for token, start, end in _words(texts[place], readings[place])
            )
            found[place] = Tags(texts[place], words, tuple(entities_of(texts[place], words)))
    return [found[place] for place in range(len(texts))]


@torch.inference_mode()
def tag_words(
    model: Transformer, tokenizer: Tokenizer, sentences: Sequence[Sequence[str]], overlap: int = 64
) -> list[Tags]:
    """The tags of sentences that come as words, a label for each of them; `Tags.text` is the words joined by spaces.

    A sentence over the model's limit is read in windows that share `overlap` tokens, and a word is labelled where it
    stands farthest from an edge. A word of which the tokenizer makes nothing is "O" with score 0, or the model's first
    label where it has no "O". Raises `UsageError` as `tag` does, and for a sentence without words or an empty word.
    """
    require_head(model, TokenLabels, "tags", "BertForTokenClassification")
    task = model.architecture.task
    assert isinstance(task, TokenLabels)
    read_ones = [read_words(tokenizer, words, f"Sentence {number}") for number, words in enumerate(sentences)]
    cut = [
        cut_windows(one.read, model.architecture.context, overlap, f"Sentence {number}")
        for number, one in enumerate(read_ones)
    ]
    flat = [window for windows in cut for window in windows]
    said: dict[int, tuple[list[int], list[float]]] = {}
    for batch in batches(model, [window.read for window in flat]):
        best = model.task_logits(batch.input_ids, batch.documents, batch.segments).float().softmax(dim=-1).max(dim=-1)
        for row, place in enumerate(batch.places):
            said[place] = best.indices[row].tolist(), best.values[row].tolist()
    nothing = OUTSIDE if OUTSIDE in task.labels else task.labels[0]
    found, behind = [], 0
    for sentence, windows in zip(read_ones, cut, strict=True):
        here = [(window, *said[behind + number]) for number, window in enumerate(windows)]
        words = tuple(_labelled(sentence, here, task.labels, nothing))
        found.append(Tags(sentence.text, words, tuple(entities_of(sentence.text, words))))
        behind += len(windows)
    return found


def _labelled(
    sentence: Sentence, windows: Sequence[tuple[Window, list[int], list[float]]], labels: Sequence[str], nothing: str
) -> Iterator[Word]:
    for (start, end), token in zip(sentence.places, sentence.firsts, strict=True):
        label, score = nothing, 0.0
        if token is not None:
            window, indices, shares = max(windows, key=lambda each: each[0].margin(token))
            label, score = labels[indices[window.place(token)]], shares[window.place(token)]
        yield Word(sentence.text[start:end], start, end, label, score)


def _words(text: str, reading: Read) -> Iterator[tuple[int, int, int]]:
    """(first token, start, end) of each word; pieces of one word touch each other."""
    current: tuple[int, int, int] | None = None
    word_before = None
    for token, (word, (start, end)) in enumerate(zip(reading.words, reading.offsets, strict=True)):
        if word is None or not text[start:end].strip():
            continue
        start += len(text[start:end]) - len(text[start:end].lstrip())  # some vocabularies keep the space with the word
        if current is not None and word == word_before and start <= current[2]:
            current = (*current[:2], max(end, current[2]))  # pieces of one character share it
            continue
        if current is not None:
            yield current
        current, word_before = (token, start, end), word
    if current is not None:
        yield current


def entities_of(text: str, words: Sequence[Word]) -> Iterator[Entity]:
    """The entities that the labels of a text's words make, in their order."""
    group: list[Word] = []
    for word in words:
        mark, kind = parts(word.label)
        if group and (word.label == OUTSIDE or mark in _BEGINS or _ended(group, kind)):
            yield _entity(text, group)
            group = []
        if word.label != OUTSIDE:
            group.append(word)
    if group:
        yield _entity(text, group)


def _ended(group: Sequence[Word], kind: str) -> bool:
    mark, current = parts(group[-1].label)
    return current != kind or mark in _ENDS


def _entity(text: str, words: Sequence[Word]) -> Entity:
    start, end = words[0].start, words[-1].end
    score = sum(word.score for word in words) / len(words)
    return Entity(text[start:end], start, end, parts(words[0].label)[1], score)
