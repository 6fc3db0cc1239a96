"""The paper's example: a word's label stands at its first piece."""

import numpy as np

from trivium.objectives.batch import IGNORE
from trivium.objectives.tag import tag_row


def test_the_first_piece_of_a_word_bears_its_label() -> None:
    # [CLS] Jim Hen ##son was a puppet ##eer [SEP] (Devlin et al., first version of 2018, section 4.3)
    row = tag_row(np.arange(9), None, [1, 2, 4, 5, 6], np.array([1, 1, 0, 0, 0]))
    x = IGNORE
    assert row.targets.tolist() == [x, 1, 1, x, 0, 0, 0, x, x]
    assert row.documents.tolist() == [1] * 9
    assert row.segments is None


def test_words_without_a_piece_or_a_label_are_asked_nothing() -> None:
    row = tag_row(np.arange(4), np.zeros(4, dtype=np.int64), [1, None, 2], np.array([5, 6, IGNORE]))
    assert row.targets.tolist() == [IGNORE, 5, IGNORE, IGNORE]
