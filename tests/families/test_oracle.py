"""Every family against `transformers` at tiny size: logits, padding, weights both ways, in float32."""

import pytest
import torch
import transformers as hf

from tests.families.tiny import BUILDERS, VOCAB, oracle, oracle_logits, ours
from trivium.weights.folder import load_folder, save_folder

FAMILIES = sorted(BUILDERS)
CLASSES = {
    "bert": hf.AutoModelForMaskedLM,
    "gpt2": hf.AutoModelForCausalLM,
    "llama": hf.AutoModelForCausalLM,
    "t5": hf.AutoModelForSeq2SeqLM,
}


def tokens(rows: int, length: int, seed: int = 1) -> torch.Tensor:
    return torch.randint(3, VOCAB, (rows, length), generator=torch.Generator().manual_seed(seed))


def decoder_tokens(family: str, rows: int, length: int) -> torch.Tensor | None:
    return tokens(rows, length, seed=2) if family == "t5" else None


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_equal_the_oracle(family: str, tmp_path) -> None:
    theirs = oracle(family)
    model = ours(theirs, tmp_path)
    ids, decoder_ids = tokens(3, 33), decoder_tokens(family, 3, 21)
    with torch.no_grad():
        logits = model(ids, None, decoder_ids)
    expected = oracle_logits(theirs, ids, None, decoder_ids)
    assert expected.abs().max() > 0.5, "logits near zero would prove nothing"
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_padding_on_the_right_equals_the_oracle(family: str, tmp_path) -> None:
    theirs = oracle(family)
    model = ours(theirs, tmp_path)
    ids, decoder_ids = tokens(3, 20), decoder_tokens(family, 3, 9)
    mask = torch.ones_like(ids)
    mask[1, 13:] = 0
    mask[2, 4:] = 0
    with torch.no_grad():
        logits = model(ids, mask, decoder_ids)
    expected = oracle_logits(theirs, ids, mask, decoder_ids)
    real = mask.bool() if decoder_ids is None else torch.ones_like(decoder_ids, dtype=torch.bool)
    torch.testing.assert_close(logits[real], expected[real], atol=1e-4, rtol=0)


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_padding_on_the_left_equals_the_oracle(family: str, tmp_path) -> None:
    theirs = oracle(family)
    model = ours(theirs, tmp_path)
    ids = tokens(3, 20)
    mask = torch.ones_like(ids)
    mask[1, :7] = 0
    mask[2, :16] = 0
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    with torch.no_grad():
        logits = model(ids, mask)
        expected = theirs(input_ids=ids, attention_mask=mask, position_ids=positions).logits
    torch.testing.assert_close(logits[mask.bool()], expected[mask.bool()], atol=1e-4, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_equal_the_oracle(family: str, tmp_path) -> None:
    theirs = oracle(family)
    model = ours(theirs, tmp_path)
    ids, decoder_ids = tokens(2, 17), decoder_tokens(family, 2, 11)
    extra = {} if decoder_ids is None else {"decoder_input_ids": decoder_ids}
    theirs(input_ids=ids, **extra).logits.logsumexp(-1).sum().backward()
    model(ids, None, decoder_ids).logsumexp(-1).sum().backward()
    expected = theirs.get_input_embeddings().weight.grad
    assert expected is not None
    torch.testing.assert_close(model.tokens.weight.grad, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_go_round_exactly_and_open_in_transformers(family: str, tmp_path) -> None:
    theirs = oracle(family)
    model = ours(theirs, tmp_path / "in")
    save_folder(tmp_path / "out", model, {"pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0})
    again = load_folder(tmp_path / "out")
    for (name, first), (other, second) in zip(model.named_parameters(), again.named_parameters(), strict=True):
        assert name == other
        assert torch.equal(first, second), name
    opened, report = CLASSES[family].from_pretrained(tmp_path / "out", output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    assert not report["mismatched_keys"]
    for name, parameter in theirs.named_parameters():
        assert torch.equal(parameter, opened.get_parameter(name)), name
    ids, decoder_ids = tokens(2, 12), decoder_tokens(family, 2, 5)
    with torch.no_grad():
        logits = model(ids, None, decoder_ids)
    torch.testing.assert_close(oracle_logits(opened.eval(), ids, None, decoder_ids), logits, atol=1e-4, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_architecture_survives_its_own_config(family: str, tmp_path) -> None:
    model = ours(oracle(family), tmp_path / "in")
    save_folder(tmp_path / "out", model)
    assert load_folder(tmp_path / "out").architecture == model.architecture
    assert model.architecture.parameters == sum(parameter.numel() for parameter in oracle(family).parameters())
