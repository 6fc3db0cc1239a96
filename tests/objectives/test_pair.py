"""The two sides of an encoder-decoder's row."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.objectives.vocabularies import document
from trivium.objectives.batch import IGNORE, PADDING
from trivium.objectives.pair import pair_of_pieces, pair_row

PAD, START = 0, 9


def test_a_row_of_two_pieces() -> None:
    """Written out: each piece's decoder starts afresh, and reads what was said one place later."""
    row = pair_of_pieces(
        [np.array([11, 12, 13]), np.array([14])],
        [np.array([21, 22]), np.array([23, 24])],
        capacity=(6, 5),
        pad=PAD,
        start=START,
    )
    assert row.input_ids.tolist() == [11, 12, 13, 14, PAD, PAD]
    assert row.documents.tolist() == [1, 1, 1, 2, PADDING, PADDING]
    assert row.targets.tolist() == [21, 22, 23, 24, IGNORE]
    assert row.decoder_input_ids.tolist() == [START, 21, START, 23, PAD]
    assert row.decoder_documents.tolist() == [1, 1, 2, 2, PADDING]


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=5))
def test_the_decoder_reads_the_targets_one_later(sizes: list[tuple[int, int]]) -> None:
    shown = [document(size, n) for n, (size, _) in enumerate(sizes)]
    said = [document(size, n + 50) for n, (_, size) in enumerate(sizes)]
    row = pair_of_pieces(shown, said, capacity=(50, 60), pad=PAD, start=START)
    for number, (inputs, outputs) in enumerate(zip(shown, said, strict=True), start=1):
        assert np.array_equal(row.input_ids[row.documents == number], inputs)
        here = row.decoder_documents == number
        assert np.array_equal(row.targets[here], outputs)
        assert row.decoder_input_ids[here].tolist() == [START, *outputs[:-1].tolist()]
    assert (row.input_ids[row.documents == PADDING] == PAD).all()
    assert (row.targets[row.decoder_documents == PADDING] == IGNORE).all()
    assert (row.decoder_input_ids[row.decoder_documents == PADDING] == PAD).all()


def test_a_side_that_does_not_fit_is_our_mistake() -> None:
    ones = np.ones(3, dtype=np.int64)
    for capacity, side in (((2, 3), "inputs"), ((3, 2), "targets")):
        with pytest.raises(AssertionError, match=f"do not fit the {side}"):
            pair_row(ones, ones, ones, ones, capacity=capacity, pad=PAD, start=START)
