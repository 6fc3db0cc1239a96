"""Preferences: of two answers to a prompt the better one becomes more likely than it was, the other one less.

What the model says of all answers before the first step is computed once (the reference of `preference_loss`); then the
loop sees rows and a loss, as of any task, and low-rank updates need no second copy of the model either.
"""

__all__ = ["Preferred", "preferred", "prepare_preference"]

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from trivium.data.examples import Conversation, Examples, Preference, TextPair
from trivium.errors import UsageError
from trivium.finetune.batching import in_order
from trivium.finetune.conversation import conversation_row, with_template
from trivium.finetune.prepared import Prepared
from trivium.finetune.settings import FineTuneSettings
from trivium.finetune.text_to_text import row_of, text_task_of
from trivium.language_model import LanguageModel
from trivium.metrics.bootstrap import bootstrap, mean_of
from trivium.metrics.metric import Metric
from trivium.objectives.collate import joined
from trivium.objectives.row import Row
from trivium.train.preference_loss import answer_logprobs, log_ratios, preference_loss

_BATCH = 16


@dataclass(frozen=True)
class Preferred:
    """How far the chosen answers are ahead of the rejected ones, in DPO's implicit reward, on examples held out.

    `margin` is the mean of β (log π/π_ref of the chosen − of the rejected), in nats; `win_rate` the share of pairs in
    which it is above 0, half of it where it is 0, as it is everywhere before the first step.
    """

    margin: Metric
    win_rate: Metric
    pairs: int

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Both."""
        return self.margin, self.win_rate

    @property
    def remarks(self) -> tuple[str, ...]:
        """What they are of."""
        return (f"margin and win_rate: of {self.pairs:,} held-out pairs, by the implicit reward, in nats.",)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        metrics = {each.name: each.to_dict() for each in self.metrics}
        return {"items": self.pairs, "metrics": metrics, "remarks": list(self.remarks)}

    def __str__(self) -> str:
        return f"{self.pairs:,} pairs: margin {self.margin}, win rate {self.win_rate}"


def prepare_preference(
    lm: LanguageModel, examples: Examples, labels: Sequence[str], settings: FineTuneSettings
) -> Prepared:
    """Pairs of answers, each pair a row of two documents, for a decoder or an encoder-decoder.

    A decoder with a chat template reads conversations in it; other models read the turns, a line each. Raises
    `UsageError` for a model that writes nothing, and for an answer that would be cut.
    """
    examples.require("preference", what="an answer that is preferred")
    if lm.model.head is None or lm.architecture.decoder is None:
        raise UsageError("This model writes no text: take a decoder or an encoder-decoder with its head.")
    chats = lm.architecture.kind == "decoder" and (settings.chat_template or lm.tokenizer.chat_template) is not None
    lm = with_template(lm, settings) if chats else lm
    pairs: list[tuple[Row, Row]] = []
    left_out: Counter[str] = Counter()
    for number, example in enumerate(examples, 1):
        assert isinstance(example, Preference)
        both = [_row(lm, example, answer, settings, chats) for answer in (example.chosen, example.rejected)]
        if any(row is None for row in both):
            if settings.too_long != "leave out":
                raise UsageError(
                    f"Pair {number:,} of {examples.where} has more tokens than are read: cut, its answers could not be "
                    "told apart by their ends. Set too_long to 'leave out', or raise max_tokens."
                )
            left_out["more tokens than are read"] += 1
            continue
        pairs.append((both[0], both[1]))  # type: ignore[arg-type]
    rows = [joined(pair) for pair in pairs]
    said = _said(lm.model.eval(), rows, lm.tokenizer.pad_id or 0)
    labelled = [replace(row, label=(float(both[0]), float(both[1]))) for row, both in zip(rows, said, strict=True)]
    return Prepared(
        lm.architecture,
        tuple(labelled),
        preference_loss(settings.preference),
        lm.tokenizer.pad_id or 0,
        dict(left_out),
        batching="by length",
        tokenizer=lm.tokenizer,
    )


def preferred(model: nn.Module, ready: Prepared, beta: float) -> Preferred:
    """What a finished model makes of pairs that were made ready by the model that it began as."""
    model.eval()
    with torch.inference_mode():
        device = next(model.parameters()).device
        batches = in_order(ready.rows, ready.pad, ready.batching, _BATCH)
        found = [log_ratios(model, batch.to(device)) for batch in batches]
    ahead = beta * torch.cat([each[:, 0] - each[:, 1] for each in found]).double().cpu().numpy()
    wins = np.where(ahead == 0, 0.5, ahead > 0)
    return Preferred(bootstrap("margin", mean_of(ahead)), bootstrap("win_rate", mean_of(wins)), len(ahead))


def _said(model: nn.Module, rows: Sequence[Row], pad: int) -> np.ndarray:
    """What the reference says of both answers of each row, in their order."""
    order = sorted(range(len(rows)), key=lambda place: len(rows[place].input_ids))
    said = np.zeros((len(rows), 2))
    device = next(model.parameters()).device
    with torch.inference_mode():
        batches = in_order([rows[place] for place in order], pad, "whole", _BATCH)
        for first, batch in zip(range(0, len(rows), _BATCH), batches, strict=True):
            said[order[first : first + _BATCH]] = answer_logprobs(model, batch.to(device)).double().cpu().numpy()
    return said


def _row(lm: LanguageModel, example: Preference, answer: str, settings: FineTuneSettings, chats: bool) -> Row | None:
    """The row of a prompt and an answer to it; None where it is longer than what is read."""
    if chats:
        return conversation_row(lm, Conversation((*example.turns, ("assistant", answer))), settings, last_only=True)
    source = "\n".join(content for _, content in example.turns)
    row, excess = row_of(lm, TextPair(source, (answer,)), text_task_of(lm, settings), settings.max_tokens)
    return None if excess else row
