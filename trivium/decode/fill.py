"""Filling gaps: an encoder says which tokens fit a mask; an encoder-decoder writes out the spans that are missing.

    encoder            The [MASK] sat.             → for each mask, tokens with probabilities
    encoder-decoder    The <extra_id_0> sat.       → <extra_id_0> old cat <extra_id_1>  → "old cat"

Letters: T tokens, M masks, k candidates.
"""

__all__ = ["Candidate", "MaskFilling", "SpanFilling", "fill_mask", "fill_spans"]

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from trivium.decode.generate import Completion, generate
from trivium.decode.prompt import require_evaluation, surround
from trivium.decode.rules import GapsInOrder
from trivium.decode.sampling import Sampling
from trivium.errors import UsageError
from trivium.model import Transformer
from trivium.text.tokenizer import Tokenizer


@dataclass(frozen=True)
class Candidate:
    """A token that may stand in a gap, as the vocabulary writes it, and its probability there."""

    token: str
    id: int
    probability: float


@dataclass(frozen=True)
class MaskFilling:
    """For each mask of a text, in order, the most probable tokens; `text` has the best one in every mask."""

    text: str
    masks: tuple[tuple[Candidate, ...], ...]

    def __str__(self) -> str:
        lines = ["  ".join(f"{one.token} {one.probability:.1%}" for one in candidates) for candidates in self.masks]
        return "\n".join([self.text, *lines])

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


@dataclass(frozen=True)
class SpanFilling:
    """What was said for each gap of a text, in order (empty where nothing was), and the text with it in place."""

    text: str
    spans: tuple[str, ...]
    completion: Completion

    def __str__(self) -> str:
        return self.text

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"text": self.text, "spans": list(self.spans), "completion": self.completion.to_dict()}


@torch.inference_mode()
def fill_mask(model: Transformer, tokenizer: Tokenizer, text: str, top_k: int = 5) -> MaskFilling:
    """The `top_k` most probable tokens for each mask of the text, by an encoder.

    p = softmax(logits at the mask) (Devlin et al. 2019, section 3.1); every mask is judged by itself, with the others
    still in place. A mask is written as the tokenizer has it, "[MASK]". Raises `UsageError` without one, for a text
    longer than the model's positions, and for a model that is no encoder or is in training mode.
    """
    architecture, mask = model.architecture, tokenizer.mask_id
    if architecture.kind != "encoder" or model.head is None or mask is None:
        raise UsageError(
            f"Masks are filled by an encoder with a vocabulary head and a mask token; this is {_a(architecture.kind)}. "
            "A decoder continues a text, an encoder-decoder fills spans."
        )
    require_evaluation(model)
    if top_k < 1:
        raise UsageError(f"top_k is {top_k}, but at least 1 candidate must be shown.")
    parts = text.split(tokenizer.token(mask))
    if len(parts) == 1:
        raise UsageError(f"There is no {tokenizer.token(mask)} in the text, so there is nothing to fill: write one.")
    ids = surround(tokenizer, "encoder", _join(tokenizer, parts, [mask] * (len(parts) - 1)))
    if architecture.context is not None and len(ids) > architecture.context:
        raise UsageError(f"The text has {len(ids):,} tokens; this model reads {architecture.context:,}. Shorten it.")
    at = [place for place, token in enumerate(ids) if token == mask]
    hidden = model.encode(torch.tensor([ids], device=model.tokens.weight.device))
    probabilities = model.head(hidden[0, at]).float().softmax(dim=-1)
    best = probabilities.topk(min(top_k, probabilities.shape[-1]), dim=-1)
    masks = tuple(
        tuple(Candidate(_token(tokenizer, number), number, share) for number, share in zip(*row, strict=True))
        for row in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    )
    for place, candidates in zip(at, masks, strict=True):
        ids[place] = candidates[0].id
    return MaskFilling(tokenizer.decode(ids), masks)


def fill_spans(
    model: Transformer,
    tokenizer: Tokenizer,
    text: str,
    sampling: Sampling,
    start_id: int | None = None,
) -> SpanFilling:
    """What an encoder-decoder trained on span corruption says for the gaps of a text (Raffel et al. 2020, fig. 2).

    Gaps are written as the tokenizer's sentinels, in order: "<extra_id_0>", "<extra_id_1>", ... Raises `UsageError`
    without any, and for a model or a tokenizer that has none.
    """
    sentinels = tokenizer.sentinel_ids
    if model.architecture.kind != "encoder-decoder" or not sentinels:
        raise UsageError(
            f"Spans are filled by an encoder-decoder with sentinels; this is {_a(model.architecture.kind)}. An encoder "
            "fills masks, a decoder continues a text."
        )
    names = {tokenizer.token(sentinel): sentinel for sentinel in sentinels}
    pieces = re.split(f"({'|'.join(map(re.escape, names))})", text)
    parts, gaps = pieces[::2], [names[name] for name in pieces[1::2]]
    if not gaps:
        raise UsageError(
            f"There is no gap in the text, so there is nothing to fill: write {tokenizer.token(sentinels[0])} for the "
            f"first, {tokenizer.token(sentinels[1])} for the next, and so on."
        )
    prompt = surround(tokenizer, "encoder-decoder", _join(tokenizer, parts, gaps))
    ends = frozenset(sampling.end_ids or ())
    form = GapsInOrder(tuple(gaps), frozenset(sentinels), ends)
    [completion] = generate(model, tokenizer, [prompt], sampling, start_id, rules=(form,))
    said = _spans(completion.tokens, frozenset(sentinels), ends)
    spans = tuple(tokenizer.decode(said.get(gap, [])).strip() for gap in gaps)
    filled = [part + span for part, span in zip(parts, (*spans, ""), strict=True)]
    return SpanFilling("".join(filled), spans, completion)


def _join(tokenizer: Tokenizer, parts: Sequence[str], gaps: Sequence[int]) -> list[int]:
    """The tokens of the parts of a text with the gaps between them."""
    if tokenizer.kind == "bpe":  # the space before a mask is the mask's, as in RoBERTa
        parts = [part.rstrip(" ") for part in parts[:-1]] + [parts[-1]]
    ids = list(tokenizer.encode(parts[0]))
    for gap, part in zip(gaps, parts[1:], strict=True):
        ids += [gap, *tokenizer.encode(part)]
    return ids


def _spans(tokens: Sequence[int], sentinels: frozenset[int], end_ids: frozenset[int]) -> dict[int, list[int]]:
    """The tokens behind each sentinel, up to the next one or the end; a repeated sentinel does not count again."""
    spans: dict[int, list[int]] = {}
    current: list[int] = []  # what stands before the first sentinel belongs to no gap
    for token in tokens:
        if token in end_ids:
            break
        if token in sentinels:
            current = []
            spans.setdefault(token, current)
        else:
            current.append(token)
    return spans


def _token(tokenizer: Tokenizer, number: int) -> str:
    return tokenizer.token(number) if number < tokenizer.vocabulary else f"(unused {number})"


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
