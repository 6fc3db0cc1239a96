"""Families whose models say two things at once while they are trained: a word, and what two sentences are together."""

__all__ = ["pre_training"]

from dataclasses import replace

from trivium.errors import ModelError
from trivium.families.family import Family
from trivium.families.tasks import TASKS


def pre_training(family: Family) -> Family:
    """The family with a head for pairs of sentences beside its language model, in every preset.

    Raises `ModelError` where no published class of the family has both.
    """
    one = TASKS.get(family.name, {}).get("pre-training")
    if one is None:
        able = ", ".join(name for name, classes in TASKS.items() if "pre-training" in classes)
        raise ModelError(
            f"An objective with pairs of sentences needs a head for them beside the language model, and no published "
            f"class of {family.name} has one. Train {able} on it, or {family.name} on {family.objective}."
        )
    return replace(family, preset=lambda *args, **sizes: one.on(family.preset(*args, **sizes), {}))
