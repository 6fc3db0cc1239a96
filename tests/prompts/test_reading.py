"""Likelihoods of choices: equal to `transformers`', to the model's own scores, and to those read one by one."""

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf

from tests.prompts.tiny import review_prompt, reviews, speaker, text_of
from trivium.data.examples import Examples, LabelledText
from trivium.errors import UsageError
from trivium.prompts.reading import read_choices
from trivium.prompts.shots import Shots, draw_shots
from trivium.prompts.ways import CONTENT_FREE, scores

POOL, ASKED = reviews(20), reviews(5, "One")
SHOWN = draw_shots(Shots(2), POOL, ASKED)


@pytest.mark.parametrize("family", ["gpt2", "llama", "t5"])
def test_likelihoods_are_those_of_transformers(family: str, tmp_path: Path) -> None:
    lm = speaker(family)
    lm.save(tmp_path)
    theirs = (hf.AutoModelForSeq2SeqLM if family == "t5" else hf.AutoModelForCausalLM).from_pretrained(tmp_path).eval()
    words = hf.AutoTokenizer.from_pretrained(tmp_path)
    reading = read_choices(lm, review_prompt(), ASKED, SHOWN)
    for built, row in zip(reading.built, reading.likelihoods.logprobs, strict=True):
        for word, found in zip(("bad", "good"), row, strict=True):
            assert found == pytest.approx(_theirs(theirs, words, built.text, word), abs=1e-3)


def _theirs(model: hf.PreTrainedModel, words: hf.PreTrainedTokenizerBase, text: str, word: str) -> float:
    """The log-probability by the recipe of everybody: encode both, take the tokens past the prompt's."""
    if model.config.is_encoder_decoder:
        target = torch.tensor([words.encode(word, add_special_tokens=False)])
        start = torch.tensor([[model.config.decoder_start_token_id]])
        source = torch.tensor([words.encode(text)])
        with torch.no_grad():
            logits = model(input_ids=source, decoder_input_ids=torch.cat((start, target[:, :-1]), 1)).logits[0]
        return float(logits.log_softmax(-1).gather(-1, target[0, :, None]).sum())
    prompt, whole = ([words.bos_token_id, *words.encode(each)] for each in (text, f"{text} {word}"))
    with torch.no_grad():
        logits = model(torch.tensor([whole])).logits[0, len(prompt) - 1 : -1]
    return float(logits.log_softmax(-1).gather(-1, torch.tensor(whole[len(prompt) :])[:, None]).sum())


@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_what_the_ways_compare_with(family: str) -> None:
    lm, prompt = speaker(family), review_prompt()
    ways = ("plain", "unconditional", "content-free", "in-domain")
    found = read_choices(lm, prompt, ASKED, SHOWN, ways, POOL.examples[:3]).likelihoods
    begun = "\n\n".join(f"Review: {text_of(each)}\nSentiment: {each.labels[0]}" for each in SHOWN[0]) + "\n\n"

    def said(text: str) -> np.ndarray:
        space = " " if family == "gpt2" else ""
        return np.array([one.logprob for one in lm.score(text, [f"{space}bad", f"{space}good"])])

    assert found.unconditional == pytest.approx(said("Sentiment:"), abs=1e-4)
    assert found.content_free is not None
    assert found.in_domain is not None
    assert found.content_free.shape == (5, len(CONTENT_FREE), 2)
    for text, row in zip(CONTENT_FREE, found.content_free[4], strict=True):
        assert row == pytest.approx(said(f"{begun}Review: {text}\nSentiment:"), abs=1e-4)
    for each, row in zip(POOL.examples, found.in_domain[0], strict=False):
        assert row == pytest.approx(said(f"{begun}Review: {text_of(each)}\nSentiment:"), abs=1e-4)
    assert found.tokens.tolist() == [[one.tokens for one in lm.score(begun, [" bad", " good"])]] * 5 or family == "t5"


def test_each_set_of_shots_is_calibrated_by_itself() -> None:
    lm, prompt = speaker(), review_prompt()
    sets = [POOL.examples[:2], POOL.examples[2:4], POOL.examples[:2]]
    asked = ASKED.pick(range(3))
    together = read_choices(lm, prompt, asked, sets, ("content-free",)).likelihoods
    assert together.content_free is not None
    for place, shown in enumerate(sets):
        alone = read_choices(lm, prompt, asked.pick([place]), [shown], ("content-free",)).likelihoods
        assert scores(together, "content-free")[place] == pytest.approx(scores(alone, "content-free")[0], abs=1e-4)
    assert not np.allclose(together.content_free[0], together.content_free[1])


def test_progress_and_what_is_refused() -> None:
    pair = Examples("classification", (LabelledText(("a", "b"), "good"),))
    heard: list[tuple[int, int]] = []
    lm = speaker()
    read_choices(lm, review_prompt(), ASKED, SHOWN, told=lambda done, of: heard.append((done, of)))
    assert heard[-1] == (10, 10)
    with pytest.raises(UsageError, match="needs texts of it"):
        read_choices(lm, review_prompt(), ASKED, SHOWN, ("in-domain",))
    with pytest.raises(UsageError, match="misses the field 'text_b'"):
        read_choices(lm, review_prompt(), pair, [()])


def test_what_is_remembered_is_not_read_again() -> None:
    lm, kept, heard = speaker(), {}, []  # type: ignore[var-annotated]
    ways = ("content-free", "unconditional")
    first = read_choices(lm, review_prompt(), ASKED, SHOWN, ways, remembered=kept)
    again = read_choices(
        lm, review_prompt(), ASKED, SHOWN, ways, remembered=kept, told=lambda done, of: heard.append(of)
    )
    assert heard[-1] == 10  # the choices of the five that are asked
    for way in ways:
        assert scores(again.likelihoods, way) == pytest.approx(scores(first.likelihoods, way), abs=1e-5)
