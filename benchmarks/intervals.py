"""How often intervals hold the truth: experiments are done many times over, where the truth is known.

    python benchmarks/intervals.py            # writes the table of benchmarks/intervals.md, in a minute or two
    python benchmarks/intervals.py --trials 100

A predictor is right with a known probability, or says a label by known ones; items are drawn anew in each trial, the
interval is taken as `trivium evaluate` takes it, and counted where the known figure lies in it. An interval of 95 %
should hold it in 95 of 100 trials.
"""

import argparse
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from trivium.metrics.bootstrap import Statistic, bootstrap, mean_of, paired_bootstrap
from trivium.metrics.tally import Tally

PAGE = Path(__file__).with_suffix(".md")
RESAMPLES = 1000
#: P(said | true) of three labels of unequal shares.
SHARES = np.array([0.5, 0.35, 0.15])
SAID = np.array([[0.8, 0.15, 0.05], [0.2, 0.7, 0.1], [0.25, 0.25, 0.5]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000)
    trials = parser.parse_args().trials
    rows = []
    for items in (50, 200, 1000):
        rng = np.random.default_rng(items)
        for share in (0.6, 0.8, 0.95):
            held = [_holds(mean_of(rng.random(items) < share), share, seed) for seed in range(trials)]
            rows.append((f"accuracy, truth {share}", items, float(np.mean(held))))
        rows.append(("macro F1, three labels", items, _coverage_of_labels(Tally.macro_f1, _macro_f1, items, trials)))
        rows.append(("MCC, three labels", items, _coverage_of_labels(Tally.mcc, _mcc, items, trials)))
        rows.append(("difference of two, paired", items, _coverage_of_pairs(items, trials)))
    lines = ["| figure | items | intervals of 95 % that hold the truth |", "|---|---|---|"]
    lines += [f"| {name} | {items:,} | {held:.1%} |" for name, items, held in rows]
    table = "\n".join(lines)
    print(table)
    _write(f"{trials:,} trials of {RESAMPLES:,} resamples.\n\n{table}")


def _holds(statistic: Statistic, truth: float, seed: int) -> bool:
    metric = bootstrap("figure", statistic, count=RESAMPLES, seed=seed)
    return metric.low is not None and metric.high is not None and metric.low <= truth <= metric.high


def _coverage_of_labels(
    figure: Callable[[Tally], Statistic], of: Callable[[np.ndarray], float], items: int, trials: int
) -> float:
    rng, truth = np.random.default_rng(items), of(SHARES[:, None] * SAID)
    held = []
    for seed in range(trials):
        there = rng.choice(3, items, p=SHARES)
        said = (rng.random((items, 1)) > np.cumsum(SAID, axis=1)[there]).sum(axis=1)
        tally = Tally.of_sets([(str(label),) for label in there], [(str(label),) for label in said])
        held.append(_holds(figure(tally), truth, seed))
    return float(np.mean(held))


def _coverage_of_pairs(items: int, trials: int) -> float:
    """Two systems of 80 % and 76 % that are wrong of the same items, but for one in ten."""
    rng, held = np.random.default_rng(items), []
    for seed in range(trials):
        hard, luck, coin = rng.random((3, items))
        first, second = hard < 0.8, np.where(luck < 0.1, coin < 0.76, hard < 0.76)
        paired = paired_bootstrap("accuracy", mean_of(first), mean_of(second), count=RESAMPLES, seed=seed)
        held.append(paired.low <= 0.04 <= paired.high)
    return float(np.mean(held))


def _macro_f1(joint: np.ndarray) -> float:
    return float(np.mean(2 * np.diag(joint) / (joint.sum(axis=0) + joint.sum(axis=1))))


def _mcc(joint: np.ndarray) -> float:
    there, said = joint.sum(axis=1), joint.sum(axis=0)
    return float((np.trace(joint) - there @ said) / np.sqrt((1 - said @ said) * (1 - there @ there)))


def _write(table: str) -> None:
    marks = "<!-- table -->\n", "\n<!-- end of table -->"
    pattern = re.compile(re.escape(marks[0]) + ".*?" + re.escape(marks[1]), re.DOTALL)
    PAGE.write_text(
        pattern.sub(lambda _: marks[0] + table + marks[1], PAGE.read_text(encoding="utf-8")), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
