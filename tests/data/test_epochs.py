import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.objectives.vocabularies import VOCABULARY, document
from trivium.data.documents import InMemoryDocuments
from trivium.data.epochs import Epochs, Window
from trivium.objectives.causal import Causal
from trivium.objectives.masked import Masked

SIZES = np.random.default_rng(0).integers(0, 120, size=60)
DOCUMENTS = InMemoryDocuments(document(size, seed=n) for n, size in enumerate(SIZES))
CAUSAL = Causal.of(VOCABULARY, 64)


def content(window: Window) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(piece.tokens.tolist()) for piece in window.pieces)


def test_an_epoch_is_every_token_once_and_the_next_is_another_order() -> None:
    epochs = Epochs(DOCUMENTS, CAUSAL, seed=1)
    first, second = (range(epochs.windows(1)), range(epochs.windows(1), epochs.windows(2)))
    for windows in (first, second):
        new = sum(len(p.tokens) - (not p.first) for index in windows for p in epochs.window(index).pieces)
        assert new == DOCUMENTS.tokens
    assert [content(epochs.window(i)) for i in first[:5]] != [content(epochs.window(i)) for i in second[:5]]


@settings(max_examples=10)
@given(st.lists(st.integers(0, 200), min_size=1, max_size=5), st.integers(0, 3))
def test_a_window_does_not_depend_on_what_was_read_before(indices: list[int], seed: int) -> None:
    used = Epochs(DOCUMENTS, CAUSAL, seed)
    for index in indices:
        window = used.window(index)
        fresh = Epochs(DOCUMENTS, CAUSAL, seed).window(index)
        assert (content(window), window.key) == (content(fresh), fresh.key)


@settings(max_examples=10)
@given(st.integers(0, 200))
def test_what_was_consumed_is_counted(windows: int) -> None:
    epochs = Epochs(DOCUMENTS, CAUSAL, seed=0)
    pieces = [piece for index in range(windows) for piece in epochs.window(index).pieces]
    consumed = epochs.consumed(windows)
    assert consumed.windows == windows
    assert consumed.tokens == sum(len(p.tokens) - (not p.first) for p in pieces)
    assert consumed.documents == sum(p.first for p in pieces)
    assert consumed.epochs == pytest.approx(consumed.tokens / DOCUMENTS.tokens)


def test_windows_of_a_part_of_an_epoch() -> None:
    epochs = Epochs(DOCUMENTS, CAUSAL, seed=0)
    assert epochs.windows(0) == 0
    assert epochs.windows(0.5) == epochs.windows(1) // 2
    assert epochs.windows(1.5) == epochs.windows(1) + epochs.packing(1).windows // 2


def test_static_masks_come_again_after_their_copies_and_dynamic_ones_do_not() -> None:
    def rows(masked: Masked, epoch: int) -> list[bytes]:
        epochs = Epochs(DOCUMENTS, masked, seed=0)
        made = []
        for index in range(epochs.windows(epoch), epochs.windows(epoch + 1)):
            window = epochs.window(index)
            row = masked.row(window.pieces, np.random.default_rng(window.key))
            made.append(row.input_ids.tobytes() + row.targets.tobytes())
        return made

    static = Masked.of(VOCABULARY, 64, masks="static")
    assert sorted(rows(static, 10)) == sorted(rows(static, 0))
    assert rows(static, 10) != rows(static, 0)  # in another order
    assert not set(rows(static, 1)) & set(rows(static, 0))
    dynamic = Masked.of(VOCABULARY, 64)
    assert not set(rows(dynamic, 10)) & set(rows(dynamic, 0))
