"""Short answers against those that are right, as SQuAD's script compares them (Rajpurkar et al. 2016, section 6.1). No
torch.

    exact match    1 where an answer equals one of those that are right
    token F1       of the bags of words, of the best one

Both after `normalised`: lower case, no punctuation, no articles, single spaces. An unanswerable question's answer is
the empty one (Rajpurkar et al. 2018).
"""

__all__ = ["NORMALISATION", "exact_match", "normalised", "token_f1"]

import re
import string
from collections import Counter
from collections.abc import Sequence
from typing import Final

#: What `normalised` does, as it is said beside a score.
NORMALISATION: Final = "lower case; ASCII punctuation and the words a, an, the left out; single spaces (SQuAD)"

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalised(text: str) -> str:
    """The text as it is compared."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(said: str, right: Sequence[str]) -> float:
    """1 where what is said is one of the right answers, else 0. No right answer: the empty one is right."""
    return float(any(normalised(said) == normalised(answer) for answer in right or ("",)))


def token_f1(said: str, right: Sequence[str]) -> float:
    """The best F1 of the words of what is said and those of a right answer."""
    return max(_f1(normalised(said).split(), normalised(answer).split()) for answer in right or ("",))


def _f1(said: list[str], right: list[str]) -> float:
    if not said or not right:
        return float(said == right)
    both = (Counter(said) & Counter(right)).total()
    return 2 * both / (len(said) + len(right))
