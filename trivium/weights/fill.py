"""A model built from named tensors: every name and shape is checked, then each tensor is read into its place.

The model is built without memory and given its tensors one after the other, on their device and in their precision, so
that never more than one tensor is there twice.
"""

__all__ = ["fill"]

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from trivium.architecture import Architecture
from trivium.errors import ModelError
from trivium.families.family import Family
from trivium.families.registry import family_named
from trivium.families.tasks import published
from trivium.model import Transformer
from trivium.weights.files import SavedWeights, Weights
from trivium.weights.names import Entry, entries, from_stored, ignored_names, tied_names, zero_names

#: What norms were called in the files of 2018, BERT's own among them.
_OLD_SUFFIXES = {".gamma": ".weight", ".beta": ".bias"}
_PRECISIONS = (torch.float64, torch.float32, torch.bfloat16, torch.float16)


def fill(
    architecture: Architecture,
    weights: Weights,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Transformer:
    """The model of an architecture with these weights, in evaluation mode; in their own precision unless told.

    Every tensor is used exactly once. Raises `ModelError`, before anything is read, for missing, unexpected and
    misshapen tensors; and for one that holds NaN or infinity, is quantized, or is the second name of another and
    differs from it.
    """
    family = published(family_named(architecture.family), architecture)
    with torch.device("meta"), _Undrawn():
        model = Transformer(architecture)
    parameters = dict(model.named_parameters())
    table = {entry.stored: entry for entry in entries(model, family)}
    tied = tied_names(model, family)
    names = _names(weights, family)
    _check(model, family, weights, names)

    def read(stored: str) -> Tensor:
        tensor = weights.read(names[stored])
        _check_values(tensor, stored, weights.where)
        return tensor.to(device or "cpu").to(dtype or tensor.dtype)

    def mapped(tensor: Tensor, stored: str) -> bool:
        return isinstance(weights, SavedWeights) and weights.maps(tensor, names[stored])

    state: dict[str, Tensor] = {}

    def place(entry: Entry) -> None:
        for ours, tensor in from_stored(entry, read(entry.stored), parameters):
            own = tensor.contiguous()
            # A view of a mapped file is copied here, not where it is read: what is copied twice leaves holes in memory.
            state[ours] = own.clone() if mapped(own, entry.stored) else own

    # What has second names comes first: comparing needs one of them beside the first, while little else is there.
    twice = [entry for entry in table.values() if set(entry.ours) & {tied[name] for name in tied if name in names}]
    for entry in twice:
        place(entry)
    for second in sorted((tied.keys() & names.keys()) - table.keys()):
        if not torch.equal(read(second), state[tied[second]]):
            raise ModelError(
                f"In {weights.where}, '{second}' is another name of a tensor that this {family.name} holds only once, "
                "and its values differ. The config and the weights are not of the same model."
            )
    for stored in zero_names(family, model):
        if stored in names and read(stored).any():
            raise ModelError(
                f"In {weights.where}, '{stored}' is not zero everywhere as in the published models of {family.name}: "
                "without it the logits would be others, and Trivium has no place for it."
            )
    for stored in names:  # file after file
        if stored in table and table[stored] not in twice:
            place(table[stored])
    model.load_state_dict(state, strict=False, assign=True)
    if model.head is not None and architecture.head is not None and architecture.head.tied:
        model.head.projection.weight = model.tokens.weight
    return model.eval()


class _Undrawn(TorchFunctionMode):
    """torch's modules draw their own first weights; of tensors without memory that is nothing, and costs seconds."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (nn.init.normal_, nn.init.uniform_, nn.init.kaiming_uniform_):
            return args[0] if args else kwargs["tensor"]
        return func(*args, **(kwargs or {}))


def _check(model: Transformer, family: Family, weights: Weights, names: Mapping[str, str]) -> None:
    """Every name and shape, so that one error says all that does not fit."""
    parameters, tied = dict(model.named_parameters()), tied_names(model, family)
    expected = {entry.stored: entry.stored_shape(parameters) for entry in entries(model, family)}
    ignored = ignored_names(family, model)
    missing = sorted(expected.keys() - names.keys())
    unexpected = sorted(name for name in names.keys() - expected.keys() - tied.keys() if not ignored.fullmatch(name))
    seconds = {name: tuple(parameters[first].shape) for name, first in tied.items()}
    misshapen = [
        f"'{name}' as {weights.shapes[names[name]]}, and the config asks for {shape}"
        for name, shape in sorted({**seconds, **expected}.items())
        if name in names and weights.shapes[names[name]] != shape
    ]
    parts = [f"lacks {_some(missing)}"] if missing else []
    parts += [f"holds {_some(unexpected)}, which nothing reads"] if unexpected else []
    parts += [f"holds {_some(misshapen)}"] if misshapen else []
    if parts:
        raise ModelError(
            f"The weights in {weights.where} do not fit their config of a {family.name}: the file {' and '.join(parts)}"
            ". The config and the weights are not of the same model."
        )


def _check_values(tensor: Tensor, name: str, where: str) -> None:
    if tensor.dtype not in _PRECISIONS:
        kind = str(tensor.dtype).removeprefix("torch.")
        raise ModelError(
            f"'{name}' in {where} is stored as {kind}: these weights are quantized in a way that is not read here. "
            "Fetch the model in float32, bfloat16 or float16, or as GGUF."
        )
    # A sum is not finite where any value is not, and costs a tenth of looking at each; finite ones may overflow it.
    if not torch.isfinite(tensor.sum()) and not bool(torch.isfinite(tensor).all()):
        bad = int((~torch.isfinite(tensor)).sum())
        raise ModelError(
            f"'{name}' in {where} holds {bad:,} values of {tensor.numel():,} that are no numbers (NaN or infinity): "
            "the training went wrong, or the file was altered. Take an earlier checkpoint, or fetch the model again."
        )


def _names(weights: Weights, family: Family) -> dict[str, str]:
    """The names as the family's table has them → as the file has them, in the order of the file."""
    # Files of the bare model leave the prefix out.
    bare = not any(name.startswith(family.prefix) for name in weights.shapes)
    names: dict[str, str] = {}
    for name in weights.shapes:
        stem, dot, suffix = (family.prefix * bare + name).rpartition(".")
        published = stem + _OLD_SUFFIXES.get(dot + suffix, dot + suffix)
        if published in names:
            raise ModelError(
                f"The weights in {weights.where} hold '{published}' twice, as '{names[published]}' and as '{name}': "
                "nothing says which counts. Fetch the model again."
            )
        names[published] = name
    return names


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
