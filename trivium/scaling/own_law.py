"""A law by its name, or one's own from a fit's file. No torch."""

__all__ = ["law_of"]

from pathlib import Path

from trivium.scaling.fitted import Fit
from trivium.scaling.law import Law
from trivium.scaling.laws import law_named


def law_of(reference: str) -> Law:
    """A published law by name, or the one of a file that `trivium fit` saved.

    A law of one's own counts parameters, tokens and loss as its points do. Raises `UsageError` for an unknown name and
    `DataError` for a file that holds no fit.
    """
    path = Path(reference).expanduser()
    if path.suffix != ".json":
        return law_named(reference)
    fit = Fit.load(path)
    sizes, data = [point.parameters for point in fit.points], [point.tokens for point in fit.points]
    return Law(
        name=str(path),
        title=f"your fit in {path.name}",
        rule=fit.law,
        source=f"{len(fit.points)} points of your own",
        parameters=(min(sizes), max(sizes)),
        tokens=(min(data), max(data)),
        tokenizer="your runs",
    )
