"""The held-out loss that a ladder of small models foretold, where this is the run that it was foretold of."""

__all__ = ["expected_loss"]

import json
from pathlib import Path

from trivium.plan.quote import ExpectedLoss, Quote

#: `trivium fit ladder` writes it into the folder in which it means the large run to be trained.
_FILE = "prediction.json"
#: The plan's steps follow from the tokens it counts in the first batches, and the ladder's from those it has read.
_SAME_STEPS = 0.01
#: Of every interval of a fit.
_COVERAGE = 0.9


def expected_loss(out: Path, quote: Quote) -> ExpectedLoss | None:
    """The prediction in the project's folder, or None where there is none, or it is of a run of another size."""
    try:
        found = json.loads((out / _FILE).read_text(encoding="utf-8"))[quote.name]
        same = found["dim"] == quote.dim and abs(quote.steps / found["steps"] - 1) < _SAME_STEPS
        loss, low, high = (float(found[name]) for name in ("loss", "low", "high"))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return ExpectedLoss(loss, low, high, _COVERAGE, f"the law fitted to smaller models in {out}") if same else None
