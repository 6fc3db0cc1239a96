"""What examples cost is counted on both sides."""

import numpy as np

from tests.decode.tiny import speaker
from trivium.finetune.prepared import Prepared
from trivium.objectives.row import Row
from trivium.train.loss import head_loss


def test_tokens_of_both_sides_are_counted() -> None:
    one = np.ones(3, dtype=np.int64)
    alone = Row(one, one, one)
    pair = Row(one, one[:2], one, one[:2], one[:2])
    assert Prepared(speaker("bert")[0].architecture, (alone, pair), head_loss, pad=0).tokens == 3 + 3 + 2
