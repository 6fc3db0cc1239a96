"""The published laws, by name. No torch."""

__all__ = ["DEFAULT_LAW", "LAWS", "law_named"]

from trivium.errors import UsageError, nearest
from trivium.scaling.chinchilla import APPROACH_1, APPROACH_2, APPROACH_3, APPROACH_3_ROUNDED, BESIROGLU
from trivium.scaling.kaplan import KAPLAN
from trivium.scaling.law import Law
from trivium.scaling.repetition import C4

#: Every published law that is known.
LAWS: dict[str, Law] = {
    law.name: law for law in (BESIROGLU, APPROACH_1, APPROACH_2, APPROACH_3, APPROACH_3_ROUNDED, C4, KAPLAN)
}

#: The one that says a loss and agrees with the two other approaches of the paper whose runs it is fitted to.
DEFAULT_LAW = BESIROGLU


def law_named(name: str) -> Law:
    """The law of that name. Raises `UsageError` for one that is not there."""
    if name not in LAWS:
        raise UsageError(f"There is no law '{name}'.{nearest(name.lower(), LAWS)} There are: {', '.join(LAWS)}.")
    return LAWS[name]
