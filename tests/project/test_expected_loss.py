"""A ladder's prediction is in the quote of the run it was made of, and in no other."""

import json
from pathlib import Path

import pytest

from tests.plan.test_quote import QUOTE
from trivium.plan.quote import ExpectedLoss
from trivium.project.expected_loss import expected_loss

FOUND = {"dim": QUOTE.dim, "steps": QUOTE.steps, "loss": 2.0, "low": 1.9, "high": 2.2, "parameters": QUOTE.parameters}


def written(out: Path, content: object) -> Path:
    (out / "prediction.json").write_text(json.dumps(content))
    return out


def test_the_run_that_was_foretold(tmp_path: Path) -> None:
    expected = ExpectedLoss(2.0, 1.9, 2.2, 0.9, f"the law fitted to smaller models in {tmp_path}")
    assert expected_loss(written(tmp_path, {QUOTE.name: FOUND}), QUOTE) == expected
    near = {**FOUND, "steps": round(1.005 * QUOTE.steps)}
    assert expected_loss(written(tmp_path, {QUOTE.name: near}), QUOTE) == expected


@pytest.mark.parametrize(
    "content",
    [
        {"another": FOUND},
        {QUOTE.name: {**FOUND, "dim": 64}},
        {QUOTE.name: {**FOUND, "steps": 2 * QUOTE.steps}},
        {QUOTE.name: {"dim": QUOTE.dim}},
        {QUOTE.name: None},
        [],
    ],
)
def test_any_other_run(content: object, tmp_path: Path) -> None:
    assert expected_loss(written(tmp_path, content), QUOTE) is None
    assert expected_loss(tmp_path / "nowhere", QUOTE) is None
