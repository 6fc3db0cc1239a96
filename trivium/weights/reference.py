"""A model reference, the same everywhere: a local folder, a run folder, or a hub id ("openai-community/gpt2")."""

__all__ = ["hub_file", "model_folder"]

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from huggingface_hub import hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from trivium.errors import UnavailableError, UsageError

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")
#: What a model needs of a repository; weights in other formats and folders of other programs stay there.
_WANTED = ["*.json", "*.safetensors", "*.jinja", "merges.txt", "vocab.txt"]
#: The older form of weights, fetched only where there is no newer one.
_OLDER = ["pytorch_model*.bin"]
#: Folders that stay there too: all but the numbered ones, in which sentence-transformers keeps its steps.
_FOLDERS = "[!0-9]*/*"


def model_folder(reference: str | Path) -> Path:
    """The local folder of a model reference; a hub id is fetched unless it is in the cache already.

    Raises `UsageError` for a folder that is not there, and `UnavailableError` for a hub id that cannot be fetched.
    """
    name, folder = str(reference), Path(reference).expanduser()
    if name and folder.is_dir():
        return folder
    if isinstance(reference, Path) or not _HUB_ID.fullmatch(name):
        kind = "is a file" if folder.is_file() else "does not exist"
        raise UsageError(f"'{name}' {kind}. Give the folder of a model or a run, or a hub id such as org/name.")
    with _hub_errors(name):
        fetched = Path(snapshot_download(name, allow_patterns=_WANTED, ignore_patterns=[_FOLDERS]))
        if not any(fetched.glob("*.safetensors")):
            snapshot_download(name, allow_patterns=_OLDER, ignore_patterns=[_FOLDERS])
        return fetched


def hub_file(name: str, file: str) -> Path:
    """One file of the hub's model `name`, fetched unless it is in the cache already. Raises as `model_folder` does."""
    if not _HUB_ID.fullmatch(name):
        raise UsageError(f"'{name}' does not exist. Give the folder of a model or a run, or a hub id such as org/name.")
    with _hub_errors(name):
        return Path(hf_hub_download(name, file))


@contextlib.contextmanager
def _hub_errors(name: str) -> Iterator[None]:
    """What the hub's library raises, as errors that say what to do."""
    try:
        yield
    except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        raise UnavailableError(
            f"There is no folder '{name}' here, and the hub's '{name}' is not in the cache and cannot be fetched: no "
            "connection. Check the name, or fetch it once while connected; after that it works offline."
        ) from error
    except GatedRepoError as error:
        raise UnavailableError(
            f"The hub gives '{name}' only to those who accepted its terms: accept them on its page and log in with "
            "`hf auth login`."
        ) from error
    except (EntryNotFoundError, RepositoryNotFoundError, HFValidationError) as error:
        raise UnavailableError(
            f"There is no folder '{name}' here and no such model on the hub. Check the name; a private one needs "
            "`hf auth login`."
        ) from error
    except (HfHubHTTPError, OSError) as error:
        raise UnavailableError(f"Fetching '{name}' from the hub failed: {error}. Try again later.") from error
