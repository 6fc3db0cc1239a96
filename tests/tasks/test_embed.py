"""Vectors against `transformers`: tiny models of each family, and all-MiniLM-L6-v2 on real sentences."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import transformers as hf

from tests.decode.tiny import speaker
from tests.tasks.tiny import TEXTS
from trivium.data.catalogue import get
from trivium.errors import UnavailableError, UsageError
from trivium.language_model import LanguageModel, load
from trivium.tasks.pooling import TextVectors

FAMILIES = ["bert", "gpt2", "llama", "t5"]


@pytest.mark.parametrize("family", FAMILIES)
def test_vectors_are_pooled_hidden_states_of_transformers(family: str, tmp_path: Path) -> None:
    lm = LanguageModel(*speaker(family))
    lm.save(tmp_path)
    theirs = (hf.T5EncoderModel if family == "t5" else hf.AutoModel).from_pretrained(tmp_path).eval()
    for row, text in enumerate(TEXTS):
        with torch.no_grad():
            hidden = theirs(input_ids=torch.tensor([lm.tokenizer.framed(text).ids])).last_hidden_state[0]
        for pooling, expected in (("mean", hidden.mean(0)), ("first", hidden[0]), ("last", hidden[-1])):
            found = lm.embed(TEXTS, pooling=pooling)[row]
            torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
            scaled = lm.embed(TEXTS, pooling=pooling, normalize=True)[row]
            torch.testing.assert_close(scaled, expected / expected.norm(), atol=1e-4, rtol=0)


def test_the_folder_says_how_and_keeps_it(tmp_path: Path) -> None:
    lm = LanguageModel(*speaker("bert"), vectors=TextVectors("first", normalize=True, max_tokens=20, prompt="The "))
    lm.save(tmp_path)
    again = load(tmp_path)
    assert again.vectors == lm.vectors
    plain = replace(lm, vectors=None)
    expected = plain.embed(["The cat", "The old sailor"], pooling="first", normalize=True)
    torch.testing.assert_close(again.embed(["cat", "old sailor"]), expected, atol=1e-5, rtol=0)
    with pytest.raises(UsageError, match="this model reads 20"):
        again.embed(["the harbour " * 9])
    assert again.embed(["the harbour " * 9], truncate=True).shape == (1, 24)


def test_a_text_without_a_token_is_refused() -> None:
    with pytest.raises(UsageError, match="Text 1 is empty"):
        LanguageModel(*speaker("gpt2")).embed(["The cat", ""])


@pytest.fixture(scope="module")
def minilm() -> Path:
    try:
        return get("minilm")
    except UnavailableError as error:
        pytest.skip(f"all-MiniLM-L6-v2 cannot be had here: {error}")


@pytest.fixture(scope="module")
def sentences() -> list[str]:
    try:
        lines = (get("headlines") / "train.jsonl").read_text(encoding="utf-8").splitlines()[:4000:40]
    except UnavailableError as error:
        pytest.skip(f"the headlines cannot be had here: {error}")
    return [json.loads(line)["text"] for line in lines]


@pytest.mark.slow
def test_minilm_says_what_transformers_says(minilm: Path, sentences: list[str], tmp_path: Path) -> None:
    """Cosine of each vector with theirs, and the same neighbours in the same order for every sentence."""
    lm = load(minilm, device="cpu")
    found = lm.embed(sentences, normalize=True)
    theirs, words = hf.AutoModel.from_pretrained(minilm).eval(), hf.AutoTokenizer.from_pretrained(minilm)
    expected = []
    for sentence in sentences:
        encoding = words(sentence, return_tensors="pt", padding=False, truncation=False)
        assert encoding["input_ids"][0].tolist() == lm.tokenizer.framed(sentence).ids
        with torch.no_grad():
            expected.append(theirs(**encoding).last_hidden_state[0].mean(0))
    vectors = torch.nn.functional.normalize(torch.stack(expected), dim=-1)
    assert float((found * vectors).sum(-1).min()) >= 1 - 1e-6
    ours_ranked, theirs_ranked = (table @ table.T for table in (found, vectors))
    torch.testing.assert_close(ours_ranked, theirs_ranked, atol=1e-5, rtol=0)
    # Neighbours nearer to each other than float32 resolves may swap; these do not.
    for mine, other in zip(ours_ranked, theirs_ranked, strict=True):
        assert (other[mine.argsort(descending=True)].diff() <= 1e-5).all()
    assert torch.equal(ours_ranked.topk(2).indices[:, 1], theirs_ranked.topk(2).indices[:, 1])


@pytest.mark.slow
def test_minilm_goes_round_with_its_pooler(minilm: Path, tmp_path: Path) -> None:
    lm = load(minilm, device="cpu")
    assert lm.architecture.head is None
    assert lm.architecture.parameters == 22_713_216
    lm.save(tmp_path)
    theirs, report = hf.AutoModel.from_pretrained(tmp_path, output_loading_info=True)
    assert type(theirs).__name__ == "BertModel"
    assert not any(report[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")), report
    original = hf.AutoModel.from_pretrained(minilm)
    assert all(torch.equal(theirs.get_parameter(name), weight) for name, weight in original.named_parameters())
