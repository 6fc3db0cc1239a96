"""run.yaml: how a run came about. Settings as resolved, versions, git state, identity, and in the end the result."""

__all__ = ["new_record", "read_record", "write_record"]

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from trivium.errors import CheckpointError
from trivium.files import atomic_write
from trivium.train.precision import Precision
from trivium.train.settings import TrainSettings
from trivium.versions import versions

_FILE = "run.yaml"


def new_record(settings: TrainSettings, precision: Precision) -> dict[str, Any]:
    """What a run starts with, as plain data: its settings and what it runs on."""
    return {
        **versions(),
        "git": _git_state(),
        "settings": settings.model_dump(mode="json"),
        "precision": precision.to_dict(),
    }


def read_record(folder: Path) -> dict[str, Any]:
    """The record of the run in `folder`, empty where there is none. Raises `CheckpointError` where it was altered."""
    path = folder / _FILE
    if not path.is_file():
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path} cannot be read: it was altered. Train into another folder.") from error
    return content if isinstance(content, dict) else {}


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write a run's record."""
    atomic_write(folder / _FILE, yaml.safe_dump(dict(record), sort_keys=False))


def _git_state() -> str | None:
    """The commit of the folder one is in, with `+changes` where files differ from it; None outside a repository."""
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10, check=True)
        changed = subprocess.run(["git", "status", "--porcelain"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return head.stdout.strip() + ("+changes" if changed.stdout.strip() else "")
