"""The watch over the loss: what counts as a spike, and when one ends a run."""

import pytest

from trivium.errors import TrainingError
from trivium.train.watch import LossWatch


def after(losses: list[float], spike_nats: float | None = 2.0) -> LossWatch:
    watch = LossWatch()
    for loss in losses:
        watch = watch.after(loss, spike_nats)
    return watch


def test_the_mean_follows_the_loss() -> None:
    assert after([4.0]) == LossWatch(4.0, 4.0, 0)
    assert after([4.0, 2.0]).mean == pytest.approx(0.95 * 4 + 0.05 * 2)
    assert after([4.0] + [2.0] * 200).mean == pytest.approx(2, abs=1e-3)


def test_a_spike_is_counted_and_leaves_the_mean_alone() -> None:
    watch = after([3.0, 3.0, 9.0, 9.0])
    assert watch == LossWatch(3.0, 3.0, 2)
    assert watch.after(3.0, 2.0).steps_above == 0


def test_measured_from_the_lowest_mean() -> None:
    """A loss that climbs back slowly is far above the lowest mean as well, though never far above its neighbours."""
    falling = [6 - 0.02 * step for step in range(200)]
    climbing = [2 + 0.02 * step for step in range(200)]
    assert after(falling).steps_above == 0
    assert after(falling + climbing).steps_above > 30


def test_check() -> None:
    watch = after([1.0] + [4.0] * 5)
    watch.check(6, 4.0, 2.0, 6)
    watch.check(6, 4.0, None, 5)
    with pytest.raises(TrainingError, match=r"At step 6 the loss is 4.000, and for 5 steps in a row"):
        watch.check(6, 4.0, 2.0, 5)


def test_without_a_limit_nothing_is_a_spike() -> None:
    assert after([1.0, 100.0], None).steps_above == 0
