"""A tokenizer: text to ids and back, around the `tokenizers` library, in the files that `transformers` opens.

    text ── normalizer ── pre-tokenizer ── model (bpe | wordpiece | unigram) ── ids ── decoder ── text
            NFKC, ...     words            pieces of a word

`encode` gives the ids of the text and nothing else: no special tokens are added, nothing is cut or padded, and a text
that spells a special token ("<|endoftext|>", "[MASK]") is only text. Where a special token belongs is the business of
objectives and prompts. The saved files keep the family's own template, so that Hugging Face's `tokenizer(text)` adds
"[CLS]" and "[SEP]", or "</s>", as everybody expects of them.

Letters: V ids of the vocabulary.
"""

__all__ = ["Kind", "Tokenizer"]

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import tokenizers
from jaxtyping import Bool, Int
from tokenizers import pre_tokenizers

from trivium.errors import DataError, UsageError
from trivium.files import atomic_write
from trivium.text.older import read_older
from trivium.text.roles import PUBLISHED_NAMES, read_roles, read_template, roles_by_published_name

Kind = Literal["bpe", "wordpiece", "unigram"]

_KINDS: Final[dict[str, Kind]] = {"BPE": "bpe", "WordPiece": "wordpiece", "Unigram": "unigram"}
_SENTINEL: Final = re.compile(r"<extra_id_(\d+)>")
_BYTE_PIECE: Final = re.compile(r"<0x[0-9A-F]{2}>")
_WORD_MARK: Final = "▁"  # how SentencePiece writes a space


class Tokenizer:
    """A trained tokenizer with the roles of its special tokens.

    `roles` is the content of `tokenizer_config.json`: which token is `pad_token`, `unk_token`, `bos_token` or
    `cls_token` (both begin a text), `eos_token` or `sep_token` (both end one), `mask_token`. `chat_template` is the
    text of `chat_template.jinja`, kept as it is. Raises `DataError` where the model in it is none of the three kinds.
    """

    def __init__(
        self, raw: tokenizers.Tokenizer, roles: Mapping[str, Any] | None = None, chat_template: str | None = None
    ) -> None:
        model = type(raw.model).__name__
        if model not in _KINDS:
            raise DataError(f"This tokenizer.json holds a {model} model; Trivium reads BPE, WordPiece and Unigram.")
        raw.no_padding()
        raw.no_truncation()
        self.kind: Kind = _KINDS[model]
        self.chat_template = chat_template
        self._json = raw.to_str(pretty=True)
        self._roles = dict(roles) if roles else roles_by_published_name(raw)
        self._raw = _deaf_to_specials(raw, self.kind)
        ids = raw.get_vocab(with_added_tokens=True)
        self.vocabulary = max(ids.values()) + 1
        self._ids = ids
        self._tokens = [""] * self.vocabulary
        for token, number in ids.items():
            self._tokens[number] = token

    def changed(self, chat_template: str | None = None, pad_token: str | None = None) -> "Tokenizer":
        """The same tokens with another template, or another token that fills rows; None leaves it as it is.

        Raises `UsageError` for a pad that is no token.
        """
        if pad_token is not None and pad_token not in self._ids:
            raise UsageError(f"The pad {pad_token!r} is no token of this vocabulary of {self.vocabulary:,}.")
        roles = self._roles if pad_token is None else {**self._roles, "pad_token": pad_token}
        template = self.chat_template if chat_template is None else chat_template
        return Tokenizer(tokenizers.Tokenizer.from_str(self._json), roles, template)

    def __repr__(self) -> str:
        return f"Tokenizer({self.kind}, vocabulary={self.vocabulary:,}, special={len(self.special_ids)})"

    # ---- text and ids -------------------------------------------------------------------------------------------

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without special tokens, whole.

        Raises `DataError` where the text holds half of a surrogate pair, which is no character and has no UTF-8.
        """
        return self.encode_batch([text])[0]

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """`encode` of many texts, on every core. Raises as `encode` does."""
        try:
            return [encoding.ids for encoding in self._raw.encode_batch_fast(list(texts), add_special_tokens=False)]
        except TypeError:
            for number, text in enumerate(texts):
                _check_surrogates(text, number)
            raise

    def encode_with_special(self, text: str) -> list[int]:
        """The ids of a text in which spelled special tokens are those tokens: for texts of templates, not of people."""
        return list(self._hearing.encode(text, add_special_tokens=False).ids)

    def placed(self, text: str, special: bool = False) -> tokenizers.Encoding:
        """`encode`, or `encode_with_special`, with the characters that each token stands for: `ids` and `offsets`."""
        _check_surrogates(text, 0)
        return (self._hearing if special else self._raw).encode(text, add_special_tokens=False)

    def framed(self, text: str, second: str | None = None) -> tokenizers.Encoding:
        """A text, or a pair, within the special tokens of the file's own template, and where in it each token stands.

        So read models with task heads; the encoding has `ids`, `type_ids`, `offsets`, `word_ids` and `sequence_ids`.
        """
        for number, part in enumerate((text, second or "")):
            _check_surrogates(part, number)
        return self._raw.encode(text, second, add_special_tokens=True)

    def decode(self, ids: Iterable[int], skip_special: bool = True) -> str:
        """The text of ids. For byte-level BPE `decode(encode(text)) == text`; the other kinds normalize spaces."""
        return str(self._raw.decode([int(number) for number in ids], skip_special_tokens=skip_special))

    def token(self, number: int) -> str:
        """The token of an id as the vocabulary writes it ("Ġthe", "##ing", "▁the"); empty where the id has none."""
        return self._tokens[number]

    def id(self, token: str) -> int | None:
        """The id of a token as the vocabulary writes it, or None."""
        return self._ids.get(token)

    # ---- special tokens -----------------------------------------------------------------------------------------

    @property
    def pad_id(self) -> int | None:
        """What fills a row; T5 also starts its decoder with it."""
        return self._role("pad_token")

    @property
    def unknown_id(self) -> int | None:
        """What stands for text the vocabulary cannot write; byte-level BPE needs none."""
        return self._role("unk_token")

    @property
    def begin_id(self) -> int | None:
        """What begins a text: "<|endoftext|>", "<s>" or "[CLS]". T5 has none."""
        return self._role("bos_token", "cls_token")

    @property
    def begins_texts(self) -> bool:
        """Whether a text that a decoder continues starts with the begin token: unless the files say it does not."""
        return self.begin_id is not None and self._roles.get("add_bos_token", True) is not False

    @property
    def end_id(self) -> int | None:
        """What ends a text: "<|endoftext|>", "</s>" or "[SEP]"."""
        return self._role("eos_token", "sep_token")

    @property
    def mask_id(self) -> int | None:
        """What hides a token from a masked language model."""
        return self._role("mask_token")

    @property
    def special_tokens(self) -> dict[str, str]:
        """Each role that is filled, with its token: `{"bos_token": "<s>", ...}`."""
        given = {role: self._roles[role] for role in PUBLISHED_NAMES if self._roles.get(role) is not None}
        return {role: token["content"] if isinstance(token, dict) else str(token) for role, token in given.items()}

    @cached_property
    def sentinel_ids(self) -> list[int]:
        """T5's markers of dropped spans, `<extra_id_0>` first (Raffel et al. 2020, section 3.1.4)."""
        numbered = [
            (int(match[1]), number) for token, number in self._ids.items() if (match := _SENTINEL.fullmatch(token))
        ]
        return [number for _, number in sorted(numbered)]

    @cached_property
    def special_ids(self) -> frozenset[int]:
        """Every id that stands for no text: `decode` leaves them out."""
        added = self._raw.get_added_tokens_decoder()
        special = {number for number, token in added.items() if token.special}
        roles = {self.pad_id, self.unknown_id, self.begin_id, self.end_id, self.mask_id} - {None}
        return frozenset(special | roles | set(self.sentinel_ids))  # type: ignore[arg-type]

    # ---- what each id stands for --------------------------------------------------------------------------------

    @cached_property
    def word_starts(self) -> Bool[np.ndarray, "V"]:
        """Whether a token begins a word, for whole-word masking: a special token is a word of its own."""
        starts = np.array([self._starts_word(token) for token in self._tokens], dtype=bool)
        starts[list(self.special_ids)] = True
        return starts

    @cached_property
    def sentence_ends(self) -> Bool[np.ndarray, "V"]:
        """Whether a token ends a sentence: it ends in a full stop, an exclamation or a question mark."""
        ends = np.array([token.endswith((".", "!", "?")) for token in self._tokens], dtype=bool)
        ends[list(self.special_ids)] = False
        return ends

    @cached_property
    def token_bytes(self) -> Int[np.ndarray, "V"]:
        """UTF-8 bytes of text that each token stands for, 0 for a special one.

        For byte-level BPE their sum over a text is exactly the text's length in bytes. For the other kinds it is the
        length of what `decode` gives back: "▁" counts as its space, and WordPiece's lost spaces count nothing.
        """
        sizes = np.array([self._bytes(token) for token in self._tokens], dtype=np.int64)
        sizes[list(self.special_ids)] = 0
        return sizes

    @cached_property
    def byte_level(self) -> bool:
        """Whether the vocabulary is written in GPT-2's alphabet of 256 printable characters for the 256 bytes."""
        parts = json.dumps([self.description.get("pre_tokenizer"), self.description.get("decoder")])
        return '"ByteLevel"' in parts

    @cached_property
    def description(self) -> dict[str, Any]:
        """`tokenizer.json` as data, as `save` writes it."""
        content: dict[str, Any] = json.loads(self._json)
        return content

    @cached_property
    def _hearing(self) -> tokenizers.Tokenizer:
        return tokenizers.Tokenizer.from_str(self._json)

    def _starts_word(self, token: str) -> bool:
        if self.kind == "wordpiece":
            return not token.startswith(self._raw.model.continuing_subword_prefix)
        return token.startswith(("Ġ", "Ċ", "ĉ") if self.byte_level else _WORD_MARK)

    def _bytes(self, token: str) -> int:
        if self.byte_level:
            return len(token)
        if _BYTE_PIECE.fullmatch(token):
            return 1
        if self.kind == "wordpiece":
            return len(token.removeprefix(self._raw.model.continuing_subword_prefix).encode())
        return len(token.replace(_WORD_MARK, " ").encode())

    def _role(self, *names: str) -> int | None:
        for name in names:
            token = self._roles.get(name)
            content = token["content"] if isinstance(token, dict) else token
            if content is not None and content in self._ids:
                return self._ids[content]
        return None

    # ---- files --------------------------------------------------------------------------------------------------

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of `tokenizer.json` as `save` writes it: two tokenizers with equal fingerprints give equal ids."""
        return hashlib.sha256(self._json.encode()).hexdigest()

    def save(self, folder: Path) -> None:
        """Write `tokenizer.json`, `tokenizer_config.json` and, where there is one, `chat_template.jinja`."""
        atomic_write(folder / "tokenizer.json", self._json)
        roles = {"tokenizer_class": "PreTrainedTokenizerFast", **self._roles}
        if self.kind == "wordpiece":  # BERT's kind tells the second text of a pair from the first
            roles.setdefault("model_input_names", ["input_ids", "token_type_ids", "attention_mask"])
        atomic_write(folder / "tokenizer_config.json", json.dumps(roles, indent=2, ensure_ascii=False) + "\n")
        if self.chat_template is not None:
            atomic_write(folder / "chat_template.jinja", self.chat_template)

    @classmethod
    def load(cls, folder: Path) -> "Tokenizer":
        """The tokenizer of a Hugging Face folder: ours, or any other with a `tokenizer.json` of the three kinds.

        The files from before it are read as well: `text.older` says which.

        Raises `DataError` where there is no tokenizer, or it cannot be read.
        """
        file, roles = folder / "tokenizer.json", read_roles(folder)
        try:
            raw = tokenizers.Tokenizer.from_file(str(file)) if file.is_file() else read_older(folder, roles)
        except Exception as error:  # the library raises the bare class
            raise DataError(
                f"{folder} holds no tokenizer that can be read: {error}. It may be truncated; copy or train it again."
            ) from error
        if raw is None:
            raise DataError(
                f"There is no tokenizer in {folder}: it holds no tokenizer.json. Give a folder that `trivium tokenizer "
                "train` or Hugging Face's `save_pretrained` wrote, or train one."
            )
        template = read_template(folder, roles.pop("chat_template", None))
        return cls(raw, roles if roles.keys() & PUBLISHED_NAMES.keys() else {}, template)


def _deaf_to_specials(raw: tokenizers.Tokenizer, kind: Kind) -> tokenizers.Tokenizer:
    """Make special tokens in a text plain text.

    The library's switch stops the search for added tokens. A Unigram model may still spell "<pad>", because T5's
    vocabulary holds it as a piece; a cut after the first character of each such string keeps every piece out of it.
    """
    raw.encode_special_tokens = True
    spelled = raw.get_vocab(with_added_tokens=False)
    added = (token.content for token in raw.get_added_tokens_decoder().values())
    specials = [token for token in added if len(token) > 1 and token in spelled]
    if kind == "unigram" and specials:
        within = "|".join(f"(?<={re.escape(token[0])})(?={re.escape(token[1:])})" for token in specials)
        cut = pre_tokenizers.Split(tokenizers.Regex(within), "isolated")
        parts = [part for part in (raw.pre_tokenizer, cut) if part is not None]
        raw.pre_tokenizer = pre_tokenizers.Sequence(parts)
    return raw


def _check_surrogates(text: str, number: int) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"Text {number} holds half of a surrogate pair ({text[error.start]!a}) at character {error.start}, which "
            "is no character and cannot be written as UTF-8. It comes from JSON with a lone \\ud800 escape, or from "
            'reading with errors="surrogateescape"; mend it with text.encode("utf-8", "replace").decode().'
        ) from error
