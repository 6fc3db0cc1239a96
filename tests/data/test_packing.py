import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.objectives.vocabularies import VOCABULARY, document, objectives
from trivium.data.documents import InMemoryDocuments
from trivium.data.packing import MINIMUM_PIECE, pack, read_window
from trivium.objectives.batch import IGNORE, PADDING
from trivium.objectives.causal import Causal
from trivium.objectives.masked import Masked
from trivium.objectives.span import Span

SIZES = st.lists(st.one_of(st.integers(0, 6), st.integers(0, 400)), max_size=30)


@given(SIZES, st.integers(3, 70), st.sampled_from(range(len(objectives(64)))), st.randoms())
def test_every_token_is_new_in_exactly_one_piece(sizes: list[int], length: int, which: int, random: object) -> None:
    objective = objectives(length)[which]
    documents = InMemoryDocuments(document(size, seed=n) for n, size in enumerate(sizes))
    order = np.random.default_rng(random.randrange(99)).permutation(len(sizes))  # type: ignore[attr-defined]
    packing = pack(documents.lengths, objective, order)
    read: dict[int, list[int]] = {}
    for window in range(packing.windows):
        pieces = read_window(documents, packing, window)
        assert pieces
        row = objective.row(pieces, np.random.default_rng(0))  # asserts that the pieces fit
        assert row.documents.max() == len(pieces)
        for piece, number in zip(pieces, packing.documents[slice(*packing.offsets[window : window + 2])], strict=True):
            text = read.setdefault(int(number), [])
            assert piece.first == (not text)
            shared = 0 if piece.first else objective.overlap
            assert text[len(text) - shared :] == piece.tokens[:shared].tolist()
            text.extend(piece.tokens[shared:].tolist())
            assert piece.last == (len(text) == sizes[number])
    assert read == {n: document(size, seed=n).tolist() for n, size in enumerate(sizes) if size}
    assert list(read) == [n for n in order.tolist() if sizes[n]]
    assert packing.tokens.sum() == sum(sizes)
    assert packing.begun.sum() == len(read)
    assert packing.cut == sum(len(np.flatnonzero(packing.documents == n)) > 1 for n in read)


@given(SIZES, st.integers(3, 40))
def test_the_causal_targets_are_the_documents(sizes: list[int], length: int) -> None:
    causal = Causal.of(VOCABULARY, length)
    documents = InMemoryDocuments(document(size, seed=n) for n, size in enumerate(sizes))
    packing = pack(documents.lengths, causal)
    rows = [causal.row(read_window(documents, packing, w), np.random.default_rng(0)) for w in range(packing.windows)]
    said = [token for row in rows for token in row.targets[row.targets != IGNORE].tolist()]
    assert said == [token for n, size in enumerate(sizes) if size for token in (*document(size, seed=n).tolist(), 2)]


def test_a_window_takes_whole_documents_and_then_as_much_as_fits() -> None:
    packing = pack(np.array([10, 30, 5, 0, 100]), Masked.of(VOCABULARY, 34))
    pieces = list(zip(packing.documents.tolist(), packing.starts.tolist(), packing.stops.tolist(), strict=True))
    windows = [pieces[a:b] for a, b in zip(packing.offsets, packing.offsets[1:], strict=False)]
    assert windows == [
        [(0, 0, 10), (1, 0, 20)],  # 12 + 22
        [(1, 20, 30), (2, 0, 5), (4, 0, 13)],  # 12 + 7 + 15
        [(4, 13, 45)],
        [(4, 45, 77)],
        [(4, 77, 100)],
    ]
    assert packing.fill == ((4 * 34 + 25) / (5 * 34),)


def test_a_beginning_that_teaches_nothing_waits() -> None:
    masked = Masked.of(VOCABULARY, 34)
    waiting = pack(np.array([32 - 2 - MINIMUM_PIECE + 1, 90]), masked)
    assert waiting.offsets.tolist()[:2] == [0, 1]
    taken = pack(np.array([32 - 2 - MINIMUM_PIECE, 90]), masked)
    assert taken.offsets.tolist()[:2] == [0, 2]


@given(st.integers(0, 30), st.sampled_from(range(len(objectives(64)))))
def test_a_piece_is_as_long_as_can_be(seed: int, which: int) -> None:
    """No cut piece could have been a token longer: both capacities are looked at."""
    objective = objectives(64)[which]
    sizes = np.random.default_rng(seed).integers(1, 200, size=20)
    packing = pack(sizes, objective)
    for window in range(packing.windows):
        pieces = range(*packing.offsets[window : window + 2].tolist())
        kinds = [
            (int(packing.stops[p] - packing.starts[p]), bool(packing.starts[p] == 0), bool(packing.ends[p]))
            for p in pieces
        ]
        if kinds[-1][2]:
            continue
        tokens, first, _ = kinds[-1]
        rest = int(sizes[packing.documents[pieces[-1]]] - packing.starts[pieces[-1]])
        kinds[-1] = (tokens + 1, first, tokens + 1 == rest)
        used = np.sum([objective.lengths(*kind) for kind in kinds], axis=0)
        assert (used > np.array(objective.capacity)).any()


@pytest.mark.parametrize(("mean", "objective"), [(40, 0), (40, 1), (40, 3), (300, 0), (300, 1), (300, 3)])
def test_windows_are_full(mean: int, objective: int) -> None:
    sizes = np.random.default_rng(0).poisson(mean, size=5000)
    fill = pack(sizes, objectives(512)[objective]).fill
    assert max(fill) > 0.99
    # The targets of many short documents are longer than those of one that fills the row.
    assert min(fill) > (0.85 if objective == 3 else 0.99)


def test_fill_is_what_the_rows_hold() -> None:
    span = Span.of(VOCABULARY, 64)
    documents = InMemoryDocuments(document(n) for n in (20, 200, 33, 4))
    packing = pack(documents.lengths, span)
    rows = [span.row(read_window(documents, packing, w), np.random.default_rng(0)) for w in range(packing.windows)]
    assert packing.fill == pytest.approx(
        (
            np.mean([row.documents != PADDING for row in rows]),
            np.mean([row.targets != IGNORE for row in rows]),
        )
    )


def test_nothing_to_pack() -> None:
    packing = pack(np.array([0, 0]), Causal.of(VOCABULARY, 8))
    assert (packing.windows, packing.cut, packing.fill) == (0, 0, (0.0,))
