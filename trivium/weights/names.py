"""A family's table of names, spelled out for one model and read both ways.

Letters: a published tensor is `stored`; ours are parameters of the model.
"""

__all__ = ["Entry", "entries", "from_stored", "ignored_names", "tied_names", "to_stored", "zero_names"]

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from trivium.errors import ModelError
from trivium.families.family import Family, Ignored, Stacked, Tied, Transposed, Zeros
from trivium.model import Transformer


@dataclass(frozen=True)
class Entry:
    """One published tensor and the parameters of ours that it holds, stacked along their outputs.

    With `groups`, a share of each stands in every one of them: BLOOM's queries, keys and values, head by head.
    """

    stored: str
    ours: tuple[str, ...]
    transposed: bool = False
    groups: int = 1

    def stored_shape(self, parameters: Mapping[str, Tensor]) -> tuple[int, ...]:
        """The shape under which it is published."""
        shapes = [parameters[name].shape for name in self.ours]
        shape = (sum(shape[0] for shape in shapes), *shapes[0][1:])
        return shape[::-1] if self.transposed else shape


def entries(model: Transformer, family: Family) -> tuple[Entry, ...]:
    """Every published tensor of this model, each of our parameters in exactly one of them.

    A rule names modules, whose weights and biases it covers, or one tensor in full. What the model does not have
    (a bias, an untied head) takes no part.
    """
    parameters = dict(model.named_parameters())
    found: list[Entry] = []
    for stored, rule in family.table(model.architecture).items():
        groups = 1
        match rule:
            case str(name):
                names, transposed = (name,), False
            case Transposed(name):
                names, transposed = (name,), True
            case Stacked(names, transposed, groups):
                pass
            case Tied() | Ignored() | Zeros():
                continue
        for index in _indices(names[0], model):
            published, ours = stored.replace("*", index), [name.replace("*", index) for name in names]
            for suffix in ("", ".weight", ".bias"):
                tensors = tuple(name + suffix for name in ours)
                if all(name in parameters for name in tensors):
                    found.append(Entry(published + suffix, tensors, transposed and suffix == ".weight", groups))
    used = [name for entry in found for name in entry.ours]
    left = set(parameters) - set(used)
    assert not left, f"the table of {family.name} gives no name to {sorted(left)}"
    assert len(used) == len(set(used)), f"the table of {family.name} names a parameter twice"
    return tuple(found)


def tied_names(model: Transformer, family: Family) -> dict[str, str]:
    """Published second names of a tensor → our first one; also of a head that shares the token table."""
    parameters = dict(model.named_parameters())
    tied: dict[str, str] = {}
    for stored, rule in family.table(model.architecture).items():
        name = rule.name if isinstance(rule, Tied) else rule
        if not isinstance(name, str):
            continue
        for suffix in ("", ".weight"):
            if isinstance(rule, Tied) and name + suffix in parameters:
                tied[stored + suffix] = name + suffix
            elif name + suffix == "head.projection.weight" and name + suffix not in parameters:
                tied[stored + suffix] = "tokens.weight"
    return tied


def ignored_names(family: Family, model: Transformer) -> re.Pattern[str]:
    """A pattern of the published names that no part of the model reads."""
    rules = family.table(model.architecture).items()
    ignored = [re.escape(stored).replace(r"\*", r"\d+") for stored, rule in rules if isinstance(rule, Ignored | Zeros)]
    return re.compile("|".join(rf"{stored}(\.weight|\.bias)?" for stored in ignored) or r"(?!)")


def zero_names(family: Family, model: Transformer) -> tuple[str, ...]:
    """Published tensors that no part of the model reads because they are zero."""
    return tuple(stored for stored, rule in family.table(model.architecture).items() if isinstance(rule, Zeros))


def to_stored(entry: Entry, parameters: Mapping[str, Tensor]) -> Tensor:
    """Our parameters as the published tensor."""
    shares = [_grouped(parameters[name], entry.groups) for name in entry.ours]
    joined = torch.cat(shares, dim=1).flatten(0, 1)
    return joined.T.contiguous() if entry.transposed else joined.contiguous()


def from_stored(entry: Entry, stored: Tensor, parameters: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """The published tensor as our parameters. Raises `ModelError` where the shapes do not fit."""
    expected = entry.stored_shape(parameters)
    if tuple(stored.shape) != expected:
        raise ModelError(
            f"The weights hold '{entry.stored}' as {tuple(stored.shape)}, and the config asks for {expected}. "
            "The config and the weights are not of the same model."
        )
    straight = stored.T if entry.transposed else stored
    sizes = [parameters[name].shape[0] // entry.groups for name in entry.ours]
    shares = torch.split(_grouped(straight, entry.groups), sizes, dim=1)
    return zip(entry.ours, (share.flatten(0, 1) for share in shares), strict=True)


def _grouped(tensor: Tensor, groups: int) -> Tensor:
    return tensor.reshape(groups, -1, *tensor.shape[1:])


def _indices(ours: str, model: Transformer) -> list[str]:
    if "*" not in ours:
        return [""]
    stack = model.architecture.encoder if ours.startswith("encoder.") else model.architecture.decoder
    return [] if stack is None else [str(index) for index in range(stack.depth)]
