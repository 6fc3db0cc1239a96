"""Texts against those that were wanted: BLEU and chrF by sacrebleu, ROUGE by Google's rouge-score. No torch.

    BLEU     n-grams of words up to 4, and a penalty for what is too short    (Papineni et al. 2002; Post 2018)
    chrF     n-grams of characters up to 6, recall twice as weighty           (Popović 2015)
    ROUGE    words, pairs of words, and longest common subsequence: F1        (Lin 2004)

BLEU and chrF are of the whole (0 to 100), ROUGE the mean over items of that of the best reference (0 to 1). The
libraries come with `trivium[evaluate]`.
"""

__all__ = ["bleu", "chrf", "rouge", "rouge_signature", "signatures"]

import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Final

import numpy as np
from jaxtyping import Float

from trivium.errors import UsageError
from trivium.metrics.bootstrap import Sums, mean_of

_ROUGE: Final = ("rouge1", "rouge2", "rougeL")


def bleu(said: Sequence[str], wanted: Sequence[Sequence[str]]) -> Sums:
    """Corpus BLEU, tokens as sacrebleu's 13a has them; of each text there may be several that are wanted."""
    return _sacrebleu("BLEU", said, wanted)


def chrf(said: Sequence[str], wanted: Sequence[Sequence[str]]) -> Sums:
    """Corpus chrF."""
    return _sacrebleu("CHRF", said, wanted)


def rouge(said: Sequence[str], wanted: Sequence[Sequence[str]]) -> dict[str, Sums]:
    """ROUGE-1, ROUGE-2 and ROUGE-L, words stemmed. Its tokens are of a to z and digits: for English."""
    scorer = _library("rouge_score.rouge_scorer").RougeScorer(list(_ROUGE), use_stemmer=True)
    scores = [scorer.score_multi(list(targets), text) for text, targets in zip(said, wanted, strict=True)]
    return {name: mean_of([float(score[name].fmeasure) for score in scores]) for name in _ROUGE}


def signatures(said: Sequence[str], wanted: Sequence[Sequence[str]]) -> dict[str, str]:
    """Sacrebleu's own signature of each of its metrics, by which a score can be compared elsewhere."""
    made = {}
    for name, metric in (("bleu", "BLEU"), ("chrf", "CHRF")):
        scorer = getattr(_library("sacrebleu.metrics"), metric)()
        scorer.corpus_score(list(said[:1]), _streams(wanted[:1]))
        made[name] = str(scorer.get_signature())
    return made


def rouge_signature() -> str:
    """How ROUGE reads texts."""
    return f"rouge-score {_library('importlib.metadata').version('rouge-score')}, Porter stemmer, mean of the items' F1"


def _sacrebleu(name: str, said: Sequence[str], wanted: Sequence[Sequence[str]]) -> Sums:
    """The counts of each text, which sacrebleu's own significance tests add up in the same way."""
    metric = getattr(_library("sacrebleu.metrics"), name)()
    counts = np.array(metric._extract_corpus_statistics(list(said), _streams(wanted)), dtype=float)

    def of(sums: Float[np.ndarray, "S C"]) -> Float[np.ndarray, "S"]:
        return np.array([metric._compute_score_from_stats(row).score for row in sums.tolist()])

    return Sums(counts, of)


def _streams(wanted: Sequence[Sequence[str]]) -> list[list[str | None]]:
    """References as sacrebleu takes them: the first of each text, the second of each, ...; None where there is none."""
    most = max(map(len, wanted), default=0)
    return [[targets[place] if place < len(targets) else None for targets in wanted] for place in range(most)]


def _library(name: str) -> ModuleType | Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UsageError(
            f"Scores of texts need '{name.split('.')[0]}', which is not installed: pip install 'trivium[evaluate]'."
        ) from error
