"""Chats: messages through a model's own template (a Jinja program) into token ids.

    messages ── marked ── template, in a sandbox ── text ── special tokens, and the words between them ── ids

Rendering equals `transformers`' `apply_chat_template`. The ids differ from it in one thing, on purpose: a message that
spells a special token ("<|im_end|>") stays plain text, so that nobody can end a message, or speak as the system, from
inside one. Before rendering, such spellings in the messages are broken by a character that nothing else holds; what is
still whole afterwards was written by the template. Then the character is taken out again.
"""

__all__ = ["Message", "chat_ids", "render"]

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
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
    added = [token["content"] for token in tokenizer.description["added_tokens"] if token["special"]]
    specials = sorted(filter(None, added), key=len, reverse=True)
    plain, template = _plain(messages), tokenizer.chat_template or ""
    marker = _unused(json.dumps([plain, template, specials], ensure_ascii=False))
    spelled = re.compile("|".join(map(re.escape, specials)) or r"(?!)")
    # The beginning of one at a text's end could be completed by what the template joins to it.
    begun = {re.escape(token[:length]) for token in specials for length in range(1, len(token))}
    within = re.compile("|".join([spelled.pattern, *(rf"{part}(?=\s*\Z)" for part in sorted(begun))]))

    def broken(text: str) -> str:
        return within.sub(lambda match: match[0][0] + marker + match[0][1:], text)

    text = render(tokenizer, _each_text(plain, broken), add_generation_prompt, **variables)
    if marker not in text:
        return tokenizer.encode_with_special(text)
    ids: list[int] = []
    at = 0
    for match in [*spelled.finditer(text), None]:
        words = text[at : len(text) if match is None else match.start()].replace(marker, "")
        ids += tokenizer.encode(words) if words else []
        if match is not None:
            number = tokenizer.id(match[0])
            assert number is not None
            ids.append(number)
            at = match.end()
    return ids


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


def _unused(text: str) -> str:
    """A character of the private-use area that a text does not hold: no template and no tokenizer knows it."""
    used = set(text)
    free = next((chr(code) for code in _PRIVATE_USE if chr(code) not in used), None)
    if free is None:
        raise UsageError("The messages hold every character of the private-use area: remove one of them.")
    return free


# ---- the template's world, as `transformers` makes it ---------------------------------------------------------------


class _Generation(jinja2.ext.Extension):
    """`{% generation %}` ... `{% endgeneration %}` marks what the assistant says; here it changes nothing."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


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
