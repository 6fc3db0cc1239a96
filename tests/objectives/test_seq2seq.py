"""The rows of text to text, and that their loss is the one that `transformers` takes of `labels`."""

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf
from hypothesis import given
from hypothesis import strategies as st

from tests.families.tiny import VOCAB, oracle, ours
from trivium.model import Transformer
from trivium.objectives.batch import IGNORE
from trivium.objectives.collate import collate, padded
from trivium.objectives.seq2seq import answer_row, continuation_row
from trivium.train.loss import head_loss

PAD, END = 0, 1
_SIDE = st.lists(st.integers(2, VOCAB - 1), min_size=1, max_size=9).map(np.array)


def test_an_encoder_decoder_reads_the_answer_one_place_later() -> None:
    row = answer_row(np.array([11, 12, END]), np.array([21, 22, END]), pad=PAD, start=9)
    assert row.input_ids.tolist() == [11, 12, END]
    assert row.targets.tolist() == [21, 22, END]
    assert row.decoder_input_ids is not None
    assert row.decoder_input_ids.tolist() == [9, 21, 22]


def test_a_decoder_is_asked_for_the_answer_and_its_end_alone() -> None:
    row = continuation_row(np.array([11, 12, 13]), np.array([21, 22, END]))
    assert row.input_ids.tolist() == [11, 12, 13, 21, 22]
    assert row.targets.tolist() == [IGNORE, IGNORE, 21, 22, END]


@given(_SIDE, _SIDE)
def test_both_rows_ask_for_the_same_tokens(read: np.ndarray, said: np.ndarray) -> None:
    rows = answer_row(read, said, pad=PAD, start=PAD), continuation_row(read, said)
    for row in rows:
        assert row.targets[row.targets != IGNORE].tolist() == said.tolist()
    assert [*rows[1].input_ids.tolist(), said[-1]] == [*read.tolist(), *said.tolist()]


def _both(family: str, folder: Path) -> tuple[hf.PreTrainedModel, Transformer]:
    theirs = oracle(family)
    return theirs, ours(theirs, folder)


def _pairs() -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(0)
    sizes = [(7, 5), (4, 8), (9, 2)]
    return [(np.r_[rng.integers(2, VOCAB, t), END], np.r_[rng.integers(2, VOCAB, u), END]) for t, u in sizes]


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_the_loss_is_that_of_transformers_with_labels(family: str, tmp_path: Path) -> None:
    """Their model shifts the labels and pads with -100; ours gets the row. Sums over the answers' tokens, to 1e-5."""
    theirs, model = _both(family, tmp_path)
    start = theirs.config.decoder_start_token_id
    for read, said in _pairs():
        labels = torch.tensor(said)[None]
        with torch.no_grad():
            expected = theirs(input_ids=torch.tensor(read)[None], labels=labels).loss
            found = head_loss(model, collate([answer_row(read, said, pad=theirs.config.pad_token_id, start=start)]))
        assert found.targets == len(said)
        assert float(found.loss_sum / found.targets) == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_padding_changes_no_loss(family: str, tmp_path: Path) -> None:
    theirs, model = _both(family, tmp_path)
    pad = theirs.config.pad_token_id
    rows = [answer_row(*pair, pad=pad, start=theirs.config.decoder_start_token_id) for pair in _pairs()]
    with torch.no_grad():
        alone = sum(float(head_loss(model, collate([row])).loss_sum) for row in rows)
        together = head_loss(model, padded(rows, pad))
    assert float(together.loss_sum) == pytest.approx(alone, rel=1e-5)
    assert together.targets == sum(len(said) for _, said in _pairs())


def test_the_loss_of_a_decoder_is_that_of_transformers_with_the_prompt_masked(tmp_path: Path) -> None:
    theirs, model = _both("gpt2", tmp_path)
    for read, said in _pairs():
        whole = torch.tensor(np.r_[read, said])[None]
        labels = whole.clone()
        labels[0, : len(read)] = IGNORE
        with torch.no_grad():
            expected = theirs(input_ids=whole, labels=labels).loss
            found = head_loss(model, collate([continuation_row(read, said)]))
        assert float(found.loss_sum / found.targets) == pytest.approx(float(expected), rel=1e-5)
