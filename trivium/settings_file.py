"""A page of YAML that a person wrote: a project, a suite, a comparison. What is wrong with the page is said here."""

__all__ = ["read_settings_file"]

from pathlib import Path
from typing import Any, Final

import yaml

from trivium.errors import UsageError, nearest

#: It is a page of settings, not data.
_LARGEST_BYTES: Final = 1_000_000


def read_settings_file(path: Path, what: str, holds: str) -> dict[str, Any]:
    """The keys and values of the file, which is a `what` ("suite") and must hold `holds` ("`tasks`").

    Raises `UsageError` for a file that is not there (the nearest is named) or too large, and that is no YAML in UTF-8
    with keys.
    """
    if path.is_dir():
        there = ", ".join(sorted(entry.name for entry in path.glob("*.y*ml"))) or "none"
        raise UsageError(f"{path} is a folder. Name a {what}; YAML files in it: {there}.")
    if not path.is_file():
        near = nearest(path.name, (entry.name for entry in path.parent.glob("*.y*ml"))) if path.parent.is_dir() else ""
        raise UsageError(f"There is no {what} {path}.{near} It is a YAML file that holds {holds}.")
    if path.stat().st_size > _LARGEST_BYTES:
        raise UsageError(f"{path} has {path.stat().st_size:,} bytes, and a {what} at most {_LARGEST_BYTES:,}.")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path} must hold {holds}; it holds {content!r:.60}.")
    return content
