"""A word-for-word dictionary, made of nothing but pairs of texts: what a translation must beat. No torch.

Which word becomes which is learnt as in IBM's first model (Brown et al. 1993, section 4.1). Every word of the target
comes from one of the source's words or from none; with t(f | e) the probability that e becomes f,

    E  c(f | e) = sum over pairs of  t(f | e) / sum over e' of its source, and none, of t(f | e')
    M  t(f | e) = c(f | e) / sum over f' of c(f' | e)

from equal numbers on, and the likelihood of the pairs rises with every round. A text is then translated word by word:
each becomes the target word of its highest t. One that was never seen stays as it is, and so do marks.

Letters: e a word of the source, f a word of the target, L links (an e and an f of one pair).
"""

__all__ = ["WordDictionary", "words"]

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, Int

from trivium.data.examples import Examples, Form, TextPair
from trivium.evaluate.predictions import Prediction

_WORD: Final = re.compile(r"\w+(?:['’]\w+|-\w+)*['’]?|[^\w\s]")
_NONE: Final = ""  # the word that a target word comes from where it comes from no word
_NO_SPACE: Final = re.compile(r" (?=[,.;:!?)\]}%])|(?<=[(\[{]) ")


def words(text: str) -> list[str]:
    """The words and marks of a text: "L'os (long)" is "L'os", "(", "long", ")"."""
    return _WORD.findall(text)


@dataclass(frozen=True)
class WordDictionary:
    """What each word of the source, in small letters, becomes."""

    entries: Mapping[str, str]

    @classmethod
    def of(cls, train: Examples, rounds: int = 5) -> "WordDictionary":
        """The dictionary of training pairs. Raises `DataError` where the examples are no pairs of texts."""
        train.require("text-to-text", what="a dictionary")
        sources, targets = [], []
        for pair in train:
            assert isinstance(pair, TextPair)
            sources.append([_NONE, *(word.lower() for word in words(pair.source) if word[0].isalnum())])
            targets.append([word for word in words(pair.targets[0]) if word[0].isalnum()])
        return cls(_entries(sources, targets, rounds))

    @property
    def forms(self) -> tuple[Form, ...]:
        """Text-to-text."""
        return ("text-to-text",)

    @property
    def how(self) -> Mapping[str, str]:
        """That each word is translated by itself."""
        return {"baseline": f"each word by itself, from a dictionary of {len(self.entries):,} words"}

    def translate(self, text: str) -> str:
        """Every word's entry, in the order of the source; the first letter stays large where it was."""
        said = " ".join(filter(None, (self.entries.get(word.lower(), word) for word in words(text))))
        said = _NO_SPACE.sub("", said)
        return said[:1].upper() + said[1:] if text[:1].isupper() else said

    def predict(self, examples: Examples) -> list[Prediction]:
        """The translation of each source."""
        examples.require(*self.forms, what="a dictionary")
        return [Prediction(self.translate(pair.source)) for pair in examples if isinstance(pair, TextPair)]


def _entries(sources: list[list[str]], targets: list[list[str]], rounds: int) -> dict[str, str]:
    """The likeliest target word of every source word."""
    source_ids = {word: number for number, word in enumerate(dict.fromkeys(w for text in sources for w in text))}
    target_ids = {word: number for number, word in enumerate(dict.fromkeys(w for text in targets for w in text))}
    e, f, place, position = [], [], [], 0
    for source, target in zip(sources, targets, strict=True):
        for said in target:
            e += [source_ids[word] for word in source]
            f += [target_ids[said]] * len(source)
            place += [position] * len(source)
            position += 1
    links = np.array(e) * len(target_ids) + np.array(f)
    kinds, kind = np.unique(links, return_inverse=True)
    probability = _ibm_1(kind, kinds // len(target_ids), np.array(place), rounds)
    best: dict[int, tuple[float, int]] = {}
    for link, chance in zip(kinds.tolist(), probability.tolist(), strict=True):
        word, said = divmod(link, len(target_ids))
        if chance > best.get(word, (0.0, 0))[0]:
            best[word] = (chance, said)
    of_source, of_target = list(source_ids), list(target_ids)
    return {of_source[word]: of_target[said] for word, (_, said) in best.items() if of_source[word] != _NONE}


def _ibm_1(
    kind: Int[np.ndarray, "L"], source: Int[np.ndarray, "K"], place: Int[np.ndarray, "L"], rounds: int
) -> Float[np.ndarray, "K"]:
    """t(f | e) of every kind of link; `kind` numbers each link's, `source` is a kind's e, `place` a link's f token."""
    probability = np.ones(len(source))
    for _ in range(rounds):
        weight = probability[kind]
        weight /= np.bincount(place, weight)[place]
        count = np.bincount(kind, weight, minlength=len(source))
        probability = count / np.bincount(source, count)[source]
    return probability
