"""What a model is taught and tested on: a text with its label, words with their tags, a question with its answer, a
text that becomes another.

    text, label                    LabelledText   classification, multi-label, regression
    tokens, tags                   TaggedWords    tagging
    question, context, answers     Question       extraction
    source, target                 TextPair       text-to-text
    prompt, completion             TextPair       text-to-text
    question, answers              TextPair       text-to-text
    messages                       Conversation   conversation
    prompt, chosen, rejected       Preference     preference

`example_reader` makes them of any source.
"""

__all__ = [
    "FORMS",
    "Conversation",
    "Example",
    "Examples",
    "Form",
    "LabelledText",
    "Preference",
    "Question",
    "TaggedWords",
    "Text",
    "TextPair",
]

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal, get_args

import numpy as np

from trivium.errors import DataError, UsageError

#: A text, or two that are read together: a premise and a hypothesis, a question and a passage.
Text = str | tuple[str, str]

#: What is asked of a model: one label of several, any number of them, a number, a label a word, a part of the context,
#: a text, its turns of a conversation, or the better one of two answers.
Form = Literal[
    "classification",
    "multi-label",
    "regression",
    "tagging",
    "extraction",
    "text-to-text",
    "conversation",
    "preference",
]
FORMS: Final[tuple[Form, ...]] = get_args(Form)


@dataclass(frozen=True)
class LabelledText:
    """A text and what it is: a label, several labels (or none), or a number."""

    text: Text
    label: str | tuple[str, ...] | float

    @property
    def labels(self) -> tuple[str, ...]:
        """Its labels; none where it has a number."""
        if isinstance(self.label, tuple):
            return self.label
        return (self.label,) if isinstance(self.label, str) else ()


@dataclass(frozen=True)
class TaggedWords:
    """Words, and a tag for each."""

    words: tuple[str, ...]
    tags: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Its tags."""
        return self.tags


@dataclass(frozen=True)
class Question:
    """A question, and the parts of the context that answer it: the character where each begins. None: unanswerable."""

    question: str
    context: str
    answers: tuple[str, ...]
    starts: tuple[int, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """None."""
        return ()


@dataclass(frozen=True)
class TextPair:
    """A text, and every text that it may become; the first is the one that is taught."""

    source: str
    targets: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """None."""
        return ()


@dataclass(frozen=True)
class Conversation:
    """Who says what, as (role, content): a system's message or none, then user and assistant in turn, who is last."""

    turns: tuple[tuple[str, str], ...]

    @property
    def messages(self) -> list[dict[str, str]]:
        """As a chat template reads it."""
        return [{"role": role, "content": content} for role, content in self.turns]

    @property
    def labels(self) -> tuple[str, ...]:
        """None."""
        return ()


@dataclass(frozen=True)
class Preference:
    """What was said, as (role, content) with a user's turn last, and two answers to it: one is preferred."""

    turns: tuple[tuple[str, str], ...]
    chosen: str
    rejected: str

    @property
    def labels(self) -> tuple[str, ...]:
        """None."""
        return ()


Example = LabelledText | TaggedWords | Question | TextPair | Conversation | Preference


@dataclass(frozen=True)
class Examples:
    """Examples of one form, in order. `skipped` says how many rows were left out, and why."""

    form: Form
    examples: tuple[Example, ...]
    where: str = "the examples"
    skipped: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.examples)

    def __iter__(self) -> Iterator[Example]:
        return iter(self.examples)

    @property
    def label_counts(self) -> dict[str, int]:
        """Every label with how often it stands here, in alphabetical order."""
        return dict(sorted(Counter(label for example in self.examples for label in example.labels).items()))

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label, in alphabetical order."""
        return tuple(self.label_counts)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the examples: equal for equal ones in equal order."""
        digest = hashlib.sha256(self.form.encode())
        for example in self.examples:
            digest.update(json.dumps(asdict(example), ensure_ascii=False).encode(errors="surrogatepass"))
        return digest.hexdigest()

    def pick(self, places: Sequence[int]) -> "Examples":
        """Those at some places."""
        return replace(self, examples=tuple(self.examples[place] for place in places), skipped={})

    def sample(self, count: int, seed: int = 0) -> "Examples":
        """`count` of them, drawn by a seed, in their order; all where there are no more. What was skipped stays."""
        if count >= len(self):
            return self
        drawn = np.random.default_rng(seed).choice(len(self), count, replace=False)
        return replace(self.pick(sorted(drawn.tolist())), skipped=self.skipped)

    def split(self, held_out: float, seed: int = 0) -> tuple["Examples", "Examples"]:
        """Those to train on and a share that is held out, in their order; each label keeps its share in both.

        Equal inputs stay together, so that nothing that is held out is also trained on. What was skipped is said of
        those to train on. Raises `UsageError` where the share is not between 0 and 1 or one side would be empty.
        """
        if not 0 < held_out < 1:
            raise UsageError(
                f"held_out is {held_out}: the share of the examples that is held out lies between 0 and 1."
            )
        groups: dict[object, list[int]] = {}
        for place, example in enumerate(self.examples):
            groups.setdefault(_shown(example), []).append(place)
        strata: dict[object, list[list[int]]] = {}
        for places in groups.values():
            strata.setdefault(_stratum(self.examples[places[0]]), []).append(places)
        rng, out, debt = np.random.default_rng(seed), set[int](), 0.0
        for _, members in sorted(strata.items(), key=lambda item: str(item[0])):
            debt += held_out * len(members)  # carried from label to label: rare ones are not all kept or all left out
            count = round(debt)
            debt -= count
            for member in rng.permutation(len(members))[:count]:
                out.update(members[member])
        if not 0 < len(out) < len(self):
            raise UsageError(
                f"{self.where} has {len(self):,} examples, of which {held_out:.3g} would hold out {len(out):,}: both "
                "sides need one. Give more examples, or another share."
            )
        kept = [place for place in range(len(self)) if place not in out]
        return replace(self.pick(kept), skipped=self.skipped), self.pick(sorted(out))

    def require(self, *forms: Form, what: str) -> "Examples":
        """Itself. Raises `DataError` where the form is none of `forms`, for `what` is to be done."""
        if self.form not in forms:
            raise DataError(
                f"{self.where} holds examples of {self.form}, and {what} needs {' or '.join(forms)}. Name the columns "
                "that hold them, or use another file."
            )
        return self

    def to_dict(self) -> dict[str, Any]:
        """What there is, without the examples."""
        return {
            "form": self.form,
            "where": self.where,
            "examples": len(self),
            "labels": self.label_counts,
            "skipped": dict(self.skipped),
        }


def _shown(example: Example) -> object:
    match example:
        case LabelledText():
            return example.text
        case TaggedWords():
            return example.words
        case Question():
            return example.question, example.context
        case TextPair():
            return example.source
        case Conversation():
            return example.turns[:-1]
        case Preference():
            return example.turns


def _stratum(example: Example) -> object:
    return example.label if isinstance(example, LabelledText) and not isinstance(example.label, float) else None
