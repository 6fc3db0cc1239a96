"""An adapter's folder put on a base: a model of its own over the base's tensors, which the base's model does not see.

base ──┬── put_adapter(base, "runs/reviews")
└── put_adapter(base, "runs/topics")     both at once; one base in memory
"""

__all__ = ["put_adapter"]

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from trivium.adapt.adapter_head import set_head, with_head
from trivium.adapt.copies import same_tensors
from trivium.adapt.fingerprint import differing_parts, fingerprint
from trivium.adapt.low_rank import DoraLinear, adapted_layers, with_update
from trivium.adapt.peft_config import PeftConfig, read_peft_config
from trivium.adapt.peft_folder import ADAPTER_WEIGHTS, NAME_STEM, own_header
from trivium.adapt.peft_layers import ModuleUpdate, published_linears, split
from trivium.errors import ModelError, UsageError
from trivium.families.family import Family
from trivium.families.registry import family_named
from trivium.families.tasks import published
from trivium.model import Transformer
from trivium.weights.files import SavedWeights
from trivium.weights.names import Entry

_UPDATE = re.compile(r"(.+)\.(lora_A|lora_B|lora_magnitude_vector)(\.weight)?")


@dataclass(frozen=True)
class _Stored:
    """The tensors of an adapter's file: its updates by published module, and its head by published tensor."""

    updates: Mapping[str, Mapping[str, Tensor]]
    head: Mapping[str, Tensor]


def put_adapter(base: Transformer, folder: Path) -> Transformer:
    """The base with the updates of an adapter's folder, and its task head where it has one, in evaluation mode.

    Raises `UsageError` for a base that has updates already, and `ModelError` for a folder that holds no whole adapter
    of LoRA, an adapter of another base, and one that is not supported (`read_peft_config`).
    """
    if adapted_layers(base):
        raise UsageError(f"This model has an adapter already: put {folder} on its base, which both then share.")
    config, own = read_peft_config(folder), own_header(folder)
    stored = _read(folder)
    model = with_head(base, folder, config, stored.head) if stored.head else same_tensors(base)
    family = published(family_named(model.architecture.family), model.architecture)
    modules = published_linears(model, family)
    found = {_table_name(module, family, modules): module for module in stored.updates}
    unknown = [module for name, module in found.items() if name not in modules]
    if unknown:
        raise ModelError(
            f"{folder} adapts '{unknown[0]}', and this {family.name} has no such layer: it is the adapter of another "
            "base."
        )
    columns = own.get("columns", {})
    parts = {
        name: part
        for module_name, module in found.items()
        for name, part in split(
            modules[module_name],
            _update(folder, config, module, stored.updates[module], modules[module_name], model, columns.get(module)),
            model,
        )
    }
    differing = differing_parts(own.get("fingerprint", {}), fingerprint(base))
    if differing:
        raise ModelError(
            f"{folder} was trained on other weights than this base has: the {' and the '.join(differing)} differ. "
            "Take the base as it was, or train the adapter again on this one."
        )
    set_head(model, base, stored.head, folder)
    _set_updates(model, parts)
    return model.eval()


def _read(folder: Path) -> _Stored:
    path = folder / ADAPTER_WEIGHTS
    weights = SavedWeights(folder, [path])
    updates: dict[str, dict[str, Tensor]] = {}
    head: dict[str, Tensor] = {}
    for name in weights.shapes:
        if not name.startswith(NAME_STEM):
            raise ModelError(f"{path} holds '{name}', which is no name of PEFT's: it is no adapter.")
        published_name = name.removeprefix(NAME_STEM)
        tensor = weights.read(name)
        if not (tensor.is_floating_point() and bool(torch.isfinite(tensor).all())):
            raise ModelError(f"'{name}' in {path} holds values that are no numbers. Take an earlier one.")
        if match := _UPDATE.fullmatch(published_name):
            updates.setdefault(match[1], {})[match[2]] = tensor
        elif ".lora_" in name:
            raise ModelError(f"{path} holds '{name}': only updates of linear layers, of A and B, are known.")
        else:
            head[published_name] = tensor
    if not updates:
        raise ModelError(f"{path} holds no update of any layer: it is no adapter of LoRA.")
    return _Stored(updates, head)


def _table_name(module: str, family: Family, modules: Mapping[str, Entry]) -> str:
    """The name in the family's table: a bare model's adapter leaves the prefix out."""
    return module if module in modules else family.prefix + module


def _update(
    folder: Path,
    config: PeftConfig,
    module: str,
    tensors: Mapping[str, Tensor],
    entry: Entry,
    model: Transformer,
    columns: Mapping[str, list[int]] | None,
) -> ModuleUpdate:
    """One module's update, every shape checked."""
    try:
        lora = config.of(module)
    except UsageError as error:
        raise ModelError(f"{folder}, of '{module}': {error}") from error
    weights = {name: model.get_parameter(f"{name}.weight") for name in entry.ours}
    outputs, inputs = replace(entry, transposed=False).stored_shape(weights)
    expected: dict[str, tuple[int, ...]] = {"lora_A": (lora.rank, inputs), "lora_B": (outputs, lora.rank)}
    if lora.decomposed:
        expected["lora_magnitude_vector"] = (outputs,)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if shapes != expected:
        raise ModelError(
            f"{folder} holds for '{module}' {_shown(shapes)}, and of rank {lora.rank} on this base it would be "
            f"{_shown(expected)}: it is the adapter of another base, or its config and its weights do not belong "
            "together."
        )
    whose = None if columns is None else {name: (int(begin), int(end)) for name, (begin, end) in columns.items()}
    return ModuleUpdate(lora, tensors["lora_A"], tensors["lora_B"], tensors.get("lora_magnitude_vector"), whose)


def _shown(shapes: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {shape}" for name, shape in sorted(shapes.items()))


def _set_updates(model: Transformer, parts: Mapping[str, ModuleUpdate]) -> None:
    downs: dict[int, nn.Linear] = {}
    for name, part in parts.items():
        linear = model.get_submodule(name)
        assert isinstance(linear, nn.Linear)
        shared = downs.get(id(part.down))
        update = with_update(linear, part.lora, shared)
        like = linear.weight
        if shared is None:
            update.down.weight = nn.Parameter(part.down.to(like.device, like.dtype))
            downs[id(part.down)] = update.down
        update.up.weight = nn.Parameter(part.up.to(like.device, like.dtype))
        if isinstance(update, DoraLinear):
            assert part.magnitude is not None
            update.magnitude = nn.Parameter(part.magnitude.to(like.device, like.dtype))
        parent, _, own = name.rpartition(".")
        setattr(model.get_submodule(parent), own, update)
