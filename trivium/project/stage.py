"""What is done once: the result of a stage is kept in a file, with a fingerprint of all that went into it."""

__all__ = ["fingerprint", "kept"]

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trivium.files import atomic_write


def fingerprint(*inputs: Any) -> str:
    """The SHA-256 of plain data."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True, default=str).encode()).hexdigest()


def kept(path: Path, inputs: str, make: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    """The result of `make`, read from `path` if it was made from the same `inputs`, or else made and written there."""
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        before = None
    if isinstance(before, dict) and before.get("inputs") == inputs and isinstance(before.get("result"), dict):
        return dict(before["result"])
    result = dict(make())
    atomic_write(path, json.dumps({"inputs": inputs, "result": result}, indent=1) + "\n")
    # Through JSON in either case, so that a result does not depend on whether it was kept.
    return dict(json.loads(json.dumps(result)))
