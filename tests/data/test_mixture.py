import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.objectives.vocabularies import VOCABULARY, document
from trivium.data.documents import InMemoryDocuments
from trivium.data.mixture import Mixture, MixtureSource
from trivium.errors import BudgetError, DataError, UsageError
from trivium.objectives.causal import Causal

CAUSAL = Causal.of(VOCABULARY, 32)


def documents(count: int, mean: int, seed: int = 0) -> InMemoryDocuments:
    rng = np.random.default_rng(seed)
    return InMemoryDocuments(document(size, seed=n) for n, size in enumerate(1 + rng.poisson(mean, size=count)))


FINANCE, PUBLIC, TINY = documents(300, 25, seed=1), documents(500, 90, seed=2), documents(3, 20, seed=3)


def bloomberg(**options: float) -> Mixture:
    """BloombergGPT's 51 % finance and 49 % public (Wu et al. 2023, table 1)."""
    return Mixture(
        [MixtureSource(FINANCE, 0.51, name="finance", **options), MixtureSource(PUBLIC, 0.49, name="public")],
        CAUSAL,
        seed=0,
    )


@pytest.mark.parametrize("windows", [200, 1000, 5000])
def test_the_shares_are_shares_of_tokens(windows: int) -> None:
    table = bloomberg().plan(windows)
    assert table.windows == windows
    assert [source.share for source in table.sources] == pytest.approx([0.51, 0.49], abs=0.005)
    assert [source.share_asked for source in table.sources] == pytest.approx([0.51, 0.49])


@settings(max_examples=15)
@given(st.lists(st.floats(0.001, 10.0), min_size=1, max_size=7), st.integers(0, 3), st.integers(0, 900))
def test_any_stretch_holds_the_shares(weights: list[float], seed: int, start: int) -> None:
    mixture = Mixture([MixtureSource(FINANCE, weight) for weight in weights], CAUSAL, seed)
    expected = np.array(weights) / sum(weights)
    counts = np.zeros(len(weights))
    for length in range(1, 300):
        source, _ = mixture.window(start + length - 1)
        counts[source] += 1
        assert np.abs(counts - expected * length).max() < 4
    table = mixture.consumed(start + 299)
    earlier = mixture.consumed(start)
    assert [a.windows - b.windows for a, b in zip(table.sources, earlier.sources, strict=True)] == counts.tolist()


def test_over_many_blocks_the_shares_are_exact() -> None:
    weights = [0.7001, 0.2, 0.0999, 0.0003]
    one_window_each = InMemoryDocuments([document(31)] * 1000)
    mixture = Mixture([MixtureSource(one_window_each, weight) for weight in weights], CAUSAL, seed=0)
    counts = [source.windows for source in mixture.consumed(256 * 500).sources]
    assert counts == pytest.approx(np.array(weights) / sum(weights) * 256 * 500, abs=1)


def test_each_source_is_read_in_its_own_order_without_gaps() -> None:
    mixture = bloomberg()
    seen: dict[int, list[tuple[int, ...]]] = {0: [], 1: []}
    for index in range(700):
        source, window = mixture.window(index)
        seen[source].append(window.key)
    for source, keys in seen.items():
        assert keys == [mixture.epochs[source].window(n).key for n in range(len(keys))]


@settings(max_examples=10)
@given(st.lists(st.integers(0, 800), min_size=1, max_size=5), st.integers(0, 2))
def test_a_window_is_a_function_of_seed_and_index(indices: list[int], seed: int) -> None:
    sources = [MixtureSource(FINANCE, 0.3), MixtureSource(PUBLIC, 0.7)]
    used = Mixture(sources, CAUSAL, seed)
    for index in indices:
        (source, window), (again, fresh) = used.window(index), Mixture(sources, CAUSAL, seed).window(index)
        assert (source, window.key) == (again, fresh.key)
        assert [p.tokens.tolist() for p in window.pieces] == [p.tokens.tolist() for p in fresh.pieces]


def test_another_seed_is_another_order() -> None:
    sources = [MixtureSource(FINANCE, 0.51), MixtureSource(PUBLIC, 0.49)]
    one, other = (Mixture(sources, CAUSAL, seed) for seed in (0, 1))
    assert [one.window(n)[0] for n in range(50)] != [other.window(n)[0] for n in range(50)]
    assert one.epochs[0].packing().documents.tolist() != other.epochs[0].packing().documents.tolist()


def test_too_little_data_is_said_before_the_run() -> None:
    mixture = bloomberg(max_epochs=2)
    with pytest.raises(BudgetError, match=r"'finance' \([\d,]+ tokens, at most 2 epochs\) would be read [\d.]+ times"):
        mixture.plan(5000)
    with pytest.raises(BudgetError, match="raise max_epochs") as raised:
        mixture.plan(5000)
    most = int(str(raised.value).split("at most ")[-1].split(" windows")[0].replace(",", ""))
    assert mixture.plan(most - 2).windows == most - 2
    with pytest.raises(BudgetError):
        mixture.plan(most + 5)
    with pytest.raises(BudgetError):
        mixture.window(next(n for n in range(most - 2, most + 10) if bloomberg().window(n)[0] == 0) + 5)


def test_repeating_more_than_four_times_is_warned_of() -> None:
    mixture = Mixture([MixtureSource(TINY, 0.1, name="tiny"), MixtureSource(PUBLIC, 0.9)], CAUSAL, seed=0)
    assert mixture.plan(20).warnings == ()
    (warning,) = mixture.plan(500).warnings
    assert warning.startswith("'tiny' is read 2")
    assert mixture.plan(500).to_dict()["warnings"] == [warning]


@pytest.mark.parametrize(
    ("sources", "message", "error"),
    [
        ([], "at least one source", UsageError),
        (
            [MixtureSource(InMemoryDocuments([[], []]), name="blank")],
            "'blank' holds no token in 2 documents",
            DataError,
        ),
    ],
)
def test_wrong_use_is_named(sources: list[MixtureSource], message: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=message):
        Mixture(sources, CAUSAL, seed=0)


def test_wrong_numbers_are_named() -> None:
    with pytest.raises(UsageError, match="weight of source 'a' must be above 0"):
        MixtureSource(FINANCE, 0.0, name="a")
    with pytest.raises(UsageError, match="max_epochs of source 'a'"):
        MixtureSource(FINANCE, 1.0, 0, name="a")
    with pytest.raises(UsageError, match="seed must be 0 or more"):
        Mixture([MixtureSource(FINANCE)], CAUSAL, seed=-1)
