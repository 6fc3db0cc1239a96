"""How well a decoder says running text: perplexity and bits per byte, by windows that slide.

    perplexity          exp(nats / tokens)
    bits per byte       nats / (bytes · ln 2)          comparable between tokenizers
    word perplexity     exp(nats / words)              words are what stands between spaces

A text longer than the model's positions is read in windows of `window` tokens, each `stride` further on; of each,
only tokens that no window before has said are counted, so that every token is said once, with `window - stride` tokens
before it at least:

    [ . . . . . . ]
          [ . . . + + + ]              + counted
                [ . . . + + + ]

A small stride is slow and gives the better figure (GPT-2 large on WikiText-2: 19.4 with 1024, 16.4 with 512, as
`transformers`' documentation has it), so both stand beside each score. The first token of a text follows the token
that begins one, or ends one where there is none to begin; a tokenizer with neither leaves it uncounted.

Letters: B windows, T their tokens.
"""

__all__ = ["Perplexity", "Window", "perplexity", "windows"]

import itertools
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float
from torch.nn import functional as F

from trivium.decode.prompt import pad, require_evaluation
from trivium.errors import DataError, UsageError
from trivium.language_model import LanguageModel
from trivium.metrics.bootstrap import Sums, bootstrap_all
from trivium.metrics.metric import Metric

#: Of a model without a limit of positions.
_WINDOW: Final = 1024
#: So many tokens are read at a time, and the head says so many.
_TOKENS_AT_ONCE, _ROWS_OF_HEAD = 4096, 512


@dataclass(frozen=True)
class Window:
    """Tokens `begin` to `end` (excluded) of a text, of which those from `first` on are counted."""

    begin: int
    first: int
    end: int


@dataclass(frozen=True)
class Perplexity:
    """The figures of some texts, and what they depend on. Intervals are over documents, where there are several."""

    where: str
    metrics: tuple[Metric, ...]
    nats: float
    tokens: int
    bytes: int
    words: int
    documents: int
    empty: int
    window: int
    stride: int
    prefix: str | None
    first_input: str
    seconds: float

    def metric(self, name: str) -> Metric:
        """A metric by its name."""
        return next(metric for metric in self.metrics if metric.name == name)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**asdict(self), "metrics": {metric.name: metric.to_dict() for metric in self.metrics}}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Perplexity":
        """The figures that `to_dict` gave."""
        return cls(**{**values, "metrics": tuple(Metric(**metric) for metric in values["metrics"].values())})

    def __str__(self) -> str:
        width = max(len(metric.name) for metric in self.metrics)
        head = f"{self.where}: {self.documents:,} documents, {self.tokens:,} tokens, {self.bytes:,} bytes"
        return "\n".join([head, *(f"  {metric.name:<{width}}  {metric}" for metric in self.metrics)])


def windows(length: int, window: int, stride: int) -> Iterator[Window]:
    """The windows over a text of `length` tokens: every token but the first is counted once."""
    first = 1
    for begin in itertools.count(0, stride):
        end = min(begin + window, length)
        if first < end:
            yield Window(begin, first, end)
        first = end
        if end == length:
            return


@torch.inference_mode()
def perplexity(
    lm: LanguageModel,
    documents: Iterable[str],
    *,
    window: int | None = None,
    stride: int | None = None,
    where: str = "the text",
    seed: int = 0,
    confidence: float = 0.95,
    told: Callable[[int], None] | None = None,
) -> Perplexity:
    """Of all documents together. `told` is called with how many tokens are done.

    The window is by default all of the model's positions, the stride half of it. Raises `UsageError` for a model that
    is no decoder, a window over its positions, and a stride that leaves a token nothing before it; `DataError` where no
    document has a token to count.
    """
    window, stride = _sizes(lm, window, stride)
    words = lm.tokenizer
    prefix = words.end_id if words.begin_id is None else words.begin_id
    began = time.perf_counter()
    counts: list[list[float]] = []
    first_input, empty = "", 0

    def pieces() -> Iterator[tuple[int, list[int], int]]:
        """(document, tokens of a window, how many of the last ones are counted)."""
        nonlocal empty, first_input
        for text in documents:
            ids = [*([] if prefix is None else [prefix]), *words.encode(text)]
            if len(ids) < 2:
                empty += 1
                continue
            first_input = first_input or text
            left_out = 0 if prefix is not None else int(words.token_bytes[ids[0]])
            counts.append([0.0, len(ids) - 1, len(text.encode()) - left_out, len(text.split())])
            for each in windows(len(ids), window, stride):
                yield len(counts) - 1, ids[each.begin : each.end], each.end - each.first

    done = 0
    for batch in _batches(pieces()):
        for (document, _, counted), nats in zip(batch, _nats(lm, batch), strict=True):
            counts[document][0] += nats
            done += counted
        if told is not None:
            told(done)
    if not counts:
        raise DataError(f"{where} holds no document of which a token could be counted.")
    table = np.array(counts)
    metrics = bootstrap_all(_figures(table), seed=seed, confidence=confidence)
    nats, tokens, byte_count, word_count = table.sum(axis=0)
    return Perplexity(
        where=where,
        metrics=tuple(metrics.values()),
        nats=float(nats),
        tokens=int(tokens),
        bytes=int(byte_count),
        words=int(word_count),
        documents=len(counts),
        empty=empty,
        window=window,
        stride=stride,
        prefix=None if prefix is None else words.token(prefix),
        first_input=first_input,
        seconds=time.perf_counter() - began,
    )


def _sizes(lm: LanguageModel, window: int | None, stride: int | None) -> tuple[int, int]:
    require_evaluation(lm.model)
    architecture = lm.architecture
    if architecture.kind != "decoder" or lm.model.head is None:
        way_out = {
            "encoder": "An encoder gives no probability to a text as a whole: evaluate it by a task head, on examples.",
            "encoder-decoder": "An encoder-decoder says a text that answers another: evaluate it on pairs of texts.",
            "decoder": "This decoder has a task head: evaluate it on labelled examples.",
        }
        raise UsageError(f"Perplexity is of a decoder's texts. {way_out[architecture.kind]}")
    context = architecture.context
    window = window or context or _WINDOW
    if window < 2 or (context is not None and window > context):
        most = "" if context is None else f" and at most the model's {context:,} positions"
        raise UsageError(f"The window is {window:,} tokens; it has 2 at least{most}.")
    stride = max(1, window // 2) if stride is None else stride
    if not 1 <= stride < window:
        raise UsageError(
            f"The stride is {stride:,} tokens; it is between 1 and {window - 1:,}, one less than the window, so that "
            "every token has one before it."
        )
    return window, stride


def _batches(pieces: Iterator[tuple[int, list[int], int]]) -> Iterator[list[tuple[int, list[int], int]]]:
    batch: list[tuple[int, list[int], int]] = []
    for piece in pieces:
        longest = max(len(ids) for _, ids, _ in [*batch, piece])
        if batch and longest * (len(batch) + 1) > _TOKENS_AT_ONCE:
            yield batch
            batch = []
        batch.append(piece)
    if batch:
        yield batch


def _nats(lm: LanguageModel, batch: Sequence[tuple[int, list[int], int]]) -> list[float]:
    """The negative log-probability of the counted tokens of each window."""
    device = lm.model.tokens.weight.device
    inputs, documents = pad([ids[:-1] for _, ids, _ in batch], left=False, device=device)
    hidden = lm.model.hidden(inputs, documents)
    said = torch.cat(
        [hidden[row, len(ids) - 1 - counted : len(ids) - 1] for row, (_, ids, counted) in enumerate(batch)]
    )
    targets = torch.tensor([token for _, ids, counted in batch for token in ids[-counted:]], device=device)
    assert lm.model.head is not None
    blocks = zip(torch.split(said, _ROWS_OF_HEAD), torch.split(targets, _ROWS_OF_HEAD), strict=True)
    nats = torch.cat([F.cross_entropy(lm.model.head(h).float(), t, reduction="none") for h, t in blocks]).double()
    return [float(part.sum()) for part in torch.split(nats, [counted for _, _, counted in batch])]


def _figures(table: Float[np.ndarray, "N 4"]) -> dict[str, Sums]:
    return {
        "perplexity": Sums(table, lambda sums: np.exp(sums[:, 0] / sums[:, 1])),
        "bits_per_byte": Sums(table, lambda sums: sums[:, 0] / (sums[:, 2] * math.log(2))),
        "nats_per_token": Sums(table, lambda sums: sums[:, 0] / sums[:, 1]),
        "word_perplexity": Sums(table, lambda sums: np.exp(sums[:, 0] / sums[:, 3])),
    }
