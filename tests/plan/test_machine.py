"""What is said of this machine is what the system says of it."""

import dataclasses
import json
from pathlib import Path

import psutil
import pytest
import torch

from trivium.plan.machine import Machine, _free_in_container, free_memory_bytes, measure_machine
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


def test_memory_that_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the system, or less where a container's limit leaves less."""
    monkeypatch.setattr("trivium.plan.machine._CONTAINER", tmp_path)
    free = free_memory_bytes(torch.device("cpu"))
    assert 0 < free <= psutil.virtual_memory().total
    assert _free_in_container(tmp_path) is None
    (tmp_path / "memory.current").write_text("3000\n")
    (tmp_path / "memory.stat").write_text("anon 2000\ninactive_file 500\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert _free_in_container(tmp_path) is None
    (tmp_path / "memory.max").write_text("4000\n")
    assert _free_in_container(tmp_path) == free_memory_bytes(torch.device("cpu")) == 1500
    (tmp_path / "memory.max").write_text("1000\n")
    assert free_memory_bytes(torch.device("cpu")) == 0
