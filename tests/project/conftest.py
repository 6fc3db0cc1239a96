"""A small real corpus that every Python carries: the language reference behind `help()`, a document a topic."""

import json
import pydoc_data.topics
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "topics.jsonl"
    texts = sorted(pydoc_data.topics.topics.values())
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    return path


@pytest.fixture
def small(corpus: Path, tmp_path: Path) -> dict:
    """A project that is over in seconds: the smallest width, a fraction of a token for each parameter."""
    return {
        "scope": {"name": "small", "out": str(tmp_path / "out"), "seed": 3, "minutes": 0.5},
        "data": {"mix": [{"path": str(corpus)}], "held_out": 0.1, "length": 64},
        "model": {"vocabulary": 700, "dim": 32, "tokens_per_parameter": 0.4},
        "train": {"batch_tokens": 512, "learning_rate": 0.01, "precision": "float32"},
        "evaluate": {
            "rows": 8,
            "masks": ["The [MASK] is an object."],
            "prompts": ["The <b>statement</b>"],
            "spans": ["The <extra_id_0> is an object."],
            "max_tokens": 8,
        },
    }
