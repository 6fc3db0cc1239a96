"""A whole micro-batch on the tape: nothing is lost, and every weight that is trained gets its gradient once."""

import pytest

from tests.plan.test_memory import CASES
from trivium.plan.passes import run_passes
from trivium.plan.tape import Parameter


@pytest.mark.parametrize("name", CASES)
def test_what_is_left_are_the_gradients(name: str) -> None:
    work = CASES[name]
    tape, parts = run_passes(work, [stack.depth // len(stack.pattern) for stack in work.architecture.stacks])
    trained = [p for p in {id(p): p for p in parts.weights.values()}.values() if p.trained]
    assert all(parameter.arrived == parameter.uses > 0 for parameter in trained)
    left = {kind: size for kind, size in tape.ledger.alive.items() if size}
    expected = 4 * sum(parameter.elements for parameter in trained)
    assert left == ({} if work.accumulation > 1 else {"gradients": expected})


def test_a_tied_table_is_one_weight() -> None:
    _, parts = run_passes(CASES["pair"], [1, 1])
    table: Parameter = parts.weights["tokens.weight"]
    assert parts.weights["head.projection.weight"] is table
    assert table.uses == 3  # on both sides, and under the head


def test_every_layer_that_runs_has_its_weights() -> None:
    _, parts = run_passes(CASES["decoder"], [3])
    layers = {name.split(".")[2] for name in parts.weights if name.startswith("decoder.layers.")}
    assert layers == {"0", "1", "2"}
    numbers = sum(p.elements for name, p in parts.weights.items() if name.startswith("decoder.layers.1."))
    assert numbers == CASES["decoder"].architecture.output_stack.pattern[0].parameters(64)
