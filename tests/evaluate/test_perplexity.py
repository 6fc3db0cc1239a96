"""Perplexity is what `transformers` gives by hand over the same windows; every token is said once."""

import math
from pathlib import Path

import pytest
import torch
import transformers as hf
from hypothesis import given
from hypothesis import strategies as st

from tests.decode.tiny import TEXTS, speaker
from trivium.errors import DataError, UsageError
from trivium.evaluate.perplexity import Window, perplexity, windows
from trivium.language_model import LanguageModel

LONG = " ".join(TEXTS[:4])


@given(st.integers(2, 200), st.integers(2, 40), st.data())
def test_windows_count_every_token_once_with_enough_before_it(length: int, window: int, data: st.DataObject) -> None:
    stride = data.draw(st.integers(1, window - 1))
    cut = list(windows(length, window, stride))
    assert [token for each in cut for token in range(each.first, each.end)] == list(range(1, length))
    for each in cut:
        assert each.end - each.begin <= window
        assert each.first - each.begin >= min(each.first, window - stride)


def test_the_windows_of_a_page() -> None:
    assert list(windows(10, 6, 3)) == [Window(0, 1, 6), Window(3, 6, 9), Window(6, 9, 10)]
    assert list(windows(4, 6, 3)) == [Window(0, 1, 4)]


def _by_transformers(model: hf.PreTrainedModel, ids: list[int], window: int, stride: int) -> tuple[float, int]:
    """The loop of transformers' page on perplexity of models of a fixed length, in nats and targets."""
    nats, targets, previous_end = 0.0, 0, 0
    for begin in range(0, len(ids), stride):
        end = min(begin + window, len(ids))
        input_ids = torch.tensor([ids[begin:end]])
        labels = input_ids.clone()
        labels[:, : -(end - previous_end)] = -100
        with torch.no_grad():
            loss = model(input_ids, labels=labels).loss
        count = int((labels[:, 1:] != -100).sum())  # the labels are shifted inside
        nats, targets, previous_end = nats + float(loss) * count, targets + count, end
        if end == len(ids):
            break
    return nats, targets


@pytest.mark.parametrize(("family", "window", "stride"), [("gpt2", 64, 32), ("gpt2", 40, 7), ("llama", 16, 15)])
def test_it_is_transformers_over_the_same_windows(family: str, window: int, stride: int, tmp_path: Path) -> None:
    lm = LanguageModel(*speaker(family))
    lm.save(tmp_path)
    model = hf.AutoModelForCausalLM.from_pretrained(tmp_path)
    ours = perplexity(lm, [LONG], window=window, stride=stride)
    prefix = lm.tokenizer.end_id if lm.tokenizer.begin_id is None else lm.tokenizer.begin_id
    assert prefix is not None
    nats, targets = _by_transformers(model, [prefix, *lm.tokenizer.encode(LONG)], window, stride)
    assert ours.tokens == targets > window
    assert ours.metric("perplexity").value == pytest.approx(math.exp(nats / targets), rel=1e-5)
    assert ours.metric("bits_per_byte").value == pytest.approx(nats / len(LONG.encode()) / math.log(2), rel=1e-5)
    assert ours.metric("word_perplexity").value == pytest.approx(math.exp(nats / len(LONG.split())), rel=1e-5)


def test_documents_are_read_by_themselves_however_they_are_batched(monkeypatch: pytest.MonkeyPatch) -> None:
    lm = LanguageModel(*speaker("gpt2"))
    texts = [*TEXTS[:4], LONG, "Short."]
    done: list[int] = []
    together = perplexity(lm, texts, told=done.append)
    alone = [perplexity(lm, [text]) for text in texts]
    assert together.nats == pytest.approx(sum(each.nats for each in alone), rel=1e-6)
    assert together.tokens == sum(each.tokens for each in alone) == done[-1]
    monkeypatch.setattr("trivium.evaluate.perplexity._TOKENS_AT_ONCE", 1)
    monkeypatch.setattr("trivium.evaluate.perplexity._ROWS_OF_HEAD", 3)
    assert perplexity(lm, texts).nats == pytest.approx(together.nats, rel=1e-6)
    assert together.metric("perplexity").low is not None
    assert alone[0].metric("perplexity").low is None  # one document says nothing of others
    assert together.prefix == lm.tokenizer.token(lm.tokenizer.begin_id or lm.tokenizer.end_id or 0)


def test_more_before_a_token_never_leaves_it_uncounted() -> None:
    lm = LanguageModel(*speaker("gpt2"))
    assert {perplexity(lm, [LONG], window=20, stride=stride).tokens for stride in (1, 5, 19)} == {
        len(lm.tokenizer.encode(LONG))
    }


def test_wrong_use_is_said() -> None:
    lm = LanguageModel(*speaker("gpt2"))
    for window, stride, said in ((65, None, "at most the model's 64"), (1, None, "2 at least"), (8, 8, "1 and 7")):
        with pytest.raises(UsageError, match=said):
            perplexity(lm, [LONG], window=window, stride=stride)
    with pytest.raises(UsageError, match="An encoder gives no probability"):
        perplexity(LanguageModel(*speaker("bert")), [LONG])
    with pytest.raises(UsageError, match="on pairs of texts"):
        perplexity(LanguageModel(*speaker("t5")), [LONG])
    with pytest.raises(DataError, match="no document"):
        perplexity(lm, [""])
    assert perplexity(lm, ["", LONG]).empty == 1
