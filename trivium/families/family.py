"""What a family's page holds: how its published config and weight names stand to ours.

A table maps each published module (or one tensor, by its full name) to what we call it; `*` stands for the layer:

    "transformer.h.*.ln_1": "decoder.layers.*.before_attention"                    the same tensors under another name
    "transformer.h.*.mlp.c_fc": Transposed("decoder.layers.*.mlp.up")              stored as (in, out)
    "transformer.h.*.attn.c_attn": Stacked(("….query", "….key", "….value"))        several in one, along the outputs
    "lm_head": Tied("tokens")                                                      a second name of the same tensor
    "bert.pooler.dense": Ignored("…why…")                                          read by nobody

The same table is read both ways by `trivium.weights`.
"""

__all__ = ["Config", "Family", "Ignored", "Preset", "Rule", "Stacked", "Tied", "Transposed", "config_value"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from trivium.architecture import Architecture, Kind
from trivium.errors import ModelError

Config = Mapping[str, Any]


@dataclass(frozen=True)
class Transposed:
    """A linear whose published weight is stored as (in, out)."""

    name: str


@dataclass(frozen=True)
class Stacked:
    """Several linears of ours in one published one, one after the other along the outputs."""

    names: tuple[str, ...]
    transposed: bool = False


@dataclass(frozen=True)
class Tied:
    """Another published name of a tensor that has one already: checked when it is there, never written."""

    name: str


@dataclass(frozen=True)
class Ignored:
    """Published, but no part of the model; `why` says so."""

    why: str


Rule = str | Transposed | Stacked | Tied | Ignored


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
    with, by their names in `trivium.objectives` and `trivium.text`.
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


def config_value(config: Config, key: str) -> Any:
    """A field that must be there."""
    if key not in config:
        raise ModelError(f"The config of this {config.get('model_type', 'model')} has no '{key}', and needs one.")
    return config[key]
