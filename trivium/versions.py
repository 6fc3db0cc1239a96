"""The versions that a result depends on."""

__all__ = ["versions"]

import platform
from importlib.metadata import version


def versions() -> dict[str, str]:
    """Of Trivium, Python and torch, and the machine's kind."""
    return {
        "trivium": version("trivium"),
        "python": platform.python_version(),
        "torch": version("torch"),
        "system": f"{platform.system()} {platform.machine()}",
    }
