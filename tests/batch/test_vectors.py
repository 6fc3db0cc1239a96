"""Vectors in files are those of `lm.embed`, to the last digit."""

import dataclasses
from pathlib import Path

import torch

from tests.batch.running import ran
from tests.decode.tiny import speaker
from tests.tasks.tiny import TEXTS
from trivium.batch.vectors import Vectors
from trivium.language_model import LanguageModel
from trivium.tasks.pooling import TextVectors


def test_vectors_keep_every_digit_of_float32(tmp_path: Path) -> None:
    lm = dataclasses.replace(LanguageModel(*speaker("bert")), vectors=TextVectors("first", True, 60, "query: "))
    rows = [{"text": text} for text in [*TEXTS, "Nobody knew. " * 14]]
    found, finished = ran(Vectors(lm), rows, tmp_path)
    assert torch.equal(torch.tensor([row["vector"] for row in found[:3]]), lm.embed(TEXTS))
    assert finished.skipped == {"more than 60 tokens": 1}
    found, finished = ran(Vectors(lm, truncate=True), rows, tmp_path, ".parquet")
    expected = lm.embed([row["text"] for row in rows], truncate=True)
    assert torch.equal(torch.tensor([row["vector"] for row in found]), expected)
    assert [row["cut"] for row in found] == [False, False, False, True]
    assert finished.cut == 1


def test_options_decide_the_vectors(tmp_path: Path) -> None:
    lm = LanguageModel(*speaker("gpt2"))
    task = Vectors(lm, options={"pooling": "last", "normalize": True})
    found, _ = ran(task, [{"text": text} for text in TEXTS], tmp_path)
    assert torch.equal(torch.tensor([row["vector"] for row in found]), lm.embed(TEXTS, pooling="last", normalize=True))
    assert task.described["pooling"] == "last"
