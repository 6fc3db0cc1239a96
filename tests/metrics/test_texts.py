"""BLEU, chrF and ROUGE are those that sacrebleu and rouge-score print, in each resample too."""

from typing import Any

import numpy as np
import pytest
import sacrebleu
from rouge_score import rouge_scorer

from trivium.errors import UsageError
from trivium.metrics.bootstrap import bootstrap, resamples
from trivium.metrics.texts import bleu, chrf, rouge, rouge_signature, signatures

SAID = [
    "The patient was given two tablets in the morning.",
    "Le chat est sur le tapis",
    "",
    "A fever of more than thirty nine degrees was measured.",
    "It is not known whether the drug passes into milk .",
]
WANTED = [
    ["The patient received two tablets each morning.", "Two tablets were given to the patient in the morning."],
    ["Le chat est assis sur le tapis."],
    ["Nothing was said."],
    ["A fever of over 39 degrees was measured."],
    ["It is not known if the drug passes into breast milk.", "Whether it passes into milk is not known.", "Unknown."],
]


def _streams(places: np.ndarray) -> list[list[str | None]]:
    return [[WANTED[place][k] if k < len(WANTED[place]) else None for place in places] for k in range(3)]


def test_every_resample_is_sacrebleus() -> None:
    [weights] = resamples(len(SAID), 20, seed=1)
    ours = bleu(SAID, WANTED)(weights), chrf(SAID, WANTED)(weights)
    for row, each in enumerate(weights.astype(int)):
        places = np.repeat(np.arange(len(SAID)), each)
        said, wanted = [SAID[place] for place in places], _streams(places)
        assert ours[0][row] == pytest.approx(sacrebleu.corpus_bleu(said, wanted).score)  # type: ignore[arg-type]
        assert ours[1][row] == pytest.approx(sacrebleu.corpus_chrf(said, wanted).score)  # type: ignore[arg-type]


def test_rouge_is_the_mean_of_rouge_scores() -> None:
    scorer = rouge_scorer.RougeScorer(["rouge1", "rougeL"], use_stemmer=True)
    for name, ours in rouge(SAID, WANTED).items():
        if name in ("rouge1", "rougeL"):
            each = [
                max(scorer.score(target, said)[name].fmeasure for target in targets)
                for said, targets in zip(SAID, WANTED, strict=True)
            ]
            assert bootstrap(name, ours).value == pytest.approx(np.mean(each))


def test_the_same_text_scores_whole() -> None:
    texts = [targets[0] for targets in WANTED]
    assert bootstrap("bleu", bleu(texts, WANTED)).value == pytest.approx(100)
    assert bootstrap("chrf", chrf(texts, WANTED)).value == pytest.approx(100)
    assert bootstrap("rougeL", rouge(texts, WANTED)["rougeL"]).value == pytest.approx(1)


def test_how_texts_are_read_is_said() -> None:
    said = signatures(SAID, WANTED)
    assert "tok:13a" in said["bleu"]
    assert "nc:6" in said["chrf"]
    assert "Porter" in rouge_signature()


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str, *rest: Any) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", gone)
    with pytest.raises(UsageError, match=r"pip install 'trivium\[evaluate\]'"):
        bleu(SAID, WANTED)
