"""Updates as published modules have them: those of several layers of ours in one, which is the trap of fused matrices.

GPT-2's `c_attn` and BLOOM's `query_key_value` are one matrix there and three layers here. Each published module has one
A (R x I) and one B (O x R), so updates that do not share their A stand in it side by side, and the rank is their sum:

    A = | A_query |      B = | B_query    0    |      the product is the same, and so are the gradients of what is not 0
        | A_value |          |    0       0    |
                             |    0    B_value |

Read back, a module's B is cut into the rows of each layer, all over the same A. BLOOM's rows go head by head.

Letters: I input channels, O output channels, R rank.
"""

__all__ = ["Columns", "ModuleUpdate", "published_linears", "split", "stacked"]

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from trivium.adapt.lora import Lora
from trivium.adapt.low_rank import DoraLinear, LoraLinear
from trivium.adapt.targets import HEAD, heads_on_the_table
from trivium.families.family import Family
from trivium.model import Transformer
from trivium.weights.names import Entry, entries, from_stored, to_stored

#: Our layer → where its own columns of B begin and end.
Columns = Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class ModuleUpdate:
    """The update of one published module, or of one of its layers; `columns` where not all read the whole of A."""

    lora: Lora
    down: Float[Tensor, "R I"]
    up: Float[Tensor, "O R"]
    magnitude: Float[Tensor, " O"] | None = None
    columns: Columns | None = None


def published_linears(base: Transformer, family: Family) -> dict[str, Entry]:
    """Published module → its layers of ours, for every linear module of a model without updates."""
    linears = {name for name, module in base.named_modules() if isinstance(module, nn.Linear)}
    found = {}
    for entry in entries(base, family):
        ours = tuple(name.removesuffix(".weight") for name in entry.ours)
        if entry.stored.endswith(".weight") and all(name in linears for name in ours):
            stored = entry.stored.removesuffix(".weight")
            found[stored] = replace(entry, stored=stored, ours=ours)
    if base.head is not None and base.head.projection.weight is base.tokens.weight:
        found |= {stored: Entry(stored, (HEAD,)) for stored in heads_on_the_table(family.table(base.architecture))}
    return found


def stacked(entry: Entry, layers: Mapping[str, LoraLinear], base: Transformer) -> ModuleUpdate:
    """The updates of a module's layers as one."""
    parts = {name: layers[name] for name in entry.ours if name in layers}
    downs = {id(part.down): part.down.weight.detach() for part in parts.values()}
    places, at = {}, 0
    for key, down in downs.items():
        places[key] = (at, at := at + len(down))
    columns = {name: places[id(part.down)] for name, part in parts.items()}
    ups, magnitudes = {}, {}
    for name in entry.ours:
        weight = parts[name].base.weight if name in parts else _linear(base, name).weight
        ups[name] = weight.new_zeros(len(weight), at)
        if name in parts:
            begin, end = columns[name]
            ups[name][:, begin:end] = parts[name].up.weight.detach()
        part = parts.get(name)
        own = part.magnitude if isinstance(part, DoraLinear) else torch.linalg.vector_norm(weight.detach(), dim=1)
        magnitudes[name] = own.detach()
    straight = replace(entry, transposed=False)  # PEFT's A and B are so, whichever way the matrix is published
    decomposed = any(isinstance(part, DoraLinear) for part in parts.values())
    whole = len(parts) == len(entry.ours) and len(downs) == 1
    return ModuleUpdate(
        _of_rank(next(iter(parts.values())).lora, at),
        torch.cat(list(downs.values())),
        to_stored(straight, ups),
        to_stored(straight, magnitudes) if decomposed else None,
        None if whole else columns,
    )


def split(entry: Entry, update: ModuleUpdate, base: Transformer) -> Iterator[tuple[str, ModuleUpdate]]:
    """Each layer's own update of a module's; where all read the whole of A, it is the same tensor in all.

    Its `columns` hold as long as B is zero everywhere else: whoever trained it further trained one update of them all.
    """
    straight = replace(entry, transposed=False)
    outputs = {name: _linear(base, name).out_features for name in entry.ours}
    ups = dict(from_stored(straight, update.up, _shaped(outputs, len(update.down))))
    magnitudes = {} if update.magnitude is None else dict(from_stored(straight, update.magnitude, _shaped(outputs)))
    columns = update.columns
    if columns is None or not _hold(columns, ups):
        columns = dict.fromkeys(entry.ours, (0, len(update.down)))
    downs: dict[tuple[int, int], Tensor] = {}
    for name, (begin, end) in columns.items():
        down = downs.setdefault((begin, end), update.down[begin:end].contiguous())
        up = ups[name][:, begin:end].contiguous()
        yield name, ModuleUpdate(_of_rank(update.lora, len(down)), down, up, magnitudes.get(name))


def _hold(columns: Columns, ups: Mapping[str, Tensor]) -> bool:
    for name, up in ups.items():
        begin, end = columns.get(name, (0, 0))
        if bool(up[:, :begin].any()) or bool(up[:, end:].any()):
            return False
    return True


def _of_rank(lora: Lora, rank: int) -> Lora:
    """Settings of another rank under which the update weighs the same."""
    grown = rank / lora.rank
    return replace(lora, rank=rank, alpha=lora.alpha * (math.sqrt(grown) if lora.rank_stabilized else grown))


def _shaped(outputs: Mapping[str, int], *rest: int) -> dict[str, Tensor]:
    return {name: torch.empty(rows, *rest, device="meta") for name, rows in outputs.items()}


def _linear(base: Transformer, name: str) -> nn.Linear:
    module = base.get_submodule(name)
    assert isinstance(module, nn.Linear)
    return module
