"""What a budget buys: which model on how much data, and the quote of that model. No torch."""

__all__ = ["BudgetQuote", "quote_budget"]

import math
from dataclasses import dataclass, replace
from typing import Any

from trivium.architecture import Architecture
from trivium.families.registry import family_named
from trivium.plan.devices import Device, measured_device
from trivium.plan.margins import GPU, PROCESSOR
from trivium.plan.verdict import training_verdict
from trivium.quotes.asked import Asked, Settings
from trivium.quotes.quote import ModelQuote, quote
from trivium.scaling.budget import UTILISATION, counted_device, parse_budget
from trivium.scaling.budget_plan import BudgetPlan
from trivium.scaling.from_budget import model_for
from trivium.scaling.law import Law
from trivium.scaling.laws import DEFAULT_LAW


@dataclass(frozen=True)
class BudgetQuote:
    """A budget's plan and its quote, whose step is cut into micro-batches that fit the device, where one is named."""

    plan: BudgetPlan
    quote: ModelQuote

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return {"plan": self.plan.to_dict(), "quote": self.quote.to_dict()}

    def plot(self) -> Any:
        """A matplotlib `Figure`: the plan among published models."""
        return self.plan.plot()


def quote_budget(
    budget: str,
    family: str = "llama",
    settings: Settings | None = None,
    *,
    device: str | None = None,
    utilisation: float = UTILISATION,
    price_per_hour: float | int | None = None,
    law: Law = DEFAULT_LAW,
    vocabulary: int | None = None,
    unique_tokens: float | int | None = None,
    inference_tokens: float | int | None = None,
) -> BudgetQuote:
    """The model of `family` that a budget buys, and all that it takes.

    A `device` says where it is trained if the budget does not. Raises as `parse_budget`, `model_for` and `quote` do.
    """
    said = settings or Settings()
    paid = parse_budget(budget, utilisation, measured_device)
    count, chosen = (paid.devices or 1, paid.device) if device is None else counted_device(device, measured_device)
    plan = model_for(
        replace(paid, devices=count),
        family_named(family),
        law,
        vocabulary,
        said.length,
        unique_tokens,
        inference_tokens,
    )
    filled = replace(said, length=plan.context, tokens=plan.tokens, outputs=said.outputs)
    rows = math.ceil(plan.recipe.rows / count)
    filled = _that_fits(replace(filled, rows=rows), plan.architecture, chosen, count)
    made = quote(
        plan.architecture,
        filled,
        device=chosen,
        devices=count,
        utilisation=utilisation,
        price_per_hour=price_per_hour,
        law=plan.loss_law,
    )
    return BudgetQuote(plan, replace(made, name=f"{family} for {plan.budget.text}"))


def _that_fits(settings: Settings, architecture: Architecture, device: Device | None, devices: int) -> Settings:
    """The same step in the fewest micro-batches that surely fit; as it is where none does."""
    if device is None:
        return settings
    margins = PROCESSOR if device.name == "here" else GPU
    work = Asked.of(architecture, settings, device, devices).workload
    most = training_verdict(work, device, margins).largest_rows
    rows = settings.rows
    if most == 0 or rows <= most:
        return settings
    parts = next(parts for parts in range(1, rows + 1) if rows % parts == 0 and rows // parts <= most)
    return replace(settings, rows=rows // parts, accumulation=parts)
