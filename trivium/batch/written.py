"""What a model writes for rows: `lm.translate`, `lm.summarize`, `lm.generate`."""

__all__ = ["Continued", "Written", "text_task"]

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from trivium.batch.journal import CUT
from trivium.batch.of_texts import OfTexts
from trivium.batch.texts import texts_refused
from trivium.data.readers import Row
from trivium.decode.draw import SEEDS
from trivium.decode.generate import Completion
from trivium.decode.prompt import prompt_ids
from trivium.decode.sampling import Sampling
from trivium.errors import UsageError
from trivium.language_model import LanguageModel
from trivium.tasks.text_to_text import TextTask, chosen_task, say, source_ids


def text_task(lm: LanguageModel, kind: str, name: str | None = None, before: str | None = None) -> TextTask:
    """The model's own task of a kind or a name; or one that `before` makes: words before each text say what to do.

    Raises `UsageError` where the model has no such task, or several, and for a name together with words.
    """
    if before is None:
        return chosen_task(lm.text_tasks, kind, name)
    if name is not None:
        raise UsageError("The model's own task says what stands before a text: give --task or --before, not both.")
    return TextTask(kind, prefix=before)


@dataclass(frozen=True)
class Written(OfTexts):
    """A text for each text, as a task of the model has it. `added` is the name of the column."""

    chunk_rows: int = 64
    task: TextTask = field(default_factory=TextTask)
    added: str = "translation"
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require_writer(self.lm)

    @property
    def limit(self) -> int | None:
        """The most tokens of a source, as `tasks.text_to_text.say` has it: a decoder's answer shares the positions."""
        context = self.lm.architecture.context
        if context is None or self.lm.architecture.kind != "decoder":
            return context
        return context - min(self._sampling(0).max_tokens or 0, context // 2)

    @property
    def roles(self) -> Mapping[str, bool]:
        """A text."""
        return {"source": True}

    @property
    def types(self) -> Mapping[str, Any]:
        """What was written, how that ended ("stop", "length"), and its log-probability in nats."""
        return {**_types(self.added), **self.cut_types}

    @property
    def described(self) -> Mapping[str, Any]:
        """The model, its task, and how it is decoded."""
        return self.says("write", text_task=asdict(self.task), added=self.added, decoding=self._sampling(0).to_dict())

    def refused(self, row: Row) -> str | None:
        """A text that is none, or too long."""
        reason = texts_refused(self.lm.tokenizer, [("source", row["source"])], None)
        if reason is not None or self.truncate or not self._excess(row["source"]):
            return reason
        return f"more than {min(self._limits()):,} tokens"

    def results(self, rows: Sequence[Row], first: int) -> list[dict[str, Any]]:
        """What is written for each row."""
        sources = [row["source"] for row in rows]
        found = self.completions(sources, first)
        made = _columns(self.added, found)
        if not self.truncate:
            return made
        return [{**one, CUT: self._excess(source) > 0} for one, source in zip(made, sources, strict=True)]

    def completions(self, sources: Sequence[str], first: int = 0) -> list[Completion]:
        """What the model writes for texts, of which the first has this place in a file."""
        lm = self.lm
        return say(
            lm.model, lm.tokenizer, sources, self.task, self._sampling(first), lm.start_id, truncate=self.truncate
        )

    def _sampling(self, first: int) -> Sampling:
        """How is decoded. A row draws the same wherever a job was stopped, as its place is in the seed."""
        seed = (self.options.get("seed", 0) + first) % SEEDS
        return self.lm.options(**{"max_tokens": self.task.answer_tokens, **self.options, "seed": seed})

    def _excess(self, source: str) -> int:
        """How many tokens of a source are over the limit."""
        return source_ids(self.lm.tokenizer, self.lm.architecture.kind, source, self.task, self.limit)[1]

    def _limits(self) -> list[int]:
        return [bound for bound in (self.limit, self.task.source_tokens) if bound is not None]


@dataclass(frozen=True)
class Continued(OfTexts):
    """`lm.generate`: what follows each prompt, or answers it (encoder-decoder)."""

    chunk_rows: int = 64
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require_writer(self.lm)

    @property
    def roles(self) -> Mapping[str, bool]:
        """A prompt."""
        return {"prompt": True}

    @property
    def types(self) -> Mapping[str, Any]:
        """What was written, how that ended, and its log-probability."""
        return _types("completion")

    @property
    def described(self) -> Mapping[str, Any]:
        """The model, and how it is decoded."""
        return self.says("generate", decoding=self.lm.options(**{"seed": 0, **self.options}).to_dict())

    def refused(self, row: Row) -> str | None:
        """A prompt that is none, or leaves no room for a token behind it."""
        kind, limit = self.lm.architecture.kind, self.limit
        reason = texts_refused(self.lm.tokenizer, [("prompt", row["prompt"])], None)
        if reason is not None or limit is None:
            return reason
        room = limit - (kind == "decoder")
        return f"more than {room:,} tokens" if len(prompt_ids(self.lm.tokenizer, kind, row["prompt"])) > room else None

    def results(self, rows: Sequence[Row], first: int) -> list[dict[str, Any]]:
        """The completion of each row; a row draws the same wherever a job was stopped, as its place is in the seed."""
        seed = (self.options.get("seed", 0) + first) % SEEDS
        return _columns(
            "completion", self.lm.generate([row["prompt"] for row in rows], **{**self.options, "seed": seed})
        )


def _require_writer(lm: LanguageModel) -> None:
    if lm.architecture.decoder is None or lm.model.head is None:
        raise UsageError("This model writes no text: load an encoder-decoder or a decoder.")


def _types(added: str) -> dict[str, Any]:
    import pyarrow

    return {added: pyarrow.string(), "finish_reason": pyarrow.string(), "logprob": pyarrow.float64()}


def _columns(added: str, completions: Sequence[Completion]) -> list[dict[str, Any]]:
    return [{added: one.text, "finish_reason": one.finish_reason, "logprob": one.logprob} for one in completions]
