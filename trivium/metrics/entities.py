"""Entities that a sentence's tags make, and how many of them are found whole: F1 as CoNLL-2003 has it. No torch.

An entity is right where its kind, its first word and its last word are (Tjong Kim Sang & De Meulder 2003, section 3).
Tags are read as BIO, BIOES or BILOU, and tags out of order as `conlleval` and seqeval's default read them: an I or E
that continues nothing begins an entity, and one of another kind than its neighbour does, too.
"""

__all__ = ["entities", "entity_tally", "is_marked"]

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from trivium.metrics.tally import Tally

_MARKED = re.compile(r"[BIESUL]-.+", re.DOTALL)
_OUTSIDE = "O"
#: Marks that say that an entity ends before them, and that it ends after them.
_BEGINS, _ENDS = "BSU", "ESUL"


def is_marked(tags: Iterable[str]) -> bool:
    """Whether tags are of entities: B-PER, I-PER, ... and O; others, of word classes say, are not."""
    kinds = set(tags) - {_OUTSIDE}
    return bool(kinds) and all(_MARKED.fullmatch(tag) for tag in kinds)


def entities(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """The kind, first word and last word of every entity."""
    found: list[tuple[str, int, int]] = []
    before, kind_before = _OUTSIDE, ""
    for place, tag in enumerate(tags):
        mark, _, kind = tag.partition("-")
        if mark != _OUTSIDE:
            continues = before != _OUTSIDE and kind == kind_before and mark not in _BEGINS and before not in _ENDS
            found.append((kind, found.pop()[1] if continues else place, place))
        before, kind_before = mark, kind
    return found


def entity_tally(truth: Sequence[Sequence[str]], said: Sequence[Sequence[str]]) -> Tally:
    """Entities of each kind in each sentence: those that are there, are said, and both."""
    sides = [[set(entities(tags)) for tags in sentences] for sentences in (truth, said)]
    both = [one & other for one, other in zip(*sides, strict=True)]
    return Tally.of(*([Counter(kind for kind, _, _ in sorted(found)) for found in side] for side in (*sides, both)))
