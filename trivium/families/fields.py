"""The fields of a published config, each checked as it is read, so that a bad one is named before a model is built.

An absent field and one that is null are the same, and have the published code's default.
"""

__all__ = ["ACTIVATIONS", "activation_name", "read_activation", "read_flag", "read_number", "read_size"]

import math
from typing import NoReturn

from trivium.architecture import Activation
from trivium.errors import ModelError
from trivium.families.family import Config

#: Published names of activations; of two for the same, the first is written.
ACTIVATIONS: dict[str, Activation] = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "relu": "relu",
    "silu": "silu",
    "swish": "silu",
}


def read_activation(config: Config, key: str, default: str) -> Activation:
    """An activation by its published name. Raises `ModelError` for one that is not known."""
    name = default if config.get(key) is None else config[key]
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise ModelError(
            f"In the config of this {_kind(config)} the activation {name!r} is not known; there are "
            f"{', '.join(ACTIVATIONS)}."
        )
    return ACTIVATIONS[name]


def activation_name(activation: Activation) -> str:
    """The published name of an activation."""
    return next(name for name, ours in ACTIVATIONS.items() if ours == activation)


def read_size(config: Config, key: str, default: int | None = None) -> int | None:
    """A whole number above 0 that may be absent. Raises `ModelError` for anything else."""
    value = config.get(key)
    if value is None:
        return default
    if type(value) is not int or value <= 0:
        _refuse(config, key, "a number above 0")
    return value


def read_number(config: Config, key: str, default: float, below: float | int = math.inf) -> float:
    """A number from 0 up to what it must stay below: 1 for a share. Raises `ModelError` for anything else."""
    value = config.get(key)
    if value is None:
        return default
    if type(value) not in (int, float) or not 0 <= value < below:
        _refuse(config, key, "a number from 0 up" + ("" if below == math.inf else f", below {below:g}"))
    return float(value)


def read_flag(config: Config, key: str, default: bool) -> bool:
    """True or false. Raises `ModelError` for anything else."""
    value = config.get(key)
    if value is None:
        return default
    if type(value) is not bool:
        _refuse(config, key, "true or false")
    return value


def _refuse(config: Config, key: str, needed: str) -> NoReturn:
    raise ModelError(f"The config of this {_kind(config)} has {key}: {config[key]!r}, and needs {needed}.")


def _kind(config: Config) -> str:
    return str(config.get("model_type", "model"))
