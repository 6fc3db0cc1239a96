"""adapter_config.json, there and back, and what is refused of it."""

import json
from pathlib import Path
from typing import Any

import peft
import pytest

from trivium.adapt.lora import Lora
from trivium.adapt.peft_config import PeftConfig, read_peft_config
from trivium.errors import ModelError

MINIMAL = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["q_proj"]}


def written(folder: Path, **content: Any) -> Path:
    (folder / "adapter_config.json").write_text(json.dumps({**MINIMAL, **content}))
    return folder


def test_there_and_back(tmp_path: Path) -> None:
    lora = Lora(3, 4.5, 0.25, ("q_proj", "v_proj"), rank_stabilized=True, decomposed=True)
    config = PeftConfig(lora, "someone/base", {"q_proj": 5}, {"q_proj": 7.0}, ("classifier",), "SEQ_CLS")
    config.write(tmp_path)
    assert read_peft_config(tmp_path) == config
    assert config.of("model.layers.0.self_attn.q_proj") == Lora(5, 7.0, 0.25, lora.targets, True, True)
    assert config.of("model.layers.0.self_attn.v_proj") == lora


def test_peft_reads_what_was_written(tmp_path: Path) -> None:
    lora = Lora(3, 4.5, 0.25, ("q_proj", "v_proj"), rank_stabilized=True, decomposed=True)
    PeftConfig(lora, "someone/base", {"q_proj": 5}, {"q_proj": 7.0}, ("classifier",), "SEQ_CLS", True).write(tmp_path)
    theirs = peft.PeftConfig.from_pretrained(tmp_path)
    assert isinstance(theirs, peft.LoraConfig)
    assert (theirs.r, theirs.lora_alpha, theirs.lora_dropout) == (3, 4.5, 0.25)
    assert theirs.target_modules == {"q_proj", "v_proj"}
    assert (theirs.rank_pattern, theirs.alpha_pattern) == ({"q_proj": 5}, {"q_proj": 7})
    assert theirs.use_rslora
    assert theirs.use_dora
    assert theirs.fan_in_fan_out
    assert theirs.base_model_name_or_path == "someone/base"
    assert theirs.task_type == "SEQ_CLS"


@pytest.mark.parametrize("options", [{}, {"use_rslora": True, "task_type": "CAUSAL_LM"}, {"init_lora_weights": False}])
def test_whatever_plain_lora_peft_writes_is_read(options: dict[str, Any], tmp_path: Path) -> None:
    peft.LoraConfig(r=6, lora_alpha=12, target_modules=["q_proj"], **options).save_pretrained(tmp_path)
    config = read_peft_config(tmp_path)
    assert (config.lora.rank, config.lora.alpha) == (6, 12)
    assert config.lora.rank_stabilized == options.get("use_rslora", False)


def test_patterns_are_the_whole_name_or_its_end_behind_a_dot(tmp_path: Path) -> None:
    config = read_peft_config(written(tmp_path, rank_pattern={"proj": 2, r"layers\.1\..*": 3}))
    assert config.of("layers.0.q_proj").rank == 4
    assert config.of("layers.1.q_proj").rank == 3
    assert config.of("layers.0.proj").rank == 2


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"peft_type": "LORRA"}, "peft_type: 'LORRA'. Did you mean 'LORA'"),
        ({"peft_type": "IA3"}, "peft_type: 'IA3'. Only LORA is supported"),
        ({"peft_type": None}, "Only LORA is supported"),
        ({"r": 0}, "rank of LoRA must be at least 1, got 0"),
        ({"r": 2.5}, "r is 2.5, and must be a number"),
        ({"r": "eight"}, "r is 'eight', and must be a number"),
        ({"lora_alpha": float("nan")}, "alpha of LoRA .* got nan"),
        ({"rank_pattern": [1]}, r"rank_pattern is \[1\], and must be an object"),
        ({"rank_pattern": {"(": 1}}, "describes no adapter"),
        ({"bias": "all"}, "bias: 'all'"),
        ({"lora_bias": True}, "lora_bias: True, and Trivium does not know"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights: 'pissa', which changes the base"),
        ({"layer_replication": [[0, 2]]}, "layer_replication"),
        ({"trainable_token_indices": [3]}, "trainable_token_indices"),
        ({"a_field_of_tomorrow": 1}, "a_field_of_tomorrow: 1"),
    ],
)
def test_what_would_compute_something_else_is_refused(content: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=says):
        read_peft_config(written(tmp_path, **content))


def test_what_is_switched_off_is_nothing(tmp_path: Path) -> None:
    written(tmp_path, lora_bias=False, a_field_of_tomorrow=None, alora_invocation_tokens=[], use_qalora=False)
    assert read_peft_config(tmp_path).lora.rank == 4


@pytest.mark.parametrize("text", ["{", "[]", ""])
def test_what_is_no_config(text: str, tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(text)
    with pytest.raises(ModelError, match=r"adapter_config\.json"):
        read_peft_config(tmp_path)
