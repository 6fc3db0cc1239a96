"""Files from before tokenizer.json give the tokens of `transformers`, special tokens included."""

import json
from pathlib import Path

import pytest
import transformers as hf

from tests.decode.tiny import TEXTS
from trivium.errors import DataError
from trivium.text.tokenizer import Tokenizer
from trivium.text.training import train_tokenizer

SAMPLES = [*TEXTS[:4], "Café — naïve  [SEP]?", "the"]


def older(kind: str, folder: Path) -> Path:
    """A trained tokenizer in the older files."""
    folder.mkdir()
    train_tokenizer(kind, TEXTS, 320).save(folder)
    model = json.loads((folder / "tokenizer.json").read_text())["model"]
    for path in folder.iterdir():
        path.unlink()
    if kind == "wordpiece":
        (folder / "vocab.txt").write_text("\n".join(sorted(model["vocab"], key=model["vocab"].__getitem__)) + "\n")
    else:
        (folder / "vocab.json").write_text(json.dumps(model["vocab"]))
        merges = [" ".join(pair) if isinstance(pair, list) else pair for pair in model["merges"]]
        (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    return folder


@pytest.mark.parametrize("lowercase", [True, False])
def test_berts_vocabulary(lowercase: bool, tmp_path: Path) -> None:
    folder = older("wordpiece", tmp_path / "bert")
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": lowercase}))
    theirs, words = hf.BertTokenizer.from_pretrained(folder, do_lower_case=lowercase), Tokenizer.load(folder)
    for text in SAMPLES:
        if "[SEP]" in text:
            continue  # ours is text there, theirs a special token
        assert words.framed(text).ids == theirs(text)["input_ids"], text
        pair = words.framed(text, "The end")
        expected = theirs(text, "The end", return_token_type_ids=True)
        assert (pair.ids, pair.type_ids) == (expected["input_ids"], expected["token_type_ids"])
    assert (words.begin_id, words.end_id, words.mask_id) == (
        theirs.cls_token_id,
        theirs.sep_token_id,
        theirs.mask_token_id,
    )


def test_robertas_vocabulary(tmp_path: Path) -> None:
    folder = older("bpe-mask", tmp_path / "roberta")
    theirs, words = hf.RobertaTokenizer.from_pretrained(folder), Tokenizer.load(folder)
    for text in SAMPLES:
        assert words.framed(text).ids == theirs(text)["input_ids"], text
        assert words.framed(text, "The end").ids == theirs(text, "The end")["input_ids"]
    assert (words.begin_id, words.end_id, words.pad_id, words.mask_id) == (
        theirs.bos_token_id,
        theirs.eos_token_id,
        theirs.pad_token_id,
        theirs.mask_token_id,
    )


def test_gpt2s_vocabulary_adds_nothing(tmp_path: Path) -> None:
    folder = older("bpe", tmp_path / "gpt2")
    theirs, words = hf.GPT2Tokenizer.from_pretrained(folder), Tokenizer.load(folder)
    for text in SAMPLES:
        assert words.framed(text).ids == theirs(text)["input_ids"], text


def test_half_of_the_files(tmp_path: Path) -> None:
    folder = older("bpe", tmp_path / "gpt2")
    (folder / "merges.txt").unlink()
    with pytest.raises(DataError, match="no tokenizer that can be read"):
        Tokenizer.load(folder)
    (folder / "vocab.json").unlink()
    with pytest.raises(DataError, match=r"no tokenizer in .*: it holds no tokenizer\.json"):
        Tokenizer.load(folder)
