"""How tags write which words belong together, and where they break their own order. No torch.

    BIO      B begins an entity, I goes on                                      B-PER I-PER O
    BIOES    E ends one, S is one of a single word                              B-PER E-PER S-LOC
    BILOU    the same with L and U                                              B-PER L-PER U-LOC
    IOB1     I begins one too; B stands only where an equal one just ended      I-PER I-PER O
    none     word classes: a tag is a label by itself                           NNP NNP VBD

BIO and BIOES are from Ramshaw & Marcus 1995 and Uchimoto et al. 2000; IOB1 is how CoNLL-2003 was first published.
"""

__all__ = ["OUTSIDE", "SCHEMES", "Scheme", "TagScheme", "parts", "scheme_of"]

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

#: The tag of a word that is of no entity.
OUTSIDE: Final = "O"
Scheme = Literal["none", "IOB1", "BIO", "BIOES", "BILOU"]


@dataclass(frozen=True)
class TagScheme:
    """A scheme by its marks: those that may begin an entity, and those that end one (None: any may)."""

    name: Scheme
    begins: str
    ends: str | None

    def breaks(self, tags: Sequence[str]) -> list[int]:
        """The words at which a sentence's tags break the order.

        An entity goes on that has not begun ("O I-PER", or "B-LOC I-PER"), or stops before its end ("B-PER O" of
        BIOES); the second stands at the word behind.
        """
        if self.name == "none":
            return []
        before, found = OUTSIDE, []
        for place, tag in enumerate((*tags, OUTSIDE)):
            open_before = before != OUTSIDE and not self._ended(before)
            if tag == OUTSIDE or parts(tag)[0] in self.begins:
                broken = open_before and self.ends is not None
            else:
                broken = not open_before or parts(tag)[1] != parts(before)[1]
            if broken:
                found.append(place)
            before = tag
        return found

    def _ended(self, tag: str) -> bool:
        return self.ends is not None and parts(tag)[0] in self.ends


SCHEMES: Final[Mapping[Scheme, TagScheme]] = {
    "none": TagScheme("none", "", None),
    "IOB1": TagScheme("IOB1", "BI", None),
    "BIO": TagScheme("BIO", "B", None),
    "BIOES": TagScheme("BIOES", "BS", "ES"),
    "BILOU": TagScheme("BILOU", "BU", "LU"),
}


def parts(tag: str) -> tuple[str, str]:
    """The mark of a tag and its kind: ("B", "PER"), or ("I", "NNP") of a tag without a mark."""
    mark, dash, kind = tag.partition("-")
    return (mark, kind) if dash and mark in ("B", "I", "E", "S", "L", "U") else ("I", tag)


def scheme_of(sentences: Iterable[Sequence[str]]) -> TagScheme:
    """The scheme that these tags are written in, by their marks.

    Tags are of a scheme where all but "O" have a mark. IOB1 is told from BIO by its first words: most entities begin
    with I.
    """
    marks: set[str] = set()
    begun_by_i = begun_by_b = 0
    for tags in sentences:
        before = OUTSIDE
        for tag in tags:
            if tag == OUTSIDE:
                before = tag
                continue
            mark, kind = parts(tag)
            if kind == tag:
                return SCHEMES["none"]
            marks.add(mark)
            if before == OUTSIDE:
                begun_by_i += mark == "I"
                begun_by_b += mark == "B"
            before = tag
    if not marks:
        return SCHEMES["none"]
    if marks & set("LU"):
        return SCHEMES["BILOU"]
    if marks & set("ES"):
        return SCHEMES["BIOES"]
    return SCHEMES["IOB1" if begun_by_i > begun_by_b else "BIO"]
