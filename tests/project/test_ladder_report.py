"""The picture of a ladder holds every run, the law, the prediction, and the outcome once it is there."""

import numpy as np

from trivium.project.ladder_fit import Target
from trivium.project.ladder_report import ladder_figure
from trivium.project.rungs import MeasuredRun

RUNS = [
    MeasuredRun(dim, 100 * dim**2, 60 * dim**2, steps, steps * 1000, 6e2 * dim**2 * steps * 1000, 5 - steps / 1e3, 0.01)
    for dim in (32, 64, 96)
    for steps in (100, 200)
]
TARGET = Target(128, 2, 1_638_400, 983_040, 2000, 2e6, 2e13, 17.0, 60.0, 3.9, 3.8, 4.0)


def test_every_run_the_prediction_and_the_outcome_are_drawn() -> None:
    def law(run: MeasuredRun, tokens: float) -> float:
        return 5 - tokens / 1e6

    frontier = [(flops, 5 - 0.2 * np.log10(flops / 1e11)) for flops in np.geomspace(1e11, 3e13, 10)]
    for measured in (None, 3.95):
        figure = ladder_figure("a ladder", RUNS, law, frontier, TARGET, measured)
        (panel,) = figure.axes
        said = [text.get_text() for text in panel.get_legend().get_texts()]
        assert sum("M parameters" in text for text in said) == 3
        assert any("predicted 3.900 (3.800 to 4.000)" in text for text in said)
        assert any("measured 3.950 (+1.3%)" in text for text in said) == (measured is not None)
        dots = [line for line in panel.lines if line.get_marker() == "o"]
        assert sorted(loss for line in dots for loss in line.get_ydata()) == sorted(run.loss for run in RUNS)
        left, right = panel.get_xlim()
        assert left < min(run.flops for run in RUNS) < TARGET.flops < right
        ticks = [tick.get_text() for tick in panel.get_yticklabels()]
        assert len(ticks) == len(set(ticks)) >= 3
