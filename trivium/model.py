"""The model: stacks of blocks over one table of tokens, and its heads. Read this first.

    input_ids ─ tokens ─ encoder ─┐ memory          an encoder alone is BERT,
                                  ▼                 a decoder alone is GPT-2 or LLaMA,
    decoder_input_ids ─ tokens ─ decoder ─ head     both are T5

Letters: B rows, T input tokens, U decoder tokens, D channels, V vocabulary, t tokens of one call.
"""

__all__ = ["Stack", "Transformer"]

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from trivium import architecture as arch
from trivium.errors import ModelError
from trivium.nn.attention import Relation
from trivium.nn.bias import Alibi, RelativeBuckets
from trivium.nn.block import Block
from trivium.nn.cache import Cache
from trivium.nn.embedding import Embedding
from trivium.nn.head import Head
from trivium.nn.initialise import initialise
from trivium.nn.mask import Mask, cross_mask, self_mask
from trivium.nn.norm import build_norm
from trivium.nn.position import build_position, restart_positions
from trivium.nn.rotary import Rotary
from trivium.nn.task import build_task


class Stack(nn.Module):
    """Layers over token vectors. It owns what they share: positions, masks, the last norm."""

    def __init__(self, stack: arch.Stack, dim: int) -> None:
        super().__init__()
        self.causal = stack.causal
        self.embedding = Embedding(stack.embedding, dim)
        self.layers = nn.ModuleList(Block(layer, dim) for layer in stack.layers)
        self.final_norm = build_norm(stack.final_norm, dim)
        self.final_dropout = nn.Dropout(stack.final_dropout)
        shared = stack.positions
        first = {(layer.position, layer.attention.heads): layer.attention for layer in reversed(stack.pattern)}
        self.positions = nn.ModuleList(
            build_position(position, first[position, heads], dim, stack.causal) for position, heads in shared
        )
        # Layers of equal position and window look at the same things: each such view is prepared once a call.
        views = [
            (
                None if layer.position is None else shared.index((layer.position, layer.attention.heads)),
                layer.attention.window,
            )
            for layer in stack.layers
        ]
        self.views = list(dict.fromkeys(views))
        self.view_of_layer = [self.views.index(view) for view in views]

    def forward(
        self,
        tokens: Float[Tensor, "B t D"],
        documents: Int[Tensor, "B t"] | None = None,
        segments: Int[Tensor, "B t"] | None = None,
        memory: Float[Tensor, "B M D"] | None = None,
        memory_documents: Int[Tensor, "B M"] | None = None,
        cache: Cache | None = None,
        prefix: Bool[Tensor, "B t"] | None = None,
    ) -> Float[Tensor, "B t D"]:
        """Hidden states after the last norm. See `Transformer` for `documents`, `cache` and `prefix`."""
        new = tokens.shape[1]
        past = 0 if cache is None else cache.length
        if cache is not None:
            positions = cache.extend(documents, new)
        elif documents is not None:
            positions = restart_positions(documents)
        else:
            positions = torch.arange(new, device=tokens.device)[None]
        keys = documents
        if cache is not None and cache.padded:
            keys = cache.documents[:, : past + new]
            documents = keys[:, past:]
        memory_mask = None if memory is None else cross_mask(documents, memory_documents, new)

        columns = torch.arange(past + new, device=tokens.device)
        views = []
        for shared, window in self.views:
            mask = self_mask(documents, keys, past, new, self.causal, tokens.device, window, prefix)
            position = None if shared is None else self.positions[shared]
            views.append(_view(mask, position, positions, columns, past, tokens.dtype))

        x = self.embedding(tokens, positions, segments)
        for index, layer in enumerate(self.layers):
            mask, relation = views[self.view_of_layer[index]]
            layer_cache = None if cache is None else cache.layers[index]
            x = layer(x, mask, relation, memory, memory_mask, layer_cache, past)
        normed: Tensor = self.final_dropout(self.final_norm(x))
        return normed


def _view(
    mask: Mask, position: nn.Module | None, positions: Tensor, columns: Tensor, past: int, dtype: torch.dtype
) -> tuple[Mask, Relation]:
    """What layers of one position and window are told: a mask that may hold a bias, and how tokens stand."""
    if position is None:
        return mask, None
    if isinstance(position, Rotary):
        return mask, position(positions)
    if isinstance(position, Alibi | RelativeBuckets):
        return mask.with_bias(position(columns[past:], columns).to(dtype)), None
    return mask, position(columns)


class Transformer(nn.Module):
    """Any of the three families, as its `Architecture` describes it.

    `documents` generalises an attention mask: 0 is padding, tokens of equal number see each other, and positions
    restart where the number changes; left padding works. None says: no padding, one document a row, which is faster.
    `prefix` marks tokens of a decoder that see each other in both directions: a prefix language model, or non-causal
    decoder. Positions that count distances into the past give those of later tokens the distance 0 (T5's buckets,
    Transformer-XL); ALiBi counts both ways alike.
    """

    def __init__(self, architecture: arch.Architecture, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.architecture = architecture
        self.tokens = nn.Embedding(architecture.vocab, architecture.dim)
        self.encoder = None if architecture.encoder is None else Stack(architecture.encoder, architecture.dim)
        self.decoder = None if architecture.decoder is None else Stack(architecture.decoder, architecture.dim)
        self.head = None if architecture.head is None else Head(architecture.head, self.tokens)
        self.task = None if architecture.task is None else build_task(architecture.task, architecture.dim)
        if not self.tokens.weight.is_meta:  # there is nothing to draw, and drawing it would import torch's compiler
            initialise(self, architecture, generator)

    def encode(
        self,
        input_ids: Int[Tensor, "B T"],
        documents: Int[Tensor, "B T"] | None = None,
        segments: Int[Tensor, "B T"] | None = None,
    ) -> Float[Tensor, "B T D"]:
        """The encoder's hidden states."""
        assert self.encoder is not None, "this model has no encoder"
        hidden: Tensor = self.encoder(self.tokens(input_ids), documents, segments)
        return hidden

    def decode(
        self,
        input_ids: Int[Tensor, "B t"],
        documents: Int[Tensor, "B t"] | None = None,
        memory: Float[Tensor, "B M D"] | None = None,
        memory_documents: Int[Tensor, "B M"] | None = None,
        cache: Cache | None = None,
        prefix: Bool[Tensor, "B t"] | None = None,
    ) -> Float[Tensor, "B t D"]:
        """The decoder's hidden states. With a cache: prompts first, padded on the left, then token after token."""
        assert self.decoder is not None, "this model has no decoder"
        hidden: Tensor = self.decoder(self.tokens(input_ids), documents, None, memory, memory_documents, cache, prefix)
        return hidden

    def hidden(
        self,
        input_ids: Int[Tensor, "B T"],
        documents: Int[Tensor, "B T"] | None = None,
        decoder_input_ids: Int[Tensor, "B U"] | None = None,
        decoder_documents: Int[Tensor, "B U"] | None = None,
        segments: Int[Tensor, "B T"] | None = None,
        prefix: Bool[Tensor, "B T"] | None = None,
    ) -> Float[Tensor, "B _ D"]:
        """What the head reads: pick the positions that matter, then call `head` on those."""
        if self.decoder is None:
            return self.encode(input_ids, documents, segments)
        if self.encoder is None:
            return self.decode(input_ids, documents, prefix=prefix)
        if decoder_input_ids is None:
            raise ModelError("An encoder-decoder needs decoder_input_ids beside input_ids.")
        memory = self.encode(input_ids, documents)
        return self.decode(decoder_input_ids, decoder_documents, memory, documents)

    def forward(
        self,
        input_ids: Int[Tensor, "B T"],
        documents: Int[Tensor, "B T"] | None = None,
        decoder_input_ids: Int[Tensor, "B U"] | None = None,
        decoder_documents: Int[Tensor, "B U"] | None = None,
        segments: Int[Tensor, "B T"] | None = None,
    ) -> Float[Tensor, "B _ V"]:
        """Logits at every position of the input, or of the decoder's input where there are two."""
        assert self.head is not None, "this model has no head"
        logits: Tensor = self.head(self.hidden(input_ids, documents, decoder_input_ids, decoder_documents, segments))
        return logits

    def task_logits(
        self,
        input_ids: Int[Tensor, "B T"],
        documents: Int[Tensor, "B T"] | None = None,
        segments: Int[Tensor, "B T"] | None = None,
    ) -> Float[Tensor, "B *rest"]:
        """What the task head says of each row, which is one text: labels, labels a token, or an answer's place.

        Where both the language model and the task are wanted, call `hidden` once, then `head` and `task` on what it
        gives.
        """
        assert self.task is not None, "this model has no task head"
        logits: Tensor = self.task(self.task_hidden(input_ids, documents, segments), documents, input_ids)
        return logits

    def task_hidden(
        self,
        input_ids: Int[Tensor, "B T"],
        documents: Int[Tensor, "B T"] | None = None,
        segments: Int[Tensor, "B T"] | None = None,
    ) -> Float[Tensor, "B T D"]:
        """What the task head reads.

        A decoder beside the encoder reads the same text again, each token behind the one before it.
        """
        task = self.architecture.task
        shifted = None
        if self.decoder is not None and self.encoder is not None:
            start_id = task.start_id if isinstance(task, arch.SequenceLabels | arch.Spans) else None
            if start_id is None:
                raise ModelError(
                    "A task head over an encoder-decoder needs the token that starts its decoder: start_id."
                )
            shifted = _behind(start_id, input_ids, documents)
        return self.hidden(input_ids, documents, shifted, None if shifted is None else documents, segments)


def _behind(start_id: int, input_ids: Int[Tensor, "B T"], documents: Int[Tensor, "B T"] | None) -> Int[Tensor, "B T"]:
    """Each text one token later, behind a start token; padding may be on either side."""
    shifted = input_ids.roll(1, dims=1)
    shifted[:, 0] = start_id
    if documents is None:
        return shifted
    begins = (documents != 0) & (documents != documents.roll(1, dims=1))
    begins[:, 0] = documents[:, 0] != 0
    return torch.where(begins, start_id, shifted)
