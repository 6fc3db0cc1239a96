"""An outcome of answers that are made up: its rows, its words, its JSON."""

import json

import pytest

from tests.compare.tiny import compared, splits
from trivium.cli.console import json_document
from trivium.compare.comparison import COLUMNS, conclude, metric_of
from trivium.compare.measured import Failure
from trivium.compare.settings import CompareSettings
from trivium.compare.splits import Splits
from trivium.data.examples import Examples, TaggedWords, TextPair
from trivium.errors import UsageError


def settings(metric: str | None = None) -> CompareSettings:
    return CompareSettings(data="opposites", candidates=("naive-bayes",), metric=metric)


def test_a_row_a_candidate_the_best_first() -> None:
    found = compared(good=0.95, naive_bayes=0.8, most_common=0.5)
    rows = found.rows()
    assert [row[0] for row in rows] == ["good", "naive-bayes", "most-common"]
    assert all(len(row) == len(COLUMNS) for row in rows)
    first, last = dict(zip(COLUMNS, rows[0], strict=True)), dict(zip(COLUMNS, rows[2], strict=True))
    assert (first["behind the best"], first["may be best"], first["ms/request"]) == ("", True, "1")
    assert (last["may be best"], last["P(best)"], last["ms/request"], last["ms/item"]) == (False, "0.00", "100", "50")
    assert found.recommendation.take == "good"


def test_everything_is_in_the_json() -> None:
    found = json.loads(json_document(compared(good=0.95, naive_bayes=0.6)))
    assert found["recommendation"]["take"] == "good"
    assert [each["name"] for each in found["ranking"]["standings"]] == ["good", "naive-bayes"]
    assert found["failed"] == [{"name": "broken", "reason": "It <failed>."}]
    assert found["candidates"]["good"]["cost"]["latency"]["median_seconds"] == 1e-3
    assert found["splits"]["held_out"] == len(splits(400).held_out)


def test_what_one_should_know_of_a_candidate_is_there() -> None:
    found = compared(good=0.95, naive_bayes=0.6)
    assert any("are no label of these items" in remark for remark in found.remarks["naive-bayes"])


def test_the_metric_follows_the_form() -> None:
    def of(examples: Examples) -> Splits:
        return Splits(examples, examples, examples)

    entities = Examples("tagging", (TaggedWords(("a", "b"), ("B-PER", "O")),))
    classes = Examples("tagging", (TaggedWords(("a", "b"), ("NOUN", "VERB")),))
    texts = Examples("text-to-text", (TextPair("a", ("b",)),))
    assert metric_of(settings(), splits()) == "accuracy"
    assert metric_of(settings("mcc"), splits()) == "mcc"
    assert metric_of(settings(), of(entities)) == "entity_f1"
    assert metric_of(settings(), of(classes)) == "accuracy"
    assert metric_of(settings(), of(texts)) == "bleu"
    with pytest.raises(UsageError, match="better the smaller it is"):
        metric_of(settings("ece"), splits())


def test_nothing_to_compare_says_why_each_failed() -> None:
    with pytest.raises(UsageError, match=r"Every candidate failed. a: no such folder b: too large"):
        conclude(settings(), splits(), [], [], [Failure("a", "no such folder"), Failure("b", "too large")])
