"""What is said of this machine is what the system says of it."""

import dataclasses
import json

import psutil
import pytest
import torch

from trivium.plan.machine import Machine, measure_machine
from trivium.train.precision import Precision


@pytest.mark.parametrize("precision", ["auto", "float32", "bfloat16"])
def test_this_machine(precision: str) -> None:
    machine = measure_machine(torch.device("cpu"), precision)
    assert machine.device == "cpu"
    assert machine.threads == torch.get_num_threads()
    assert 0 < machine.memory_bytes <= psutil.virtual_memory().total
    assert machine.name.strip()
    assert machine.precision.format == precision or precision == "auto"
    assert machine.flops_per_second > 1e6
    assert Machine.from_dict(json.loads(json.dumps(machine.to_dict()))) == machine


def test_the_rate_is_that_of_the_chosen_format() -> None:
    machine = Machine("a machine", "cpu", 2, 8, Precision("bfloat16", 3.0, 5.0))
    assert machine.flops_per_second == 5.0
    assert dataclasses.replace(machine, precision=Precision("float32", 3.0, 5.0)).flops_per_second == 3.0
