"""Which texts of a file a model cannot read, and why: in few words, so that equal reasons are counted together."""

__all__ = ["LONGEST_CHARACTERS", "no_room", "texts_refused", "tokens_of"]

from collections.abc import Sequence
from typing import Final

from trivium.tasks.reading import Text
from trivium.text.tokenizer import Tokenizer

#: A longer text is not even cut into tokens: that would take seconds and a hundred times its size in memory.
LONGEST_CHARACTERS: Final = 1_000_000


def texts_refused(tokenizer: Tokenizer, texts: Sequence[tuple[str, object]], limit: int | None) -> str | None:
    """Why (name, text), or several read together, cannot be read within `limit` tokens; None where they can."""
    for name, text in texts:
        if text is None or (isinstance(text, str) and not text.strip()):
            return f"no {name}"
        if not isinstance(text, str):
            return f"a {name} that is {_kind(text)}"
        if len(text) > LONGEST_CHARACTERS:
            return f"a {name} of more than {LONGEST_CHARACTERS:,} characters"
        if not tokenizer.encode(text):
            return f"a {name} without a token"
    parts = tuple(str(text) for _, text in texts)
    if limit is not None and tokens_of(tokenizer, parts[0] if len(parts) == 1 else (parts[0], parts[1])) > limit:
        return f"more than {limit:,} tokens"
    return None


def no_room(tokenizer: Tokenizer, texts: Sequence[tuple[str, object]], limit: int | None) -> str | None:
    """Why of two texts the first leaves no token of the limit to the second; None where it does."""
    if limit is None or len(texts) < 2 or tokens_of(tokenizer, (str(texts[0][1]), "")) < limit:
        return None
    return f"a {texts[0][0]} that leaves no room for the {texts[1][0]} within {limit:,} tokens"


def tokens_of(tokenizer: Tokenizer, text: Text) -> int:
    """The tokens of a text, or of two that are read together, as a model with a task head reads them."""
    return len(tokenizer.framed(*((text,) if isinstance(text, str) else text)).ids)


def _kind(value: object) -> str:
    return {bool: "a truth value", int: "a number", float: "a number", list: "a list", dict: "a mapping"}.get(
        type(value), f"of type {type(value).__name__}"
    )
