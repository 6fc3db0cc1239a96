import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


def _rows(folder: Path, split: str) -> Iterator[dict[str, Any]]:
    with (folder / f"{split}.jsonl").open() as lines:
        yield from map(json.loads, lines)


@pytest.mark.slow
def test_conll2003_is_the_published_one(entry: Callable[[str], Path]) -> None:
    """Tjong Kim Sang and De Meulder 2003, tables 1 and 2: tokens and entities of the training data."""
    rows = list(_rows(entry("conll2003"), "train"))
    assert all(len(row["tokens"]) == len(row["tags"]) == len(row["pos_tags"]) for row in rows)
    assert sum(len(row["tokens"]) for row in rows) == 203_621
    begun = Counter(tag[2:] for row in rows for tag in row["tags"] if tag.startswith("B-"))
    assert begun == {"LOC": 7140, "MISC": 3438, "ORG": 6321, "PER": 6600}


@pytest.mark.slow
def test_reuters_has_its_topics(entry: Callable[[str], Path]) -> None:
    topics = Counter(row["label"] for row in _rows(entry("reuters"), "train"))
    assert len(topics) == 52
    assert topics.most_common(2) == [("earn", 2840), ("acq", 1596)]


@pytest.mark.slow
def test_splits_by_hash_are_apart(entry: Callable[[str], Path]) -> None:
    for name, column in (("reviews", "text"), ("medical-en-fr", "source"), ("trivia", "question")):
        train, test = ({row[column] for row in _rows(entry(name), split)} for split in ("train", "test"))
        assert not train & test
        assert 0.17 < len(test) / len(train | test) < 0.23


@pytest.mark.slow
def test_reviews_are_balanced(entry: Callable[[str], Path]) -> None:
    labels = Counter(row["label"] for row in _rows(entry("reviews"), "train"))
    assert labels == {"negative": 4023, "positive": 3981}
