"""Entities are those that seqeval reads, in tags of every order, and so is their F1."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval import metrics as oracle
from seqeval.metrics.sequence_labeling import get_entities

from trivium.metrics.entities import entities, entity_tally, is_marked

_BIO = st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG-X", "I-ORG-X"])
_BIOES = st.sampled_from(["O", *(f"{mark}-{kind}" for mark in "BIES" for kind in ("PER", "LOC"))])


@given(st.lists(_BIO, max_size=12) | st.lists(_BIOES, max_size=12))
def test_entities_are_seqevals(tags: list[str]) -> None:
    assert entities(tags) == get_entities(tags)


@given(st.lists(st.lists(st.tuples(_BIO, _BIO), min_size=1, max_size=8), min_size=1, max_size=6))
def test_scores_are_seqevals(sentences: list[list[tuple[str, str]]]) -> None:
    truth, said = ([[pair[side] for pair in sentence] for sentence in sentences] for side in (0, 1))
    tally = entity_tally(truth, said)
    ones = np.ones((1, len(truth)))
    for ours, theirs, average in (
        (tally.precision(), oracle.precision_score, "micro"),
        (tally.recall(), oracle.recall_score, "micro"),
        (tally.micro_f1(), oracle.f1_score, "micro"),
        (tally.macro_f1(), oracle.f1_score, "macro"),
    ):
        if tally.labels:  # of no entity at all seqeval's macro is the mean of nothing
            expected = theirs(truth, said, average=average, zero_division=0)
            assert ours(ones)[0] == pytest.approx(expected)


def test_the_marks_of_bilou() -> None:
    assert entities(["U-PER", "U-PER", "B-LOC", "L-LOC", "I-LOC", "O"]) == [
        ("PER", 0, 0), ("PER", 1, 1), ("LOC", 2, 3), ("LOC", 4, 4),
    ]  # fmt: skip


def test_which_tags_are_of_entities() -> None:
    assert is_marked(["O", "B-PER", "I-PER"])
    assert not is_marked(["NN", "VB", "-LRB-"])
    assert not is_marked(["O", "PER"])
    assert not is_marked(["O"])
