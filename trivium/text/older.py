"""Tokenizers in the files from before tokenizer.json, as `transformers` builds them.

vocab.json, merges.txt    byte-level BPE: GPT-2's, and RoBERTa's and BART's, whose vocabulary has a mask
vocab.txt                 BERT's WordPiece, a token a line
"""

__all__ = ["read_older"]

from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers, processors

_ROBERTA = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
_BERT = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def read_older(folder: Path, roles: dict[str, Any]) -> tokenizers.Tokenizer | None:
    """The tokenizer of these files, or None where there are none; `roles` are those of tokenizer_config.json."""
    if (folder / "vocab.json").is_file():
        return _byte_level(folder, roles)
    return _wordpiece(folder, roles) if (folder / "vocab.txt").is_file() else None


def _byte_level(folder: Path, roles: dict[str, Any]) -> tokenizers.Tokenizer:
    raw = tokenizers.Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
    space_first = bool(roles.get("add_prefix_space", False))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=space_first)
    raw.decoder = decoders.ByteLevel()
    ids = raw.get_vocab()
    if ids.keys() >= set(_ROBERTA):
        end, begin = ("</s>", ids["</s>"]), ("<s>", ids["<s>"])
        raw.post_processor = processors.RobertaProcessing(end, begin, trim_offsets=True, add_prefix_space=space_first)
        raw.add_special_tokens([AddedToken(token, lstrip=token == "<mask>", special=True) for token in _ROBERTA])
    else:
        raw.post_processor = processors.ByteLevel(trim_offsets=False)
        raw.add_special_tokens([token for token in ("<|endoftext|>",) if token in ids])
    return raw


def _wordpiece(folder: Path, roles: dict[str, Any]) -> tokenizers.Tokenizer:
    raw = tokenizers.Tokenizer(models.WordPiece.from_file(str(folder / "vocab.txt"), unk_token="[UNK]"))
    raw.normalizer = normalizers.BertNormalizer(
        lowercase=bool(roles.get("do_lower_case", True)),
        handle_chinese_chars=bool(roles.get("tokenize_chinese_chars", True)),
        strip_accents=roles.get("strip_accents"),
    )
    raw.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    raw.decoder = decoders.WordPiece()
    ids = raw.get_vocab()
    raw.add_special_tokens([AddedToken(token, special=True) for token in _BERT if token in ids])
    if "[CLS]" in ids and "[SEP]" in ids:
        raw.post_processor = processors.BertProcessing(("[SEP]", ids["[SEP]"]), ("[CLS]", ids["[CLS]"]))
    return raw
