"""How byte-level vocabularies of GGUF files cut a text into words, by the name in `tokenizer.ggml.pre`.

llama.cpp has a list of regular expressions for each name; here are the same cuts as the `tokenizers` library makes
them. Several names mean one thing: a model's own name was given to each new list.
"""

__all__ = ["WORDS", "Words", "name_of_words", "words_named"]

import json
from dataclasses import dataclass
from typing import Any, Final

from tokenizers import Regex, pre_tokenizers

from trivium.errors import ModelError

_CONTRACTIONS: Final = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+"
_REST: Final = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_BLOOM: Final = " ?[^(\\s|[.,!?…。，、।۔،])]+"


@dataclass(frozen=True)
class Words:
    """`names`: the first is written, all are read. `whole`: a word of the vocabulary is taken without its merges.

    `begins`: what llama.cpp takes where a file does not say whether a text starts with the begin token.
    """

    names: tuple[str, ...]
    cut: pre_tokenizers.PreTokenizer
    whole: bool = False
    begins: bool = False


def _split(pattern: str) -> pre_tokenizers.PreTokenizer:
    cut = pre_tokenizers.Split(Regex(pattern), "isolated")
    return pre_tokenizers.Sequence([cut, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


_GPT2: Final = pre_tokenizers.ByteLevel(add_prefix_space=False)

#: The cuts there are.
WORDS: Final = (
    Words(("gpt-2", "default", "phi-2", "mpt", "olmo", "jina-en", "jina-es", "jina-de", "gigachat"), _GPT2),
    Words(
        ("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"),
        pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), _GPT2]),
    ),
    Words(
        ("llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "lfm2"),
        _split(_CONTRACTIONS + r"|\p{N}{1,3}" + _REST),
        whole=True,
        begins=True,
    ),
    Words(("dbrx", "smaug-bpe"), _split(_CONTRACTIONS + r"|\p{N}{1,3}" + _REST)),
    Words(("qwen2", "deepseek-r1-qwen", "megrez"), _split(_CONTRACTIONS + r"|\p{N}" + _REST)),
    Words(("bloom", "poro-chat", "gpt3-finnish"), _split(_BLOOM)),
)


def words_named(name: str) -> Words:
    """The cut of that name. Raises `ModelError` for one that is not known."""
    for words in WORDS:
        if name in words.names:
            return words
    known = ", ".join(name for words in WORDS for name in words.names)
    raise ModelError(f"The tokenizer cuts words as '{name}' does, which is not known. Known are: {known}.")


def name_of_words(description: Any, whole: bool) -> str:
    """The name of a `pre_tokenizer` of tokenizer.json. Raises `ModelError` for one that llama.cpp has no name for."""
    for words in WORDS:
        if _plain(json.loads(words.cut.__getstate__())) == _plain(description) and words.whole == whole:
            return words.names[0]
    raise ModelError(
        "This tokenizer cuts words in a way that llama.cpp has no name for, so it cannot be written as GGUF. It can be "
        f"as: {', '.join(words.names[0] for words in WORDS)}."
    )


def _plain(description: Any) -> Any:
    """Without what does not change the words."""
    match description:
        case {"type": "Sequence", "pretokenizers": [only]}:
            return _plain(only)
        case {"type": "Sequence", "pretokenizers": parts}:
            return [_plain(part) for part in parts]
        case {"type": "ByteLevel"}:
            return {key: value for key, value in description.items() if key != "trim_offsets"}
        case _:
            return description
