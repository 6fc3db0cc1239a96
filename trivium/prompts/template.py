r"""A template: how an example is put in words, with the place where the answer goes. No torch.

    Review: {{ text }}\\nSentiment: {{ label }}

    examples of       fields                        the answer
    classification    text (and text_b of a pair)   label
    extraction        question, context             answer
    text-to-text      source                        target

The language is Jinja's, in its sandbox. A shot is rendered whole; of what is asked, the text before the answer.
"""

__all__ = ["ANSWERS", "Rendered", "Template", "fields_of"]

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import jinja2
import jinja2.meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from trivium.data.examples import Conversation, Example, Form, LabelledText, Preference, Question, TaggedWords
from trivium.errors import DataError, UsageError, nearest

#: The field that holds the answer, by the form of the examples.
ANSWERS: Final[Mapping[Form, str]] = {"classification": "label", "extraction": "answer", "text-to-text": "target"}

#: What may stand in a template for each form, and what a template has where none is given.
_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "label": ("text", "text_b", "label"),
    "answer": ("question", "context", "answer"),
    "target": ("source", "target"),
}
_DEFAULTS: Final[Mapping[str, str]] = {
    "label": "Text: {{ text }}\nLabel: {{ label }}",
    "answer": "{{ context }}\nQuestion: {{ question }}\nAnswer: {{ answer }}",
    "target": "Input: {{ source }}\nOutput: {{ target }}",
}
_PAIR: Final = "Text: {{ text }}\nSecond text: {{ text_b }}\nLabel: {{ label }}"
_PRIVATE_USE: Final = range(0xE000, 0xF900)


def fields_of(example: Example) -> dict[str, str]:
    """The fields of an example without its answer. Raises `DataError` for words with tags and conversations."""
    match example:
        case LabelledText(text=str(text)):
            return {"text": text}
        case LabelledText():
            return {"text": example.text[0], "text_b": example.text[1]}
        case Question():
            return {"question": example.question, "context": example.context}
        case TaggedWords() | Conversation() | Preference():
            raise DataError(
                "Words with tags and conversations are no task for a prompt: give texts with labels, questions, pairs."
            )
        case _:
            return {"source": example.source}


@dataclass(frozen=True)
class Rendered:
    """An example in words: what stands before the answer, and behind it."""

    before: str
    after: str

    def complete(self, answer: str) -> str:
        """With an answer in its place."""
        return self.before + answer + self.after


@dataclass(frozen=True)
class Template:
    """A text of Jinja's language with the fields of an example and its answer.

    Raises `UsageError` where it is not Jinja, has an unknown field, none for the answer or none for what is asked.
    """

    source: str

    def __post_init__(self) -> None:
        """Check the fields."""
        self.answer  # noqa: B018  raises where there is none, or several
        known = _FIELDS[self.answer]
        for name in sorted(self.fields):
            if name not in known:
                raise UsageError(
                    f"The template has the field '{name}', and beside '{self.answer}' there can be "
                    f"{', '.join(known[:-1])}.{nearest(name, known)} The template is {self.source!r:.200}."
                )
        if self.fields == {self.answer}:
            raise UsageError(
                f"The template misses a field: it never shows what is asked. Put {{{{ {known[0]} }}}} into it. It is "
                f"{self.source!r:.200}."
            )
        marked = {name: chr(_PRIVATE_USE[number]) for number, name in enumerate(known[:-1], 1)}
        if not any(mark in self.render(marked).before for mark in marked.values()):
            raise UsageError(
                f"The template wants the answer before it shows what is asked: {{{{ {self.answer} }}}} comes last. It "
                f"is {self.source!r:.200}."
            )

    @classmethod
    def default(cls, form: Form, pair: bool = False) -> "Template":
        """What a form of examples gets where nobody gave a template. Raises `DataError` for a form without answers."""
        if form not in ANSWERS:
            raise DataError(f"Examples of {form} cannot be prompted for: {', '.join(ANSWERS)} can.")
        return cls(_PAIR if pair else _DEFAULTS[ANSWERS[form]])

    @property
    def fields(self) -> frozenset[str]:
        """The names that it reads."""
        return _compiled(self.source)[1]

    @property
    def answer(self) -> str:
        """Which of its fields is the answer."""
        found = [name for name in _FIELDS if name in self.fields]
        if len(found) != 1:
            has = f"has {' and '.join(found)}" if found else "misses a field"
            raise UsageError(
                f"The template {has}: it needs one place for the answer, which is {{{{ label }}}} (classification), "
                f"{{{{ answer }}}} (questions) or {{{{ target }}}} (text to text). It is {self.source!r:.200}."
            )
        return found[0]

    def check(self, form: Form, example: Example) -> None:
        """Raise `UsageError` where it does not suit examples of that form like this one: it misses a field of them."""
        asked = fields_of(example)
        if ANSWERS.get(form) != self.answer:
            raise UsageError(
                f"The template asks for {{{{ {self.answer} }}}}, and the examples are of {form}"
                f"{f', whose answer is {{{{ {ANSWERS[form]} }}}}' if form in ANSWERS else ''}. Give another template."
            )
        absent = sorted(self.fields - {*asked, self.answer})
        unread = sorted(set(asked) - self.fields) if form == "classification" else []
        if absent or unread:
            field = (absent or unread)[0]
            wrong = f"reads {{{{ {field} }}}}, which the examples have not" if absent else f"misses the field '{field}'"
            raise UsageError(f"The template {wrong}: they have {', '.join(asked)}. It is {self.source!r:.200}.")

    def render(self, fields: Mapping[str, str]) -> Rendered:
        """An example in words, cut at its answer.

        Raises `UsageError` where a field is missing, the template fails, or the answer does not stand in it once, as
        it is.
        """
        used = {*self.source, *"".join(fields.values())}
        mark = next(chr(code) for code in _PRIVATE_USE if chr(code) not in used)
        parts = self._text({**fields, self.answer: mark}).split(mark)
        if len(parts) != 2:
            raise UsageError(
                f"The template shows the answer {len(parts) - 1} times: {{{{ {self.answer} }}}} must stand in it once."
            )
        rendered = Rendered(*parts)
        if self._text({**fields, self.answer: "Answer"}) != rendered.complete("Answer"):
            raise UsageError(
                f"The template changes the answer, or what it says with it: write {{{{ {self.answer} }}}} bare, and "
                "say how labels are worded by label words."
            )
        return rendered

    def _text(self, fields: Mapping[str, str]) -> str:
        try:
            return _compiled(self.source)[0].render(**fields)
        except Exception as error:  # a template is a program: anything may come out of it
            raise UsageError(f"The template cannot be filled in: {error}. It is {self.source!r:.200}.") from error


@lru_cache(maxsize=64)
def _compiled(source: str) -> tuple[jinja2.Template, frozenset[str]]:
    environment = ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    try:
        names = jinja2.meta.find_undeclared_variables(environment.parse(source))
        return environment.from_string(source), frozenset(names)
    except jinja2.TemplateError as error:
        raise UsageError(f"The template is no Jinja: {error}. It is {source!r:.200}.") from error
