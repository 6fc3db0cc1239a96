"""What is recorded of each kind of model: its tokens, what it says, and how its tokenizer reads."""

import pytest
import torch

from tests.decode.tiny import speaker
from trivium.errors import ModelError, UsageError
from trivium.evaluate.probes import PROBES
from trivium.evaluate.recording import record


@pytest.mark.parametrize("family", ["bert", "gpt2", "t5"])
def test_logits_are_those_of_the_model(family: str) -> None:
    model, words = speaker(family)
    found = record(model, words, words.pad_id)
    assert found.inputs.keys() == found.logits.keys() == found.encodings.keys() == PROBES.keys()
    for name, ids in found.inputs.items():
        assert found.logits[name].shape == (len(ids), words.vocabulary)
    ids = torch.tensor([found.inputs["code"]])
    said = torch.tensor([[words.pad_id, *found.inputs["code"][:-1]]]) if family == "t5" else None
    with torch.inference_mode():
        assert torch.equal(found.logits["code"], model(ids, None, said)[0])


def test_an_encoder_reads_its_own_special_tokens_and_masks() -> None:
    model, words = speaker("bert")
    ids = record(model, words).inputs["prose"]
    assert ids[0] == words.begin_id
    masks = ids.count(words.mask_id)
    assert 0 < masks < len(ids) / 3
    assert len(set(ids) - words.special_ids) > 5


def test_no_input_is_longer_than_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    model, words = speaker("gpt2")
    long = record(model, words, probes={"long": "word " * 500})
    assert len(long.inputs["long"]) <= min(48, model.architecture.context)
    assert len(long.encodings["long"]) > 400


def test_the_text_of_every_token_is_encoded() -> None:
    model, words = speaker("gpt2")
    found = record(model, words, probes={"short": "Yes"})
    assert len(found.pieces) == words.vocabulary
    [[the]] = [words.encode(" the")]
    assert list(found.pieces[the]) == [the]


def test_a_chat_is_read_where_there_is_a_template() -> None:
    model, words = speaker("gpt2")
    assert "chat" not in record(model, words).inputs
    words.chat_template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    try:
        found = record(model, words)
        assert words.decode(found.encodings["chat"]).startswith("system: You answer in one sentence.\nuser: What is 7")
        words.chat_template = "{{ raise_exception('no') }}"
        assert record(model, words).encodings["chat"] == ()
        assert record(model, words, like=found).inputs == found.inputs
    finally:
        words.chat_template = None


def test_what_cannot_be_recorded() -> None:
    model, words = speaker("gpt2")
    with pytest.raises(UsageError, match="training mode"):
        record(model.train(), words)
    small, _ = speaker("t5")
    with pytest.raises(ModelError, match="Nothing says which token starts the decoder"):
        record(small, speaker("t5")[1])
    with pytest.raises(ModelError, match="rows: they are not of one model"):
        record(speaker("bert")[0], words)
