"""Latencies by a clock that is wound by hand, and memory of what is known."""

import numpy as np
import pytest

from tests.compare.tiny import cost, splits
from tests.finetune.tiny import body
from trivium.compare.cost import Cost, measure_latency, model_memory, python_memory
from trivium.data.examples import Examples, Form
from trivium.evaluate.baselines import MostCommon
from trivium.evaluate.head_predictor import HeadPredictor
from trivium.evaluate.predictions import Prediction
from trivium.finetune.text_to_text import as_text_pairs


class Slow:
    """Takes a second more for every request, by its own clock."""

    forms: tuple[Form, ...] = ("classification",)

    def __init__(self, step: float) -> None:
        self.now, self.step, self.asked = 0.0, step, 0

    def predict(self, examples: Examples) -> list[Prediction]:
        assert len(examples) == 1
        self.asked += 1
        self.now += self.asked * self.step
        return [Prediction("a")]

    def clock(self) -> float:
        return self.now


def test_latency_is_of_requests_of_one_item_after_some_to_warm_up() -> None:
    slow, held_out = Slow(1e-3), splits().held_out
    found = measure_latency(slow, held_out, slow.clock)
    taken = 1e-3 * np.arange(3, 3 + len(held_out))  # the first two warm up
    assert found.requests == len(held_out)
    assert found.median_seconds == pytest.approx(np.median(taken))
    assert found.p95_seconds == pytest.approx(np.quantile(taken, 0.95))


def test_what_is_slow_is_asked_ten_times_only() -> None:
    slow = Slow(10.0)
    assert measure_latency(slow, splits().held_out, slow.clock).requests == 10


def test_a_model_takes_its_weights_and_what_it_computes() -> None:
    lm, asked = body("t5"), as_text_pairs(splits(48).held_out)
    weights = sum(each.nbytes for each in {id(p): p for p in lm.model.parameters()}.values())
    found = model_memory(HeadPredictor(lm, options={"max_tokens": 2}), asked, lm.model)
    assert weights < found < 40 * weights


def test_a_baseline_takes_what_python_holds() -> None:
    class Heavy:
        forms: tuple[Form, ...] = ("classification",)

        def __init__(self) -> None:
            self.table = np.ones(1_000_000)

        def predict(self, examples: Examples) -> list[Prediction]:
            return [Prediction("a")] * len(examples)

    held_out = splits().held_out
    assert 8e6 < python_memory(Heavy, held_out) < 8.2e6
    assert python_memory(lambda: MostCommon("classification", "a"), held_out) < 1e5


def test_a_cost_goes_to_a_file_and_back() -> None:
    assert Cost.from_dict(cost().to_dict()) == cost()
