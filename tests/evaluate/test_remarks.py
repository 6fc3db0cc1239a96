"""What is odd is said once, in few words; test_scoring.py reads the remarks of whole evaluations."""

from trivium.evaluate.remarks import few, label_remarks, tag_remarks, text_remarks
from trivium.metrics.tally import Tally


def test_few_labels_of_many() -> None:
    assert few(["b", "a", "b"]) == "'a', 'b'"
    assert few(map(str, range(9))) == "'0', '1', '2', '3', '4', '5' and 3 more"


def test_nothing_odd_nothing_said() -> None:
    rows = Tally.of_sets([("a",), ("b",)], [("a",), ("b",)]).rows()
    assert label_remarks(rows, {"a", "b"}, 2) == ()
    assert tag_remarks([["B-X", "I-X"]], [["B-X", "I-X"]], True) == ()
    assert text_remarks(["yes"], [("yes",)]) == ()


def test_tags_of_one_side_only() -> None:
    assert tag_remarks([["NN", "VB"]], [["NN", "JJ"]], False) == (
        "Tags of the data that are never said: 'VB'.",
        "Tags are said that the data has not: 'JJ'.",
    )


def test_predicted_tags_out_of_order_are_counted() -> None:
    [remark] = tag_remarks([["B-X", "I-X", "I-X"]], [["I-X", "I-X", "B-X"]], True)
    assert remark == "Tags out of the order of BIO: 1 of the predictions."
