"""The loss of a preference: the chosen answer must gain on the rejected one, measured against where the model began.

    h = (log π(chosen) − log π_ref(chosen)) − (log π(rejected) − log π_ref(rejected))

    dpo      −(1 − ε) log σ(βh) − ε log σ(−βh)     Rafailov et al. 2023, equation 7; ε of the labels are wrong
    ipo      (h − 1 / 2β)²                         Azar et al. 2023, equation 17
    hinge    max(0, 1 − βh)                        Zhao et al. 2023, equation 1, with the reference of DPO

A row holds two documents, the prompt with the chosen answer and the prompt with the rejected one; its label is what the
reference says of both. So no second model is held while the first one learns.

Letters: B rows, P pairs (one a row).
"""

__all__ = ["LOSSES", "PreferenceLoss", "answer_logprobs", "log_ratios", "preference_loss"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from trivium.errors import UsageError, nearest
from trivium.objectives.batch import IGNORE, Batch
from trivium.train.loss import LossFn, LossSum

_Of = Callable[[Float[Tensor, "P"], float, float], Float[Tensor, "P"]]


def _dpo(h: Float[Tensor, "P"], beta: float, wrong: float) -> Float[Tensor, "P"]:
    return -(1 - wrong) * F.logsigmoid(beta * h) - wrong * F.logsigmoid(-beta * h)


def _ipo(h: Float[Tensor, "P"], beta: float, wrong: float) -> Float[Tensor, "P"]:
    return (h - 1 / (2 * beta)).square()


def _hinge(h: Float[Tensor, "P"], beta: float, wrong: float) -> Float[Tensor, "P"]:
    return F.relu(1 - beta * h)


#: By name: the loss of each pair, given h, β and ε.
LOSSES: Mapping[str, _Of] = {"dpo": _dpo, "ipo": _ipo, "hinge": _hinge}


@dataclass(frozen=True)
class PreferenceLoss:
    """Which loss, how strongly it holds to the reference (`beta`), and the share of labels that are wrong (dpo)."""

    name: str = "dpo"
    beta: float = 0.1
    wrong: float = 0.0

    def __post_init__(self) -> None:
        if self.name not in LOSSES:
            raise UsageError(f"There is no loss '{self.name}' of preferences; there are {', '.join(LOSSES)}."
                             f"{nearest(self.name, LOSSES)}")  # fmt: skip
        if not self.beta > 0:
            raise UsageError(f"beta is {self.beta}, and the hold of the reference must be above 0.")
        if not 0 <= self.wrong < 0.5 or (self.wrong and self.name != "dpo"):
            raise UsageError(
                f"wrong is {self.wrong} for the loss '{self.name}': the share of wrong labels lies from 0 to below "
                "0.5, and dpo alone has it."
            )


def preference_loss(how: PreferenceLoss) -> LossFn:
    """The loss summed over the pairs of a batch, whose labels are the reference's log-probabilities."""

    def loss(model: nn.Module, batch: Batch) -> LossSum:
        h = log_ratios(model, batch)
        gained = h[:, 0] - h[:, 1]
        return LossSum(LOSSES[how.name](gained, how.beta, how.wrong).sum(), len(gained))

    return loss


def log_ratios(model: nn.Module, batch: Batch) -> Float[Tensor, "P 2"]:
    """Log π − log π_ref of both answers of each pair; times β they are DPO's implicit rewards (equation 5)."""
    assert batch.labels is not None, "the reference says something of every answer"
    return answer_logprobs(model, batch) - batch.labels


def answer_logprobs(model: nn.Module, batch: Batch) -> Float[Tensor, "P 2"]:
    """The log-probability of each answer, its end with it: the sum over its targets, in nats."""
    assert callable(model.hidden)
    assert callable(model.head)
    hidden = model.hidden(
        batch.input_ids, batch.documents, batch.decoder_input_ids, batch.decoder_documents, batch.segments, batch.prefix
    )
    documents = batch.documents if batch.decoder_documents is None else batch.decoder_documents
    assert documents is not None, "a row holds two answers"
    asked = batch.targets != IGNORE
    rows, _ = asked.nonzero(as_tuple=True)
    nats = -F.cross_entropy(model.head(hidden[asked]).float(), batch.targets[asked], reduction="none")
    both = nats.new_zeros(2 * len(asked)).index_add(0, 2 * rows + documents[asked] - 1, nats)
    return both.view(-1, 2)
