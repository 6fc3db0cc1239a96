"""Which special token is what, and the chat template: what a folder says beside `tokenizer.json`."""

__all__ = ["PUBLISHED_NAMES", "read_roles", "read_template", "roles_by_published_name"]

import json
from pathlib import Path
from typing import Any, Final

import tokenizers

from trivium.errors import DataError

# Folders of other makers sometimes hold tokenizer.json alone; then the roles are known by these published names.
PUBLISHED_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "pad_token": ("<pad>", "[PAD]", "<|pad|>"),
    "unk_token": ("<unk>", "[UNK]"),
    "bos_token": ("<s>", "<|begin_of_text|>", "<|endoftext|>"),
    "eos_token": ("</s>", "<|end_of_text|>", "<|endoftext|>"),
    "cls_token": ("[CLS]",),
    "sep_token": ("[SEP]",),
    "mask_token": ("[MASK]", "<mask>"),
}


def read_roles(folder: Path) -> dict[str, Any]:
    """The roles as `tokenizer_config.json` has them. Raises `DataError` for a file that is no JSON."""
    roles: dict[str, Any] = {}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):  # the second wins, as in transformers
        file = folder / name
        if file.is_file():
            try:
                roles |= json.loads(file.read_text())
            except ValueError as error:
                raise DataError(f"{file} is not JSON: {error}. It may be truncated; copy or train it again.") from error
    return roles


def read_template(folder: Path, older: Any) -> str | None:
    """The chat template: its own file, or the older place in `tokenizer_config.json`, one or several with names."""
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    if isinstance(older, list):
        named = {entry.get("name"): entry.get("template") for entry in older if isinstance(entry, dict)}
        older = named.get("default")
    return older if isinstance(older, str) else None


def roles_by_published_name(raw: tokenizers.Tokenizer) -> dict[str, Any]:
    """The roles of the special tokens that a tokenizer has, by the names that published ones give them."""
    added = {token.content for token in raw.get_added_tokens_decoder().values()}
    found = {role: [name for name in names if name in added] for role, names in PUBLISHED_NAMES.items()}
    return {role: names[0] for role, names in found.items() if names}
