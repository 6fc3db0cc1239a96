"""What each family reads, and rows of different lengths in one tensor."""

import pytest
import torch

from tests.decode.tiny import tokenizer
from trivium.decode.prompt import pad, prompt_ids, require_evaluation
from trivium.errors import UsageError


def test_each_family_has_its_special_tokens_around_the_text() -> None:
    bpe, wordpiece = tokenizer("bpe"), tokenizer("wordpiece")
    assert prompt_ids(bpe, "decoder", "the cat") == [bpe.begin_id, *bpe.encode("the cat")]
    ids = prompt_ids(wordpiece, "encoder", "the cat")
    assert [wordpiece.token(ids[0]), wordpiece.token(ids[-1])] == ["[CLS]", "[SEP]"]
    unigram = tokenizer("unigram")
    assert prompt_ids(unigram, "encoder-decoder", "the cat") == [*unigram.encode("the cat"), unigram.end_id]


def test_an_empty_prompt_is_the_begin_token_alone_and_refused_without_one() -> None:
    bpe = tokenizer("bpe")
    assert prompt_ids(bpe, "decoder", "") == [bpe.begin_id]
    unigram = tokenizer("unigram")  # has no begin token
    with pytest.raises(UsageError, match="The prompt is empty"):
        prompt_ids(unigram, "decoder", "")


def test_padding_on_either_side() -> None:
    rows = [[5], [6, 7, 8]]
    ids, documents = pad(rows, left=True)
    assert ids.tolist() == [[0, 0, 5], [6, 7, 8]]
    assert documents is not None
    assert documents.tolist() == [[0, 0, 1], [1, 1, 1]]
    ids, documents = pad(rows, left=False)
    assert ids.tolist() == [[5, 0, 0], [6, 7, 8]]
    assert documents is not None
    assert documents.tolist() == [[1, 0, 0], [1, 1, 1]]


def test_equal_lengths_need_no_documents() -> None:
    ids, documents = pad([[1, 2], [3, 4]], left=True)
    assert ids.tolist() == [[1, 2], [3, 4]]
    assert documents is None


def test_training_mode_is_refused() -> None:
    with pytest.raises(UsageError, match="training mode"):
        require_evaluation(torch.nn.Linear(1, 1).train())
