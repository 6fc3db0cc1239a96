"""The gate: what it measures, and that it catches what was broken on purpose and says which."""

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.decode.tiny import speaker
from trivium.errors import ParityError
from trivium.evaluate.parity import BOUNDS, Parity, compare
from trivium.evaluate.recording import Recording, record
from trivium.model import Transformer
from trivium.text.tokenizer import Tokenizer

FAMILIES = ["bert", "gpt2", "llama", "t5"]


def recorded(model: Transformer, words: Tokenizer, like: Recording | None = None) -> Recording:
    return record(model, words, words.pad_id, like)


def judged(family: str, change: object = None, form: str = "float32") -> Parity:
    """The parity of a model with itself, changed in between."""
    model, words = speaker(family)
    before = recorded(model, words)
    with torch.no_grad():
        (change or (lambda model: None))(model)
    return compare(before, recorded(model, words, before), BOUNDS[form])


# ---- the figures ---------------------------------------------------------------------------------------------------


def toy(logits: torch.Tensor) -> Recording:
    return Recording({"a": (1, 2)}, {"a": logits}, {"a": (1, 2)}, [[0], [1]], "f", None)


def test_figures_are_those_of_the_equations() -> None:
    old = torch.tensor([[1.0, 2.0, 0.0], [0.5, 0.0, 0.0]])
    new = torch.tensor([[1.0, 2.5, 0.0], [0.0, 0.5, 0.0]])
    found = compare(toy(old), toy(new), BOUNDS["q8_0"])
    p, q = old.double().softmax(-1), new.double().softmax(-1)
    kl = torch.nn.functional.kl_div(q.log(), p, reduction="none").sum(-1)
    assert found.logit_gap == pytest.approx(0.5)
    assert found.mean_kl == pytest.approx(float(kl.mean()))
    assert found.max_kl == pytest.approx(float(kl.max()))
    assert (found.agreement, found.positions) == (0.5, 2)
    centred = [logits - logits.mean(-1, keepdim=True) for logits in (new - old, old)]
    assert found.relative_error == pytest.approx(float(centred[0].norm() / centred[1].norm()))


def test_a_constant_that_softmax_does_not_see_is_seen_by_the_gap_only() -> None:
    old = torch.randn(2, 3)
    found = compare(toy(old), toy(old + 1), BOUNDS["float32"])
    assert found.logit_gap == pytest.approx(1)
    assert (found.mean_kl, found.agreement) == (pytest.approx(0, abs=1e-9), 1)
    assert not found.passed


def test_numbers_that_are_none_never_pass() -> None:
    for bad in (math.nan, math.inf):
        new = torch.tensor([[1.0, bad, 0.0], [0.0, 0.0, 0.0]])
        found = compare(toy(torch.zeros(2, 3)), toy(new), BOUNDS["q8_0"])
        assert not found.passed
        with pytest.raises(ParityError, match="weights or the config differ"):
            found.require()


def test_another_vocabulary_is_no_comparison() -> None:
    found = compare(toy(torch.zeros(2, 3)), toy(torch.zeros(2, 4)), BOUNDS["q8_0"])
    assert not found.passed
    assert "The model said 3 tokens before and says 4 now." in found.differences


# ---- what passes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_equals_itself(family: str) -> None:
    found = judged(family)
    assert found.passed
    found.require()
    assert (found.logit_gap, found.mean_kl, found.agreement) == (0, 0, 1)
    assert found.positions > 300
    assert json.dumps(found.to_dict())
    assert "FAILED" not in str(found)


@pytest.mark.parametrize("form", ["float16", "bfloat16"])
@pytest.mark.parametrize("family", FAMILIES)
def test_rounded_weights_pass_their_bound_and_no_tighter_one(family: str, form: str) -> None:
    dtype = getattr(torch, form)

    def rounded(model: Transformer) -> None:
        model.to(dtype).float()

    assert judged(family, rounded, form).passed
    assert not judged(family, rounded, "float32").passed


def test_bounds_are_wider_for_coarser_forms() -> None:
    bounds = [BOUNDS[form] for form in ("float32", "float16", "bfloat16", "q8_0")]
    for finer, coarser in itertools.pairwise(bounds):
        assert finer.mean_kl < coarser.mean_kl
        assert finer.relative_error < coarser.relative_error
        assert finer.agreement >= coarser.agreement


# ---- what was broken on purpose ------------------------------------------------------------------------------------


def last_attention(model: Transformer):
    return (model.decoder or model.encoder).layers[-1].attention


def zeroed(model: Transformer) -> None:
    last_attention(model).value.weight.zero_()


def swapped(model: Transformer) -> None:
    query, key = last_attention(model).query.weight, last_attention(model).key.weight
    rows = key.shape[0]
    query[:rows], key[:] = key.clone(), query[:rows].clone()


def norm_scaled(model: Transformer) -> None:
    next(weight for name, weight in model.named_parameters() if "_mlp" in name).mul_(1.5)


@pytest.mark.parametrize("damage", [zeroed, swapped, norm_scaled])
@pytest.mark.parametrize("family", FAMILIES)
def test_damaged_weights_are_caught(family: str, damage) -> None:
    found = judged(family, damage)
    assert not found.passed
    with pytest.raises(ParityError, match=r"the weights or the config differ, most on the probe '\w+'"):
        found.require()
    assert found.same_encodings
    assert found.same_template
    assert "FAILED" in str(found)


@pytest.mark.parametrize("form", BOUNDS)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_weight_that_is_gone_is_more_than_any_rounding(family: str, form: str) -> None:
    assert not judged(family, zeroed, form).passed


def altered(words: Tokenizer, folder: Path, change) -> Tokenizer:
    words.save(folder)
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return Tokenizer.load(folder)


def test_a_lost_merge_is_caught_and_named(tmp_path: Path) -> None:
    """A merge that no probe needs, even: the text of its own token is cut otherwise."""
    model, words = speaker("gpt2")
    before = recorded(model, words)
    last = len(words.description["model"]["merges"]) - 1
    for number in (0, last // 2, last):
        broken = altered(words, tmp_path / str(number), lambda content, n=number: content["model"]["merges"].pop(n))
        found = compare(before, recorded(model, broken, before), replace(BOUNDS["q8_0"], same_file=False))
        assert found.logit_gap == 0, "the weights are as they were, and are not blamed"
        with pytest.raises(ParityError, match=r"does not have the same encodings.*encoded (differently|as)"):
            found.require()


def test_merges_in_another_order_are_caught(tmp_path: Path) -> None:
    model, words = speaker("gpt2")
    before = recorded(model, words)
    broken = altered(words, tmp_path, lambda content: content["model"]["merges"].reverse())
    found = compare(before, recorded(model, broken, before), BOUNDS["float32"])
    assert not found.same_tokenizer
    assert not found.same_encodings


def test_a_tokenizer_file_that_differs_without_effect_is_caught_where_it_must_be_the_same(tmp_path: Path) -> None:
    model, words = speaker("gpt2")
    before = recorded(model, words)
    other = altered(words, tmp_path, lambda content: content["added_tokens"][0].update(rstrip=True))
    after = recorded(model, other, before)
    with pytest.raises(ParityError, match="does not have the same tokenizer file"):
        compare(before, after, BOUNDS["float32"]).require()
    assert compare(before, after, replace(BOUNDS["float32"], same_file=False)).passed


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{{ messages }}", None, "was lost"),
        (None, "{{ messages }}", "came from nowhere"),
        ("{{ messages }}", "{{ messages }} ", "is another one"),
        ("{{ messages }}", "{% for %}", "is another one"),
    ],
)
def test_a_template_that_is_not_the_same(old: str | None, new: str | None, said: str) -> None:
    model, words = speaker("gpt2")
    try:
        words.chat_template = old
        before = recorded(model, words)
        words.chat_template = new
        found = compare(before, recorded(model, words, before), BOUNDS["q8_0"])
    finally:
        words.chat_template = None
    assert found.logit_gap == 0
    with pytest.raises(ParityError, match=rf"does not have the same chat template.*The chat template {said}"):
        found.require()
