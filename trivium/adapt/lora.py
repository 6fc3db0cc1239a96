"""What low-rank adaptation is told: the rank, the weight of the update, and which layers get one. No torch."""

__all__ = ["Lora"]

import math
from dataclasses import dataclass
from fnmatch import fnmatchcase

from trivium.errors import UsageError


@dataclass(frozen=True)
class Lora:
    """`rank` of the update, its weight `alpha` (over rank), dropout of its input, and which linear layers get one.

    `targets` are patterns (`*` matches anything) of our module names, such as `decoder.layers.0.attention.query`, or of
    published ones or their ends, as PEFT has them: `q_proj`, `SelfAttention.q` (`trivium.adapt.targets`). Layers joined
    by `+` share one A: "*attention.query+key+value" is an update of the three as one matrix, GPT-2's `c_attn`.

    With `rank_stabilized` the update weighs alpha / sqrt(rank), and a higher rank does not learn more slowly (rsLoRA,
    Kalajdzievski 2023). With `decomposed` the length of every row of the weight is learnt by itself (DoRA, Liu et al.
    2024). Raises `UsageError` for what no update can have.
    """

    rank: int = 8
    alpha: float = 16.0
    dropout: float = 0.0
    targets: tuple[str, ...] = ("*attention.query", "*attention.value")
    rank_stabilized: bool = False
    decomposed: bool = False

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise UsageError(f"The rank of LoRA must be at least 1, got {self.rank}.")
        if not (math.isfinite(self.alpha) and self.alpha > 0):
            raise UsageError(f"The alpha of LoRA weighs its update and must be above 0, got {self.alpha}.")
        if not 0 <= self.dropout < 1:
            raise UsageError(f"The dropout of LoRA is a share from 0 to below 1, got {self.dropout}.")
        if isinstance(self.targets, str) or not self.targets:
            raise UsageError(f"The targets of LoRA are a list of one pattern or more, got {self.targets!r}.")
        for target in self.targets:
            last = target.rpartition(".")[2]
            if not target or ("+" in last and not all(part.isidentifier() for part in last.split("+"))):
                raise UsageError(f"'{target}' is no target of LoRA: write 'q_proj', '*attention.query' or '*.up+gate'.")

    @property
    def scale(self) -> float:
        """What B A x is multiplied by."""
        return self.alpha / (math.sqrt(self.rank) if self.rank_stabilized else self.rank)

    def matches(self, name: str) -> bool:
        """Whether the module of this name gets an update."""
        return bool(self.sharing(name))

    def sharing(self, name: str) -> tuple[str, ...]:
        """The modules that read the same A as the one of this name, it among them; none where it gets no update."""
        for target in self.targets:
            stem, dot, last = target.rpartition(".")
            if "+" not in last:
                if fnmatchcase(name, target):
                    return (name,)
            elif any(fnmatchcase(name, f"{stem}{dot}{part}") for part in last.split("+")):
                return tuple(f"{name.rpartition('.')[0]}.{part}" for part in last.split("+"))
        return ()
