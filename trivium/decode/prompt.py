"""What a model reads: a text's tokens with the special tokens of its family around them.

    encoder            begin text end       [CLS] ... [SEP]
    decoder            begin text           <s> ..., where the tokenizer has a begin token and its files use it
    encoder-decoder    text end             ... </s>; BART's own template has <s> before it, too

The decoder of an encoder-decoder starts from its start token.

Letters: B rows, T tokens of the longest prompt.
"""

__all__ = ["Ids", "pad", "prompt_ids", "require_evaluation", "surround"]

from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor, nn

from trivium.architecture import Kind
from trivium.errors import UsageError
from trivium.objectives.batch import PADDING
from trivium.text.tokenizer import Tokenizer

Ids = Sequence[int]


def prompt_ids(tokenizer: Tokenizer, kind: Kind, text: str) -> list[int]:
    """The tokens that a model of that kind reads for a text.

    Raises `UsageError` for an empty prompt of a decoder whose tokenizer has no token that begins a text.
    """
    return surround(tokenizer, kind, tokenizer.encode(text))


def surround(tokenizer: Tokenizer, kind: Kind, ids: Ids) -> list[int]:
    """The special tokens of the family around the tokens of a text."""
    begin = [] if tokenizer.begin_id is None else [tokenizer.begin_id]
    if kind == "encoder-decoder" and tokenizer.framed("").ids[:1] != begin:
        begin = []
    end = [] if tokenizer.end_id is None or kind == "decoder" else [tokenizer.end_id]
    if kind == "decoder" and ids and not tokenizer.begins_texts:
        begin = []
    surrounded = [*begin, *ids, *end]
    if not surrounded:
        raise UsageError("The prompt is empty, and the tokenizer has no token that begins a text: give some text.")
    return surrounded


def pad(
    rows: Sequence[Ids], *, left: bool, device: torch.device | str = "cpu"
) -> tuple[Int[Tensor, "B T"], Int[Tensor, "B T"] | None]:
    """Rows of different lengths as one tensor, and its documents: 1, and 0 on padding; None where there is none."""
    longest = max(map(len, rows))
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    documents = torch.full_like(ids, PADDING)
    for index, row in enumerate(rows):
        place = slice(longest - len(row), longest) if left else slice(len(row))
        ids[index, place] = torch.tensor(row, dtype=torch.long)
        documents[index, place] = 1
    padded = any(len(row) < longest for row in rows)
    return ids.to(device), documents.to(device) if padded else None


def require_evaluation(model: nn.Module) -> None:
    """Raise `UsageError` for a model in training mode."""
    if model.training:
        raise UsageError("The model is in training mode, where dropout disturbs what it says: call model.eval() first.")
