"""Random subsets of an exact size, for many groups at once: masked positions, and where spans begin.

Letters: n candidates, g groups.
"""

__all__ = ["choose"]

import numpy as np
from jaxtyping import Bool, Int


def choose(
    groups: Int[np.ndarray, "n"], counts: Int[np.ndarray, "g"], rng: np.random.Generator, *, with_first: bool = False
) -> Bool[np.ndarray, "n"]:
    """Of the candidates of each group, a subset of exactly `counts[group]` (or all, if there are fewer).

    All subsets of that size are equally likely: each candidate draws a number and the smallest win. `groups` is the
    group of each candidate, ascending. With `with_first` the first candidate of each group is always in the subset
    (and counted): cutting m tokens into s spans at random is choosing s span starts so among m tokens.
    """
    sizes = np.bincount(groups, minlength=len(counts))
    begins = np.cumsum(sizes) - sizes
    keys = rng.random(len(groups))
    if with_first:
        keys[begins[sizes > 0]] = -0.5
    # Twice the group's number keeps the keys of all groups apart, so that one sort orders within each of them.
    order = np.argsort(2.0 * groups + keys)
    # The winners of a group are the next `counts[group]` places of the order, from where the group begins.
    chosen = np.zeros(len(groups), dtype=bool)
    chosen[order[np.arange(len(groups)) < np.repeat(begins + counts, sizes)]] = True
    return chosen
