"""How well an encoder finds each token of a text, hidden one at a time: a likelihood for models that have none.

    PLL(text) = sum_i log p(token_i | context, the text without token_i)      (Salazar et al. 2020, equation 1)

It ranks texts, and so the choices of a question; it is no probability of the text. Letters: B rows, T tokens.
"""

__all__ = ["pseudo_scores"]

from collections.abc import Sequence

import torch
from torch import Tensor

from trivium.decode.prompt import Ids, pad, require_evaluation, surround
from trivium.decode.score import Score
from trivium.errors import UsageError
from trivium.model import Transformer
from trivium.text.tokenizer import Tokenizer


@torch.inference_mode()
def pseudo_scores(
    model: Transformer, tokenizer: Tokenizer, pairs: Sequence[tuple[Ids, Ids]], rows: int = 16
) -> list[Score]:
    """The scores of pairs (context, text) in their order; `greedy` is whether every hidden token was the best guess.

    Raises `UsageError` for a model that fills no masks, an empty text, and a pair longer than the model's positions.
    """
    require_evaluation(model)
    mask = tokenizer.mask_id
    if model.architecture.kind != "encoder" or model.head is None or mask is None:
        raise UsageError("Only an encoder with a language-model head and a mask token finds hidden tokens.")
    hidden: list[tuple[int, int, list[int]]] = []
    for number, (context, text) in enumerate(pairs):
        whole = surround(tokenizer, "encoder", [*context, *text])
        if not text:
            raise UsageError(f"Pair {number} has an empty text: there is no token to find.")
        if model.architecture.context is not None and len(whole) > model.architecture.context:
            raise UsageError(
                f"Pair {number} takes {len(whole):,} positions; this model has {model.architecture.context:,}. Shorten "
                "the context."
            )
        first = (tokenizer.begin_id is not None) + len(context)
        for place in range(first, first + len(text)):
            hidden.append((number, place, [*whole[:place], mask, *whole[place + 1 :]]))
    targets = [token for _, text in pairs for token in text]
    logprobs, hits = torch.zeros(len(hidden)), torch.zeros(len(hidden), dtype=torch.bool)
    order = sorted(range(len(hidden)), key=lambda index: len(hidden[index][2]))
    for begin in range(0, len(order), rows):
        batch = order[begin : begin + rows]
        ids, documents = pad([hidden[index][2] for index in batch], left=False, device=model.tokens.weight.device)
        states = model.hidden(ids, documents)
        said = torch.stack([states[row, hidden[index][1]] for row, index in enumerate(batch)])
        logits: Tensor = model.head(said).float().cpu()
        wanted = torch.tensor([targets[index] for index in batch])
        logprobs[batch] = logits.log_softmax(dim=-1).gather(-1, wanted[:, None]).squeeze(-1)
        hits[batch] = logits.argmax(dim=-1) == wanted
    lengths = [len(text) for _, text in pairs]
    return [
        Score(float(part.sum()), len(part), bool(hit.all()))
        for part, hit in zip(torch.split(logprobs, lengths), torch.split(hits, lengths), strict=True)
    ]
