"""From every kind of candidate to a predictor that can be asked."""

from pathlib import Path

import pytest

from tests.compare.tiny import folder_of, splits
from trivium.compare.candidates import BASELINES, parse_candidate, parse_candidates
from trivium.compare.ready import check_candidates, make_ready
from trivium.compare.splits import Splits
from trivium.data.examples import Examples, Form, TaggedWords, TextPair
from trivium.errors import UnavailableError, UsageError

PAIRS = Examples("text-to-text", (TextPair("one two", ("un deux",)), TextPair("two", ("deux",))), "pairs")
TAGS = Examples("tagging", (TaggedWords(("a", "b"), ("X", "Y")),), "tags")
PARTS: dict[Form, Splits] = {
    "classification": splits(60),
    "text-to-text": Splits(PAIRS, PAIRS, PAIRS),
    "tagging": Splits(TAGS, TAGS, TAGS),
}


@pytest.mark.parametrize("name", BASELINES)
def test_every_baseline_answers_its_form_and_no_other_passes(name: str, tmp_path: Path) -> None:
    candidate = parse_candidate(name)
    forms = []
    for form, parts in PARTS.items():
        try:
            check_candidates([candidate], parts)
        except UsageError as error:
            assert "leave it out" in str(error)  # noqa: PT017  which forms refuse is what is asked
            continue
        ready = make_ready(candidate, parts, tmp_path, 0)
        assert len(ready.predictor.predict(parts.held_out)) == len(parts.held_out)
        assert (ready.kind, ready.parameters) == ("baseline", 0)
        assert ready.memory(parts.held_out) > 0
        forms.append(form)
    assert forms == (list(PARTS) if name == "most-common" else forms[:1])


def test_a_decoder_is_prompted(tmp_path: Path) -> None:
    model = folder_of("gpt2", tmp_path / "gpt2")
    said: list[str] = []
    ready = make_ready(parse_candidate(f"{model}@1-shot"), PARTS["classification"], tmp_path, 0, said.append)
    assert (ready.kind, ready.trained_parameters) == ("decoder", 0)
    assert ready.parameters > 1000
    assert ready.training_seconds > 0  # the way was chosen
    assert said == ["loading, and choosing by the choose split"]


def test_a_model_that_is_nowhere_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="no-such-model"):
        make_ready(parse_candidate("no-such-model"), PARTS["classification"], tmp_path, 0)


def test_settings_are_checked_before_anything_is_loaded() -> None:
    for wrong in ("nowhere+head:epohcs=2", "nowhere@1-shot:ordr=nearest"):
        with pytest.raises(UsageError, match="Did you mean"):
            check_candidates(parse_candidates([wrong]), PARTS["classification"])
