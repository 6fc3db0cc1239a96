"""Every prediction on the disk as soon as it is made, so that an evaluation that is killed goes on where it was. No
torch.

    samples.partial.jsonl    a first line that says of what; then a line for each batch, appended and flushed
    samples.jsonl            a line for each example once all are there: what was asked, wanted, said, and its score
    evaluation.json          the figures
"""

__all__ = ["EVALUATION", "SAMPLES", "Journal", "prediction_of", "write_samples"]

import contextlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from trivium.data.examples import Examples
from trivium.evaluate.predictions import Prediction
from trivium.files import atomic_write, storage_errors

EVALUATION: Final = "evaluation.json"
SAMPLES: Final = "samples.jsonl"
_PARTIAL: Final = "samples.partial.jsonl"


class Journal:
    """The predictions that a folder already holds under this key, and the place where new ones are added.

    A line that was cut by the end of its process is left out and made again. With no folder nothing is kept.
    """

    def __init__(self, folder: Path | None, key: str) -> None:
        self.folder, self.key = folder, key
        self.predictions: list[Prediction] = []
        self.seconds = 0.0
        if folder is not None and not self._read_finished(folder):
            self._read_partial(folder / _PARTIAL)

    def add(self, predictions: Sequence[Prediction], seconds: float) -> None:
        """Some more of them, in order, and how long they took."""
        self.predictions += predictions
        self.seconds += seconds
        if self.folder is None:
            return
        path = self.folder / _PARTIAL
        with storage_errors(path):
            self.folder.mkdir(parents=True, exist_ok=True)
            new = not path.exists()
            with path.open("a", encoding="utf-8") as stream:
                if new:
                    stream.write(json.dumps({"key": self.key}) + "\n")
                line = {"seconds": seconds, "predictions": [prediction.to_dict() for prediction in predictions]}
                stream.write(json.dumps(line) + "\n")
                stream.flush()
                os.fsync(stream.fileno())

    def finish(self) -> None:
        """Remove the partial file: what was in it stands in the samples."""
        if self.folder is not None:
            (self.folder / _PARTIAL).unlink(missing_ok=True)

    def _read_finished(self, folder: Path) -> bool:
        try:
            found = json.loads((folder / EVALUATION).read_text(encoding="utf-8"))
            lines = (folder / SAMPLES).read_text(encoding="utf-8").split("\n")[:-1]
            read = [prediction_of(json.loads(line)) for line in lines]
        except (OSError, ValueError, KeyError):
            return False
        if not isinstance(found, dict) or found.get("key") != self.key or found.get("items") != len(read):
            return False
        self.predictions, self.seconds = read, float(found.get("seconds", 0.0))
        return True

    def _read_partial(self, path: Path) -> None:
        """What is whole of the file; the rest of it goes, as does a file of another key."""
        if not path.is_file():
            return
        head, *lines = path.read_bytes().split(b"\n")[:-1] or [b""]
        kept = [head]
        with contextlib.suppress(ValueError, KeyError):  # a line that was cut, and all behind it
            if json.loads(head)["key"] != self.key:
                raise ValueError("of something else")
            for line in lines:
                content = json.loads(line)
                self.predictions += [prediction_of(each) for each in content["predictions"]]
                self.seconds += content["seconds"]
                kept.append(line)
        if self.predictions:
            atomic_write(path, b"".join(line + b"\n" for line in kept))
        else:
            path.unlink()


def prediction_of(content: dict[str, Any]) -> Prediction:
    """The prediction that a line of samples holds."""
    said = content["said"]
    return Prediction(tuple(said) if isinstance(said, list) else said, content["scores"], content["input"])


def write_samples(path: Path, examples: Examples, predictions: Sequence[Prediction], items: Sequence[float]) -> None:
    """A line for each example: its number, itself, what was said of it, and its score."""
    lines = [
        json.dumps(
            {"number": number, "example": asdict(example), **prediction.to_dict(), "score": score}, ensure_ascii=False
        )
        for number, (example, prediction, score) in enumerate(zip(examples, predictions, items, strict=True))
    ]
    atomic_write(path, ("\n".join(lines) + "\n").encode(errors="backslashreplace"))  # half a pair, as JSON spells it
