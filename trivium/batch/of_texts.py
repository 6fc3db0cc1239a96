"""What the tasks on texts share: the model, the texts that it cannot read, those that are cut to fit."""

__all__ = ["OfTexts"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trivium.batch.journal import CUT
from trivium.batch.texts import texts_refused, tokens_of
from trivium.evaluate.identity import identity_of
from trivium.language_model import LanguageModel
from trivium.tasks.reading import Text


@dataclass(frozen=True)
class OfTexts:
    """A task on a column "text", or on two that are read together."""

    lm: LanguageModel
    truncate: bool = False
    chunk_rows: int = 128

    @property
    def limit(self) -> int | None:
        """The most tokens of a text; None: any number."""
        return self.lm.architecture.context

    @property
    def cut_types(self) -> dict[str, Any]:
        """The column that says which texts were cut, where they may be."""
        import pyarrow

        return {CUT: pyarrow.bool_()} if self.truncate else {}

    def says(self, task: str, **options: Any) -> dict[str, Any]:
        """Everything that decides the results."""
        return {"task": task, "model": identity_of(self.lm), "truncate": self.truncate, **options}

    def reason(self, texts: Sequence[tuple[str, object]]) -> str | None:
        """Why texts (with their names) cannot be read together, or None."""
        return texts_refused(self.lm.tokenizer, texts, None if self.truncate else self.limit)

    def with_cut(self, texts: Sequence[Text], results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """The results, with whether each text was cut, where they may be."""
        if not self.truncate:
            return list(results)
        limit = self.limit
        return [
            {**result, CUT: limit is not None and tokens_of(self.lm.tokenizer, text) > limit}
            for text, result in zip(texts, results, strict=True)
        ]
