import json
import random

import pytest

from trivium.data.documents import InMemoryDocuments
from trivium.data.preview import Preview, RowPreview, preview
from trivium.errors import DataError
from trivium.objectives.registry import objective
from trivium.text.tokenizer import Tokenizer
from trivium.text.training import train_tokenizer

KINDS = {"causal": "bpe", "masked": "wordpiece", "span": "unigram"}


def _texts() -> list[str]:
    draw = random.Random(0)
    words = ["".join(draw.choices("aeioulmnrst", k=draw.randint(2, 7))) for _ in range(120)]
    return [" ".join(draw.choices(words, k=draw.randint(3, 60))) for _ in range(150)]


TEXTS = _texts()
TOKENIZERS = {name: train_tokenizer(kind, TEXTS, 350) for name, kind in KINDS.items()}


def made(name: str, length: int = 64, rows: int = 3) -> tuple[Preview, Tokenizer]:
    tokenizer = TOKENIZERS[name]
    documents = InMemoryDocuments(tokenizer.encode_batch(TEXTS))
    return preview(name, objective(name, tokenizer, length), documents, tokenizer, rows), tokenizer


def joined(row: RowPreview, side: str, number: int) -> str:
    return "".join(stretch.text for stretch in getattr(row, side) if stretch.document == number)


@pytest.mark.parametrize("name", KINDS)
def test_the_counts_are_of_all_documents(name: str) -> None:
    shown, tokenizer = made(name)
    lengths = [len(ids) for ids in tokenizer.encode_batch(TEXTS)]
    assert (shown.documents, shown.tokens) == (150, sum(lengths))
    assert (shown.shortest, shown.longest) == (min(lengths), max(lengths))
    assert sum(count for _, _, count in shown.histogram) == 150
    for low, high, count in shown.histogram:
        assert sum(low <= length <= high for length in lengths) == count
    assert shown.pieces >= 150 + shown.cut > 150
    assert len(shown.fill) == len(shown.capacity)
    assert max(shown.fill) > 0.98
    assert json.loads(json.dumps(shown.to_dict()))["windows"] == shown.windows


def test_causal_targets_are_the_inputs_one_further() -> None:
    shown, _ = made("causal", length=400)
    for row in shown.rows:
        assert row.input_tokens == row.target_tokens > 390
        assert row.inputs[-1].document > 2
        assert all(stretch.asked for stretch in row.inputs)
        for number in range(2, max(stretch.document for stretch in row.inputs)):
            text = joined(row, "targets", number)
            assert joined(row, "inputs", number) == "<|endoftext|>" + text.removesuffix("<|endoftext|>")
            assert text.removesuffix("<|endoftext|>") in TEXTS


def test_masked_asks_for_the_hidden_tokens_only() -> None:
    shown, _ = made("masked")
    for row in shown.rows:
        assert row.input_tokens >= 55
        assert 0.1 < row.target_tokens / row.input_tokens < 0.2
        hidden = "".join(stretch.text for stretch in row.inputs if stretch.asked)
        read = "".join(stretch.text for stretch in row.inputs if not stretch.asked)
        assert "[MASK]" in hidden
        assert "[MASK]" not in read
        assert "[CLS]" in read
        assert len([stretch for stretch in row.inputs if stretch.asked]) == len(row.targets)


def test_spans_stand_behind_their_sentinels() -> None:
    shown, _ = made("span")
    for row in shown.rows:
        assert not any(stretch.asked for stretch in row.inputs)
        assert all(stretch.asked for stretch in row.targets)
        for number in range(1, row.inputs[-1].document + 1):
            inputs, targets = joined(row, "inputs", number), joined(row, "targets", number)
            assert "<extra_id_0>" in inputs
            assert targets.lstrip().startswith("<extra_id_0>")
            assert inputs.endswith("</s>")
            assert targets.endswith("</s>")


def test_no_text_is_an_error() -> None:
    tokenizer = TOKENIZERS["causal"]
    with pytest.raises(DataError, match="no document holds a token"):
        preview("causal", objective("causal", tokenizer, 16), InMemoryDocuments([[]]), tokenizer)
