"""Which architecture a name means: a published model's, a file's, a folder's, or a hub id's. No torch."""

__all__ = ["PUBLISHED", "architecture_of"]

import re
from pathlib import Path

from trivium.architecture import Architecture
from trivium.errors import UsageError, nearest
from trivium.families.registry import FAMILIES, architecture_of_config
from trivium.weights.config import referenced_config

#: Every published model that is known without a connection, as family-size, with both.
PUBLISHED: dict[str, tuple[str, str]] = {
    f"{family.name}-{size}": (family.name, size) for family in FAMILIES.values() for size in family.sizes
}


def architecture_of(reference: str | Path) -> Architecture:
    """The architecture that is meant, without its weights.

    A file or folder that is there comes first; then the published models, in whatever order their words are written
    (flan-t5-xl, "llama 2 70b"); and what has a slash is a hub id, of which config.json alone is fetched. Raises
    `UsageError` for a name that is none of these.
    """
    name = str(reference)
    if name and Path(reference).expanduser().exists():
        return architecture_of_config(referenced_config(reference))
    found = _published(name)
    if found is not None:
        return found
    if "/" in name:
        return architecture_of_config(referenced_config(name))
    if name.lower() in FAMILIES:
        raise UsageError(f"'{name}' is a family. Name a size: {', '.join(FAMILIES[name.lower()].sizes)}.")
    raise UsageError(
        f"'{name}' is neither a folder, nor a config.json, nor a published model.{nearest(name.lower(), PUBLISHED)} "
        f"Published ones are of {', '.join(FAMILIES)}, such as gpt2-xl or bloom-176b; a hub id has the form org/name."
    )


def _published(name: str) -> Architecture | None:
    wanted = _words(name)
    of_size = [(family, size) for family, size in PUBLISHED.values() if _words(size) == wanted]
    exact = [(family, size) for family, size in PUBLISHED.values() if _words(f"{family} {size}") == wanted]
    found = exact or of_size
    if len(found) > 1:
        names = ", ".join(f"{family}-{size}" for family, size in found)
        raise UsageError(f"'{name}' may be several models: name one of {names}.")
    return FAMILIES[found[0][0]].size(found[0][1]) if found else None


def _words(name: str) -> tuple[str, ...]:
    """The words of a name, sorted: "google's" flan-t5-xl is our t5 flan-xl."""
    return tuple(sorted(re.split(r"[-_\s]+", name.lower().replace("v1_1", "v1.1").strip())))
