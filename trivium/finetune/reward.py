"""A reward: a head that says how good an answer is, taught by which of two is preferred.

    -log σ(r(prompt, chosen) − r(prompt, rejected))        Ouyang et al. 2022, equation 1 (Bradley and Terry 1952)

The head is that of a published class for one number, so the folder opens in transformers as a sequence classifier of
one label. Any of the three families has one.

Letters: N texts, two for each of P pairs.
"""

__all__ = ["Ranked", "prepare_reward", "ranked", "reward_loss", "rewards"]

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from trivium.data.examples import Examples, Preference
from trivium.errors import UsageError
from trivium.finetune.batching import in_order
from trivium.finetune.heads import with_head
from trivium.finetune.prepared import Prepared
from trivium.finetune.settings import FineTuneSettings
from trivium.language_model import LanguageModel
from trivium.metrics.bootstrap import bootstrap, mean_of
from trivium.metrics.metric import Metric
from trivium.model import Transformer
from trivium.objectives.batch import IGNORE, Batch
from trivium.objectives.collate import joined, padded
from trivium.objectives.row import Row
from trivium.text.chat import chat_ids
from trivium.train.loss import LossSum
from trivium.train.task_loss import unpacked
from trivium.weights.fresh import FreshHead

_HEAD = FreshHead("sequence-classification", ("reward",), "regression")
_BATCH = 16


@dataclass(frozen=True)
class Ranked:
    """Of held-out pairs: the share in which the chosen answer has the higher reward, and by how much on average."""

    right: Metric
    margin: Metric
    pairs: int

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Both."""
        return self.right, self.margin

    @property
    def remarks(self) -> tuple[str, ...]:
        """What they are of."""
        return (f"right and margin: of {self.pairs:,} held-out pairs, by the rewards of their two answers.",)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        metrics = {each.name: each.to_dict() for each in self.metrics}
        return {"items": self.pairs, "metrics": metrics, "remarks": list(self.remarks)}


def prepare_reward(
    lm: LanguageModel, examples: Examples, labels: Sequence[str], settings: FineTuneSettings
) -> Prepared:
    """Pairs of answers, each pair a row of two documents, under a head for one number.

    Raises `DataError` for other examples, `UsageError` for an answer that would be cut.
    """
    examples.require("preference", what="an answer that is preferred")
    rows: list[Row] = []
    left_out: Counter[str] = Counter()
    for number, example in enumerate(examples, 1):
        assert isinstance(example, Preference)
        both = [_row(lm, example.turns, answer, settings.max_tokens) for answer in (example.chosen, example.rejected)]
        kept = [row for row in both if row is not None]
        if len(kept) < 2:
            if settings.too_long != "leave out":
                raise UsageError(
                    f"Pair {number:,} of {examples.where} has more tokens than are read: cut, its answers could not be "
                    "told apart by their ends. Set too_long to 'leave out', or raise max_tokens."
                )
            left_out["more tokens than are read"] += 1
            continue
        rows.append(joined(kept))
    pad = lm.tokenizer.pad_id or 0
    architecture = with_head(lm.architecture, _HEAD)
    return Prepared(architecture, tuple(rows), reward_loss, pad, dict(left_out), batching="by length")


def reward_loss(model: nn.Module, batch: Batch) -> LossSum:
    """The loss above, summed over the pairs of a batch: a row holds the chosen text and the rejected one."""
    said = _said(model, batch)
    return LossSum(-nn.functional.logsigmoid(said[0::2] - said[1::2]).sum(), len(said) // 2)


def ranked(model: nn.Module, ready: Prepared) -> Ranked:
    """How well a finished model ranks pairs that were made ready for it."""
    model.eval()
    with torch.inference_mode():
        device = next(model.parameters()).device
        batches = in_order(ready.rows, ready.pad, ready.batching, _BATCH)
        said = torch.cat([_said(model, batch.to(device)) for batch in batches])
    ahead = (said[0::2] - said[1::2]).double().cpu().numpy()
    right = np.where(ahead == 0, 0.5, ahead > 0)
    return Ranked(bootstrap("right", mean_of(right)), bootstrap("margin", mean_of(ahead)), len(ahead))


def rewards(
    lm: LanguageModel, turns: Sequence[tuple[str, str]], answers: Sequence[str]
) -> Float[np.ndarray, "answers"]:
    """How good each answer to a conversation is. Raises `UsageError` without the head, and for what is too long."""
    if getattr(lm.architecture.task, "labels", None) != ("reward",):
        raise UsageError("This model has no head for a reward: teach one, with pairs of answers and the task 'reward'.")
    rows = [_row(lm, tuple(turns), answer, None) for answer in answers]
    if any(row is None for row in rows):
        raise UsageError("An answer and what was said before have more tokens than the model reads: shorten them.")
    device = lm.model.tokens.weight.device
    said = []
    with torch.inference_mode():
        for first in range(0, len(rows), _BATCH):
            batch = padded([row for row in rows[first : first + _BATCH] if row is not None], lm.tokenizer.pad_id or 0)
            said.append(_said(lm.model, batch.to(device)).double().cpu().numpy())
    return np.concatenate(said)


def _said(model: nn.Module, batch: Batch) -> Float[Tensor, "N"]:
    assert isinstance(model, Transformer)
    assert model.task is not None
    hidden, documents, ids = model.task_hidden(batch.input_ids, batch.documents, batch.segments), None, batch.input_ids
    if batch.documents is not None:
        hidden, documents, ids = unpacked(hidden, batch.documents, batch.input_ids)
    said: Tensor = model.task(hidden, documents, ids)
    return said[:, 0].float()


def _row(lm: LanguageModel, turns: tuple[tuple[str, str], ...], answer: str, max_tokens: int | None) -> Row | None:
    """What is read of an answer: the conversation in its template, or its turns as texts; None if it is too long."""
    if lm.tokenizer.chat_template is not None:
        messages = [{"role": role, "content": content} for role, content in (*turns, ("assistant", answer))]
        ids, segments = np.array(chat_ids(lm.tokenizer, messages, False), dtype=np.int64), None
    else:
        read = lm.tokenizer.framed("\n".join(content for _, content in turns), answer)
        ids = np.array(read.ids, dtype=np.int64)
        several = lm.architecture.stacks[0].embedding.segments > 1
        segments = np.array(read.type_ids, dtype=np.int64) if several else None
    limits = [bound for bound in (max_tokens, lm.architecture.context) if bound is not None]
    if limits and len(ids) > min(limits):
        return None
    return Row(ids, np.full_like(ids, IGNORE), np.ones_like(ids), segments=segments)
