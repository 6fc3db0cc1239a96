"""Each form of task by its metrics, all equal to an oracle's; what is odd in data and predictions is said."""

import numpy as np
import pytest
import sacrebleu
from scipy import stats
from seqeval import metrics as seqeval
from sklearn import metrics as sklearn

from trivium.data.examples import Examples, LabelledText, Question, TaggedWords, TextPair
from trivium.errors import DataError, UsageError
from trivium.evaluate.predictions import Prediction
from trivium.evaluate.scoring import METRICS, Scored, score_predictions
from trivium.metrics.bootstrap import bootstrap


def _values(scored: Scored) -> dict[str, float]:
    return {name: bootstrap(name, each, count=2).value for name, each in scored.statistics.items()}


def _labelled(*labels: str) -> Examples:
    return Examples("classification", tuple(LabelledText(f"text {n}", label) for n, label in enumerate(labels)), "data")


def _sure(label: str, share: float, *others: str) -> Prediction:
    return Prediction(label, {label: share, **dict.fromkeys(others, (1 - share) / len(others))})


def test_classification_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    truth, said = rng.choice(list("abc"), 60), rng.choice(list("abc"), 60)
    others = {"a": ("b", "c"), "b": ("a", "c"), "c": ("a", "b")}
    scored = score_predictions(_labelled(*truth.tolist()), [_sure(str(label), 0.8, *others[label]) for label in said])
    assert tuple(scored.statistics) == METRICS["classification"]
    assert _values(scored) == pytest.approx(
        {
            "accuracy": sklearn.accuracy_score(truth, said),
            "macro_f1": sklearn.f1_score(truth, said, average="macro"),
            "mcc": sklearn.matthews_corrcoef(truth, said),
            "ece": abs(0.8 - sklearn.accuracy_score(truth, said)),
        }
    )
    assert scored.items == tuple((truth == said).astype(float))


def test_without_probabilities_calibration_is_not_measured() -> None:
    examples = _labelled("a", "b")
    assert "ece" not in score_predictions(examples, [Prediction("a"), Prediction("b")]).statistics
    logits = [Prediction("a", {"a": 3.0, "b": -1.0})] * 2
    assert "ece" not in score_predictions(examples, logits).statistics
    with pytest.raises(UsageError, match="'ece' cannot be measured here"):
        score_predictions(examples, logits, ["ece"])


def test_several_labels_an_item() -> None:
    examples = Examples(
        "multi-label", (LabelledText("x", ("a", "b")), LabelledText("y", ()), LabelledText("z", ("b",)))
    )
    scored = score_predictions(examples, [Prediction(("b", "a")), Prediction(()), Prediction(("a",))])
    assert _values(scored) == pytest.approx({"micro_f1": 2 / 3, "macro_f1": (2 / 3 + 2 / 3) / 2, "exact_match": 2 / 3})


def test_numbers_are_scipys() -> None:
    truth, said = [1.0, 2.5, 3.0, 4.5], [1.5, 2.0, 3.5, 3.5]
    examples = Examples("regression", tuple(LabelledText(str(n), n) for n in truth))
    assert _values(score_predictions(examples, [Prediction(n) for n in said])) == pytest.approx(
        {
            "pearson": stats.pearsonr(truth, said).statistic,
            "spearman": stats.spearmanr(truth, said).statistic,
            "mean_absolute_error": 0.625,
        }
    )
    same = score_predictions(examples, [Prediction(2.0)] * 4)
    assert same.remarks == ("Correlations are undefined: the predictor says one number only.",)


def test_entities_are_seqevals() -> None:
    truth = [["B-PER", "I-PER", "O"], ["B-LOC"], ["O", "I-LOC"]]
    said = [["B-PER", "O", "O"], ["B-LOC"], ["B-LOC", "I-LOC"]]
    words = [tuple(f"w{n}" for n in range(len(tags))) for tags in truth]
    examples = Examples("tagging", tuple(map(TaggedWords, words, map(tuple, truth))))
    scored = score_predictions(examples, [Prediction(tuple(tags)) for tags in said])
    values = _values(scored)
    assert values["entity_f1"] == pytest.approx(seqeval.f1_score(truth, said))
    assert values["entity_macro_f1"] == pytest.approx(seqeval.f1_score(truth, said, average="macro"))
    assert values["accuracy"] == pytest.approx(seqeval.accuracy_score(truth, said))
    assert [row.label for row in scored.labels] == ["LOC", "PER"]
    assert "Tags out of the order of BIO: 1 of the data." in scored.remarks


def test_word_classes_are_counted_word_by_word() -> None:
    examples = Examples("tagging", (TaggedWords(("a", "cat", "sat"), ("DT", "NN", "VBD")),))
    values = _values(score_predictions(examples, [Prediction(("DT", "NN", "NN"))]))
    assert values == pytest.approx({"accuracy": 2 / 3, "macro_f1": (1 + 2 / 3 + 0) / 3})
    with pytest.raises(UsageError, match="Prediction 0 has 2 tags for 3 words"):
        score_predictions(examples, [Prediction(("DT", "NN"))])


def test_answers_and_none() -> None:
    asked = (
        Question("Who?", "Ada wrote it.", ("Ada",), (0,)),
        Question("Where?", "Ada wrote it.", (), ()),
        Question("What?", "Ada wrote it.", (), ()),
    )
    scored = score_predictions(Examples("extraction", asked), [Prediction("the Ada"), Prediction(""), Prediction("it")])
    assert _values(scored) == pytest.approx({"exact_match": 2 / 3, "token_f1": 2 / 3})
    assert "Questions without an answer: 2 of 3; the predictor says so of 1 of them." in scored.remarks


def test_texts_are_sacrebleus() -> None:
    pairs = (TextPair("le chat", ("the cat sat down", "the cat sat")), TextPair("un chien", ("a dog ran away",)))
    said = ["the cat sat down", ""]
    scored = score_predictions(Examples("text-to-text", pairs), [Prediction(text) for text in said])
    assert tuple(scored.statistics) == METRICS["text-to-text"]
    references: list[list[str | None]] = [["the cat sat down", "a dog ran away"], ["the cat sat", None]]
    assert _values(scored)["bleu"] == pytest.approx(sacrebleu.corpus_bleu(said, references).score)  # type: ignore[arg-type]
    assert _values(scored)["chrf"] == pytest.approx(sacrebleu.corpus_chrf(said, references).score)  # type: ignore[arg-type]
    assert _values(scored)["exact_match"] == 0.5
    assert scored.remarks == ("Empty predictions: 1 of 2.",)
    assert "tok:13a" in scored.normalisation["bleu"]


def test_only_the_metrics_that_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """So nobody needs the extra for what does not use it."""
    monkeypatch.setattr("trivium.evaluate.scoring.texts", None)
    examples = Examples("text-to-text", (TextPair("a", ("b",)),))
    assert _values(score_predictions(examples, [Prediction("b")], ["token_f1"])) == {"token_f1": 1}
    with pytest.raises(UsageError, match=r"no metric 'blue' of text-to-text. Did you mean 'bleu'\?"):
        score_predictions(examples, [Prediction("b")], ["blue"])


def test_labels_that_the_predictor_does_not_know_count_as_wrong_and_are_said() -> None:
    scored = score_predictions(
        _labelled("a", "b", "new"), [_sure("a", 0.9, "b"), _sure("b", 0.9, "a"), _sure("a", 0.9, "b")]
    )
    assert _values(scored)["accuracy"] == pytest.approx(2 / 3)
    assert "does not know, which count as wrong: 1 of 3 ('new')" in scored.remarks[0]
    with pytest.raises(DataError, match=r"knows the labels 'LABEL_0', 'LABEL_1', and data has none of them"):
        score_predictions(_labelled("a", "b"), [_sure("LABEL_0", 0.9, "LABEL_1")] * 2)


def test_a_class_without_items_and_an_empty_prediction_are_said() -> None:
    scored = score_predictions(_labelled("a", "b"), [_sure("a", 0.9, "b", "c"), _sure("b", 0.9, "a", "c")])
    assert any("No item has the label 'c'" in remark for remark in scored.remarks)
    free = score_predictions(_labelled("a", "b"), [Prediction("a"), Prediction("")])
    assert _values(free) == pytest.approx({"accuracy": 0.5, "macro_f1": 1 / 3, "mcc": 0.5}, abs=0.2)
    assert any("no label of these items, and count as wrong: 1 ('')" in remark for remark in free.remarks)


def test_one_class_only_and_a_lean_are_said() -> None:
    scored = score_predictions(_labelled("a", "a"), [Prediction("a"), Prediction("a")])
    assert _values(scored) == {"accuracy": 1, "macro_f1": 1, "mcc": 0}
    assert any("All items have the label 'a'" in remark for remark in scored.remarks)
    always = score_predictions(_labelled("a", "b", "a", "b"), [Prediction("a")] * 4)
    assert always.remarks == ("The predictor says 'a' of every item.",)
    leaning = score_predictions(_labelled("a", "b", "a", "b"), [Prediction("a")] * 3 + [Prediction("b")])
    assert leaning.remarks == ("The predictor leans to 'a': it says so of 75% of the items, and 50% are.",)


def test_nothing_to_measure_and_the_wrong_thing_said() -> None:
    with pytest.raises(DataError, match="no example"):
        score_predictions(Examples("classification", ()), [])
    with pytest.raises(UsageError, match="1 predictions of 2 examples"):
        score_predictions(_labelled("a", "b"), [Prediction("a")])
    with pytest.raises(UsageError, match=r"says 0\.3, and this form of task asks for a label"):
        score_predictions(_labelled("a"), [Prediction(0.3)])
