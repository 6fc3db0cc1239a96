"""The tracker beside what torch's own allocator says."""

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.profiler import ProfilerActivity, profile

from trivium.families.registry import FAMILIES
from trivium.model import Transformer
from trivium.objectives.batch import Batch
from trivium.train.loop import take_step
from trivium.train.loss import head_loss
from trivium.train.optimizer import build_optimizer
from trivium.train.precision import Precision
from trivium.train.settings import TrainSettings
from trivium.train.tracker import MemoryTracker, track


def test_every_byte_from_its_first_use_to_its_last() -> None:
    with MemoryTracker() as tracker:
        x = torch.zeros(1000)
        view = x.view(10, 100)  # the same bytes
        y = x + 1
        del x
        assert tracker.alive == 8000  # the view holds them
        del view
        assert (tracker.alive, tracker.peak) == (4000, 8000)
        del y
        assert (tracker.alive, tracker.peak) == (0, 8000)


def test_named_tensors_keep_their_kind() -> None:
    weights = torch.zeros(100)
    tracker = MemoryTracker()
    tracker.hold("weights", [weights, weights])
    with tracker:
        torch.zeros(50)
    assert tracker.at_peak == {"weights": 400, "rest": 200}


def test_tensors_without_content_count_alike() -> None:
    def step() -> Tensor:
        x = torch.ones(64, 64, requires_grad=True)
        return (x @ x).relu().sum()

    with MemoryTracker() as real:
        step().backward()  # type: ignore[no-untyped-call]
    with FakeTensorMode(), MemoryTracker() as fake:
        step().backward()  # type: ignore[no-untyped-call]
    assert fake.peak == real.peak


@pytest.mark.parametrize("family", ["bert", "gpt2", "t5"])
@pytest.mark.filterwarnings("ignore:Profiler clears events")
def test_a_step_peaks_where_the_allocator_does(family: str) -> None:
    model = Transformer(FAMILIES[family].preset(vocab=500, dim=64, depth=2, heads=2, positions=64))
    settings, precision = TrainSettings(steps=9, batch_rows=4), Precision("float32")
    optimizer = build_optimizer(model, settings)
    ids = torch.randint(0, 500, (4, 64))
    batch = Batch(ids, ids, decoder_input_ids=ids if family == "t5" else None)
    take_step(model, [batch], head_loss, optimizer, settings, 0, precision)
    with track(model, optimizer) as tracker:
        take_step(model, [batch], head_loss, optimizer, settings, 1, precision)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        take_step(model, [batch], head_loss, optimizer, settings, 2, precision)
    results = profiler.profiler.kineto_results
    used = peak = 0
    for event in sorted((e for e in results.events() if e.name() == "[memory]"), key=lambda e: e.start_ns()):
        used += event.nbytes()
        peak = max(peak, used)
    weights = 4 * sum(p.numel() for p in model.parameters())
    states = sum(value.nbytes for value in optimizer.state_dict().values())
    assert tracker.at_peak["weights"] == weights
    assert tracker.at_peak["optimizer"] == states
    assert tracker.peak - weights - states == pytest.approx(peak, rel=0.01)
