"""A task that needs no model: it counts characters, and can be killed in the middle."""

import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow

from trivium.data.readers import Row


@dataclass
class Lengths:
    """The length of each text, and the place of its chunk; it dies at the chunk that begins at row `dies_at`."""

    chunk_rows: int = 4
    name: str = "lengths"
    dies_at: int | None = None

    @property
    def roles(self) -> Mapping[str, bool]:
        return {"text": True, "text_b": False}

    @property
    def types(self) -> Mapping[str, Any]:
        return {"length": pyarrow.int64(), "chunk": pyarrow.list_(pyarrow.int64())}

    @property
    def described(self) -> Mapping[str, Any]:
        return {"task": self.name}

    def refused(self, row: Row) -> str | None:
        return None if row["text"] else "no text"

    def results(self, rows: Sequence[Row], first: int) -> list[dict[str, Any]]:
        if self.dies_at is not None and first >= self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return [{"length": len(row["text"]), "chunk": [first, len(rows)]} for row in rows]
