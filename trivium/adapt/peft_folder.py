"""An adapter in PEFT's layout: adapter_config.json and adapter_model.safetensors, written and read."""

__all__ = ["save_adapter"]

from pathlib import Path

from trivium.model import Transformer


def save_adapter(folder: Path, model: Transformer, base_reference: str | Path) -> None:
    """Write the updates of `model` (`add_lora`) and its task head into `folder`, as PEFT has them.

    `base_reference` is what the base was loaded by: a folder, a name of the catalogue or a hub id. `trivium.load`
    opens the folder, and so does PEFT. Beside the two files stands the config.json of the adapted model, which says the
    labels; a tokenizer or a generation_config.json in the folder goes before the base's. Raises `UsageError` for a
    model without updates, `ModelError` for an update that PEFT cannot hold, and `StorageError`.
    """
    raise NotImplementedError
