"""What a budget buys: the result of `from_budget`. No torch."""

__all__ = ["BudgetPlan"]

from dataclasses import dataclass
from typing import Any

from trivium.architecture import Architecture
from trivium.plan.budget import FLOPS_PER_PARAMETER_AND_TOKEN
from trivium.scaling.budget import Budget
from trivium.scaling.law import Law
from trivium.scaling.laws import DEFAULT_LAW, LAWS
from trivium.scaling.parametric import Optimum
from trivium.scaling.recipe import Recipe


@dataclass(frozen=True)
class BudgetPlan:
    """What a budget buys.

    `wanted` is the law's own optimum; `tokens` are read by whole steps of the `architecture`, `flops_per_token` each,
    and make `training_flops`. `loss` is in nats a token of the law `loss_law`, and of its tokenizer. `epochs` is None
    where no one said how much data there is.
    """

    budget: Budget
    law: Law
    wanted: Optimum
    architecture: Architecture
    context: int
    tokens: float
    flops_per_token: float
    inference_flops: float
    loss: float
    loss_law: Law
    epochs: float | None
    recipe: Recipe
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def parameters(self) -> int:
        """Every parameter of the shape, whatever the law counts."""
        return self.architecture.parameters

    @property
    def training_flops(self) -> float:
        """Of all steps."""
        return self.tokens * self.flops_per_token

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report; of the architecture, its shape."""
        layer = self.architecture.output_stack.pattern[0]
        return {
            "budget": self.budget.to_dict(),
            "law": self.law.to_dict(),
            "wanted": self.wanted.to_dict(),
            "shape": {
                "family": self.architecture.family,
                "vocab": self.architecture.vocab,
                "dim": self.architecture.dim,
                "depth": self.architecture.output_stack.depth,
                "heads": layer.attention.heads,
                "head_dim": layer.attention.head_dim,
                "hidden": layer.mlp.hidden,
                "context": self.context,
            },
            "parameters": self.parameters,
            "tokens": self.tokens,
            "flops_per_token": self.flops_per_token,
            "training_flops": self.training_flops,
            "inference_flops": self.inference_flops,
            "loss": self.loss,
            "loss_law": self.loss_law.name,
            "epochs": self.epochs,
            "recipe": self.recipe.to_dict(),
            "notes": list(self.notes),
            "warnings": list(self.warnings),
        }

    def plot(self) -> Any:
        """A matplotlib `Figure`: the plan among published models, with the frontiers of its law and of Kaplan's."""
        # Imported here, and named nowhere above: a plan answers within a second, and matplotlib takes longer to import.
        from trivium.scaling.chart import PUBLISHED_MODELS, Marked, law_chart

        rate = FLOPS_PER_PARAMETER_AND_TOKEN[self.architecture.kind]
        laws = {law.name: law for law in (self.law, DEFAULT_LAW, LAWS["kaplan"])}
        return law_chart(
            list(laws.values()), [*PUBLISHED_MODELS, Marked("this plan", self.parameters, self.tokens, rate)]
        )
