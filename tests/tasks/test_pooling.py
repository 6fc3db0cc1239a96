"""The files of sentence-transformers, old and new, both ways."""

import json
from pathlib import Path

import pytest

from trivium.errors import ModelError
from trivium.tasks.pooling import TextVectors

#: What all-MiniLM-L6-v2 publishes.
MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
]
FLAGS = {
    "word_embedding_dimension": 384,
    "pooling_mode_cls_token": False,
    "pooling_mode_mean_tokens": True,
    "pooling_mode_max_tokens": False,
    "pooling_mode_mean_sqrt_len_tokens": False,
}


def publish(folder: Path, pooling: dict, modules: list = MODULES, **files: dict) -> Path:
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    (folder / "modules.json").write_text(json.dumps(modules))
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def test_the_published_files(tmp_path: Path) -> None:
    publish(tmp_path, FLAGS, sentence_bert_config={"max_seq_length": 256, "do_lower_case": False})
    assert TextVectors.read(tmp_path) == TextVectors("mean", normalize=True, max_tokens=256)


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        ({**FLAGS, "pooling_mode_mean_tokens": False, "pooling_mode_cls_token": True}, "first"),
        ({**FLAGS, "pooling_mode_mean_tokens": False, "pooling_mode_lasttoken": True, "include_prompt": True}, "last"),
        ({"pooling_mode": "cls"}, "first"),
        ({"pooling_mode": "mean", "embedding_dimension": 384}, "mean"),
        ({"pooling_mode": ["lasttoken"]}, "last"),
    ],
)
def test_poolings_of_old_and_new_files(pooling: dict, expected: str, tmp_path: Path) -> None:
    found = TextVectors.read(publish(tmp_path, pooling, MODULES[:2]))
    assert found == TextVectors(expected, normalize=False)


def test_a_prompt_that_goes_before_each_text(tmp_path: Path) -> None:
    prompts = {"prompts": {"query": "query: ", "passage": "passage: "}, "default_prompt_name": "query"}
    publish(tmp_path, FLAGS, config_sentence_transformers=prompts)
    assert TextVectors.read(tmp_path).prompt == "query: "


def test_the_longest_text_where_new_files_have_it(tmp_path: Path) -> None:
    files = {
        "sentence_bert_config": {"transformer_task": "feature-extraction"},
        "tokenizer_config": {"model_max_length": 128},
    }
    assert TextVectors.read(publish(tmp_path, {"pooling_mode": "mean"}, **files)).max_tokens == 128


@pytest.mark.parametrize(
    "vectors", [TextVectors(), TextVectors("first", True, 128, "query: "), TextVectors("last", False)]
)
def test_what_is_written_is_read(vectors: TextVectors, tmp_path: Path) -> None:
    vectors.write(tmp_path, 24)
    assert TextVectors.read(tmp_path) == vectors


def test_what_would_give_other_vectors_is_refused(tmp_path: Path) -> None:
    assert TextVectors.read(tmp_path) is None
    dense = [*MODULES, {"idx": 3, "name": "3", "path": "3_Dense", "type": "sentence_transformers.models.Dense"}]
    publish(tmp_path, FLAGS, dense)
    with pytest.raises(ModelError, match="a step 'Dense'"):
        TextVectors.read(tmp_path)
    for pooling, said in (
        ({**FLAGS, "pooling_mode_max_tokens": True}, "mean_tokens and max_tokens"),
        ({"pooling_mode": "weightedmean"}, "weightedmean"),
    ):
        (tmp_path / "modules.json").write_text(json.dumps(MODULES))
        (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
        with pytest.raises(ModelError, match=said):
            TextVectors.read(tmp_path)
    (tmp_path / "modules.json").write_text("[")
    with pytest.raises(ModelError, match="not JSON"):
        TextVectors.read(tmp_path)
