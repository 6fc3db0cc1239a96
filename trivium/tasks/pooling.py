"""How a folder wants its texts made into vectors, in the files of sentence-transformers.

modules.json                        the steps: Transformer, Pooling, Normalize
1_Pooling/config.json               which pooling
sentence_bert_config.json           max_seq_length
config_sentence_transformers.json   a prompt that goes before each text
"""

__all__ = ["TextVectors"]

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trivium.architecture import Pooling
from trivium.errors import ModelError
from trivium.files import atomic_write

_MODULES, _LENGTH, _PROMPTS = "modules.json", "sentence_bert_config.json", "config_sentence_transformers.json"
_TOKENIZER = "tokenizer_config.json"
_POOLINGS: dict[str, Pooling] = {"cls": "first", "cls_token": "first", "mean": "mean", "mean_tokens": "mean"}
_POOLINGS |= {"lasttoken": "last"}
_STEPS = ("Transformer", "Pooling", "Normalize")


@dataclass(frozen=True)
class TextVectors:
    """Which hidden states make a text's vector, whether it is scaled to length 1, the longest text, and its prompt."""

    pooling: Pooling = "mean"
    normalize: bool = False
    max_tokens: int | None = None
    prompt: str = ""

    @classmethod
    def read(cls, folder: Path) -> "TextVectors | None":
        """What a folder says, or None where it is none of sentence-transformers.

        Raises `ModelError` for a step or a pooling that is not known: the vectors would be others than the model's.
        """
        if not (folder / _MODULES).is_file():
            return None
        modules = _json(folder / _MODULES)
        steps = {str(module["type"]).rpartition(".")[2]: str(module.get("path", "")) for module in modules}
        for step in steps:
            if step not in _STEPS:
                raise ModelError(f"{folder / _MODULES} has a step '{step}', and only {', '.join(_STEPS)} are known.")
        pooling = _json(folder / steps["Pooling"] / "config.json") if "Pooling" in steps else {}
        length, said = _json(folder / _LENGTH), _json(folder / _PROMPTS)
        named = said.get("default_prompt_name")
        if named is not None and not pooling.get("include_prompt", True):
            raise ModelError(f"{folder} has a prompt that the vector leaves out, which is not known here.")
        return cls(
            pooling=_pooling(pooling, folder),
            normalize="Normalize" in steps,
            max_tokens=length.get("max_seq_length", _json(folder / _TOKENIZER).get("model_max_length")),
            prompt="" if named is None else said.get("prompts", {})[named],
        )

    def write(self, folder: Path, dim: int) -> None:
        """Write these files beside a model of `dim` channels."""
        steps = _STEPS if self.normalize else _STEPS[:-1]
        modules = [
            {
                "idx": index,
                "name": str(index),
                "path": f"{index}_{step}" if index else "",
                "type": f"sentence_transformers.models.{step}",
            }
            for index, step in enumerate(steps)
        ]
        modes = {"cls_token": "first", "mean_tokens": "mean", "lasttoken": "last"}
        pooling = {
            "word_embedding_dimension": dim,
            **{f"pooling_mode_{name}": ours == self.pooling for name, ours in modes.items()},
            "pooling_mode_max_tokens": False,
            "pooling_mode_mean_sqrt_len_tokens": False,
            "include_prompt": True,
        }
        prompts = {"prompts": {"text": self.prompt}, "default_prompt_name": "text"} if self.prompt else {"prompts": {}}
        for step in modules[1:]:
            (folder / str(step["path"])).mkdir(parents=True, exist_ok=True)
        _write(folder / str(modules[1]["path"]) / "config.json", pooling)
        _write(folder / _LENGTH, {"max_seq_length": self.max_tokens, "do_lower_case": False})
        _write(folder / _PROMPTS, {"similarity_fn_name": "cosine", **prompts})
        _write(folder / _MODULES, modules)


def _pooling(config: dict[str, Any], folder: Path) -> Pooling:
    """The pooling of old files, one flag a mode, or of new ones, a name."""
    flags = [name.removeprefix("pooling_mode_") for name, on in config.items() if on is True]
    chosen = [name for name in flags if f"pooling_mode_{name}" in config]
    if "pooling_mode" in config:
        mode = config["pooling_mode"]
        chosen = [mode] if isinstance(mode, str) else list(mode)
    chosen = chosen or ["mean"]
    if len(chosen) != 1 or chosen[0] not in _POOLINGS:
        raise ModelError(f"{folder} pools by {' and '.join(chosen)}; one of {', '.join(_POOLINGS)} is known.")
    return _POOLINGS[chosen[0]]


def _json(path: Path) -> Any:
    """The content of a file, or an empty object where there is none."""
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{path} is not JSON ({error}): it may be truncated. Fetch the model again.") from error


def _write(path: Path, content: Any) -> None:
    atomic_write(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
