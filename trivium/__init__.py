"""Trivium: one toolkit for the whole life of a language model, for all three transformer families.

    import trivium
    lm = trivium.load("runs/decoder")       # a folder, a run, or a hub id
    print(lm.generate("Once upon a time", max_tokens=40, temperature=0.8))

Importing it imports nothing else: torch comes with the first thing that needs it.
"""

__all__ = ["LanguageModel", "__version__", "fit", "load", "quote", "quote_budget", "which"]

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trivium.language_model import LanguageModel, load
    from trivium.plan.which import which
    from trivium.quotes.budgeted import quote_budget
    from trivium.quotes.quote import quote
    from trivium.scaling.fit import fit

    __version__: str

#: Where each name of the Python face is defined.
_FACE = {
    "LanguageModel": "trivium.language_model",
    "fit": "trivium.scaling.fit",
    "load": "trivium.language_model",
    "quote": "trivium.quotes.quote",
    "quote_budget": "trivium.quotes.budgeted",
    "which": "trivium.plan.which",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("trivium")
    if name in _FACE:
        from importlib import import_module

        return getattr(import_module(_FACE[name]), name)
    raise AttributeError(f"module 'trivium' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
