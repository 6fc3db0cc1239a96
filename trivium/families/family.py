"""What a family's page holds: how its published config and weight names stand to ours.

A table maps each published module (or one tensor, by its full name) to what we call it; `*` stands for the layer:

    "transformer.h.*.ln_1": "decoder.layers.*.before_attention"                    the same tensors under another name
    "transformer.h.*.mlp.c_fc": Transposed("decoder.layers.*.mlp.up")              stored as (in, out)
    "transformer.h.*.attn.c_attn": Stacked(("….query", "….key", "….value"))        several in one, along the outputs
    "….query_key_value": Stacked(("….query", …), groups=heads)                     the same, head by head
    "lm_head": Tied("tokens")                                                      a second name of the same tensor
    "bert.pooler.dense": Ignored("…why…")                                          read by nobody
    "final_logits_bias": Zeros("…why…")                                            the same, if it is all zeros

The same table is read both ways by `trivium.weights`.
"""

__all__ = [
    "Config",
    "Family",
    "Ignored",
    "Preset",
    "Rule",
    "Stacked",
    "Tied",
    "Transposed",
    "Zeros",
    "config_value",
    "require_values",
    "size_of_heads",
]

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from trivium.architecture import Architecture, Kind
from trivium.errors import ModelError, UsageError, nearest

Config = Mapping[str, Any]


@dataclass(frozen=True)
class Transposed:
    """A linear whose published weight is stored as (in, out)."""

    name: str


@dataclass(frozen=True)
class Stacked:
    """Several linears of ours in one published one, one after the other along the outputs, in each of `groups`."""

    names: tuple[str, ...]
    transposed: bool = False
    groups: int = 1


@dataclass(frozen=True)
class Tied:
    """Another published name of a tensor that has one already: checked when it is there, never written."""

    name: str


@dataclass(frozen=True)
class Ignored:
    """Published, but no part of the model; `why` says so."""

    why: str


@dataclass(frozen=True)
class Zeros:
    """Published, and no part of the model as long as every value is zero; never written."""

    why: str


Rule = str | Transposed | Stacked | Tied | Ignored | Zeros


@runtime_checkable
class Preset(Protocol):
    """A family's architecture at any size."""

    def __call__(self, *, vocab: int, dim: int, depth: int, heads: int, positions: int) -> Architecture:
        """Layers of `heads` heads; `positions` is the longest document, where the family limits it."""
        ...


@dataclass(frozen=True)
class Family:
    """A page. `prefix` begins the published names, or is left out in files of the bare model.

    `classes` is Hugging Face's class of the language model; `objective` and `tokenizer` are what the paper trains it
    with, by their names in `trivium.objectives` and `trivium.text`. `sizes` are the published models' own arguments of
    `preset`, by their published names; `other_types` are model types of the same layout, read as this one.
    """

    name: str
    kind: Kind
    model_type: str
    classes: str
    objective: str
    tokenizer: str
    prefix: str
    preset: Preset
    read_config: Callable[[Config], Architecture]
    write_config: Callable[[Architecture], dict[str, Any]]
    table: Callable[[Architecture], Mapping[str, Rule]]
    sizes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    other_types: tuple[str, ...] = ()

    def size(self, name: str) -> Architecture:
        """The published model of that name. Raises `UsageError` for one that is not there."""
        if name not in self.sizes:
            raise UsageError(
                f"{self.name} has no size '{name}'.{nearest(name, self.sizes)} There are: {', '.join(self.sizes)}."
            )
        return self.preset(**self.sizes[name])


def config_value(config: Config, key: str) -> int:
    """A size that must be there. Raises `ModelError` where it is not, or is no whole number above 0."""
    value = config.get(key)
    if type(value) is not int or value <= 0:
        said = f"has {key}: {value!r}" if key in config else f"has no '{key}'"
        raise ModelError(f"The config of this {config.get('model_type', 'model')} {said}, and needs a number above 0.")
    return value


def require_values(config: Config, covered: Mapping[str, Any]) -> None:
    """Fields that change what a model computes, with the one value (the default) that a page covers.

    Raises `ModelError` for another: read past, it would give other logits than the published model's.
    """
    for key, value in covered.items():
        if config.get(key, value) != value:
            raise ModelError(
                f"The config of this {config.get('model_type', 'model')} has {key}: {config[key]!r}, and only "
                f"{value!r} is supported."
            )


def size_of_heads(dim: int, heads: int) -> int:
    """Channels of a head where all heads together are as wide as the model. Raises `ModelError` where they cannot."""
    if heads <= 0 or dim % heads:
        raise ModelError(f"A width of {dim} cannot be split into {heads} heads: choose a number that divides it.")
    return dim // heads
