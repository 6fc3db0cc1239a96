"""What a job has done so far, on the disk: a kill at any moment costs the rows that were under way, and no more.

    reviews.out.jsonl.partial/
        results.jsonl     the result of each row, in order
        state.json        of which job, how many rows and bytes of results are whole

Results are appended and flushed to the disk before the state that counts them takes the old one's place. What a kill
leaves behind the counted bytes is cut off on opening. No torch.
"""

__all__ = ["CUT", "SKIPPED", "Journal", "open_journal"]

import contextlib
import fcntl
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import Any, Final

from trivium.errors import CheckpointError, ModelError, UsageError
from trivium.files import atomic_write, storage_errors

_RESULTS, _STATE = "results.jsonl", "state.json"

#: Why a row has no result is said under this name, in the journal and in the output.
SKIPPED: Final = "skipped"
#: Whether the text of a row was cut to fit, where that may be.
CUT: Final = "cut"


@dataclass
class Journal:
    """The results of the first `rows` rows, how many texts were cut, and why rows have none: reason -> rows.

    `first_skipped` is the number of the first row of each reason, from 1.
    """

    folder: Path
    job: Mapping[str, Any]
    stream: FileIO
    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0
    cut: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    first_skipped: dict[str, int] = field(default_factory=dict)

    def append(self, results: Sequence[Mapping[str, Any]], seconds: float) -> None:
        """The results of the next rows, which took so long. They are on the disk when this returns.

        Raises `ModelError` for results with numbers that are none, `StorageError` where the disk is full.
        """
        try:
            text = "".join(json.dumps(result, ensure_ascii=False, allow_nan=False) + "\n" for result in results)
        except ValueError as error:
            raise ModelError(
                f"Among rows {self.rows + 1:,} to {self.rows + len(results):,} the model gave a score that is no "
                "number: it may be damaged, or overflow in this precision (try float32). The rows before are kept."
            ) from error
        with storage_errors(self.folder):
            rest = memoryview(text.encode())
            while rest:  # the stream has no buffer, which would be written once more when a full disk closes it
                rest = rest[self.stream.write(rest) :]
            os.fsync(self.stream.fileno())
        for number, result in enumerate(results, self.rows + 1):
            self.cut += bool(result.get(CUT))
            reason = result.get(SKIPPED)
            if reason is not None:
                self.skipped[reason] += 1
                self.first_skipped.setdefault(reason, number)
        self.rows, self.bytes, self.seconds = self.rows + len(results), self.stream.tell(), self.seconds + seconds
        self._save()

    def results(self) -> Iterator[dict[str, Any]]:
        """Every result so far, in order."""
        with (self.folder / _RESULTS).open("rb") as stream:
            for line in stream:
                yield json.loads(line)

    def remove(self) -> None:
        """Take the folder away, once its results are elsewhere."""
        shutil.rmtree(self.folder)

    def _save(self) -> None:
        state = {
            "job": self.job,
            "rows": self.rows,
            "bytes": self.bytes,
            "seconds": self.seconds,
            "cut": self.cut,
            "skipped": self.skipped,
            "first_skipped": self.first_skipped,
        }
        atomic_write(self.folder / _STATE, json.dumps(state, indent=2, ensure_ascii=False) + "\n")

    def _load(self) -> None:
        path = self.folder / _STATE
        try:
            state = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise CheckpointError(
                f"{path} is not JSON ({error}): it was altered. Remove the folder to start afresh."
            ) from error
        if state["job"] != dict(self.job):
            other = _difference(state["job"], self.job)
            raise UsageError(
                f"{self.folder} holds the first {state['rows']:,} rows of another job: {other}. "
                "Say the same as then to go on with it, remove the folder to start afresh, or choose another output."
            )
        self.rows, self.bytes, self.seconds = state["rows"], state["bytes"], state["seconds"]
        self.cut = state["cut"]
        self.skipped, self.first_skipped = Counter(state["skipped"]), dict(state["first_skipped"])


@contextlib.contextmanager
def open_journal(folder: Path, job: Mapping[str, Any]) -> Iterator[Journal]:
    """The journal of a job, new or as a kill left it; nobody else can open it meanwhile.

    `job` is everything that decides the results, as JSON has it. Raises `UsageError` for a folder of another job or one
    in use, `CheckpointError` for one that was altered, `StorageError` where it cannot be written.
    """
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        stream = (folder / _RESULTS).open("ab", buffering=0)
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(f"{folder} is in use: another process writes the same output. Let it end.") from error
        journal = Journal(folder, job, stream)
        if (folder / _STATE).is_file():
            journal._load()
        there = os.fstat(stream.fileno()).st_size
        if there < journal.bytes:
            raise CheckpointError(
                f"{folder / _RESULTS} has {there:,} bytes, of which {journal.bytes:,} were written: it was cut. Remove "
                "the folder to start afresh."
            )
        stream.truncate(journal.bytes)
        yield journal


def _difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """The first thing in which two jobs differ."""
    name = next(name for name in [*before, *now] if before.get(name) != now.get(name))
    return f"{name} was {_shown(before.get(name))} and is {_shown(now.get(name))}"


def _shown(value: Any) -> str:
    return str(value) if isinstance(value, str | None) else json.dumps(value, ensure_ascii=False)
