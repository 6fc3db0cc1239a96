"""The targets of an adaptation in our names, where they were given in published ones. No torch.

"c_attn" of GPT-2 ── decoder.layers.*.attention.query+key+value     one matrix there, three here that share their A
"SelfAttention.q" of T5 ── encoder.layers.*.attention.query, decoder.layers.*.attention.query
"all-linear" ── every linear layer of the blocks
"""

__all__ = ["ALL_LINEAR", "HEAD", "heads_on_the_table", "in_our_names", "published_layers", "published_names"]

from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final

from trivium.adapt.lora import Lora
from trivium.architecture import Architecture
from trivium.errors import ModelError
from trivium.families.family import Rule, Stacked, Tied, Transposed
from trivium.families.registry import family_named
from trivium.families.tasks import published

#: PEFT's word for them.
ALL_LINEAR: Final = "all-linear"
#: Our name of what speaks.
HEAD: Final = "head.projection"


def published_layers(architecture: Architecture) -> Mapping[str, tuple[str, ...]]:
    """Published module names → ours that each holds, `*` for the layer; none where no published class is like this."""
    try:
        table = published(family_named(architecture.family), architecture).table(architecture)
    except ModelError:
        return {}
    layers = {stored: names for stored, rule in table.items() if (names := _names(rule))}
    head = architecture.head
    return layers | dict.fromkeys(heads_on_the_table(table) if head is not None and head.tied else (), (HEAD,))


def heads_on_the_table(table: Mapping[str, Rule]) -> list[str]:
    """Published modules of a head whose matrix is the table of tokens; other names of the table itself are left out."""
    tied = [stored for stored, rule in table.items() if isinstance(rule, Tied) and rule.name.startswith("tokens")]
    named = [stored for stored, rule in table.items() if rule == HEAD]  # T5 has one rule for both its versions
    return [stored.removesuffix(".weight") for stored in [*tied, *named] if "embed_tokens" not in stored]


@lru_cache(maxsize=64)
def in_our_names(lora: Lora, architecture: Architecture) -> Lora:
    """The same adaptation with targets that are patterns of our names.

    A target is one of ours where it matches any; else it names published modules, whole or by their ends. What names
    nothing stays as it is.
    """
    layers = published_layers(architecture)
    known = [name for names in layers.values() for ours in names for name in _layer_by_layer(ours, architecture)]
    targets: list[str] = []
    for target in lora.targets:
        if any(replace(lora, targets=(target,)).matches(name) for name in known):
            targets.append(target)
        else:
            targets += _of_published(target, layers, architecture) or [target]
    return replace(lora, targets=tuple(dict.fromkeys(targets)))


def published_names(architecture: Architecture) -> list[str]:
    """Every published module of this architecture that holds one of ours, layer by layer."""
    layers = published_layers(architecture).items()
    return [stored.replace("*", index) for stored, names in layers for index in _indices(names[0], architecture)]


def _of_published(target: str, layers: Mapping[str, tuple[str, ...]], architecture: Architecture) -> list[str]:
    found: list[str] = []
    for stored, names in layers.items():
        if target == ALL_LINEAR:
            if ".layers." in names[0]:
                found.append(_joined(names))
            continue
        indices = _indices(names[0], architecture)
        matching = [index for index in indices if _is_end(target, stored.replace("*", index))]
        if len(matching) == len(indices):
            found.append(_joined(names))
        else:
            found += [_joined(names).replace("*", index) for index in matching]
    return found


def _is_end(target: str, stored: str) -> bool:
    return fnmatchcase(stored, target) or fnmatchcase(stored, f"*.{target}")


def _joined(names: tuple[str, ...]) -> str:
    return "+".join((names[0], *(name.rpartition(".")[2] for name in names[1:])))


def _names(rule: Rule) -> tuple[str, ...]:
    match rule:
        case str(name) | Transposed(name):
            return (name,)
        case Stacked(names):
            return names
        case _:
            return ()


def _layer_by_layer(ours: str, architecture: Architecture) -> list[str]:
    return [ours.replace("*", index) for index in _indices(ours, architecture)]


def _indices(ours: str, architecture: Architecture) -> list[str]:
    if "*" not in ours:
        return [""]
    stack = architecture.encoder if ours.startswith("encoder.") else architecture.decoder
    return [] if stack is None else [str(index) for index in range(stack.depth)]
