"""A tiny model and batches of each kind, with dropout, padding and packed documents, for the tests of training."""

from dataclasses import replace

import torch

from trivium.families import bert, gpt2, llama, t5
from trivium.model import Transformer
from trivium.objectives.batch import IGNORE, Batch

VOCAB = 61
KINDS = ("encoder", "decoder", "encoder-decoder")
ARCHITECTURES = {
    "encoder": bert.preset(vocab=VOCAB, dim=24, depth=2, heads=3, positions=40, dropout=0.1),
    "decoder": gpt2.preset(vocab=VOCAB, dim=24, depth=2, heads=3, positions=40, dropout=0.1, embedding_dropout=0.1),
    "encoder-decoder": t5.preset(vocab=VOCAB, dim=24, depth=2, heads=3, head_dim=8, dropout=0.1),
    "llama": llama.preset(vocab=VOCAB, dim=24, depth=2, heads=4, kv_heads=2, head_dim=6, tied=False),
}


def build(kind: str = "decoder", seed: int = 0) -> Transformer:
    return Transformer(ARCHITECTURES[kind], torch.Generator().manual_seed(seed))


def batch(kind: str, step: int, rows: int = 4, length: int = 12) -> Batch:
    """Step `step` of an endless corpus: a third of the positions have targets, rows are packed and padded."""
    generator = torch.Generator().manual_seed(step)
    ids = torch.randint(1, VOCAB, (rows, length), generator=generator)
    targets = torch.where(torch.rand(rows, length, generator=generator) < 0.3, ids.roll(1, 1), IGNORE)
    documents = torch.ones_like(ids)
    documents[:, length // 2 :] = 2
    documents[0, -3:] = 0
    targets[0, -3:] = IGNORE
    targets[:, 0] = ids[:, 0]
    if kind == "encoder-decoder":
        return Batch(ids, targets, documents, ids.roll(2, 1), documents)
    return Batch(ids, targets, documents)


def micro_batches(whole: Batch, parts: int) -> list[Batch]:
    """The rows of a batch in so many batches."""
    split = {
        name: [None] * parts if tensor is None else list(tensor.chunk(parts)) for name, tensor in vars(whole).items()
    }
    return [replace(whole, **{name: pieces[i] for name, pieces in split.items()}) for i in range(parts)]
