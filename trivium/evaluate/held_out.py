"""A model on held-out batches: how well it says the targets, and how often its first choice is right.

Letters: B rows, U positions, V vocabulary, N targets.
"""

__all__ = ["HeldOutScore", "score_held_out"]

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from trivium.model import Transformer
from trivium.objectives.batch import IGNORE, Batch
from trivium.train.loss import cross_entropy_in_place
from trivium.train.validation import Validation


@dataclass(frozen=True)
class HeldOutScore:
    """Loss over all targets; accuracy over those that stand for text and that the model cannot simply read.

    So end marks and sentinels are left out, and for an encoder the tenth of its targets that are left in place (Devlin
    et al. 2019, section 3.1). The first choice is the likeliest token of text. `unigram_accuracy` is that of always
    saying the commonest token of the training text, on the same targets.
    """

    validation: Validation
    accuracy: float
    unigram_accuracy: float
    text_targets: int

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return {**asdict(self), "validation": self.validation.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "HeldOutScore":
        """The score that `to_dict` gave."""
        return cls(**{**values, "validation": Validation.from_dict(values["validation"])})


@torch.no_grad()
def score_held_out(
    model: Transformer,
    batches: Iterable[Batch],
    token_bytes: Int[Tensor, "V"],
    is_text: Bool[Tensor, "V"],
    commonest: int,
) -> HeldOutScore:
    """Score a model on `batches`. `is_text` marks ids that stand for text, `commonest` is the training text's."""
    assert model.head is not None
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    loss, targets, text_bytes = 0.0, 0, 0
    right, right_by_unigram, text_targets = 0, 0, 0
    for batch in batches:
        here = batch.to(device)
        hidden = model.hidden(
            here.input_ids, here.documents, here.decoder_input_ids, here.decoder_documents, here.segments, here.prefix
        )
        wanted = here.targets != IGNORE
        said, goals = model.head(hidden[wanted]), here.targets[wanted].cpu()
        text = is_text[goals]
        if model.architecture.kind == "encoder":
            text = text & (here.input_ids[wanted].cpu() != goals)
        choices = said.masked_fill(~is_text.to(device), float("-inf")).argmax(dim=-1).cpu()
        loss += float(cross_entropy_in_place(said.float(), goals.to(device)))
        targets += len(goals)
        text_bytes += int(token_bytes[goals].sum())
        right += int((choices == goals)[text].sum())
        right_by_unigram += int((goals == commonest)[text].sum())
        text_targets += int(text.sum())
    model.train(was_training)
    some = max(1, text_targets)
    validation = Validation(loss / max(1, targets), targets, text_bytes)
    return HeldOutScore(validation, right / some, right_by_unigram / some, text_targets)
