import json

import pytest

from trivium.errors import DataError
from trivium.text.fertility import fertility
from trivium.text.tokenizer import Tokenizer


def test_counts_by_hand(tokenizers: dict[str, Tokenizer]) -> None:
    texts = ["the list, the list", "naïve 日"]
    result = fertility(tokenizers["bpe"], texts)
    ids = [tokenizers["bpe"].encode(text) for text in texts]
    assert (result.texts, result.words, result.bytes) == (2, 6, 18 + 10)
    assert result.tokens == len(ids[0]) + len(ids[1])
    assert result.vocabulary_used == len({number for one in ids for number in one})
    assert result.tokens_per_word == result.tokens / 6
    assert result.bytes_per_token == 28 / result.tokens
    assert result.unknown_rate == 0


def test_unknown_tokens_are_counted(tokenizers: dict[str, Tokenizer]) -> None:
    result = fertility(tokenizers["wordpiece"], ["ᚠ and ᚢ"])
    assert result.unknown_tokens == 2
    assert result.unknown_rate == 2 / result.tokens


def test_bytes_per_token_is_the_mean_of_token_bytes(tokenizers: dict[str, Tokenizer], english: list[str]) -> None:
    bpe = tokenizers["bpe"]
    result = fertility(bpe, english)
    total = sum(int(bpe.token_bytes[ids].sum()) for ids in bpe.encode_batch(english))
    assert result.bytes == total
    assert 2 < result.bytes_per_token < 4  # 600 ids
    assert 1 < result.tokens_per_word < 4


def test_it_prints_and_becomes_json(tokenizers: dict[str, Tokenizer]) -> None:
    result = fertility(tokenizers["bpe"], ["one two three"])
    assert "tokens per word" in str(result)
    assert json.loads(json.dumps(result.to_dict()))["tokens_per_word"] == result.tokens_per_word


def test_no_word_is_refused(tokenizers: dict[str, Tokenizer]) -> None:
    with pytest.raises(DataError, match="no word"):
        fertility(tokenizers["bpe"], ["", "  "])
