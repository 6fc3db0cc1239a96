"""Every task is measured by its own measure, and all of them look alike to those who show them."""

from pathlib import Path

import pytest

from tests.finetune.test_conversation import EXAMPLES, PLAIN, _lm
from tests.finetune.test_preference import PAIRS
from trivium.data.examples import Examples, LabelledText, TextPair
from trivium.evaluate.evaluation import Evaluation
from trivium.finetune.measured import measured
from trivium.finetune.preference import Preferred
from trivium.finetune.reward import Ranked
from trivium.finetune.run import finetune
from trivium.finetune.settings import FineTuneSettings
from trivium.finetune.stopping import Stopping

TEXTS = Examples("classification", tuple(LabelledText(f"the {w}", "yn"[w == "cat"]) for w in ("cat", "dog") * 3))
NEAR = Examples("text-to-text", (TextPair("the cat", ("cats",)), TextPair("the dog", ("dogs",))))


@pytest.mark.parametrize(
    ("examples", "task", "kind", "metrics"),
    [
        (TEXTS, None, Evaluation, {"accuracy"}),
        (TEXTS, "text-to-text", Evaluation, {"exact_match"}),
        (PAIRS, None, Preferred, {"margin", "win_rate"}),
        (PAIRS, "reward", Ranked, {"right", "margin"}),
        (EXAMPLES, None, Stopping, {"stopped"}),
        (NEAR, "embedding", type(None), set()),
    ],
)
def test_a_task_and_its_measure(
    examples: Examples, task: str | None, kind: type, metrics: set[str], tmp_path: Path
) -> None:
    settings: FineTuneSettings = PLAIN.model_copy(update={"epochs": 1.0, "batch": 2})
    lm = _lm()
    done = finetune(lm, examples, tmp_path / "run", settings=settings, task=task)
    found = measured(done, lm, examples, settings, tmp_path / "held-out", "these")
    assert isinstance(found, kind)
    if found is not None:
        content = found.to_dict()
        assert metrics <= set(content["metrics"])
        assert {metric.name for metric in found.metrics} == set(content["metrics"])
        assert content["items"] > 0
        assert list(found.remarks) == list(content["remarks"])
