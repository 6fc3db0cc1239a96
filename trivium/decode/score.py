"""How probable given texts are, as continuations of others.

    log p(completion | prompt) = sum_i log p(token_i | prompt, token_1, ..., token_{i-1})

Completions of one prompt, and prompts that begin alike, share their work: an input that several need is read once, and
so is a beginning that several inputs of a decoder have (`shared`).

Letters: B pairs, T tokens, N positions of all inputs together, D channels.
"""

__all__ = ["Score", "score"]

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import torch
from torch import Tensor

from trivium.decode.prompt import Ids, pad, require_evaluation
from trivium.decode.shared import read_shared
from trivium.errors import UsageError
from trivium.model import Transformer

#: Logits that stand in memory at a time.
_LOGITS: Final = 2**25


@dataclass(frozen=True)
class Score:
    """The log-probability of a completion in nats, of how many tokens, and whether greedy decoding would say it."""

    logprob: float
    tokens: int
    greedy: bool

    @property
    def logprob_per_token(self) -> float:
        """The mean, so that a longer completion is not less probable for its length alone."""
        return self.logprob / self.tokens

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self) | {"logprob_per_token": self.logprob_per_token}


@dataclass
class _Input:
    """What is read once: a decoder's tokens, behind an encoder's where there is one; and the pairs that ask of it.

    `asks` holds the number of a pair and the place of the hidden state that its first token follows from.
    """

    source: Ids
    ids: Ids
    asks: list[tuple[int, int]] = field(default_factory=list)

    @property
    def asked_from(self) -> int:
        """The first place that any pair asks of."""
        return min(place for _, place in self.asks)


@torch.inference_mode()
def score(
    model: Transformer,
    pairs: Sequence[tuple[Ids, Ids]],
    start_id: int | None = None,
    rows: int = 16,
    share: bool = True,
    told: Callable[[int], None] | None = None,
) -> list[Score]:
    """The scores of pairs (prompt, completion), in their order, computed `rows` inputs at a time.

    The head runs at the completions' positions only. An encoder-decoder reads the prompt with its encoder and starts
    its own side with `start_id`. Without `share` every pair is read by itself: slower, and equal to rounding. `told`
    hears how many pairs are done. Raises `UsageError` for an encoder, an empty prompt or completion, and for a pair
    longer than the model's positions.
    """
    require_evaluation(model)
    _check(model, pairs, start_id)
    inputs = _inputs(model, pairs, start_id, share)
    read = _read_both if model.architecture.kind == "encoder-decoder" else _read_decoder
    scores: dict[int, Score] = {}
    for batch in read(model, inputs, rows, share):
        scores.update(_judged(model, [(inputs[number], hidden) for number, hidden in batch], pairs))
        if told is not None:
            told(len(scores))
    return [scores[number] for number in range(len(pairs))]


def _inputs(
    model: Transformer, pairs: Sequence[tuple[Ids, Ids]], start_id: int | None, share: bool
) -> Sequence[_Input]:
    """What has to be read for the pairs: equal inputs once, and none that is only the beginning of another."""
    both = model.architecture.kind == "encoder-decoder"
    made: dict[tuple[int, ...] | tuple[tuple[int, ...], tuple[int, ...]] | int, _Input] = {}
    for number, (prompt, completion) in enumerate(pairs):
        source: Ids = tuple(prompt) if both else ()
        assert start_id is not None or not both
        begun = (start_id,) if both else tuple(prompt)
        ids = (*begun, *completion[:-1])
        key = (tuple(source), ids) if share else number
        one = made.setdefault(key, _Input(source, ids))
        one.asks.append((number, len(begun) - 1))
    if not share:
        return list(made.values())
    kept: list[_Input] = []
    for one in sorted(made.values(), key=lambda each: (tuple(each.source), tuple(each.ids)), reverse=True):
        longer = kept[-1] if kept else None
        if longer is not None and longer.source == one.source and tuple(longer.ids[: len(one.ids)]) == one.ids:
            longer.asks += one.asks
        else:
            kept.append(one)
    return kept


def _read_decoder(
    model: Transformer, inputs: Sequence[_Input], rows: int, share: bool
) -> Iterator[list[tuple[int, Tensor]]]:
    texts, bounds = [one.ids for one in inputs], [one.asked_from for one in inputs]
    return read_shared(model, texts, bounds, rows, share)


def _read_both(
    model: Transformer, inputs: Sequence[_Input], rows: int, share: bool
) -> Iterator[list[tuple[int, Tensor]]]:
    """Each source of a batch goes through the encoder once."""
    device = model.tokens.weight.device
    order = sorted(range(len(inputs)), key=lambda number: (len(inputs[number].source), tuple(inputs[number].source)))
    for first in range(0, len(order), rows):
        batch = order[first : first + rows]
        keys = [(inputs[number].source, 0 if share else number) for number in batch]
        sources = {key: place for place, key in enumerate(dict.fromkeys(keys))}
        read, documents = pad([source for source, _ in sources], left=False, device=device)
        memory = model.encode(read, documents)
        places = torch.tensor([sources[key] for key in keys], device=device)
        heard, heard_documents = pad([inputs[number].ids for number in batch], left=False, device=device)
        seen = None if documents is None else documents[places]
        hidden = model.decode(heard, heard_documents, memory[places], seen)
        yield list(zip(batch, hidden, strict=True))


def _judged(
    model: Transformer, batch: Sequence[tuple[_Input, Tensor]], pairs: Sequence[tuple[Ids, Ids]]
) -> dict[int, Score]:
    """The scores of the pairs of some inputs, whose hidden states begin where the first pair asks."""
    assert model.head is not None
    asks = [(row, pair, place - one.asked_from) for row, (one, _) in enumerate(batch) for pair, place in one.asks]
    wanted = [(row, place + at) for row, pair, place in asks for at in range(len(pairs[pair][1]))]
    states = {each: number for number, each in enumerate(dict.fromkeys(wanted))}  # one may be asked for by several
    device = model.tokens.weight.device
    asked = torch.tensor([states[each] for each in wanted], device=device)
    tokens = torch.tensor([token for _, pair, _ in asks for token in pairs[pair][1]], device=device)
    hidden = torch.stack([batch[row][1][place] for row, place in states])
    logprobs, hits = torch.empty(len(wanted), device=device), torch.empty(len(wanted), dtype=torch.bool, device=device)
    size = max(1, _LOGITS // model.architecture.vocab)
    for first in range(0, len(hidden), size):
        logits: Tensor = model.head(hidden[first : first + size]).float()
        here = (asked >= first) & (asked < first + size)
        at, said = asked[here] - first, tokens[here]
        logprobs[here] = logits.log_softmax(dim=-1)[at, said]
        hits[here] = logits.argmax(dim=-1)[at] == said
    lengths = [len(pairs[pair][1]) for _, pair, _ in asks]
    parts = zip(asks, torch.split(logprobs, lengths), torch.split(hits, lengths), strict=True)
    return {pair: Score(float(part.sum()), len(part), bool(hit.all())) for (_, pair, _), part, hit in parts}


def _check(model: Transformer, pairs: Sequence[tuple[Ids, Ids]], start_id: int | None) -> None:
    architecture = model.architecture
    if architecture.decoder is None:
        raise UsageError("An encoder gives no probability to a text as a whole: use a decoder or an encoder-decoder.")
    pair = architecture.kind == "encoder-decoder"
    if pair and start_id is None:
        raise UsageError("An encoder-decoder needs the token that starts its decoder: give start_id.")
    for number, (prompt, completion) in enumerate(pairs):
        if not prompt or not completion:
            raise UsageError(f"Pair {number} has an empty {'completion' if prompt else 'prompt'}: both need a token.")
        read = max(len(prompt), len(completion)) if pair else len(prompt) + len(completion) - 1
        if architecture.context is not None and read > architecture.context:
            raise UsageError(
                f"Pair {number} takes {read:,} positions; this model has {architecture.context:,}. Shorten the prompt."
            )
