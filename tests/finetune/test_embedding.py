"""Pairs are read as two documents of a row, and vectors come nearer to their pair's by training."""

from pathlib import Path

import torch

from tests.finetune.tiny import PAIRS, body, prepared
from trivium.finetune.run import finetune
from trivium.finetune.settings import FineTuneSettings


def test_a_row_holds_both_texts() -> None:
    lm = body("bert")
    ready = prepared(lm, "embedding")
    first = ready.rows[0]
    texts = [first.input_ids[first.documents == side].tolist() for side in (1, 2)]
    assert texts == [
        lm.tokenizer.framed(text).ids for text in ("The old sailor walked down to the harbour.", "The sailor walked.")
    ]
    assert ready.batching == "whole"
    assert ready.vectors is not None
    assert ready.vectors.normalize


def test_a_pair_with_a_text_that_is_left_out_is_left_out() -> None:
    ready = prepared(body("bert"), "embedding", FineTuneSettings(max_tokens=12, too_long="leave out"))
    assert len(ready.rows) < len(PAIRS)
    assert sum(ready.left_out.values()) > 0


def test_training_brings_pairs_together_and_the_folder_knows_how(tmp_path: Path) -> None:
    settings = FineTuneSettings(epochs=12, batch=4, learning_rate=5e-3, precision="float32")
    done = finetune(body("bert"), PAIRS, tmp_path, settings=settings)
    assert done.task == "embedding"
    lm = done.load()
    assert lm.vectors is not None
    sources, targets = ([getattr(pair, side) for pair in PAIRS] for side in ("source", "targets"))
    vectors = lm.embed([*sources, *(target[0] for target in targets)])
    cosines = vectors[:4] @ vectors[4:].T
    assert torch.allclose(vectors.norm(dim=-1), torch.ones(8))
    assert cosines[1].argmax() == 1
    assert cosines[2].argmax() == 2
