"""Do the intervals of a comparison hold what they say? Thousands of comparisons of which the truth is known.

    python -m benchmarks.compare_coverage                     # minutes; writes benchmarks/compare_coverage.md
    python -m benchmarks.compare_coverage --comparisons 50    # a look

Items and candidates are synthetic (`trivium.compare.simulation`): each candidate is right on a known share of all items
that there could be, around 0.8 or 0.95 and scattered by a known spread, and two candidates agree more often than by
chance. What a comparison says of them by its held-out items is then true or not. At 95 %, a share that is counted over
1,000 comparisons is itself sure to 0.014.
"""

import argparse
import platform
import time
from pathlib import Path

import numpy as np

from trivium.compare.simulation import Coverage, simulate

#: Items, candidates, accuracy, spread, seeds, spread of seeds.
CASES = (
    (50, 2, 0.80, 0.00, 1, 0.0),
    (50, 5, 0.80, 0.05, 1, 0.0),
    (50, 5, 0.95, 0.02, 1, 0.0),
    (200, 2, 0.80, 0.03, 1, 0.0),
    (200, 5, 0.80, 0.00, 1, 0.0),
    (200, 5, 0.80, 0.05, 1, 0.0),
    (200, 5, 0.95, 0.02, 1, 0.0),
    (200, 10, 0.80, 0.05, 1, 0.0),
    (1000, 2, 0.80, 0.03, 1, 0.0),
    (1000, 5, 0.80, 0.00, 1, 0.0),
    (1000, 5, 0.80, 0.05, 1, 0.0),
    (1000, 5, 0.95, 0.02, 1, 0.0),
    (200, 3, 0.80, 0.03, 3, 0.03),
    (200, 3, 0.80, 0.03, 5, 0.03),
    (200, 3, 0.80, 0.03, 1, 0.03),
)
HEAD = (
    "held-out items", "candidates", "accuracy ± spread", "seeds ± spread", "score's interval holds",
    "all differences hold at once", "true best among those that may be", "one is left", "and it is the best",
    "leader: stated", "leader: true",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--comparisons", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    arguments = parser.parse_args()
    begin = time.perf_counter()
    lines = [
        "# Intervals of comparisons whose truth is known",
        "",
        f"Written by `python -m benchmarks.compare_coverage --comparisons {arguments.comparisons}`; see there what is "
        f"drawn. Of {arguments.comparisons:,} comparisons a row, the share in which what was said at 95 % was true:",
        "",
        f"| {' | '.join(HEAD)} |",
        f"|{'---|' * len(HEAD)}",
    ]
    for items, candidates, accuracy, spread, seeds, seed_spread in CASES:
        found = simulate(
            spread,
            items=items,
            candidates=candidates,
            comparisons=arguments.comparisons,
            accuracy=accuracy,
            seeds=seeds,
            seed_spread=seed_spread,
            resamples=arguments.resamples,
            seed=2026,
        )
        lines.append(row(found, accuracy, spread, seeds, seed_spread))
        print(lines[-1], flush=True)
    lines += [
        "",
        "With a spread of 0 all candidates are truly the best, so that the leader's stated probability of being the "
        "best says only how the resamples share it out. With one seed of several that differ (the last row), intervals "
        "are of the trained models and not of the method: what `trivium compare` says in its last sentence.",
        "",
        f"{time.perf_counter() - begin:.0f} seconds; Python {platform.python_version()}, numpy {np.__version__}.",
    ]
    arguments.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def row(found: Coverage, accuracy: float, spread: float, seeds: int, seed_spread: float) -> str:
    """A line of the table."""
    cells = [
        f"{found.items:,}",
        str(found.candidates),
        f"{accuracy:.2f} ± {spread:.2f}",
        f"{seeds} ± {seed_spread:.2f}" if seed_spread else str(seeds),
        f"{found.scores:.3f}",
        f"{found.differences:.3f}",
        f"{found.best_kept:.3f}",
        f"{found.called:.3f}",
        f"{found.called_rightly:.3f}" if found.called else "",
        f"{found.stated:.2f}",
        f"{found.came_true:.2f}",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
