"""One model's weights in several models: copies of its modules that hold the same tensors, which costs no memory.

base ──┬── same_tensors ── updates put in        an adapter on a base that stays as it is
└── same_tensors ── others put in         another, at the same time
adapted ── without_updates                       the base again
adapted ── merged                                one matrix a layer in place of two products
"""

__all__ = ["merged", "same_tensors", "without_updates"]

import copy
from collections.abc import Callable

from torch import nn

from trivium.adapt.low_rank import LoraLinear, adapted_layers
from trivium.errors import ModelError
from trivium.model import Transformer


def same_tensors(model: Transformer) -> Transformer:
    """The model's modules once more over the same parameters: what is put in their place leaves the model as it is."""
    return copy.deepcopy(model, {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())})


def without_updates(model: Transformer) -> Transformer:
    """The base of an adapted model, with the same tensors; its task head is the adapted one's."""
    return _replaced(model, lambda layer: layer.base)


def merged(model: Transformer) -> Transformer:
    """The adapted model as a plain one: W + s B A in place of each W, computed in float32 and rounded to W's precision.

    What stands still is shared with `model`. Raises `ModelError` where the head that shares the token table has an
    update: the table would no longer be one.
    """
    for name, layer in adapted_layers(model).items():
        if layer.base.weight is model.tokens.weight:
            raise ModelError(
                f"'{name}' has an update and shares its matrix with the table of tokens: merged, it would need a table "
                "of its own. Keep the adapter beside its base, or train one without the head among its targets."
            )
    return _replaced(model, _one_matrix)


def _one_matrix(layer: LoraLinear) -> nn.Linear:
    linear = layer.base
    weight = layer.merged_weight().to(linear.weight.dtype)
    linear.weight = nn.Parameter(weight, requires_grad=False)
    return linear


def _replaced(model: Transformer, plain: Callable[[LoraLinear], nn.Linear]) -> Transformer:
    again = same_tensors(model)
    for name, layer in adapted_layers(again).items():
        parent, _, own = name.rpartition(".")
        setattr(again.get_submodule(parent), own, plain(layer))
    return again
