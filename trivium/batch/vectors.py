"""What a model makes of rows to compare them: `lm.embed`."""

__all__ = ["Vectors"]

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from trivium.batch.of_texts import OfTexts
from trivium.data.readers import Row


@dataclass(frozen=True)
class Vectors(OfTexts):
    """`lm.embed`: a vector for each text, of numbers with the nine digits that float32 has."""

    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def limit(self) -> int | None:
        """The model's positions, or the fewer that the folder's vectors are of."""
        vectors = self.lm.vectors
        own = None if vectors is None else vectors.max_tokens
        return min((bound for bound in (self.lm.architecture.context, own) if bound is not None), default=None)

    @property
    def roles(self) -> Mapping[str, bool]:
        """A text."""
        return {"text": True}

    @property
    def types(self) -> Mapping[str, Any]:
        """A list of numbers."""
        import pyarrow

        return {"vector": pyarrow.list_(pyarrow.float32()), **self.cut_types}

    @property
    def described(self) -> Mapping[str, Any]:
        """The model, how vectors are made, and whether texts are cut."""
        return self.says("embed", vectors=asdict(self.lm.vectors) if self.lm.vectors else {}, **self.options)

    def refused(self, row: Row) -> str | None:
        """A text that is none, or too long with what goes before it."""
        return self.reason([("text", self._read(row["text"]))])

    def results(self, rows: Sequence[Row], first: int) -> list[dict[str, Any]]:
        """The vector of each row."""
        texts = [row["text"] for row in rows]
        vectors = self.lm.embed(texts, truncate=self.truncate, **self.options).tolist()
        made = [{"vector": [float(f"{number:.9g}") for number in vector]} for vector in vectors]
        return self.with_cut([self._read(text) for text in texts], made)

    def _read(self, text: Any) -> Any:
        before = "" if self.lm.vectors is None else self.lm.vectors.prompt
        return before + text if isinstance(text, str) and text.strip() else text
