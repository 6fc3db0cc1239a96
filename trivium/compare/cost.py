"""What a candidate costs: to train, to hold, and to ask.

A request is one item alone; in batches, items are asked together as the predictor likes best. Memory is that of
tensors at their peak, counted one by one (`train.tracker`), of weights too; of a baseline, what Python and numpy hold.
"""

__all__ = ["Cost", "Latency", "measure_latency", "model_memory", "python_memory"]

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from trivium.data.examples import (
    Conversation,
    Example,
    Examples,
    LabelledText,
    Preference,
    Question,
    TaggedWords,
    TextPair,
)
from trivium.evaluate.predictions import Predictor
from trivium.train.tracker import MemoryTracker

#: Requests that are timed at most and at least, after some that warm up; and the seconds after which it is enough.
_MOST, _FEWEST, _WARM_UP, _ENOUGH_SECONDS = 100, 10, 2, 30.0
#: Memory is counted over so many of the longest items.
_LONGEST = 32


@dataclass(frozen=True)
class Latency:
    """Seconds of a request of one item."""

    median_seconds: float
    p95_seconds: float
    requests: int


@dataclass(frozen=True)
class Cost:
    """Of one candidate. `batched_seconds` are those of an item when all are asked together."""

    latency: Latency
    batched_seconds: float
    memory_bytes: int
    parameters: int
    trained_parameters: int
    training_seconds: float
    training_memory_bytes: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Cost":
        """The cost that `to_dict` gave."""
        return cls(**{**values, "latency": Latency(**values["latency"])})


def measure_latency(
    predictor: Predictor, examples: Examples, clock: Callable[[], float] = time.perf_counter
) -> Latency:
    """Time requests of one item each, items from all over the examples, until there are many or it takes long."""
    count = min(len(examples), _MOST)
    places = np.linspace(0, len(examples) - 1, count).round().astype(int).tolist()
    for place in places[:_WARM_UP]:
        predictor.predict(examples.pick([place]))
    seconds: list[float] = []
    for place in places:
        start = clock()
        predictor.predict(examples.pick([place]))
        seconds.append(clock() - start)
        if sum(seconds) > _ENOUGH_SECONDS and len(seconds) >= _FEWEST:
            break
    return Latency(float(np.median(seconds)), float(np.quantile(seconds, 0.95)), len(seconds))


def model_memory(predictor: Predictor, examples: Examples, model: torch.nn.Module) -> int:
    """The peak of bytes while the longest items are answered together: the weights, and all tensors beside them."""
    tracker = MemoryTracker()
    tracker.hold("weights", [*model.parameters(), *model.buffers()])
    with tracker:
        predictor.predict(_longest(examples))
    return tracker.peak


def python_memory(make: Callable[[], Predictor], examples: Examples) -> int:
    """The peak of bytes that Python and numpy take to make a predictor of no model, and to ask it."""
    asked = _longest(examples)
    tracemalloc.start()
    try:
        make().predict(asked)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _longest(examples: Examples) -> Examples:
    places = sorted(range(len(examples)), key=lambda place: -_length(examples.examples[place]))
    return examples.pick(sorted(places[:_LONGEST]))


def _length(example: Example) -> int:
    match example:
        case LabelledText():
            return len(example.text) if isinstance(example.text, str) else sum(map(len, example.text))
        case TaggedWords():
            return sum(map(len, example.words))
        case Question():
            return len(example.question) + len(example.context)
        case TextPair():
            return len(example.source)
        case Conversation() | Preference():
            return sum(len(content) for _, content in example.turns)
