import numpy as np
import pytest

from tests.objectives.vocabularies import document, objectives
from trivium.objectives.batch import IGNORE, PADDING
from trivium.objectives.row import Objective, Piece


@pytest.mark.parametrize("index", range(5))
def test_every_objective_keeps_what_the_protocol_says(index: int) -> None:
    made = objectives(40)[index]
    assert isinstance(made, Objective)
    pieces = [Piece(document(9)), Piece(document(12), last=False)]
    row = made.row(pieces, np.random.default_rng(0))
    sides = [(row.input_ids, row.documents)]
    if row.decoder_input_ids is not None:
        assert row.decoder_documents is not None
        sides.append((row.decoder_input_ids, row.decoder_documents))
    assert tuple(len(ids) for ids, _ in sides) == made.capacity
    for number, (ids, documents) in enumerate(sides):
        used = [made.lengths(len(p.tokens), p.first, p.last)[number] for p in pieces]
        assert np.bincount(documents)[1:].tolist() == used
        assert (ids[documents == PADDING] == made.pad).all()
    assert len(row.targets) == made.capacity[-1]
    assert (row.targets[sides[-1][1] == PADDING] == IGNORE).all()
