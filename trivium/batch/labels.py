"""What a model with a task head does with rows: labels, tags, answers: `lm.classify`, `lm.tag`, `lm.answer`."""

__all__ = ["Answers", "Classes", "TaggedTexts", "TaggedTokens"]

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from trivium.architecture import SequenceLabels, Spans, TokenLabels
from trivium.batch.of_texts import OfTexts
from trivium.batch.texts import LONGEST_CHARACTERS, no_room, texts_refused
from trivium.data.readers import Row
from trivium.errors import UsageError
from trivium.tasks.reading import Text, require_head


@dataclass(frozen=True)
class Classes(OfTexts):
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
        return {**added, **self.cut_types}

    @property
    def described(self) -> Mapping[str, Any]:
        """The model, and whether texts are cut."""
        return self.says("classify")

    def refused(self, row: Row) -> str | None:
        """A text that is none, or too long."""
        texts = [("text" if role == "text" else "second text", row[role]) for role in row]
        return self.reason(texts) or no_room(self.lm.tokenizer, texts, self.limit)

    def results(self, rows: Sequence[Row], first: int) -> list[dict[str, Any]]:
        """The classification of each row."""
        texts: list[Text] = [(row["text"], row["text_b"]) if "text_b" in row else row["text"] for row in rows]
        found = self.lm.classify(texts, truncate=self.truncate)
        made = [{"predicted_label": one.label, "score": one.score, "scores": dict(one.scores)} for one in found]
        return self.with_cut(texts, made)


@dataclass(frozen=True)
class TaggedTexts(OfTexts):
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
        spans = _spans()
        return {"entities": spans, "words": spans, **self.cut_types}

    @property
    def described(self) -> Mapping[str, Any]:
        """The model, and whether texts are cut."""
        return self.says("tag")

    def refused(self, row: Row) -> str | None:
        """A text that is none, or too long."""
        return self.reason([("text", row["text"])])

    def results(self, rows: Sequence[Row], first: int) -> list[dict[str, Any]]:
        """The tags of each row."""
        texts = [row["text"] for row in rows]
        found = self.lm.tag(texts, truncate=self.truncate)
        made = [
            {"entities": [asdict(span) for span in one.entities], "words": [asdict(span) for span in one.words]}
            for one in found
        ]
        return self.with_cut(texts, made)


@dataclass(frozen=True)
class TaggedTokens(OfTexts):
    """`lm.tag_words`: a label for each given word, and the entities; their characters count in the words with spaces.

    A sentence that is too long is read in windows.
    """

    def __post_init__(self) -> None:
        require_head(self.lm.model, TokenLabels, "tags", "BertForTokenClassification")
        if self.truncate:
            raise UsageError("Sentences of given words are read in windows and never cut: leave --truncate out.")

    @property
    def roles(self) -> Mapping[str, bool]:
        """A list of words."""
        return {"tokens": True}

    @property
    def types(self) -> Mapping[str, Any]:
        """A list of labels, one of their scores, and one of spans."""
        import pyarrow

        labels, scores = pyarrow.list_(pyarrow.string()), pyarrow.list_(pyarrow.float64())
        return {"predicted_tags": labels, "scores": scores, "entities": _spans()}

    @property
    def described(self) -> Mapping[str, Any]:
        """The model."""
        return self.says("tag words")

    def refused(self, row: Row) -> str | None:
        """What is no list of words, or of none."""
        words = row["tokens"]
        if not words:
            return "no tokens"
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            return "tokens that are no list of words"
        if not all(word.strip() for word in words):
            return "an empty word"
        return None if sum(map(len, words)) <= LONGEST_CHARACTERS else f"more than {LONGEST_CHARACTERS:,} characters"

    def results(self, rows: Sequence[Row], first: int) -> list[dict[str, Any]]:
        """The tags of each row."""
        return [
            {
                "predicted_tags": [word.label for word in one.words],
                "scores": [word.score for word in one.words],
                "entities": [asdict(span) for span in one.entities],
            }
            for one in self.lm.tag_words([row["tokens"] for row in rows])
        ]


@dataclass(frozen=True)
class Answers(OfTexts):
    """`lm.answer`: the answer, its characters in the context, its score, and how probable it is that there is none."""

    chunk_rows: int = 64
    max_tokens: int = 15
    or_none: bool = False

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
        """The model, the longest answer, and whether there may be none."""
        return self.says("answer", max_tokens=self.max_tokens, or_none=self.or_none)

    def refused(self, row: Row) -> str | None:
        """A question or a context that is none."""
        texts = [(role, row[role]) for role in self.roles]
        return texts_refused(self.lm.tokenizer, texts, None) or no_room(self.lm.tokenizer, texts, self.limit)

    def results(self, rows: Sequence[Row], first: int) -> list[dict[str, Any]]:
        """The answer to each row."""
        questions, contexts = [row["question"] for row in rows], [row["context"] for row in rows]
        found = self.lm.answer(questions, contexts, max_tokens=self.max_tokens, or_none=self.or_none)
        return [
            {"answer": one.text, "start": one.start, "end": one.end, "score": one.score, "no_answer": one.no_answer}
            for one in found
        ]


def _spans() -> Any:
    import pyarrow

    text, number = pyarrow.string(), pyarrow.int64()
    fields = [("text", text), ("start", number), ("end", number), ("label", text), ("score", pyarrow.float64())]
    return pyarrow.list_(pyarrow.struct(fields))
