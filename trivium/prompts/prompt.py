"""A prompt: an instruction, shots, and what is asked, in the words of a template and in a model's tokens.

    text    Decide whether the review is positive.      chat    system       Decide whether ...
                                                                user         Review: Odd. Sentiment:
            Review: Odd. Sentiment: negative                    assistant    negative
                                                                user         Review: Fine. Sentiment:
            Review: Fine. Sentiment:                            assistant

White space before an answer belongs to the answer, as tokenizers put it at the beginning of words; where a token still
lies over the border, it counts with the answer, of all choices alike.

Letters: C choices.
"""

__all__ = ["STYLES", "Built", "Prompt", "answer_of", "build", "limit_of", "unconditional"]

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from trivium.data.examples import Example, LabelledText, Question, TextPair
from trivium.decode.prompt import Ids, surround
from trivium.errors import UsageError, nearest
from trivium.language_model import LanguageModel
from trivium.prompts.template import Template, fields_of
from trivium.prompts.words import LabelWords
from trivium.text.chat import Message, chat_ids, render

#: One running text, or turns of a conversation in the form of the tokenizer's chat template.
STYLES: Final = ("text", "chat")


@dataclass(frozen=True)
class Prompt:
    """How a task is put to a model. `words` are the choices; without them the model answers in free text."""

    template: Template
    words: LabelWords | None = None
    instruction: str = ""
    separator: str = "\n\n"
    style: str = "text"

    def __post_init__(self) -> None:
        """Check the values."""
        if self.style not in STYLES:
            raise UsageError(
                f"There is no style '{self.style}' of a prompt: {' and '.join(STYLES)}.{nearest(self.style, STYLES)}"
            )

    def answer(self, example: Example) -> str:
        """The right answer in the prompt's words."""
        answer = answer_of(example)
        if self.words is None:
            return answer
        if answer not in self.words.words:
            raise UsageError(
                f"An example has the label '{answer}', which has no word: there are words for "
                f"{', '.join(self.words.labels)}."
            )
        return self.words.words[answer]

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "template": self.template.source,
            "words": None if self.words is None else dict(self.words.words),
            "instruction": self.instruction,
            "separator": self.separator,
            "style": self.style,
        }


def answer_of(example: Example) -> str:
    """What is right: the label, the first answer ("" where there is none), the first target."""
    match example:
        case LabelledText(label=str(label)):
            return label
        case Question():
            return example.answers[0] if example.answers else ""
        case TextPair():
            return example.targets[0]
        case _:
            raise UsageError(
                "A prompt asks for one label, an answer or a text: not for several labels, numbers or tags."
            )


@dataclass(frozen=True)
class Built:
    """A prompt as it is read: its text, its tokens, each choice's tokens, and how many shots found no room."""

    text: str
    ids: Ids
    choices: tuple[Ids, ...]
    shots: int
    left_out: int


def limit_of(lm: LanguageModel) -> int | None:
    """How many tokens a prompt and its answer may have: the positions there are, or those of the training."""
    stack = lm.architecture.stacks[0]
    return lm.architecture.context or stack.trained_length


def build(
    lm: LanguageModel, prompt: Prompt, fields: Mapping[str, str], shots: Sequence[Example] = (), room: int = 1
) -> Built:
    """What the model reads for an example with these fields, after as many of the shots as fit.

    Shots are left out from the last one on, so that what prompts share stays at their beginning. `room` tokens at least
    are kept for the answer. Raises `UsageError` where even a prompt without shots does not fit.
    """
    asked, limit = prompt.template.render(fields).before, limit_of(lm)
    for count in range(len(shots), -1, -1):
        made = _build(lm, prompt, asked, shots[:count], len(shots) - count)
        longest = max(room, *map(len, made.choices), 1)
        alone = lm.architecture.kind == "decoder"
        tokens = len(made.ids) + longest - 1 if alone else max(len(made.ids), longest)
        if limit is None or tokens <= limit:
            return made
    raise UsageError(
        f"A prompt without any shot takes {tokens:,} tokens, and this model reads {limit:,}: shorten the example that "
        f"begins {next(iter(fields.values()))[:60]!r}, the template or the instruction."
    )


def unconditional(lm: LanguageModel, prompt: Prompt, names: Iterable[str]) -> Built:
    """What the template says between the last field of `names` and the answer, alone: "Answer:" in Brown et al."""
    mark = "\ue000"
    tail = prompt.template.render(dict.fromkeys(names, mark)).before.rsplit(mark, 1)[-1]
    return _build(lm, replace(prompt, instruction=""), tail.lstrip() or tail, (), 0)


def _build(lm: LanguageModel, prompt: Prompt, asked: str, shots: Sequence[Example], left_out: int) -> Built:
    before = asked.rstrip()
    words = () if prompt.words is None else tuple(prompt.words.words.values())
    if prompt.style == "chat":
        return _chat(lm, prompt, before, shots, words, left_out)
    shown = [prompt.template.render(fields_of(shot)).complete(prompt.answer(shot)) for shot in shots]
    parts = [*([prompt.instruction] if prompt.instruction else []), *shown, before]
    text = prompt.separator.join(parts)
    if lm.architecture.kind == "decoder":
        ids, choices = _continued(lm, text, [asked[len(before) :] + word for word in words])
    else:
        ids, choices = surround(lm.tokenizer, lm.architecture.kind, lm.tokenizer.encode(text)), _alone(lm, words)
    return Built(text, ids, choices, len(shots), left_out)


def _continued(lm: LanguageModel, text: str, answers: Sequence[str]) -> tuple[Ids, tuple[Ids, ...]]:
    """Prompt and answers as one text each, cut before the first token that is not in all of them."""
    if not text:  # only the token that begins a text, which may not begin the answers
        return surround(lm.tokenizer, "decoder", []), _alone(lm, answers)
    alone, *wholes = (
        surround(lm.tokenizer, "decoder", ids)
        for ids in lm.tokenizer.encode_batch([text, *(text + answer for answer in answers)])
    )
    shared = len(alone)
    for whole in wholes:
        differs = (at for at, (a, b) in enumerate(zip(whole[:shared], alone, strict=False)) if a != b)
        shared = min(shared, next(differs, shared))
    return alone[:shared], tuple(whole[shared:] for whole in wholes)


def _alone(lm: LanguageModel, words: Sequence[str]) -> tuple[Ids, ...]:
    return tuple(lm.tokenizer.encode(word) for word in words)


def _chat(
    lm: LanguageModel, prompt: Prompt, before: str, shots: Sequence[Example], words: Sequence[str], left_out: int
) -> Built:
    messages: list[Message] = [{"role": "system", "content": prompt.instruction}] if prompt.instruction else []
    for shot in shots:
        said = prompt.template.render(fields_of(shot)).before.rstrip()
        messages += [{"role": "user", "content": said}, {"role": "assistant", "content": prompt.answer(shot)}]
    messages.append({"role": "user", "content": before})
    ids = chat_ids(lm.tokenizer, messages)
    return Built(render(lm.tokenizer, messages), ids, _alone(lm, words), len(shots), left_out)
