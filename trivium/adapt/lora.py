"""What low-rank adaptation is told: the rank, the weight of the update, and which layers get one. No torch."""

__all__ = ["Lora"]

from dataclasses import dataclass
from fnmatch import fnmatchcase

from trivium.errors import UsageError


@dataclass(frozen=True)
class Lora:
    """`rank` of the update, its weight `alpha` (over rank), dropout of its input, and which linear layers get one.

    `targets` are patterns (`*` matches anything) of module names such as `decoder.layers.0.attention.query`.
    """

    rank: int = 8
    alpha: float = 16.0
    dropout: float = 0.0
    targets: tuple[str, ...] = ("*attention.query", "*attention.value")

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise UsageError(f"The rank of LoRA must be at least 1, got {self.rank}.")

    def matches(self, name: str) -> bool:
        """Whether the module of this name gets an update."""
        return any(fnmatchcase(name, pattern) for pattern in self.targets)
