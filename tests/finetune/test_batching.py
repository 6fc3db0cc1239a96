"""Every epoch reads every example once; how rows become batches changes neither their texts nor their labels."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.finetune.tiny import body, opposites
from trivium.finetune.batching import Shuffled, batches_of, in_order
from trivium.finetune.labels import labels_of
from trivium.finetune.prepared import Batching, Prepared
from trivium.finetune.registry import TASKS
from trivium.finetune.settings import FineTuneSettings
from trivium.objectives.batch import IGNORE, Batch
from trivium.objectives.row import Row


def row(length: int, label: int = 0) -> Row:
    ids = np.arange(1, length + 1, dtype=np.int64) + 100 * label
    return Row(ids, np.full_like(ids, IGNORE), np.ones_like(ids), label=label)


def held(batches: list[Batch]) -> Counter[tuple[int, tuple[int, ...]]]:
    """Every text with its label."""
    found: Counter[tuple[int, tuple[int, ...]]] = Counter()
    for batch in batches:
        assert batch.labels is not None
        labels = iter(batch.labels.tolist())
        for place, ids in enumerate(batch.input_ids.tolist()):
            numbers = [1] * len(ids) if batch.documents is None else batch.documents[place].tolist()
            for document in range(1, max(numbers) + 1):
                text = tuple(token for token, number in zip(ids, numbers, strict=True) if number == document)
                found[next(labels), text] += 1
        assert next(labels, None) is None
    return found


@given(lengths=st.lists(st.integers(1, 90), min_size=1, max_size=40), how=st.sampled_from(["packed", "by length"]))
def test_a_step_holds_each_of_its_texts_with_its_label(lengths: list[int], how: Batching) -> None:
    rows = [row(length, label) for label, length in enumerate(lengths)]
    expected = Counter({(one.label, tuple(one.input_ids.tolist())): 1 for one in rows})
    assert held(list(batches_of(rows, 0, how))) == expected
    assert held(list(in_order(rows, 0, how, 7))) == expected


def test_packed_rows_have_hardly_any_padding() -> None:
    rows = [row(int(length)) for length in np.random.default_rng(0).geometric(0.05, 32).clip(4, 64)]
    (batch,) = batches_of(rows, 0, "packed")
    assert batch.tokens == sum(len(one.input_ids) for one in rows)
    assert batch.tokens / batch.input_ids.numel() > 0.9
    assert batch.tokens < 0.5 * 32 * max(len(one.input_ids) for one in rows)


def test_a_whole_step_stays_in_one_batch_in_its_order() -> None:
    (batch,) = batches_of([row(length, length) for length in (9, 2, 30)], 0, "whole")
    assert batch.labels is not None
    assert batch.labels.tolist() == [9, 2, 30]


@pytest.mark.parametrize(("count", "batch"), [(10, 4), (8, 4), (3, 32)])
def test_an_epoch_reads_every_example_in_an_order_of_its_own(count: int, batch: int) -> None:
    rows = [row(1, label) for label in range(count)]
    steps = -(-count // batch)
    shuffled = Shuffled(rows, batch, seed=5)
    epochs = [[one.label for step in range(steps) for one in shuffled(epoch * steps + step)] for epoch in range(2)]
    assert sorted(map(int, epochs[0])) == sorted(map(int, epochs[1])) == list(range(count))
    assert epochs[0] != epochs[1]
    assert [one.label for one in shuffled(1)] == [one.label for one in Shuffled(rows, batch, seed=5)(1)]
    others = [one.label for step in range(steps) for one in Shuffled(rows, batch, seed=6)(step)]
    assert others != epochs[0]


def test_a_task_s_rows_are_packed_by_default() -> None:
    lm, examples = body("bert"), opposites(8)
    ready: Prepared = TASKS["classification"](lm, examples, labels_of(examples), FineTuneSettings())
    assert ready.batching == "packed"
