"""What a model says on the probes, and how its tokenizer reads: recorded, so that two forms of a model can be compared
with one of them in memory at a time.

Letters: T positions, V vocabulary.
"""

__all__ = ["Recording", "record"]

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from trivium.decode.prompt import prompt_ids, require_evaluation
from trivium.errors import ModelError, TriviumError
from trivium.evaluate.probes import CHAT, PROBES
from trivium.model import Transformer
from trivium.text.chat import chat_ids
from trivium.text.tokenizer import Tokenizer

#: Of each probe so many tokens are read: enough to tell models apart, and quick on a large one.
_MOST_TOKENS = 48
#: An encoder reads its text with one token masked of so many.
_MASK_EVERY = 5


@dataclass(frozen=True, eq=False)
class Recording:
    """One form of a model on the probes, by their names.

    `inputs` are the tokens that the model read, `logits` what it said; `encodings` the tokenizer's own tokens of the
    probes, `pieces` those of the text of each of its tokens; `fingerprint` and `template` are hashes.
    """

    inputs: Mapping[str, tuple[int, ...]]
    logits: Mapping[str, Float[Tensor, "_ V"]]
    encodings: Mapping[str, tuple[int, ...]]
    pieces: Sequence[Sequence[int]]
    fingerprint: str
    template: str | None


@torch.inference_mode()
def record(
    model: Transformer,
    tokenizer: Tokenizer,
    start_id: int | None = None,
    like: Recording | None = None,
    probes: Mapping[str, str] = PROBES,
) -> Recording:
    """What a model says on the probes: at every position, an encoder with some tokens masked, an encoder-decoder made
    to say its own input. A model without a vocabulary head says its labels, or its hidden states.

    With `like`, the recording of the form before, the model reads that one's tokens, so that a tokenizer that differs
    is not taken for weights that do. Raises `UsageError` in training mode, `ModelError` where the model has fewer rows
    than the tokenizer has tokens.
    """
    require_evaluation(model)
    kind = model.architecture.kind
    encodings = {name: tuple(prompt_ids(tokenizer, kind, text)) for name, text in probes.items()}
    if kind == "decoder" and tokenizer.chat_template is not None:
        encodings["chat"] = _chat(tokenizer)
    inputs = (
        dict(like.inputs) if like is not None else {n: _input(model, tokenizer, i) for n, i in encodings.items() if i}
    )
    most, rows = max(max(ids) for ids in inputs.values()), model.architecture.vocab
    if most >= rows:
        raise ModelError(
            f"The tokenizer gives the id {most:,}, and the model has {rows:,} rows: they are not of one model."
        )
    if kind == "encoder-decoder" and start_id is None:
        raise ModelError("Nothing says which token starts the decoder: the config has no decoder_start_token_id.")
    logits = {name: _said(model, ids, start_id) for name, ids in inputs.items()}
    texts = [tokenizer.decode([number], skip_special=False) for number in range(tokenizer.vocabulary)]
    template = tokenizer.chat_template
    return Recording(
        inputs=inputs,
        logits=logits,
        encodings=encodings,
        pieces=tokenizer.encode_batch(texts),
        fingerprint=tokenizer.fingerprint,
        template=None if template is None else hashlib.sha256(template.encode()).hexdigest(),
    )


def _chat(tokenizer: Tokenizer) -> tuple[int, ...]:
    """A chat by the tokenizer's template, empty where the template is broken or will not have it."""
    for messages in (CHAT, CHAT[1:]):  # some templates know no system
        try:
            return tuple(chat_ids(tokenizer, messages))
        except TriviumError:
            continue
    return ()


def _input(model: Transformer, tokenizer: Tokenizer, ids: tuple[int, ...]) -> tuple[int, ...]:
    contexts = [stack.context for stack in model.architecture.stacks if stack.context is not None]
    read = list(ids[: min([_MOST_TOKENS, *contexts])])
    if model.architecture.kind == "encoder" and tokenizer.mask_id is not None:
        read[1::_MASK_EVERY] = [tokenizer.mask_id] * len(read[1::_MASK_EVERY])
    return tuple(read)


def _said(model: Transformer, ids: tuple[int, ...], start_id: int | None) -> Float[Tensor, "_ V"]:
    """What the model says of one text: by the head of its vocabulary, else its task head, else its hidden states."""
    row = torch.tensor([ids], device=model.tokens.weight.device)
    if model.head is None and model.task is not None:
        said: Tensor = model.task_logits(row)
    else:
        pair = model.architecture.kind == "encoder-decoder"
        decoder_ids = torch.tensor([[start_id, *ids[:-1]]], device=row.device) if pair else None
        said = (model if model.head is not None else model.hidden)(row, None, decoder_ids)
    return said.reshape(-1, said.shape[-1]).float().cpu()
