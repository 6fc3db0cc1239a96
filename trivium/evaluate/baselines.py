"""What costs nothing and must be beaten: a score says little until it stands beside these. No torch.

    baseline        forms                                       says
    MostCommon      classification, multi-label, regression,    the commonest label, labels, tag, answer or text of the
                    tagging, extraction, text-to-text           training examples; the mean of numbers
    NaiveBayes      classification                              the label whose words these are
    TagLookup       tagging                                     each word's commonest tag
    CopySource      text-to-text                                the source itself
    LeadSentence    text-to-text                                the source's first sentence
    WordDictionary  text-to-text                                the source word by word (`word_dictionary`)

Letters: C labels, V words of the training examples.
"""

__all__ = ["CopySource", "LeadSentence", "MostCommon", "NaiveBayes", "TagLookup"]

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float

from trivium.data.examples import (
    Conversation,
    Example,
    Examples,
    Form,
    LabelledText,
    Preference,
    Question,
    TaggedWords,
    Text,
    TextPair,
)
from trivium.evaluate.predictions import Prediction, Said

#: scikit-learn's words: two letters or digits and more.
_WORD: Final = re.compile(r"\b\w\w+\b")
_SENTENCE: Final = re.compile(r"[^\n]+?[.!?][\"'”’)]*(?=\s+[\"'“‘(]*[A-Z0-9À-Ý])|[^\n]+")


@dataclass(frozen=True)
class MostCommon:
    """Says the same of everything."""

    form: Form
    said: Said

    @classmethod
    def of(cls, train: Examples) -> "MostCommon":
        """The commonest label of the training examples (of equal ones the first), or the mean of their numbers."""
        if train.form == "regression":
            numbers = [example.label for example in train if isinstance(example, LabelledText)]
            return cls(train.form, float(np.mean(np.array(numbers, dtype=float))))
        counts = Counter(said for example in train for said in _all_said(example))
        return cls(train.form, counts.most_common(1)[0][0])

    @property
    def forms(self) -> tuple[Form, ...]:
        """The form of the training examples."""
        return (self.form,)

    @property
    def how(self) -> Mapping[str, str]:
        """What it says."""
        return {"baseline": f"always {self.said!r}"}

    def predict(self, examples: Examples) -> list[Prediction]:
        """The same for each example; a tag for every word."""
        examples.require(*self.forms, what="this baseline")
        return [
            Prediction((self.said,) * len(each.words))  # type: ignore[arg-type]
            if isinstance(each, TaggedWords)
            else Prediction(self.said)
            for each in examples
        ]


def _all_said(example: Example) -> tuple[Said, ...]:
    match example:
        case TaggedWords():
            return example.tags
        case Question():
            return example.answers[:1] or ("",)
        case TextPair():
            return example.targets[:1]
        case Conversation():
            return (example.turns[-1][1],)
        case Preference():
            return (example.chosen,)
        case LabelledText():
            return (example.label,)


@dataclass(frozen=True)
class NaiveBayes:
    """The multinomial model of texts (McCallum and Nigam 1998, section 2.2), each count one higher than it was.

        log p(c | text) = log p(c) + sum over words w of log (1 + n(w, c)) / (V + sum over w' of n(w', c)) + constant

    Words are two letters or more, in small letters; those that training never saw count nothing.
    """

    labels: tuple[str, ...]
    words: Mapping[str, int]
    priors: Float[np.ndarray, "C"]
    chances: Float[np.ndarray, "C V"]

    @classmethod
    def of(cls, train: Examples) -> "NaiveBayes":
        """The counts of training examples. Raises `DataError` where the examples have not one label each."""
        train.require("classification", what="Naive Bayes")
        labels = {label: number for number, label in enumerate(train.labels)}
        ids: dict[str, int] = {}
        rows, columns = [], []
        for example in train:
            assert isinstance(example, LabelledText)
            found = [ids.setdefault(word, len(ids)) for word in _words(example.text)]
            columns += found
            rows += [labels[example.labels[0]]] * len(found)
        counts = np.bincount(
            np.array(rows, dtype=int) * len(ids) + np.array(columns, dtype=int), minlength=len(labels) * len(ids)
        )
        table = counts.reshape(len(labels), len(ids)) + 1.0
        priors = np.array(list(train.label_counts.values()))
        return cls(train.labels, ids, np.log(priors / priors.sum()), np.log(table / table.sum(1, keepdims=True)))

    @property
    def forms(self) -> tuple[Form, ...]:
        """Classification."""
        return ("classification",)

    @property
    def how(self) -> Mapping[str, str]:
        """What it counts."""
        return {"baseline": f"Naive Bayes over {len(self.words):,} words, counts one higher"}

    def predict(self, examples: Examples) -> list[Prediction]:
        """The likeliest label of each text, with the probability of all."""
        examples.require(*self.forms, what="Naive Bayes")
        return [self._prediction(each.text) for each in examples if isinstance(each, LabelledText)]

    def _prediction(self, text: Text) -> Prediction:
        known = [self.words[word] for word in _words(text) if word in self.words]
        logits = self.priors + self.chances[:, known].sum(1)
        chances = np.exp(logits - logits.max())
        scores = dict(zip(self.labels, (chances / chances.sum()).tolist(), strict=True))
        return Prediction(self.labels[int(logits.argmax())], scores)


def _words(text: Text) -> list[str]:
    return _WORD.findall((text if isinstance(text, str) else " ".join(text)).lower())


@dataclass(frozen=True)
class TagLookup:
    """Each word's commonest tag in training; of a word that was not there, the commonest of all."""

    tags: Mapping[str, str]
    otherwise: str

    @classmethod
    def of(cls, train: Examples) -> "TagLookup":
        """The counts of training examples. Raises `DataError` where they have no tags."""
        train.require("tagging", what="a lookup of tags")
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for example in train:
            assert isinstance(example, TaggedWords)
            for word, tag in zip(example.words, example.tags, strict=True):
                counts[word][tag] += 1
        rest = Counter(train.label_counts).most_common(1)[0][0]
        return cls({word: each.most_common(1)[0][0] for word, each in counts.items()}, rest)

    @property
    def forms(self) -> tuple[Form, ...]:
        """Tagging."""
        return ("tagging",)

    @property
    def how(self) -> Mapping[str, str]:
        """What it looks up."""
        return {"baseline": f"the commonest tag of each of {len(self.tags):,} words, {self.otherwise} of others"}

    def predict(self, examples: Examples) -> list[Prediction]:
        """The tags of each example's words."""
        examples.require(*self.forms, what="a lookup of tags")
        return [
            Prediction(tuple(self.tags.get(word, self.otherwise) for word in each.words))
            for each in examples
            if isinstance(each, TaggedWords)
        ]


@dataclass(frozen=True)
class CopySource:
    """Says the source again."""

    forms: tuple[Form, ...] = ("text-to-text",)

    @property
    def how(self) -> Mapping[str, str]:
        """That it copies."""
        return {"baseline": "the source itself"}

    def predict(self, examples: Examples) -> list[Prediction]:
        """Each example's source."""
        examples.require(*self.forms, what="copying the source")
        return [Prediction(each.source) for each in examples if isinstance(each, TextPair)]


@dataclass(frozen=True)
class LeadSentence:
    """Says the first sentence of the source: what summaries of news must beat (Nallapati et al. 2017)."""

    forms: tuple[Form, ...] = ("text-to-text",)

    @property
    def how(self) -> Mapping[str, str]:
        """That it leads."""
        return {"baseline": "the first sentence of the source"}

    def predict(self, examples: Examples) -> list[Prediction]:
        """The first sentence of each source."""
        examples.require(*self.forms, what="a leading sentence")
        return [Prediction(_first_sentence(each.source)) for each in examples if isinstance(each, TextPair)]


def _first_sentence(text: str) -> str:
    found = _SENTENCE.match(text.strip())
    return found[0] if found else text
