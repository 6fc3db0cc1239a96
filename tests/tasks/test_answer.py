"""The span is the best of all by brute force over the logits of `transformers`."""

from pathlib import Path

import pytest
import torch
import transformers as hf

from tests.tasks.tiny import headed
from trivium.errors import UsageError
from trivium.language_model import load

QUESTION, CONTEXT = "Who walked?", "Every morning the old sailor walked down to the harbour, and the dog did not."
FAMILIES = ["bert", "gpt2", "llama", "t5"]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_best_span_by_brute_force(family: str, tmp_path: Path) -> None:
    lm = headed(family, "question-answering", ("LABEL_0", "LABEL_1"))
    lm.save(tmp_path)
    found = load(tmp_path).answer(QUESTION, CONTEXT, max_tokens=4)
    theirs = hf.AutoModelForQuestionAnswering.from_pretrained(tmp_path).eval()
    encoding = lm.tokenizer.framed(QUESTION, CONTEXT)
    segments = {"token_type_ids": torch.tensor([encoding.type_ids])} if family == "bert" else {}
    with torch.no_grad():
        said = theirs(input_ids=torch.tensor([encoding.ids]), **segments)
    inside = [place for place, part in enumerate(encoding.sequence_ids) if part == 1]
    candidates = [0, *inside]
    starts = dict(zip(candidates, said.start_logits[0, candidates].softmax(-1).tolist(), strict=True))
    ends = dict(zip(candidates, said.end_logits[0, candidates].softmax(-1).tolist(), strict=True))
    score, first, last = max(
        (starts[first] * ends[last], first, last) for first in inside for last in inside if 0 <= last - first < 4
    )
    assert found.score == pytest.approx(score, abs=1e-5)
    assert found.no_answer == pytest.approx(starts[0] * ends[0], abs=1e-5)
    assert CONTEXT[found.start : found.end] == found.text == str(found)
    begin, end = encoding.offsets[first][0], encoding.offsets[last][1]
    assert found.text == CONTEXT[begin:end].lstrip()


def test_what_cannot_be_answered() -> None:
    lm = headed("bert", "question-answering", ("LABEL_0", "LABEL_1"))
    with pytest.raises(UsageError, match="context holds no token"):
        lm.answer(QUESTION, "")
    with pytest.raises(UsageError, match="reads 64 at once: shorten the question"):
        lm.answer(CONTEXT * 10, CONTEXT)
    with pytest.raises(UsageError, match="1 token at least"):
        lm.answer(QUESTION, CONTEXT, max_tokens=0)
    with pytest.raises(UsageError, match="it has a head of Spans"):
        lm.tag(CONTEXT)
