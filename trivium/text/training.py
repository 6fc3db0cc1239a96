"""Train a tokenizer of any kind on any stream of texts.

BPE and WordPiece give the same tokenizer from the same texts every time. Unigram gives the same pieces, but the
library sums likelihoods in the order of a hash table, so that scores differ in their fourth digit from one training to
the next.
"""

__all__ = ["train_tokenizer"]

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from tokenizers import AddedToken

from trivium.errors import DataError, UsageError, nearest
from trivium.text.recipes import RECIPES, Corpus, Recipe
from trivium.text.tokenizer import Tokenizer


def train_tokenizer(
    kind: str,
    texts: Iterable[str],
    vocabulary: int,
    specials: Mapping[str, str] | None = None,
    sample_bytes: int | None = None,
) -> Tokenizer:
    """Train a tokenizer of exactly `vocabulary` ids, special tokens included.

    `specials` replaces the recipe's special tokens (role in `tokenizer_config.json` -> token). Of a corpus longer than
    `sample_bytes` (by default the recipe's) training sees the documents with the smallest hashes: a fair sample that
    does not depend on their order.

    Raises `UsageError` for a kind or a role that is not there, and `DataError` where there is no text, where the text
    does not support so large a vocabulary, or where so small a one cannot hold the characters.
    """
    recipe = _recipe(kind)
    chosen = dict(recipe.specials if specials is None else specials)
    if missing := sorted(recipe.specials.keys() - chosen.keys()):
        raise UsageError(
            f"A {kind} tokenizer needs a special token for each of {', '.join(missing)}, which are not given."
        )
    _check_room(kind, recipe, vocabulary, chosen)
    corpus = _corpus(texts, recipe.sample_bytes if sample_bytes is None else sample_bytes)
    try:
        raw = recipe.train(corpus, vocabulary - len(recipe.last), chosen)
    except Exception as error:  # the library raises the bare class
        raise DataError(
            f"A {kind} tokenizer of {vocabulary:,} ids cannot be trained on this text: {error}. Ask for a larger "
            "vocabulary, or use kind 'bpe', which holds every character in 256 bytes."
        ) from error
    raw.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in recipe.last])
    _check_size(kind, raw.get_vocab_size(), vocabulary, corpus)
    raw.post_processor = recipe.template(raw, chosen)
    return Tokenizer(raw, _roles(chosen, recipe.last))


def _recipe(kind: str) -> Recipe:
    if kind not in RECIPES:
        raise UsageError(f"There is no tokenizer kind '{kind}', only {', '.join(RECIPES)}.{nearest(kind, RECIPES)}")
    return RECIPES[kind]


def _roles(specials: Mapping[str, str], last: tuple[str, ...]) -> dict[str, Any]:
    roles: dict[str, Any] = {"tokenizer_class": "PreTrainedTokenizerFast", **specials}
    if last:
        roles["additional_special_tokens"] = list(reversed(last))
    return roles | {"clean_up_tokenization_spaces": False}


def _corpus(texts: Iterable[str], limit_bytes: int) -> Corpus:
    """The documents with the smallest hashes that fit `limit_bytes`, in their order, in one pass and bounded memory."""
    heap: list[tuple[int, int, str]] = []  # the largest hash on top: it is the first to go
    characters: Counter[str] = Counter()
    size, ceiling = 0, 1 << 64
    for number, text in enumerate(texts):
        data = text.encode("utf-8", "replace")
        digest = int.from_bytes(hashlib.blake2b(data, digest_size=8).digest())
        characters.update(text)
        if digest > ceiling:
            continue
        heapq.heappush(heap, (-digest, number, text))
        size += len(data)
        while size > limit_bytes and len(heap) > 1:
            largest, _, dropped = heapq.heappop(heap)
            ceiling = -largest
            size -= len(dropped.encode("utf-8", "replace"))
    if not any(character.strip() for character in characters):
        raise DataError(
            "There is no text to train a tokenizer on: the source gives no document with a character in it."
        )
    return Corpus([text for _, _, text in sorted(heap, key=lambda entry: entry[1])], characters)


def _check_room(kind: str, recipe: Recipe, vocabulary: int, specials: Mapping[str, str]) -> None:
    fixed = len(set(specials.values())) + len(recipe.last) + recipe.fewest
    if vocabulary <= fixed:
        raise DataError(
            f"A vocabulary of {vocabulary:,} leaves no room: special tokens and single bytes or characters already "
            f"take {fixed:,} ids of a {kind} tokenizer. Ask for a larger one."
        )


def _check_size(kind: str, size: int, vocabulary: int, corpus: Corpus) -> None:
    if size < vocabulary:
        megabytes = sum(len(text) for text in corpus.texts) / 1e6
        raise DataError(
            f"A vocabulary of {vocabulary:,} is larger than the data supports: {megabytes:,.2f} million characters of "
            f"text give a {kind} tokenizer of {size:,} at most. Ask for {size:,} or fewer, or give more text."
        )
    if size > vocabulary:
        raise DataError(
            f"A vocabulary of {vocabulary:,} is too small for the characters of this text: a {kind} tokenizer of it "
            f"holds {size:,} at least. Ask for a larger one, or use kind 'bpe', which holds any character in 256 bytes."
        )
