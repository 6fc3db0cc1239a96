"""What a mixture holds, as a table: of a plan before the run, of what was consumed after it. Both are counted alike."""

__all__ = ["MANY_EPOCHS", "MixtureTable", "SourceShare"]

from dataclasses import asdict, dataclass
from typing import Any

#: Up to about four epochs repeated tokens are worth nearly as much as new ones (Muennighoff et al. 2023, section 5).
MANY_EPOCHS = 4.0


@dataclass(frozen=True)
class SourceShare:
    """A source in a mixture: what it has, what share of the tokens was asked for, and what is read of it.

    `documents_read` counts documents begun; `epochs` is tokens read for each token that it has.
    """

    name: str
    documents: int
    tokens: int
    share_asked: float
    share: float
    windows: int
    tokens_read: int
    documents_read: int
    epochs: float
    max_epochs: float | int | None

    def to_dict(self) -> dict[str, Any]:
        """All fields."""
        return asdict(self)


@dataclass(frozen=True)
class MixtureTable:
    """The sources of a mixture over a number of windows."""

    sources: tuple[SourceShare, ...]

    @property
    def windows(self) -> int:
        """The windows of all sources."""
        return sum(source.windows for source in self.sources)

    @property
    def tokens(self) -> int:
        """The tokens read of all sources."""
        return sum(source.tokens_read for source in self.sources)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know before the run: sources that are repeated too often to be worth it."""
        return tuple(
            f"'{source.name}' is read {source.epochs:.1f} times; beyond about {MANY_EPOCHS:g} epochs repeated tokens "
            "are worth much less than new ones (Muennighoff et al. 2023). Add data, or lower its weight."
            for source in self.sources
            if source.epochs > MANY_EPOCHS
        )

    def to_dict(self) -> dict[str, Any]:
        """Totals, sources and warnings."""
        return {
            "windows": self.windows,
            "tokens": self.tokens,
            "sources": [source.to_dict() for source in self.sources],
            "warnings": list(self.warnings),
        }
