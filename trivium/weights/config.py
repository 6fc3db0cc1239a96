"""A model's config.json, from a file, a folder, or the hub: all that planning needs of a model. No torch."""

__all__ = ["read_config", "referenced_config"]

import json
from pathlib import Path
from typing import Any

from trivium.errors import ModelError
from trivium.files import storage_errors

_CONFIG = "config.json"
#: The longest file that is read: published configs have some thousand bytes.
_MOST_BYTES = 16 * 2**20


def read_config(path: Path) -> dict[str, Any]:
    """The fields of a config.json, or of the one in a folder. Raises `ModelError` for a file that holds none."""
    if path.is_dir():
        if not (path / _CONFIG).is_file():
            raise ModelError(f"{path} holds no {_CONFIG}, so it is not a model's folder.")
        path = path / _CONFIG
    with storage_errors(path):
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise ModelError(
                f"{path} has {size:,} bytes, and a config has at most {_MOST_BYTES:,}: name a config.json."
            )
        content = path.read_bytes()
    try:
        config = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not JSON ({error}): it may be truncated. Fetch the model again.") from error
    if not isinstance(config, dict):
        raise ModelError(f"{path} holds {type(config).__name__}, and a config is an object of fields.")
    return config


def referenced_config(reference: str | Path) -> dict[str, Any]:
    """The config of a model reference: a file, a folder or a hub id, of which nothing else is fetched.

    Raises as `read_config` and `trivium.weights.reference` do.
    """
    path = Path(reference).expanduser()
    if str(reference) and path.exists():
        return read_config(path)
    from trivium.weights.reference import hub_file  # the hub's library takes longer to import than planning takes

    return read_config(hub_file(str(reference), _CONFIG))
