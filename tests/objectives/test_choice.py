from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trivium.objectives.choice import choose


@given(
    sizes=st.lists(st.integers(0, 12), min_size=1, max_size=6),
    seed=st.integers(0, 99),
    with_first=st.booleans(),
    data=st.data(),
)
def test_every_group_gets_its_exact_count(sizes: list[int], seed: int, with_first: bool, data: st.DataObject) -> None:
    counts = np.array([data.draw(st.integers(0, size + 2)) for size in sizes])
    groups = np.repeat(np.arange(len(sizes)), sizes)
    chosen = choose(groups, counts, np.random.default_rng(seed), with_first=with_first)
    assert np.bincount(groups[chosen], minlength=len(sizes)).tolist() == np.minimum(counts, sizes).tolist()
    if with_first:
        firsts = (np.cumsum(sizes) - sizes)[(np.array(sizes) > 0) & (counts > 0)]
        assert chosen[firsts].all()


def test_all_subsets_are_equally_likely() -> None:
    rng = np.random.default_rng(0)
    subsets = list(combinations(range(5), 2))
    groups = np.repeat(np.arange(4000), 5)
    chosen = choose(groups, np.full(4000, 2), rng).reshape(4000, 5)
    counts = np.array([chosen[:, list(subset)].all(axis=1).sum() for subset in subsets])
    assert counts.sum() == 4000
    assert ((counts - 400) ** 2 / 400).sum() < 27.9  # chi-squared with 9 degrees of freedom: 0.1 % lie above
