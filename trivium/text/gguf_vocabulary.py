"""The tokenizer that a GGUF file's metadata describe, and the metadata of a tokenizer.

tokenizer.ggml.model   "gpt2": byte-level BPE with its merges          "llama": SentencePiece's BPE with scores
tokenizer.ggml.pre     how words are cut (`gguf_words`)                 spaces are "▁"; unknown bytes are <0x..>
tokens, token_type     every id: normal, control, user-defined, byte, unknown, unused
"""

__all__ = ["read_tokenizer", "tokenizer_metadata"]

import re
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final

from tokenizers import AddedToken, decoders, models, normalizers, processors
from tokenizers import Tokenizer as RawTokenizer

from trivium.errors import ModelError
from trivium.text.gguf_words import name_of_words, words_named
from trivium.text.tokenizer import Tokenizer

_ROLES: Final = {
    "bos_token": "bos_token_id",
    "eos_token": "eos_token_id",
    "unk_token": "unknown_token_id",
    "pad_token": "padding_token_id",
    "mask_token": "mask_token_id",
}
_BYTE_PIECE: Final = re.compile(r"<0x[0-9A-F]{2}>")
_SPACE: Final = "▁"


class _Type(IntEnum):
    NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)


# ---- in ------------------------------------------------------------------------------------------------------------


def read_tokenizer(metadata: Mapping[str, Any], where: str) -> Tokenizer:
    """The tokenizer with its roles and chat template; `where` names the file in messages.

    Raises `ModelError` for a file without one, of another kind, or whose lists do not fit together.
    """
    fields = _Fields(metadata, where)
    tokens, kind = fields.texts("tokens"), fields.value("model", str, None)
    types = fields.list_of("token_type", int, [int(_Type.NORMAL)] * len(tokens))
    if len(types) != len(tokens):
        raise fields.error(f"holds {len(tokens):,} tokens and the types of {len(types):,}")
    roles = fields.roles(tokens)
    try:
        match kind:
            case "gpt2":
                raw, begins = _byte_level(fields, tokens, types)
            case "llama":
                raw, begins = _sentencepiece(fields, tokens, types, roles.get("unk_token"))
            case _:
                raise fields.error(f"has a tokenizer of the kind {kind!r}, and 'gpt2' and 'llama' are read")
        for special, wanted in ((True, (_Type.CONTROL, _Type.UNKNOWN)), (False, (_Type.USER_DEFINED,))):
            added = [token for token, its in zip(tokens, types, strict=True) if its in wanted and token]
            raw.add_tokens([AddedToken(token, special=special, normalized=False) for token in added])
    except ModelError:
        raise
    except Exception as error:  # the library raises the bare class
        raise fields.error(f"has a tokenizer that cannot be built ({error})") from error
    begins = fields.value("add_bos_token", bool, begins)
    if begins and "bos_token" in roles:
        begin = roles["bos_token"]
        raw.post_processor = processors.TemplateProcessing(
            single=f"{begin} $A", pair=f"{begin} $A {begin} $B", special_tokens=[(begin, raw.token_to_id(begin))]
        )
    template = metadata.get("tokenizer.chat_template")
    return Tokenizer(raw, {**roles, "add_bos_token": begins}, template if isinstance(template, str) else None)


def _byte_level(fields: "_Fields", tokens: list[str], types: list[int]) -> tuple[RawTokenizer, bool]:
    words = words_named(fields.value("pre", str, "default"))
    merges = [tuple(merge.split(" ", 1)) for merge in fields.texts("merges")]
    vocabulary = {token: number for number, token in enumerate(tokens) if types[number] != _Type.UNUSED}
    raw = RawTokenizer(models.BPE(vocabulary, merges, ignore_merges=words.whole))  # type: ignore[arg-type]
    raw.pre_tokenizer = words.cut
    raw.decoder = decoders.ByteLevel()
    raw.post_processor = processors.ByteLevel(trim_offsets=False)
    return raw, words.begins


def _sentencepiece(
    fields: "_Fields", tokens: list[str], types: list[int], unknown: str | None
) -> tuple[RawTokenizer, bool]:
    scores = fields.list_of("scores", float, None)
    if len(scores) != len(tokens):
        raise fields.error(f"holds {len(tokens):,} tokens and the scores of {len(scores):,}")
    vocabulary = {token: number for number, token in enumerate(tokens)}
    merges = _merges(vocabulary, dict(zip(tokens, scores, strict=True)), types)
    model = models.BPE(vocabulary, merges, unk_token=unknown, fuse_unk=True, byte_fallback=_Type.BYTE in types)
    raw = RawTokenizer(model)
    mark = [normalizers.Replace(" ", _SPACE)]
    prefix = fields.value("add_space_prefix", bool, True)
    raw.normalizer = normalizers.Sequence([normalizers.Prepend(_SPACE), *mark] if prefix else mark)
    ends = [decoders.Strip(" ", 1, 0)] if prefix else []
    raw.decoder = decoders.Sequence([decoders.Replace(_SPACE, " "), decoders.ByteFallback(), decoders.Fuse(), *ends])
    return raw, True


def _merges(vocabulary: Mapping[str, int], scores: Mapping[str, float], types: list[int]) -> list[tuple[str, str]]:
    """Every way to make a piece of two others, best score first: what SentencePiece would merge next."""
    found = []
    for piece, number in vocabulary.items():
        if types[number] in (_Type.NORMAL, _Type.USER_DEFINED):
            pairs = [(piece[:cut], piece[cut:]) for cut in range(1, len(piece))]
            pairs = [pair for pair in pairs if pair[0] in vocabulary and pair[1] in vocabulary]
            pairs.sort(key=lambda pair: (vocabulary[pair[0]], vocabulary[pair[1]]))
            found += [(scores[piece], len(pair[0]), len(pair[1]), pair) for pair in pairs]
    found.sort(key=lambda item: item[:3], reverse=True)
    return [pair for *_, pair in found]


class _Fields:
    """`tokenizer.ggml.<key>` under its type; everything raises `ModelError`."""

    def __init__(self, metadata: Mapping[str, Any], where: str) -> None:
        self.metadata, self.where = metadata, where

    def value(self, key: str, kind: type, default: Any) -> Any:
        value = self.metadata.get(f"tokenizer.ggml.{key}", default)
        if not isinstance(value, kind):
            raise self.error(f"has 'tokenizer.ggml.{key}': {str(value)[:40]!r}, and needs {kind.__name__}")
        return value

    def list_of(self, key: str, kind: type, default: Any) -> list[Any]:
        value: list[Any] = self.value(key, list, default)
        if not all(isinstance(item, kind) for item in value):
            raise self.error(f"has 'tokenizer.ggml.{key}' that is no list of {kind.__name__}")
        return value

    def texts(self, key: str) -> list[str]:
        return self.list_of(key, str, None)

    def roles(self, tokens: list[str]) -> dict[str, str]:
        roles = {}
        for role, key in _ROLES.items():
            if f"tokenizer.ggml.{key}" in self.metadata:
                number = self.value(key, int, None)
                if number == 0xFFFFFFFF:  # llama.cpp's own "none"
                    continue
                if not 0 <= number < len(tokens):
                    raise self.error(f"has 'tokenizer.ggml.{key}': {number:,}, and {len(tokens):,} tokens")
                roles[role] = tokens[number]
        return roles

    def error(self, problem: str) -> ModelError:
        return ModelError(f"{self.where} {problem}: its tokenizer is not one that Trivium reads, or was altered.")


# ---- out -----------------------------------------------------------------------------------------------------------


def tokenizer_metadata(tokenizer: Tokenizer, vocabulary: int) -> dict[str, Any]:
    """The metadata of a tokenizer for a model of `vocabulary` rows; rows without a token are marked unused.

    Raises `ModelError` for a kind that llama.cpp does not run, and for more tokens than rows.
    """
    description = tokenizer.description
    model = description["model"]
    if tokenizer.kind != "bpe" or not (tokenizer.byte_level or model.get("byte_fallback")):
        raise ModelError(
            f"llama.cpp runs BPE on bytes or with a fallback to bytes, and this tokenizer is {tokenizer.kind} without: "
            "it cannot be written as GGUF. A Hugging Face folder keeps it."
        )
    if tokenizer.vocabulary > vocabulary:
        raise ModelError(
            f"The tokenizer has {tokenizer.vocabulary:,} ids and the model {vocabulary:,} rows: they do not belong "
            "together."
        )
    tokens = [tokenizer.token(number) for number in range(tokenizer.vocabulary)] + [""] * vocabulary
    tokens = [token or f"[PAD{number}]" for number, token in enumerate(tokens[:vocabulary])]
    fields: dict[str, Any] = _byte_level_fields(tokenizer) if tokenizer.byte_level else _piece_fields(tokenizer, tokens)
    fields |= {"tokens": tokens, "token_type": _types(tokenizer, tokens)}
    fields["add_bos_token"] = tokenizer.begins_texts
    fields["add_eos_token"] = False
    ids = (tokenizer.begin_id, tokenizer.end_id, tokenizer.unknown_id, tokenizer.pad_id, tokenizer.mask_id)
    fields |= {key: number for key, number in zip(_ROLES.values(), ids, strict=True) if number is not None}
    metadata = {f"tokenizer.ggml.{key}": value for key, value in fields.items()}
    if tokenizer.chat_template is not None:
        metadata["tokenizer.chat_template"] = tokenizer.chat_template
    return metadata


def _byte_level_fields(tokenizer: Tokenizer) -> dict[str, Any]:
    description, model = tokenizer.description, tokenizer.description["model"]
    if description["normalizer"] not in (None, {"type": "NFC"}):
        raise ModelError(
            f"This tokenizer changes its texts ({description['normalizer']['type']}), which llama.cpp does not: it "
            "cannot be written as GGUF."
        )
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    words = name_of_words(description["pre_tokenizer"], bool(model.get("ignore_merges")))
    return {"model": "gpt2", "pre": words, "merges": merges, "add_space_prefix": False}


def _piece_fields(tokenizer: Tokenizer, tokens: list[str]) -> dict[str, Any]:
    """The pieces with scores that order them as the merges do: llama.cpp merges the best score first."""
    merges = tokenizer.description["model"]["merges"]
    rank: dict[str, int] = {}
    for number, merge in enumerate(merges):
        pair = merge.split(" ") if isinstance(merge, str) else merge
        rank.setdefault("".join(pair), number)
    probe = tokenizer.encode("a")
    prefix = bool(probe) and tokenizer.token(probe[0]).startswith(_SPACE)
    scores = [-float(rank.get(token, len(merges))) for token in tokens]
    return {"model": "llama", "pre": "default", "scores": scores, "add_space_prefix": prefix}


def _types(tokenizer: Tokenizer, tokens: list[str]) -> list[int]:
    added = {token["id"]: token["special"] for token in tokenizer.description["added_tokens"]}
    types = []
    for number, token in enumerate(tokens):
        if number >= tokenizer.vocabulary or not tokenizer.token(number):
            types.append(_Type.UNUSED)
        elif number == tokenizer.unknown_id and not tokenizer.byte_level:
            types.append(_Type.UNKNOWN)
        elif added.get(number) or number in tokenizer.special_ids:
            types.append(_Type.CONTROL)
        elif number in added:
            types.append(_Type.USER_DEFINED)
        else:
            piece = not tokenizer.byte_level and _BYTE_PIECE.fullmatch(token)
            types.append(_Type.BYTE if piece else _Type.NORMAL)
    return [int(its) for its in types]
