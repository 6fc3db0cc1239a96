"""A data set of the Hugging Face hub, streamed by the `datasets` library; nothing of it is kept but its description."""

__all__ = ["HubTable", "open_hub"]

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trivium.data.readers import Row
from trivium.errors import DataError, UnavailableError


@dataclass(frozen=True)
class HubTable:
    """One split of a data set: a stream of rows that can be started again, and the commit that it is read from."""

    stream: Any
    revision: str

    def rows(self) -> Iterator[Row]:
        """The rows from the start."""
        return iter(self.stream)


def open_hub(name: str, split: str, cache: Path) -> HubTable:
    """Open a split of a data set at its newest commit.

    Raises `UnavailableError` where the hub cannot be reached or has no such data set, `DataError` for no such split.
    """
    import datasets
    from huggingface_hub import HfApi

    try:
        revision = HfApi().dataset_info(name).sha or ""
        stream = datasets.load_dataset(
            name, split=split, streaming=True, revision=revision, cache_dir=str(cache / "hub")
        )
    except ValueError as error:
        raise DataError(f"The hub's data set {name} cannot be opened: {error}") from error
    except Exception as error:  # refused, absent, offline: each layer of the connection has errors of its own
        raise UnavailableError(
            f"The hub's data set {name} cannot be had: {str(error).strip().splitlines()[0]}. Check the name and the "
            "network, or use a file of your own or a name of the catalogue (`trivium data list`)."
        ) from error
    return HubTable(stream, f"{revision} {split}")
