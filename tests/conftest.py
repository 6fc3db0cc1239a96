"""What every test runs under: shapes checked, nothing called out, torch on one thread.

Shapes: an import hook checks every annotated function and dataclass of `trivium` (`shapes.py`), so a tensor of another
shape than its annotation says fails the test. It must be in place before anything imports `trivium`.
"""

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings

from tests import shapes

assert not any(name.split(".")[0] == "trivium" for name in sys.modules), "trivium was imported before its shape checks"
shapes.install("trivium")

os.environ.update(
    HF_HUB_OFFLINE="1",
    HF_DATASETS_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    HF_HUB_DISABLE_PROGRESS_BARS="1",
    TOKENIZERS_PARALLELISM="false",
    MPLBACKEND="agg",
    COLUMNS="120",  # help and tables are as wide on every machine
    NO_COLOR="1",
    OMP_NUM_THREADS="1",  # for the processes that tests start
)
# One thread: sums come out in one order on every machine, and the parallel workers of pytest do not crowd each other.
torch.set_num_threads(1)

settings.register_profile(
    "trivium",
    deadline=None,  # a busy machine is no failure
    derandomize=True,  # the same examples on every machine and in every run
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("trivium")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest --llama-python /path/to/python`: an interpreter that has llama-cpp-python, for the tests that run it."""
    parser.addoption("--llama-python", default=None, help="a Python with llama-cpp-python, where this one has none")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where workers share the files, those with slow tests come first: no worker is left with a long one at the end."""
    if hasattr(config, "workerinput"):
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def llama_python(request: pytest.FixtureRequest) -> str:
    """A Python that has llama.cpp."""
    given = request.config.getoption("--llama-python")
    if given is None and importlib.util.find_spec("llama_cpp") is None:
        pytest.skip("llama-cpp-python is not installed; name a Python that has it: pytest --llama-python PATH")
    return str(given or sys.executable)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Draws without a generator (a module's initial weights) are the same in every run and in every order of tests."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def entry() -> Callable[[str], Path]:
    """The folder of an entry of the catalogue, in the user's own cache; a test that cannot have it is skipped."""
    from trivium.data import catalogue  # not at the top: the shape checks come before anything of trivium
    from trivium.errors import UnavailableError

    def folder(name: str) -> Path:
        try:
            return catalogue.get(name)
        except UnavailableError as error:
            pytest.skip(f"the catalogue's '{name}' is not to be had here: {error}")

    return folder
