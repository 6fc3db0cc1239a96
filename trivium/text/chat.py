"""Chats: messages through a model's own template (a Jinja program) into token ids.

    messages ── marked ── template, in a sandbox ── text ── special tokens, and the words between them ── ids

Rendering equals `transformers`' `apply_chat_template`. The ids differ from it in one thing, on purpose: a message that
spells a special token ("<|im_end|>") stays plain text, so that nobody can end a message, or speak as the system, from
inside one. Before rendering, such spellings in the messages are broken by a character that nothing else holds; what is
still whole afterwards was written by the template. Then the character is taken out again.

What the assistant says stands between two more such characters: the template's own `{% generation %}` writes them, or,
where it has none, they are put where the conversation goes on behind a generation prompt.
"""

__all__ = ["ChatTokens", "Message", "chat_ids", "chat_tokens", "render"]

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NoReturn

import jinja2
import jinja2.ext
import jinja2.utils
from jinja2 import nodes
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from trivium.errors import ModelError, UsageError
from trivium.text.tokenizer import Tokenizer

#: {"role": "user", "content": "..."}, and whatever else the template reads.
Message = Mapping[str, Any]

_PRIVATE_USE = range(0xE000, 0xF900)
_BEGINS, _ENDS = "generation_begins_here", "generation_ends_here"  # the names that templates write the marks by
_HAS_GENERATION = re.compile(r"{%[-+]?\s*generation\b")


@dataclass(frozen=True)
class ChatTokens:
    """A conversation as a model reads it: its ids, and for each whether the assistant says it."""

    ids: list[int]
    said: list[bool]


def render(
    tokenizer: Tokenizer, messages: Sequence[Message], add_generation_prompt: bool = True, **variables: Any
) -> str:
    """The text that the tokenizer's template makes of a conversation, as `transformers` renders it.

    `variables` are given to the template (`tools`, a date, ...), which also knows the special tokens by their roles
    (`bos_token`, `eos_token`, ...). Raises `UsageError` where there is no template, where a message has no role, and
    where the template refuses or cannot use the messages; `ModelError` for a template that is no Jinja.
    """
    if tokenizer.chat_template is None:
        raise UsageError(
            "This model's tokenizer has no chat template: it was not made for conversations. Give it a plain prompt, "
            "or put a chat_template.jinja into its folder."
        )
    if not messages or not all(isinstance(message.get("role"), str) for message in messages):
        raise UsageError('A conversation is a list of messages, at least one: {"role": "user", "content": "Hello"}.')
    try:
        template = _compiled(tokenizer.chat_template)
    except jinja2.TemplateError as error:
        raise ModelError(
            f"The chat template of this model is no Jinja template: {error}. It may be truncated; fetch it again."
        ) from error
    given = {"tools": None, "documents": None, **tokenizer.special_tokens, **variables}
    try:
        return template.render(messages=_plain(messages), add_generation_prompt=add_generation_prompt, **given)
    except Exception as error:  # the template is a program of somebody else: anything may come out of it
        raise UsageError(f"The chat template of this model cannot use these messages: {error}") from error


def chat_ids(
    tokenizer: Tokenizer, messages: Sequence[Message], add_generation_prompt: bool = True, **variables: Any
) -> list[int]:
    """The ids that a model reads for a conversation; special tokens are the template's own only.

    Raises as `render` does.
    """
    safe = _Safe.of(tokenizer, messages)
    text = render(tokenizer, safe.messages, add_generation_prompt, **variables)
    return _tokens(tokenizer, safe, text).ids


def chat_tokens(tokenizer: Tokenizer, messages: Sequence[Message], **variables: Any) -> ChatTokens:
    """A whole conversation, and which of its tokens the assistant says, the end of its turn with them.

    By the template's `{% generation %}` blocks it is `transformers`' `assistant_masks`. By a template without them an
    answer is what stands behind the prompt for it; white space behind its last special token is not. Raises as `render`
    does, and `UsageError` for a template that writes a conversation otherwise once it goes on.
    """
    safe = _Safe.of(tokenizer, messages)
    if _HAS_GENERATION.search(tokenizer.chat_template or ""):
        text = render(tokenizer, safe.messages, False, **variables, **{_BEGINS: safe.begins, _ENDS: safe.ends})
    else:
        text = _marked(tokenizer, safe, variables)
    return _tokens(tokenizer, safe, text)


def _marked(tokenizer: Tokenizer, safe: "_Safe", variables: Mapping[str, Any]) -> str:
    """The conversation with marks around each answer: behind the prompt for it, to where the next turn begins."""
    whole = render(tokenizer, safe.messages, False, **variables)
    parts, at = [], 0
    for number, message in enumerate(safe.messages):
        if message["role"] != "assistant":
            continue
        before = render(tokenizer, safe.messages[:number], True, **variables) if number else ""
        with_it = render(tokenizer, safe.messages[: number + 1], False, **variables)
        if not (whole.startswith(with_it) and with_it.startswith(before) and len(before) >= at):
            raise UsageError(
                f"The chat template writes answer {number} otherwise behind a generation prompt than within the whole "
                "conversation, so that what is said cannot be told from what is read. Put {% generation %} and "
                "{% endgeneration %} around what the assistant says."
            )
        answer = with_it[len(before) :]
        ended = answer.rstrip()
        if safe.specials.sub("", ended[-safe.longest :]) == ended[-safe.longest :]:
            ended = answer  # no special token ends it: the white space may be what does
        parts += [whole[at : len(before)], safe.begins, ended, safe.ends]
        at = len(before) + len(ended)
    return "".join([*parts, whole[at:]])


@dataclass(frozen=True)
class _Safe:
    """Messages in which no special token is whole, and the characters that nothing else holds."""

    messages: list[Any]
    specials: "re.Pattern[str]"
    longest: int
    broken: str
    begins: str
    ends: str

    @staticmethod
    def of(tokenizer: Tokenizer, messages: Sequence[Message]) -> "_Safe":
        added = [token["content"] for token in tokenizer.description["added_tokens"] if token["special"]]
        specials = sorted(filter(None, added), key=len, reverse=True)
        plain, template = _plain(messages), tokenizer.chat_template or ""
        marker, begins, ends = _unused(json.dumps([plain, template, specials], ensure_ascii=False), 3)
        spelled = re.compile("|".join(map(re.escape, specials)) or r"(?!)")
        # The beginning of one at a text's end could be completed by what the template joins to it.
        begun = {re.escape(token[:length]) for token in specials for length in range(1, len(token))}
        within = re.compile("|".join([spelled.pattern, *(rf"{part}(?=\s*\Z)" for part in sorted(begun))]))

        def broken(text: str) -> str:
            return within.sub(lambda match: match[0][0] + marker + match[0][1:], text)

        return _Safe(_each_text(plain, broken), spelled, max(map(len, specials), default=0), marker, begins, ends)

    def clean(self, text: str, said: bool) -> tuple[str, list[bool], bool]:
        """A text without the three characters, which of it is said, and whether what follows is."""
        kept, flags = [], []
        for character in text:
            if character in (self.begins, self.ends):
                said = character == self.begins
            elif character != self.broken:
                kept.append(character)
                flags.append(said)
        return "".join(kept), flags, said


def _tokens(tokenizer: Tokenizer, safe: _Safe, text: str) -> ChatTokens:
    said = False
    if safe.broken not in text:
        words, flags, _ = safe.clean(text, said)
        return _of_words(tokenizer, words, flags, special=True)
    ids: list[int] = []
    whose: list[bool] = []
    at = 0
    for match in [*safe.specials.finditer(text), None]:
        words, flags, said = safe.clean(text[at : len(text) if match is None else match.start()], said)
        found = _of_words(tokenizer, words, flags, special=False) if words else ChatTokens([], [])
        ids += found.ids
        whose += found.said
        if match is not None:
            number = tokenizer.id(match[0])
            assert number is not None
            ids.append(number)
            whose.append(said)
            at = match.end()
    return ChatTokens(ids, whose)


def _of_words(tokenizer: Tokenizer, words: str, flags: Sequence[bool], special: bool) -> ChatTokens:
    """A token is said where a character of it is."""
    if not any(flags):  # of most texts nobody asks
        ids = tokenizer.encode_with_special(words) if special else tokenizer.encode(words)
        return ChatTokens(ids, [False] * len(ids))
    encoding = tokenizer.placed(words, special)
    return ChatTokens(list(encoding.ids), [any(flags[start:end]) for start, end in encoding.offsets])


def _plain(value: Any) -> Any:
    """Messages as plain data: a template can reach nothing through them."""
    match value:
        case str() | bool() | int() | float() | None:
            return value
        case Mapping():
            return {str(key): _plain(inner) for key, inner in value.items()}
        case Iterable():
            return [_plain(inner) for inner in value]
        case _:
            raise UsageError(f"A message may hold texts, numbers, lists and mappings, not {type(value).__name__}.")


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    match value:
        case str():
            return change(value)
        case dict():
            return {key: _each_text(inner, change) for key, inner in value.items()}
        case list():
            return [_each_text(inner, change) for inner in value]
        case _:
            return value


def _unused(text: str, count: int) -> list[str]:
    """Characters of the private-use area that a text does not hold: no template and no tokenizer knows them."""
    used = set(text)
    free = [chr(code) for code in _PRIVATE_USE if chr(code) not in used][:count]
    if len(free) < count:
        raise UsageError("The messages hold every character of the private-use area: remove some of them.")
    return free


# ---- the template's world, as `transformers` makes it ---------------------------------------------------------------


class _Generation(jinja2.ext.Extension):
    """`{% generation %}` ... `{% endgeneration %}` writes marks around what the assistant says, if it is given any."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        begins, ends = (nodes.Output([nodes.Name(name, "load")]) for name in (_BEGINS, _ENDS))
        return [begins, *body, ends]


class _Namespace(jinja2.utils.Namespace):
    """A template's variables; names that Python keeps for itself lead out of the sandbox."""

    def __init__(*args: Any, **given: Any) -> None:
        self, *rest = args
        for name in dict(*rest, **given):
            _refuse_private(name)
        jinja2.utils.Namespace.__init__(self, *rest, **given)

    def __setitem__(self, name: str, value: Any) -> None:
        _refuse_private(name)
        super().__setitem__(name, value)


def _refuse_private(name: str) -> None:
    if name.startswith("_"):
        raise jinja2.exceptions.SecurityError(f"a namespace cannot hold '{name}', which begins with an underscore")


@lru_cache(maxsize=16)
def _compiled(template: str) -> jinja2.Template:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = _strftime_now
    environment.globals["namespace"] = _Namespace
    return environment.from_string(template)


def _to_json(
    value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
) -> str:
    # Jinja's own escapes what HTML cannot hold.
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _raise_exception(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)


def _strftime_now(form: str) -> str:
    return datetime.now().strftime(form)
