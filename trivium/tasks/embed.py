"""A vector for each text, so that texts of like meaning lie near each other (Reimers & Gurevych 2019).

Letters: B texts, D channels.
"""

__all__ = ["embed"]

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from trivium.decode.prompt import require_evaluation
from trivium.model import Transformer
from trivium.nn.task import pool
from trivium.tasks.pooling import TextVectors
from trivium.tasks.reading import batches, read
from trivium.text.tokenizer import Tokenizer


@torch.no_grad()
def embed(
    model: Transformer,
    tokenizer: Tokenizer,
    texts: Sequence[str],
    how: TextVectors,
    truncate: bool = False,
) -> Float[Tensor, "B D"]:
    """The texts' vectors in their order: the hidden states (of the encoder, where there is one), pooled.

    Raises `UsageError` for a model in training mode and for a text over the limit of the model or of `how`.
    """
    require_evaluation(model)
    readings = read(model, tokenizer, [how.prompt + text for text in texts], truncate, how.max_tokens)
    found: Tensor = torch.zeros(len(texts), model.architecture.dim, device=model.tokens.weight.device)
    for batch in batches(model, readings):
        if model.encoder is not None:
            hidden = model.encode(batch.input_ids, batch.documents, batch.segments)
        else:
            hidden = model.decode(batch.input_ids, batch.documents)
        found[batch.places] = pool(hidden.float(), batch.documents, how.pooling)
    return torch.nn.functional.normalize(found, dim=-1) if how.normalize else found
