"""What the tasks on texts share: the model, the texts that it cannot read, those that are cut to fit."""

__all__ = ["OfTexts", "fingerprint"]

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from trivium.batch.journal import CUT
from trivium.batch.texts import texts_refused, tokens_of
from trivium.language_model import LanguageModel
from trivium.tasks.reading import Text


def fingerprint(lm: LanguageModel) -> str:
    """SHA-256 of a model's description, its tokenizer, and the first and last numbers of each of its tensors."""
    digest = hashlib.sha256(f"{lm.architecture} {lm.tokenizer.fingerprint} {lm.generation_config}".encode())
    for name, parameter in lm.model.state_dict().items():
        flat = parameter.detach().flatten()
        ends = torch.cat([flat[:256], flat[-256:]]).float().cpu()
        digest.update(f"{name} {tuple(parameter.shape)} {parameter.dtype}".encode())
        digest.update(ends.numpy().tobytes())
    return digest.hexdigest()


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
        return {"task": task, "model": fingerprint(self.lm), "truncate": self.truncate, **options}

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
