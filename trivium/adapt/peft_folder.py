"""An adapter in PEFT's layout: adapter_config.json and adapter_model.safetensors.

    model with updates ── save_adapter ── folder ── put_adapter ── any base like its own, with these updates

Names are the published ones of the base's class behind `base_model.model.`; a task's head is one of `modules_to_save`.
What PEFT has no field for stands in the header of the safetensors file, where PEFT does not look: how the base was
named, its fingerprint, and which columns of a fused update are whose (`peft_layers`).
"""

__all__ = ["ADAPTER_WEIGHTS", "NAME_STEM", "adapter_base", "is_adapter", "own_header", "save_adapter"]

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from trivium import architecture as arch
from trivium.adapt.copies import without_updates
from trivium.adapt.fingerprint import fingerprint
from trivium.adapt.lora import Lora
from trivium.adapt.low_rank import adapted_layers
from trivium.adapt.peft_config import ADAPTER_CONFIG, PeftConfig, read_peft_config
from trivium.adapt.peft_layers import ModuleUpdate, published_linears, stacked
from trivium.adapt.targets import published_names
from trivium.data import catalogue
from trivium.errors import ModelError, UsageError
from trivium.families.family import Family
from trivium.families.registry import family_named
from trivium.families.tasks import published, without_prefix
from trivium.files import atomic_write
from trivium.model import Transformer
from trivium.weights.folder import published_config
from trivium.weights.names import entries, to_stored

ADAPTER_WEIGHTS, NAME_STEM, _HEADER = "adapter_model.safetensors", "base_model.model.", "trivium"


def is_adapter(folder: Path) -> bool:
    """Whether a folder is an adapter's."""
    return (folder / ADAPTER_CONFIG).is_file()


def save_adapter(
    folder: Path, model: Transformer, base_reference: str | Path | None, extra: Mapping[str, Any] | None = None
) -> None:
    """Write the updates of `model` (`add_lora`) and its task head into `folder`, as PEFT has them.

    `base_reference` is what the base was loaded by: a folder, a name of the catalogue or a hub id; None for a model
    that was never saved, which whoever loads the adapter must then name. `trivium.load` opens the folder, and so does
    PEFT. Beside the two files stands the config.json of the adapted model, which says the labels, with the fields of
    `extra`; a tokenizer or a generation_config.json in the folder goes before the base's. Raises `UsageError` for a
    model without updates, `ModelError` for an update that PEFT cannot hold, and `StorageError`.
    """
    layers = adapted_layers(model)
    if not layers:
        raise UsageError("This model has no updates of low rank to save: add_lora puts them in.")
    base = without_updates(model)
    family = published(family_named(model.architecture.family), model.architecture)
    modules = published_linears(base, family)
    updates = {
        stored: stacked(entry, layers, base) for stored, entry in modules.items() if layers.keys() & {*entry.ours}
    }
    nameless = layers.keys() - {ours for stored in updates for ours in modules[stored].ours}
    if nameless:
        raise ModelError(f"No published class of {family.name} has a name for '{min(nameless)}': PEFT cannot hold it.")
    prefix = family.prefix if without_prefix(model.architecture) else ""
    head = _head_tensors(base, family)
    tensors = {f"{NAME_STEM}{stored}": tensor for stored, tensor in head.items()}
    for stored, update in updates.items():
        tensors |= _named(NAME_STEM + stored.removeprefix(prefix), update)
    # All that PEFT may meet, what no part of this model reads among them, so that a target names no other by accident.
    met = [*published_names(model.architecture), *family.table(model.architecture)]
    known = [stored.removeprefix(prefix) for stored in met if "*" not in stored]
    config = _settings({stored.removeprefix(prefix): update.lora for stored, update in updates.items()}, known)
    config = replace(
        config,
        base=None if base_reference is None else _openable(base_reference),
        modules_to_save=tuple(sorted({_module_to_save(stored, family) for stored in head})),
        task_type=_task_type(model.architecture),
        transposed=any(modules[stored].transposed for stored in updates),
    )
    own = {
        "base": None if base_reference is None else _named_base(base_reference),
        "fingerprint": fingerprint(base),
        "columns": {
            stored.removeprefix(prefix): update.columns for stored, update in updates.items() if update.columns
        },
    }
    content = save({name: tensor.cpu() for name, tensor in tensors.items()}, {"format": "pt", _HEADER: json.dumps(own)})
    atomic_write(folder / ADAPTER_WEIGHTS, content)
    atomic_write(folder / "config.json", json.dumps(published_config(model, extra=extra), indent=2) + "\n")
    config.write(folder)


def adapter_base(folder: Path) -> str:
    """What the base of an adapter is called: as its maker named it, where that is here, or as PEFT would open it.

    Raises `ModelError` where the adapter does not say.
    """
    config, own = read_peft_config(folder), own_header(folder)
    named = own.get("base")
    if isinstance(named, str) and (named in catalogue.ENTRIES or Path(named).exists()):
        return named
    if config.base is None:
        raise ModelError(f"{folder / ADAPTER_CONFIG} does not say what model it adapts: give its base beside it.")
    return config.base


def own_header(folder: Path) -> Mapping[str, Any]:
    """What Trivium wrote of an adapter beside PEFT's own files; nothing of PEFT's adapters.

    Raises `ModelError` where there is no whole safetensors file, and for a pickle in its place.
    """
    path = folder / ADAPTER_WEIGHTS
    if not path.is_file():
        pickled = folder / "adapter_model.bin"
        if pickled.is_file():
            raise ModelError(
                f"{pickled} is a pickle, which can hold a program, and adapters are read from safetensors alone. Load "
                "it in PEFT and save it again: `save_pretrained` writes safetensors."
            )
        raise ModelError(f"{folder} holds no {ADAPTER_WEIGHTS}: there is no adapter to load. Fetch or save it again.")
    try:
        with safe_open(path, framework="pt") as file:
            own = json.loads((file.metadata() or {}).get(_HEADER, "{}"))
    except (SafetensorError, ValueError) as error:
        raise ModelError(f"{path} is not whole ({error}): it is truncated or altered. Fetch it again.") from error
    return own if isinstance(own, Mapping) else {}


def _named(module: str, update: ModuleUpdate) -> dict[str, Tensor]:
    found = {f"{module}.lora_A.weight": update.down, f"{module}.lora_B.weight": update.up}
    if update.magnitude is not None:
        found[f"{module}.lora_magnitude_vector"] = update.magnitude
    return found


def _head_tensors(base: Transformer, family: Family) -> dict[str, Tensor]:
    """A task's head under its published names; a bare pooler is the base's."""
    if base.task is None or isinstance(base.architecture.task, arch.Pooler):
        return {}
    parameters = {name: parameter.detach() for name, parameter in base.named_parameters()}
    ours = [entry for entry in entries(base, family) if entry.ours[0].startswith("task.")]
    return {entry.stored: to_stored(entry, parameters) for entry in ours}


def _module_to_save(stored: str, family: Family) -> str:
    # A class of its own in transformers (RoBERTa's `classifier`) is saved whole: PEFT wraps it by this name itself.
    module = stored.rpartition(".")[0]
    return module if family.prefix and module.startswith(family.prefix) else module.partition(".")[0]


def _settings(loras: Mapping[str, Lora], known: list[str]) -> PeftConfig:
    """PEFT's fields, which name one rank and one alpha, and the exceptions."""
    kinds = {module: (lora.rank, lora.alpha) for module, lora in loras.items()}
    [(usual, _)] = Counter(kinds.values()).most_common(1)
    ranks: dict[str, int] = {}
    alphas: dict[str, float] = {}
    for rank, alpha in dict.fromkeys(kind for kind in kinds.values() if kind != usual):
        for end in _ends([module for module in kinds if kinds[module] == (rank, alpha)], kinds):
            ranks[end], alphas[end] = rank, alpha
    whole = replace(next(iter(loras.values())), rank=usual[0], alpha=usual[1], targets=tuple(_ends(list(kinds), known)))
    return PeftConfig(whole, ranks=ranks, alphas=alphas)


def _ends(modules: list[str], known: Iterable[str]) -> list[str]:
    """The shortest ends of names that these modules have, and no other one that is known."""
    others = set(known) - set(modules)
    longest = max(module.count(".") for module in modules) + 1
    for parts in range(1, longest):
        ends = sorted({".".join(module.split(".")[-parts:]) for module in modules})
        if not any(other == end or other.endswith(f".{end}") for other in others for end in ends):
            return ends
    return sorted(modules)


def _task_type(architecture: arch.Architecture) -> str | None:
    match architecture.task:
        case arch.SequenceLabels():
            return "SEQ_CLS"
        case arch.TokenLabels():
            return "TOKEN_CLS"
        case arch.Spans():
            return "QUESTION_ANS"
    if architecture.head is None:
        return "FEATURE_EXTRACTION"
    return {"decoder": "CAUSAL_LM", "encoder-decoder": "SEQ_2_SEQ_LM"}.get(architecture.kind)


def _named_base(reference: str | Path) -> str:
    path = Path(reference).expanduser()
    return str(path.resolve()) if path.exists() else str(reference)


def _openable(reference: str | Path) -> str:
    """The reference as other programs open it: a name of the catalogue is a folder."""
    entry = catalogue.ENTRIES.get(str(reference))
    if entry is not None and not Path(reference).exists():
        return str(catalogue.get(entry.name))
    return _named_base(reference)
