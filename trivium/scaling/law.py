"""What a law is: a rule from compute to size and data, and who fitted it to what. No torch.

N: parameters    D: tokens    C: FLOPs of training, k N D with k = 6 (3 for an encoder-decoder)    L: nats a token
"""

__all__ = ["Law", "Rule", "Size"]

from dataclasses import dataclass, fields
from typing import Any, Literal, Protocol, runtime_checkable

from trivium.architecture import Architecture
from trivium.scaling.parametric import Optimum

#: What N counts: every parameter, or all but the tables of tokens, positions and vocabulary.
Size = Literal["all", "non-embedding"]


@runtime_checkable
class Rule(Protocol):
    """The formula of a law."""

    def optimum(self, flops: float | int, flops_per_parameter_and_token: float | int = 6) -> Optimum:
        """The size and the data of lowest loss for `flops`."""
        ...

    def loss(self, parameters: float | int, tokens: float | int) -> float | None:
        """L(N, D) in nats a token; None where the rule says nothing about the loss."""
        ...


@dataclass(frozen=True)
class Law:
    """A rule with its name, its source, and the runs that it was fitted to.

    `parameters` and `tokens` are the least and the most of those runs. A loss is in nats of the fit's own `tokenizer`:
    another tokenizer's tokens are longer or shorter, and their losses cannot be compared.
    """

    name: str
    title: str
    rule: Rule
    source: str
    parameters: tuple[float | int, float | int]
    tokens: tuple[float | int, float | int]
    tokenizer: str
    size: Size = "all"

    def optimum(self, flops: float | int, flops_per_parameter_and_token: float | int = 6) -> Optimum:
        """The size and the data of lowest loss for `flops`."""
        return self.rule.optimum(flops, flops_per_parameter_and_token)

    def loss(self, parameters: float | int, tokens: float | int) -> float | None:
        """L(N, D) in nats a token; None where the law says nothing about the loss."""
        return self.rule.loss(parameters, tokens)

    def size_of(self, architecture: Architecture) -> int:
        """The parameters of a model as this law counts them."""
        return architecture.parameters if self.size == "all" else architecture.non_embedding_parameters

    def beyond(self, parameters: float | int, tokens: float | int) -> tuple[str, ...]:
        """A sentence for each of N and D that lies outside the runs of the fit."""
        said = []
        for value, (least, most), unit in (
            (parameters, self.parameters, "parameters"),
            (tokens, self.tokens, "tokens"),
        ):
            if not least <= value <= most:
                times, end = (value / most, "most") if value > most else (value / least, "fewest")
                said.append(
                    f"Extrapolated: {value:.3g} {unit} are {times:.3g} times the {end} that {self.title} was fitted "
                    f"to ({least:.3g} to {most:.3g})."
                )
        return tuple(said)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        own: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "rule"}
        return {**own, "constants": vars(self.rule)}
