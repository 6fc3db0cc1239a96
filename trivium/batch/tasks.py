"""What a model does with the rows of a file: what it needs of a row, what it adds, and which rows it cannot do.

Results are those of the Python methods (`lm.classify`, ...), spread over columns. `tasks.reading` cuts what is too long
where that is asked for, and a column "cut" then says of which rows.
"""

__all__ = ["Answers", "Classes", "TaggedTexts", "Translations", "Vectors", "fingerprint"]

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, cast

import torch

from trivium.architecture import SequenceLabels, Spans, TokenLabels
from trivium.batch.journal import CUT
from trivium.batch.texts import no_room, texts_refused, tokens_of
from trivium.data.readers import Row
from trivium.decode.draw import SEEDS
from trivium.decode.prompt import prompt_ids
from trivium.errors import UsageError
from trivium.language_model import LanguageModel
from trivium.tasks.reading import Text, require_head


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
class _OfTexts:
    """A task on a column "text", or on two that are read together."""

    lm: LanguageModel
    truncate: bool = False
    chunk_rows: int = 256

    @property
    def _limit(self) -> int | None:
        return self.lm.architecture.context

    @property
    def _cut_types(self) -> dict[str, Any]:
        import pyarrow

        return {CUT: pyarrow.bool_()} if self.truncate else {}

    def _described(self, task: str, **options: Any) -> dict[str, Any]:
        return {"task": task, "model": fingerprint(self.lm), "truncate": self.truncate, **options}

    def _reason(self, texts: Sequence[tuple[str, object]]) -> str | None:
        return texts_refused(self.lm.tokenizer, texts, None if self.truncate else self._limit)

    def _with_cut(self, texts: Sequence[Text], results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        if not self.truncate:
            return list(results)
        limit = self._limit
        return [
            {**result, CUT: limit is not None and tokens_of(self.lm.tokenizer, text) > limit}
            for text, result in zip(texts, results, strict=True)
        ]


@dataclass(frozen=True)
class Classes(_OfTexts):
    """`lm.classify`: predicted_label, score and scores of every label."""

    def __post_init__(self) -> None:
        require_head(self.lm.model, SequenceLabels, "classifies", "BertForSequenceClassification")

    @property
    def roles(self) -> Mapping[str, bool]:
        """A text, or two that are read together."""
        return {"text": True, "text_b": False}

    @property
    def types(self) -> Mapping[str, Any]:
        """The label, its score, and the score of each."""
        import pyarrow

        labels = cast(SequenceLabels, self.lm.architecture.task).labels
        scores = pyarrow.struct([(label, pyarrow.float64()) for label in labels])
        added = {"predicted_label": pyarrow.string(), "score": pyarrow.float64(), "scores": scores}
        return {**added, **self._cut_types}

    @property
    def described(self) -> Mapping[str, Any]:
        """The model, and whether texts are cut."""
        return self._described("classify")

    def refused(self, row: Row) -> str | None:
        """A text that is none, or too long."""
        texts = [("text" if role == "text" else "second text", row[role]) for role in row]
        return self._reason(texts) or no_room(self.lm.tokenizer, texts, self._limit)

    def results(self, rows: Sequence[Row], first: int) -> list[dict[str, Any]]:
        """The classification of each row."""
        texts: list[Text] = [(row["text"], row["text_b"]) if "text_b" in row else row["text"] for row in rows]
        found = self.lm.classify(texts, truncate=self.truncate)
        made = [{"predicted_label": one.label, "score": one.score, "scores": dict(one.scores)} for one in found]
        return self._with_cut(texts, made)


@dataclass(frozen=True)
class TaggedTexts(_OfTexts):
    """`lm.tag`: entities, and every word with its label; characters count in the text."""

    def __post_init__(self) -> None:
        require_head(self.lm.model, TokenLabels, "tags", "BertForTokenClassification")

    @property
    def roles(self) -> Mapping[str, bool]:
        """A text."""
        return {"text": True}

    @property
    def types(self) -> Mapping[str, Any]:
        """Lists of spans."""
        import pyarrow

        text, number = pyarrow.string(), pyarrow.int64()
        span = pyarrow.struct(
            [("text", text), ("start", number), ("end", number), ("label", text), ("score", pyarrow.float64())]
        )
        return {"entities": pyarrow.list_(span), "words": pyarrow.list_(span), **self._cut_types}

    @property
    def described(self) -> Mapping[str, Any]:
        """The model, and whether texts are cut."""
        return self._described("tag")

    def refused(self, row: Row) -> str | None:
        """A text that is none, or too long."""
        return self._reason([("text", row["text"])])

    def results(self, rows: Sequence[Row], first: int) -> list[dict[str, Any]]:
        """The tags of each row."""
        texts = [row["text"] for row in rows]
        found = self.lm.tag(texts, truncate=self.truncate)
        made = [
            {"entities": [asdict(span) for span in one.entities], "words": [asdict(span) for span in one.words]}
            for one in found
        ]
        return self._with_cut(texts, made)


@dataclass(frozen=True)
class Answers(_OfTexts):
    """`lm.answer`: the answer, its characters in the context, its score, and how probable it is that there is none."""

    chunk_rows: int = 64
    max_tokens: int = 15

    def __post_init__(self) -> None:
        require_head(self.lm.model, Spans, "answers from", "BertForQuestionAnswering")

    @property
    def roles(self) -> Mapping[str, bool]:
        """A question and the text that may answer it."""
        return {"question": True, "context": True}

    @property
    def types(self) -> Mapping[str, Any]:
        """A span and its probabilities."""
        import pyarrow

        place, share = pyarrow.int64(), pyarrow.float64()
        return {"answer": pyarrow.string(), "start": place, "end": place, "score": share, "no_answer": share}

    @property
    def described(self) -> Mapping[str, Any]:
        """The model, and the longest answer."""
        return self._described("answer", max_tokens=self.max_tokens)

    def refused(self, row: Row) -> str | None:
        """A question or a context that is none."""
        texts = [(role, row[role]) for role in self.roles]
        return texts_refused(self.lm.tokenizer, texts, None) or no_room(self.lm.tokenizer, texts, self._limit)

    def results(self, rows: Sequence[Row], first: int) -> list[dict[str, Any]]:
        """The answer to each row."""
        found = [self.lm.answer(row["question"], row["context"], max_tokens=self.max_tokens) for row in rows]
        return [{"answer": one.text, **{k: v for k, v in asdict(one).items() if k != "text"}} for one in found]


@dataclass(frozen=True)
class Translations(_OfTexts):
    """`lm.generate`, greedy unless told otherwise, with words before each text that say what to do with it."""

    chunk_rows: int = 64
    before: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.lm.architecture.decoder is None or self.lm.model.head is None:
            raise UsageError("This model writes no text, so it cannot translate: load an encoder-decoder or a decoder.")
        if self.truncate:
            raise UsageError("A text that is cut is another text to translate: leave --truncate out.")

    @property
    def roles(self) -> Mapping[str, bool]:
        """A text."""
        return {"source": True}

    @property
    def types(self) -> Mapping[str, Any]:
        """What was written, and how that ended."""
        import pyarrow

        return {"translation": pyarrow.string(), "finish_reason": pyarrow.string(), "logprob": pyarrow.float64()}

    @property
    def described(self) -> Mapping[str, Any]:
        """The model, the words before, and how it is decoded."""
        return self._described("translate", before=self.before, options=dict(self.options))

    def refused(self, row: Row) -> str | None:
        """A text that is none, or too long."""
        reason = texts_refused(self.lm.tokenizer, [("source", row["source"])], None)
        limit, kind = self._limit, self.lm.architecture.kind
        if reason is not None or limit is None:
            return reason
        tokens = len(prompt_ids(self.lm.tokenizer, kind, self.before + row["source"]))
        return f"more than {limit:,} tokens" if tokens + (kind == "decoder") > limit else None

    def results(self, rows: Sequence[Row], first: int) -> list[dict[str, Any]]:
        """The translation of each row."""
        seed = (self.options.get("seed", 0) + first) % SEEDS  # a row draws the same wherever a job was stopped
        prompts = [self.before + row["source"] for row in rows]
        found = self.lm.generate(prompts, **{**self.options, "seed": seed})
        return [{"translation": one.text, "finish_reason": one.finish_reason, "logprob": one.logprob} for one in found]


@dataclass(frozen=True)
class Vectors(_OfTexts):
    """`lm.embed`: a vector for each text, of numbers with the nine digits that float32 has."""

    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def _limit(self) -> int | None:
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

        return {"vector": pyarrow.list_(pyarrow.float32()), **self._cut_types}

    @property
    def described(self) -> Mapping[str, Any]:
        """The model, how vectors are made, and whether texts are cut."""
        return self._described("embed", vectors=asdict(self.lm.vectors) if self.lm.vectors else {}, **self.options)

    def refused(self, row: Row) -> str | None:
        """A text that is none, or too long with what goes before it."""
        return self._reason([("text", self._read(row["text"]))])

    def results(self, rows: Sequence[Row], first: int) -> list[dict[str, Any]]:
        """The vector of each row."""
        texts = [row["text"] for row in rows]
        vectors = self.lm.embed(texts, truncate=self.truncate, **self.options).tolist()
        made = [{"vector": [float(f"{number:.9g}") for number in vector]} for vector in vectors]
        return self._with_cut([self._read(text) for text in texts], made)

    def _read(self, text: Any) -> Any:
        before = "" if self.lm.vectors is None else self.lm.vectors.prompt
        return before + text if isinstance(text, str) and text.strip() else text
