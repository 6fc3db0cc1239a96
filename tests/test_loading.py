"""Adapters loaded by their folders, on the base that they name or another place of it."""

import json
from pathlib import Path

import pytest
import torch

import trivium
from tests.adapt.adapters import adapted
from tests.decode.tiny import speaker
from trivium.adapt.copies import same_tensors
from trivium.adapt.lora import Lora
from trivium.adapt.low_rank import adapted_layers
from trivium.adapt.peft_folder import save_adapter
from trivium.errors import ModelError, UsageError
from trivium.language_model import LanguageModel
from trivium.loading import read_model, stamp
from trivium.weights.folder import load_folder
from trivium.weights.fresh import FreshHead

FAMILIES = ["bert", "gpt2", "t5"]
TEXT = "The old sailor walked to the harbour."


def saved(family: str, folder: Path) -> tuple[LanguageModel, LanguageModel]:
    """A base in `folder`/base and an adapter in `folder`/adapter, in memory too."""
    model, words = speaker(family)
    base = LanguageModel(model, words, {"decoder_start_token_id": words.pad_id} if family == "t5" else {})
    base.save(folder / "base")
    changed = adapted(same_tensors(model), Lora(4, targets=("*attention*",)))
    save_adapter(folder / "adapter", changed, folder / "base")
    return base, LanguageModel(changed, words, base.generation_config)


def said(lm: LanguageModel) -> torch.Tensor:
    ids = torch.tensor([[5, 6, 7, 8, 9]])
    return lm.logits(ids, None, ids[:, :3] if lm.architecture.kind == "encoder-decoder" else None)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_adapter_s_folder_is_a_model(family: str, tmp_path: Path) -> None:
    base, expected = saved(family, tmp_path)
    lm = trivium.load(tmp_path / "adapter", device="cpu")
    torch.testing.assert_close(said(lm), said(expected), atol=1e-5, rtol=1e-5)
    assert not torch.allclose(said(lm), said(base), atol=1e-2)
    assert lm.tokenizer.fingerprint == base.tokenizer.fingerprint
    torch.testing.assert_close(said(lm.merged()), said(expected), atol=1e-4, rtol=1e-5)
    with pytest.raises(UsageError, match=r"save `lm\.merged"):
        lm.save(tmp_path / "whole")
    lm.merged().save(tmp_path / "whole")
    torch.testing.assert_close(said(trivium.load(tmp_path / "whole", device="cpu")), said(lm), atol=1e-4, rtol=1e-5)


def test_a_model_with_an_adapter_beside_the_model_without(tmp_path: Path) -> None:
    _, expected = saved("gpt2", tmp_path)
    base = trivium.load(tmp_path / "base", device="cpu")
    alone = said(base)
    lm = base.with_adapter(tmp_path / "adapter")
    torch.testing.assert_close(said(lm), said(expected), atol=1e-5, rtol=1e-5)
    assert torch.equal(said(base), alone)
    assert lm.model.tokens.weight is base.model.tokens.weight
    assert lm.generate("The cat", max_tokens=3).text == expected.generate("The cat", max_tokens=3).text
    with pytest.raises(UsageError, match="has an adapter already"):
        lm.with_adapter(tmp_path / "adapter")
    with pytest.raises(UsageError, match="nothing to merge"):
        base.merged()


def test_a_base_that_moved_is_named(tmp_path: Path) -> None:
    _, expected = saved("gpt2", tmp_path)
    (tmp_path / "base").rename(tmp_path / "moved")
    with pytest.raises(
        ModelError, match=r"adapter of '.*base', and that cannot be had: .* load\(folder, base=\.\.\.\)"
    ):
        trivium.load(tmp_path / "adapter", device="cpu")
    lm = trivium.load(tmp_path / "adapter", device="cpu", base=tmp_path / "moved")
    torch.testing.assert_close(said(lm), said(expected), atol=1e-5, rtol=1e-5)
    with pytest.raises(UsageError, match="is a whole model and no adapter"):
        trivium.load(tmp_path / "moved", device="cpu", base=tmp_path / "moved")


def test_a_base_that_was_trained_on_is_another(tmp_path: Path) -> None:
    saved("gpt2", tmp_path)
    lm = trivium.load(tmp_path / "base", device="cpu")
    with torch.no_grad():
        for weight in lm.model.parameters():
            weight.add_(1e-3)
    lm.save(tmp_path / "base")
    with pytest.raises(ModelError, match="trained on other weights"):
        trivium.load(tmp_path / "adapter", device="cpu")


def test_an_adapter_is_no_base(tmp_path: Path) -> None:
    saved("gpt2", tmp_path)
    config = tmp_path / "adapter" / "adapter_config.json"
    for other in (tmp_path / "adapter", tmp_path / "second"):
        other.mkdir(exist_ok=True)
        (other / "adapter_config.json").write_text(config.read_text())
        with pytest.raises(ModelError, match="is an adapter itself: merge that one first"):
            read_model(tmp_path / "adapter", "cpu", base=other)


def test_a_base_that_is_nowhere_and_none_at_all(tmp_path: Path) -> None:
    saved("gpt2", tmp_path)
    config = tmp_path / "adapter" / "adapter_config.json"
    fields = json.loads(config.read_text())
    (tmp_path / "base").rename(tmp_path / "moved")
    config.write_text(json.dumps({**fields, "base_model_name_or_path": "no-such-org/no-such-model"}))
    with pytest.raises(ModelError, match="no-such-org/no-such-model"):
        trivium.load(tmp_path / "adapter", device="cpu")
    config.write_text(json.dumps({**fields, "base_model_name_or_path": ""}))
    with pytest.raises(ModelError, match="does not say what model it adapts"):
        trivium.load(tmp_path / "adapter", device="cpu")


def test_what_stands_in_the_adapter_s_folder_goes_first(tmp_path: Path) -> None:
    saved("gpt2", tmp_path)
    decoding = {"do_sample": True, "temperature": 0.25}
    (tmp_path / "adapter" / "generation_config.json").write_text(json.dumps(decoding))
    _, other = speaker("bert")
    other.save(tmp_path / "adapter")
    lm = trivium.load(tmp_path / "adapter", device="cpu")
    assert lm.options().temperature == 0.25
    assert lm.tokenizer.fingerprint == other.fingerprint


def test_a_tokenizer_with_more_tokens_than_the_base_is_refused(tmp_path: Path) -> None:
    saved("bert", tmp_path)
    speaker("gpt2")[1].save(tmp_path / "adapter")
    with pytest.raises(ModelError, match="300 tokens, and the base a table of 230 rows: tokens were added"):
        trivium.load(tmp_path / "adapter", device="cpu")


def test_a_classifier_s_adapter_classifies(tmp_path: Path) -> None:
    base, _ = saved("bert", tmp_path)
    head = FreshHead("sequence-classification", ("sad", "glad", "neither"))
    model = adapted(load_folder(tmp_path / "base", task=head), Lora())
    save_adapter(tmp_path / "reviews", model, tmp_path / "base")
    lm = trivium.load(tmp_path / "reviews", device="cpu")
    assert lm.classify(TEXT).scores.keys() == {"sad", "glad", "neither"}
    expected = LanguageModel(model, base.tokenizer).classify(TEXT)
    assert lm.classify(TEXT).scores == pytest.approx(expected.scores, abs=1e-5)
    assert lm.merged().classify(TEXT).scores == pytest.approx(expected.scores, abs=1e-5)
    assert not adapted_layers(lm.merged().model)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_that_is_saved_again_has_another_stamp(family: str, tmp_path: Path) -> None:
    model, words = speaker(family)
    LanguageModel(model, words).save(tmp_path / "one")
    before = stamp(tmp_path / "one")
    assert before == stamp(tmp_path / "one") != ""
    (tmp_path / "one" / "metrics.jsonl").write_text("{}")  # which is no part of the model
    assert stamp(tmp_path / "one") == before
    LanguageModel(speaker(family, seed=1)[0], words).save(tmp_path / "one")
    assert stamp(tmp_path / "one") != before
    assert stamp(tmp_path / "nothing") == ""
