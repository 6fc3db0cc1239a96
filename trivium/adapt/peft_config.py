"""adapter_config.json, as PEFT has it: the fields that Trivium knows, and a refusal of the others. No torch.

A field that changes what the adapter computes and that is not known here would be read past, and the logits would be
others: so every field must be one of these, or be switched off.
"""

__all__ = ["ADAPTER_CONFIG", "PeftConfig", "read_peft_config"]

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from trivium.adapt.lora import Lora
from trivium.errors import ModelError, UsageError, nearest
from trivium.files import atomic_write
from trivium.weights.config import read_config

ADAPTER_CONFIG: Final = "adapter_config.json"

#: PEFT's other methods, which the message for a misspelt one may mean.
_TYPES = ("LORA", "ADALORA", "IA3", "LOHA", "LOKR", "OFT", "BOFT", "VERA", "PREFIX_TUNING", "PROMPT_TUNING", "P_TUNING")
#: Fields that say nothing about what the adapter computes once its tensors are there.
_HARMLESS = {
    "auto_mapping", "peft_version", "revision", "inference_mode", "task_type", "target_modules", "exclude_modules",
    "fan_in_fan_out", "layers_to_transform", "layers_pattern", "megatron_core", "megatron_config", "eva_config",
    "ensure_weight_tying", "lora_ga_config", "loftq_config", "corda_config", "runtime_config", "qalora_group_size",
    "base_model_name_or_path", "peft_type",
}  # fmt: skip
_READ = {
    "r", "lora_alpha", "lora_dropout", "use_rslora", "use_dora", "rank_pattern", "alpha_pattern", "modules_to_save",
    "bias", "init_lora_weights",
}  # fmt: skip
#: Beginnings of B and A that leave the base as it is; the others take what they begin with away from its weights.
_STARTS = (True, False, None, "gaussian", "eva", "orthogonal")


@dataclass(frozen=True)
class PeftConfig:
    """One adapter's settings. `ranks` and `alphas` are those of single modules, by patterns of published names."""

    lora: Lora
    base: str | None = None
    ranks: Mapping[str, int] = field(default_factory=dict)
    alphas: Mapping[str, float] = field(default_factory=dict)
    modules_to_save: tuple[str, ...] = ()
    task_type: str | None = None
    transposed: bool = False

    def of(self, module: str) -> Lora:
        """The settings of one module's update."""
        rank, alpha = _matching(self.ranks, module, self.lora.rank), _matching(self.alphas, module, self.lora.alpha)
        whole = self.lora
        return Lora(rank, alpha, whole.dropout, whole.targets, whole.rank_stabilized, whole.decomposed)

    def write(self, folder: Path) -> None:
        """Write the file."""
        lora = self.lora
        content = {
            "peft_type": "LORA",
            "task_type": self.task_type,
            "base_model_name_or_path": self.base,
            "revision": None,
            "inference_mode": True,
            "r": lora.rank,
            "lora_alpha": _plain(lora.alpha),
            "lora_dropout": lora.dropout,
            "target_modules": list(lora.targets),
            "rank_pattern": dict(self.ranks),
            "alpha_pattern": {name: _plain(alpha) for name, alpha in self.alphas.items()},
            "use_rslora": lora.rank_stabilized,
            "use_dora": lora.decomposed,
            "fan_in_fan_out": self.transposed,
            "modules_to_save": list(self.modules_to_save) or None,
            "bias": "none",
            "init_lora_weights": True,
        }
        atomic_write(folder / ADAPTER_CONFIG, json.dumps(content, indent=2) + "\n")


def read_peft_config(folder: Path) -> PeftConfig:
    """The settings of an adapter's folder.

    Raises `ModelError` for a file that is none, another method than LoRA, a field that is not supported, and a rank or
    an alpha that no update has.
    """
    path = folder / ADAPTER_CONFIG
    if not path.is_file():
        raise ModelError(f"{folder} holds no {ADAPTER_CONFIG}, so it is not an adapter's folder.")
    content = read_config(path)
    _check_fields(path, content)
    targets = content.get("target_modules")
    try:
        lora = Lora(
            rank=_number(content, "r", 8, int),
            alpha=_number(content, "lora_alpha", 8),
            dropout=_number(content, "lora_dropout", 0.0),
            targets=tuple(targets) if isinstance(targets, list) and targets else ("*",),
            rank_stabilized=bool(content.get("use_rslora")),
            decomposed=bool(content.get("use_dora")),
        )
        base = content.get("base_model_name_or_path")
        config = PeftConfig(
            lora=lora,
            base=base if isinstance(base, str) and base else None,
            ranks={key: _number(ranks, key, 0, int) for ranks in [_mapping(content, "rank_pattern")] for key in ranks},
            alphas={key: _number(alphas, key, 0) for alphas in [_mapping(content, "alpha_pattern")] for key in alphas},
            modules_to_save=tuple(content.get("modules_to_save") or ()),
            task_type=content.get("task_type"),
        )
        for pattern in (*config.ranks, *config.alphas):
            re.compile(pattern)
    except (UsageError, TypeError, re.error) as error:
        raise ModelError(f"{path} describes no adapter: {error} Fetch or save the adapter again.") from error
    return config


def _check_fields(path: Path, content: Mapping[str, Any]) -> None:
    kind = content.get("peft_type")
    if kind != "LORA":
        hint = nearest(str(kind), _TYPES)
        raise ModelError(f"{path} has peft_type: {kind!r}.{hint if kind not in _TYPES else ''} Only LORA is supported.")
    if content.get("bias", "none") != "none":
        raise ModelError(f"{path} has bias: {content['bias']!r}: trained biases are not supported, only 'none' is.")
    start = content.get("init_lora_weights", True)
    if start not in _STARTS and not str(start).startswith("eva"):
        raise ModelError(
            f"{path} has init_lora_weights: {start!r}, which changes the base's weights too. Save the adapter as plain "
            "LoRA: PEFT's `save_pretrained` does it with `path_initial_model_for_weight_conversion`."
        )
    for name, value in content.items():
        if name not in _HARMLESS | _READ and value not in (None, False, 0, "", [], {}):
            raise ModelError(
                f"{path} has {name}: {value!r}, and Trivium does not know what that would change. Supported are plain "
                "LoRA, rank_pattern, alpha_pattern, use_rslora, use_dora and modules_to_save."
            )


def _number(content: Mapping[str, Any], name: str, default: float | int, kind: type = float) -> Any:
    value = content.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int if kind is int else (int, float)):
        raise TypeError(f"{name} is {value!r}, and must be a number.")
    return kind(value)


def _mapping(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = content.get(name) or {}
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} is {value!r}, and must be an object.")
    return value


def _matching(patterns: Mapping[str, Any], module: str, default: Any) -> Any:
    # As PEFT has it: the first pattern that the whole name, or its end behind a dot, is.
    return next((value for key, value in patterns.items() if re.match(rf"(.*\.)?({key})$", module)), default)


def _plain(number: float) -> float | int:
    return int(number) if number == int(number) else number
