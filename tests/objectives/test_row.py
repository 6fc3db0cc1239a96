import numpy as np
import pytest

from tests.objectives.vocabularies import document, objectives
from trivium.objectives.batch import IGNORE, PADDING
from trivium.objectives.denoising import Denoising
from trivium.objectives.prefix import Prefix
from trivium.objectives.row import Objective, Piece
from trivium.objectives.ul2 import UL2


@pytest.mark.parametrize("index", range(len(objectives(40))))
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
        held = np.bincount(documents)[1:].tolist()
        assert all(a <= b for a, b in zip(held, used, strict=True))
        assert held == used or isinstance(made, Prefix | Denoising | UL2)  # those draw how long a side becomes
        assert (ids[documents == PADDING] == made.pad).all()
    assert len(row.targets) == made.capacity[-1]
    assert (row.targets[sides[-1][1] == PADDING] == IGNORE).all()
