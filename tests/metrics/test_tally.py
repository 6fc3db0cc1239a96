"""Labels: every figure is scikit-learn's, in each resample too."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle
from sklearn.preprocessing import MultiLabelBinarizer

from trivium.metrics.bootstrap import Statistic, bootstrap, resamples
from trivium.metrics.tally import Tally

_pairs = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcde")), min_size=1, max_size=40)


def _value(statistic: Statistic) -> float:
    return float(statistic(np.ones((1, statistic.items)))[0])


@pytest.mark.filterwarnings("ignore:A single label was found")  # scikit-learn's, of its own table
@given(_pairs)
@settings(max_examples=15)
def test_one_label_is_scikit_learns(pairs: list[tuple[str, str]]) -> None:
    truth, said = map(list, zip(*pairs, strict=True))
    tally = Tally.of_sets([(label,) for label in truth], [(label,) for label in said])
    labels = sorted({*truth, *said})
    options = {"zero_division": 0.0, "labels": labels}
    assert _value(tally.accuracy()) == pytest.approx(oracle.accuracy_score(truth, said))
    assert _value(tally.macro_f1()) == pytest.approx(oracle.f1_score(truth, said, average="macro", **options))
    assert _value(tally.micro_f1()) == pytest.approx(oracle.f1_score(truth, said, average="micro", **options))
    assert _value(tally.mcc()) == pytest.approx(oracle.matthews_corrcoef(truth, said), abs=1e-12)
    precision, recall, f1, support = oracle.precision_recall_fscore_support(truth, said, **options)
    for row, label in enumerate(labels):
        ours = tally.rows()[row]
        assert (ours.label, ours.there, ours.said) == (label, support[row], said.count(label))
        assert (ours.precision, ours.recall, ours.f1) == pytest.approx((precision[row], recall[row], f1[row]))


@given(st.lists(st.tuples(st.sets(st.sampled_from("abc")), st.sets(st.sampled_from("abc"))), min_size=1, max_size=30))
def test_several_labels_are_scikit_learns(pairs: list[tuple[set[str], set[str]]]) -> None:
    truth, said = zip(*pairs, strict=True)
    binarizer = MultiLabelBinarizer().fit([*truth, *said])
    if not len(binarizer.classes_):
        return
    tally = Tally.of_sets([sorted(labels) for labels in truth], [sorted(labels) for labels in said])
    y_true, y_pred = binarizer.transform(truth), binarizer.transform(said)
    for ours, average in ((tally.micro_f1(), "micro"), (tally.macro_f1(), "macro")):
        assert _value(ours) == pytest.approx(oracle.f1_score(y_true, y_pred, average=average, zero_division=0.0))
    scores = oracle.precision_score(y_true, y_pred, average="micro", zero_division=0.0)
    assert _value(tally.precision()) == pytest.approx(scores)
    assert _value(tally.recall()) == pytest.approx(
        oracle.recall_score(y_true, y_pred, average="micro", zero_division=0.0)
    )


def test_each_resample_is_scikit_learns_on_the_items_that_were_drawn() -> None:
    rng = np.random.default_rng(0)
    truth, said = rng.choice(list("aabc"), 12), rng.choice(list("aabd"), 12)
    tally = Tally.of_sets([(str(label),) for label in truth], [(str(label),) for label in said])
    [weights] = resamples(12, 50, seed=1)
    macro, mcc = tally.macro_f1()(weights), tally.mcc()(weights)
    for row, each in enumerate(weights.astype(int)):
        drawn = np.repeat(np.arange(12), each)
        assert macro[row] == pytest.approx(oracle.f1_score(truth[drawn], said[drawn], average="macro", zero_division=0))
        assert mcc[row] == pytest.approx(oracle.matthews_corrcoef(truth[drawn], said[drawn]), abs=1e-12)


def test_sequences_are_compared_place_by_place() -> None:
    tally = Tally.of_sequences([["N", "V", "N"], ["V"]], [["N", "N", "N"], ["V"]])
    assert _value(tally.accuracy()) == 3 / 4
    metric = bootstrap("accuracy", tally.accuracy(), seed=1)
    assert metric.items == 2
    assert metric.low == pytest.approx(2 / 3)  # both times the first sentence
    assert metric.high == 1


def test_of_one_class_only_every_figure_is_a_number() -> None:
    tally = Tally.of_sets([("a",)] * 3, [("a",)] * 3)
    assert (_value(tally.accuracy()), _value(tally.macro_f1()), _value(tally.mcc())) == (1, 1, 0)


def test_without_any_label_figures_are_zero() -> None:
    tally = Tally.of_sets([(), ()], [(), ()])
    assert tally.rows() == ()
    assert (_value(tally.micro_f1()), _value(tally.macro_f1())) == (0, 0)
