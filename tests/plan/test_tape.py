"""Tensors as sizes: what is alive when, beside torch's own."""

import torch
from torch import Tensor

from trivium.plan.tape import Ledger, Parameter, Storage, Tape
from trivium.train.tracker import MemoryTracker


def test_bytes_are_alive_as_long_as_something_refers_to_them() -> None:
    ledger = Ledger()
    first = Storage(ledger, "a", 100)
    second = Storage(ledger, "b", 50)
    assert (ledger.total, ledger.alive["a"]) == (150, 100)
    del first
    ledger.enter("later")
    third = Storage(ledger, "b", 20)
    assert ledger.total == 70 == second.size + third.size
    assert ledger.peaks == {"": (150, {"a": 100, "b": 50}), "later": (70, {"a": 0, "b": 70})}


def test_two_products_as_torch_has_them() -> None:
    rows, wide = 64, 32

    def real(weight: Tensor) -> None:
        x = torch.ones(rows, wide)
        y = torch.relu(x @ weight) @ weight
        del x
        seed = torch.ones(rows, wide)
        y.backward(seed)  # type: ignore[no-untyped-call]

    weight = torch.ones(wide, wide, requires_grad=True)
    with MemoryTracker() as tracker:
        tracker.hold("weights", [weight])
        real(weight)
    tape, parameter = Tape(), Parameter((wide, wide), trained=True, accumulates=False)
    tape.kind = "x"
    x = tape.make(rows * wide)
    hidden = tape.linear(x, parameter)
    hidden = tape.operation(rows * wide, 4, [(hidden.edge, 4 * rows * wide)], saves_output=True)
    y = tape.linear(hidden, parameter)
    del x, hidden
    assert y.edge is not None
    seed = y.edge.gradient = Storage(tape.ledger, "x", 4 * rows * wide)
    tape.backward()
    highest = max(total for total, _ in tape.ledger.peaks.values())
    assert highest + weight.nbytes == tracker.peak
    assert tape.ledger.alive["gradients"] == weight.nbytes
    assert seed.size == 4 * y.elements


def test_a_frozen_weight_gets_no_gradient_and_saves_no_input() -> None:
    tape, frozen = Tape(), Parameter((8, 8), trained=False, accumulates=False)
    x = tape.make(16)
    out = tape.linear(x, frozen)
    assert out.edge is None
    del x
    assert tape.ledger.total == 64


def test_copies_of_trained_weights_are_shared_and_those_of_frozen_ones_are_not() -> None:
    tape = Tape(low=True)
    trained, frozen = (Parameter((8, 8), trained=flag, accumulates=False) for flag in (True, False))
    assert tape.weight(trained).storage is tape.weight(trained).storage
    one = tape.weight(frozen)
    assert one.storage is not tape.weight(frozen).storage
    assert tape.ledger.alive["copies of weights"] == 2 * 128
    tape.end_of_autocast()
    assert tape.ledger.alive["copies of weights"] == 128
