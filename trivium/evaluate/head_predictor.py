"""A model by itself as a predictor: its task head says labels, tags or answers; the vocabulary head of a decoder or an
encoder-decoder says texts.
"""

__all__ = ["HeadPredictor"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from trivium.architecture import SequenceLabels, Spans, TokenLabels
from trivium.data.examples import Examples, Form, LabelledText, Question, TaggedWords, TextPair
from trivium.errors import UsageError, nearest
from trivium.evaluate.identity import identity_of
from trivium.evaluate.predictions import Prediction, Said
from trivium.language_model import LanguageModel
from trivium.tasks.classify import Classification
from trivium.tasks.text_to_text import TextTask, say

#: A label of several is said from this probability on.
_THRESHOLD: Final = 0.5
#: What a model says of a text ends there, unless its task or the caller says otherwise.
_MAX_TOKENS: Final = 128


@dataclass(frozen=True)
class HeadPredictor:
    """Asks a model what its head is for.

    `labels` gives other names to the model's labels: {"LABEL_1": "positive"}. `or_none` lets it say that a question has
    no answer. Texts become others by `task`, by default the only one that the model's folder names, or by none, with
    the options of `lm.generate` (greedy if nothing is said). A text over the model's limit is cut; a context and a
    sentence of words are read in windows.
    """

    lm: LanguageModel
    labels: Mapping[str, str] = field(default_factory=dict)
    or_none: bool = False
    task: TextTask | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that there is a head, and the labels' names."""
        if not self.forms:
            raise UsageError(
                f"This {self.lm.architecture.kind} has no head for a task and says nothing of examples: fine-tune it."
            )
        head = self.lm.architecture.task
        known = head.labels if isinstance(head, SequenceLabels | TokenLabels) else ()
        for label in self.labels:
            if label not in known:
                there = ", ".join(known) or "none"
                raise UsageError(f"The model has no label '{label}'.{nearest(label, known)} It has: {there}.")

    @property
    def forms(self) -> tuple[Form, ...]:
        """What its head says; none for an encoder without one."""
        match self.lm.architecture.task:
            case SequenceLabels(problem="regression"):
                return ("regression",)
            case SequenceLabels(problem="multi_label_classification"):
                return ("multi-label",)
            case SequenceLabels():
                return ("classification",)
            case TokenLabels():
                return ("tagging",)
            case Spans():
                return ("extraction",)
            case _:
                return () if self.lm.architecture.decoder is None else ("text-to-text",)

    @property
    def how(self) -> Mapping[str, str]:
        """The weights' digest, other names of labels, what is done with long texts, the template, how it decodes."""
        said, context = {"weights": self._weights}, self.lm.architecture.context
        if self.labels:
            said["labels"] = ", ".join(f"{ours} = {theirs}" for ours, theirs in self.labels.items())
        match self.forms:
            case ("text-to-text",):
                task, kind = self._text_task, self.lm.architecture.kind
                said["template"] = repr(f"{task.prefix}{{source}}{task.behind(kind)}")
                said["decoding"] = str(self.lm.options(**self._decoding))
            case ("extraction",):
                said["no answer"] = "may be said" if self.or_none else "is never said"
            case ("tagging",) | ():
                pass
            case _ if context is not None:
                said["long texts"] = f"cut at {context:,} tokens"
        return said

    def predict(self, examples: Examples) -> list[Prediction]:
        """A prediction for each example, in their order. Raises `UsageError` for a model that has no head for it."""
        examples.require(*self.forms, what="this model's head")
        match self.lm.architecture.task:
            case SequenceLabels():
                texts = [each.text for each in examples if isinstance(each, LabelledText)]
                return [self._classified(done) for done in self.lm.classify(texts, truncate=True)]
            case TokenLabels():
                words = [each.words for each in examples if isinstance(each, TaggedWords)]
                tagged = self.lm.tag_words(words)
                return [Prediction(tuple(self._named(word.label) for word in tags.words)) for tags in tagged]
            case Spans():
                return self._answered([each for each in examples if isinstance(each, Question)])
            case _:
                return self._written([each.source for each in examples if isinstance(each, TextPair)])

    @cached_property
    def _weights(self) -> str:
        """So that kept predictions are never taken for those of other weights."""
        return identity_of(self.lm)[:16]

    @property
    def _text_task(self) -> TextTask:
        if self.task is not None:
            return self.task
        known = list(self.lm.text_tasks.values())
        return known[0] if len(known) == 1 else TextTask()

    @property
    def _decoding(self) -> dict[str, Any]:
        return {"temperature": 0.0, "max_tokens": self._text_task.answer_tokens or _MAX_TOKENS, **self.options}

    def _named(self, label: str) -> str:
        return self.labels.get(label, label)

    def _classified(self, done: Classification) -> Prediction:
        scores = {self._named(label): score for label, score in done.scores.items()}
        said: Said = self._named(done.label)
        if self.forms == ("regression",):
            return Prediction(done.score)
        if self.forms == ("multi-label",):
            said = tuple(label for label, score in scores.items() if score > _THRESHOLD)
        return Prediction(said, scores)

    def _answered(self, questions: Sequence[Question]) -> list[Prediction]:
        asked, contexts = [each.question for each in questions], [each.context for each in questions]
        return [Prediction(done.text) for done in self.lm.answer(asked, contexts, or_none=self.or_none)]

    def _written(self, sources: Sequence[str]) -> list[Prediction]:
        task, kind = self._text_task, self.lm.architecture.kind
        options = self.lm.options(**self._decoding)
        done = say(self.lm.model, self.lm.tokenizer, sources, task, options, self.lm.start_id, truncate=True)
        inputs = [f"{task.prefix}{source}{task.behind(kind)}" for source in sources]
        return [Prediction(each.text.strip(), input=read) for each, read in zip(done, inputs, strict=True)]
