"""Schemes by their marks, and order by hand and against what `seqeval` reads strictly."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import BILOU, IOB2, IOBES, Entities

from trivium.data.tag_scheme import SCHEMES, Scheme, parts, scheme_of

with warnings.catch_warnings():
    SEQEVAL = {"BIO": IOB2, "BIOES": IOBES, "BILOU": BILOU}


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("B-PER I-PER O", "BIO"),
        ("O O", "none"),
        ("NNP VBD O", "none"),
        ("-LRB- NN", "none"),
        ("B-PER E-PER S-LOC", "BIOES"),
        ("S-LOC", "BIOES"),
        ("B-PER L-PER U-LOC", "BILOU"),
        ("I-PER I-PER O I-LOC B-LOC", "IOB1"),
        ("O I-PER O B-PER B-LOC O B-PER", "BIO"),
    ],
)
def test_a_scheme_is_known_by_its_marks(tags: str, expected: Scheme) -> None:
    assert scheme_of([tags.split()]).name == expected


@pytest.mark.parametrize(
    ("scheme", "tags", "expected"),
    [
        ("BIO", "O B-PER I-PER I-PER O B-LOC B-LOC", []),
        ("BIO", "I-PER I-PER", [0]),
        ("BIO", "B-PER I-LOC I-LOC", [1]),
        ("BIO", "B-PER O I-PER", [2]),
        ("IOB1", "I-PER I-PER I-LOC B-LOC", []),
        ("BIOES", "B-PER I-PER E-PER S-LOC O", []),
        ("BIOES", "B-PER O", [1]),
        ("BIOES", "B-PER", [1]),
        ("BIOES", "S-PER E-PER", [1]),
        ("BIOES", "B-PER B-PER E-PER", [1]),
        ("BILOU", "B-PER L-PER U-LOC", []),
        ("none", "NNP VBD", []),
    ],
)
def test_where_tags_break_the_order(scheme: Scheme, tags: str, expected: list[int]) -> None:
    assert SCHEMES[scheme].breaks(tags.split()) == expected


@given(st.sampled_from(["BIO", "BIOES", "BILOU"]), st.data())
def test_in_order_is_what_a_strict_reading_loses_nothing_of(scheme: Scheme, data: st.DataObject) -> None:
    marks = {"BIO": "BI", "BIOES": "BIES", "BILOU": "BILU"}[scheme]
    tag = st.sampled_from(["O", *(f"{mark}-{kind}" for mark in marks for kind in ("PER", "LOC"))])
    tags = data.draw(st.lists(tag, min_size=1, max_size=6))
    strict = {place for one in Entities([tags], SEQEVAL[scheme]).entities[0] for place in range(one.start, one.end)}
    in_entities = {place for place, each in enumerate(tags) if each != "O"}
    assert (not SCHEMES[scheme].breaks(tags)) == (strict == in_entities)


@given(st.lists(st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]), min_size=1, max_size=8))
def test_mending_the_breaks_of_bio_changes_no_entity(tags: list[str]) -> None:
    mended = list(tags)
    for place in SCHEMES["BIO"].breaks(tags):
        mended[place] = f"B-{parts(tags[place])[1]}"
    assert SCHEMES["BIO"].breaks(mended) == []
    assert get_entities(mended) == get_entities(tags)
