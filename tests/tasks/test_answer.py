"""The span is the best of all by brute force over the logits of `transformers`."""

from pathlib import Path

import pytest
import torch
import transformers as hf

from tests.tasks.tiny import TEXTS, headed
from trivium.errors import UsageError
from trivium.language_model import load
from trivium.nn.task import Spans
from trivium.tasks.answer import answers
from trivium.tasks.reading import read

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


LONG = (
    "Nobody knew where the river began, but everyone in the village had a story about it. " * 2
    + CONTEXT
    + " She counted the boats twice, wrote the number in her book, and waited for the wind to turn to the north again."
)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_long_context_is_read_in_windows(family: str, tmp_path: Path) -> None:
    """Every window by itself through the model of `transformers`; the best of all."""
    lm = headed(family, "question-answering", ("LABEL_0", "LABEL_1"))
    lm.save(tmp_path)
    theirs = hf.AutoModelForQuestionAnswering.from_pretrained(tmp_path).eval()
    words = hf.AutoTokenizer.from_pretrained(tmp_path)
    encoding = words(
        QUESTION, LONG, max_length=60, stride=20, truncation="only_second", return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )  # fmt: skip
    best, doubts = (-1.0, 0, 0), []
    for row, ids in enumerate(encoding["input_ids"]):
        segments = {"token_type_ids": torch.tensor([encoding["token_type_ids"][row]])} if family == "bert" else {}
        with torch.no_grad():
            said = theirs(input_ids=torch.tensor([ids]), **segments)
        inside = [place for place, part in enumerate(encoding.sequence_ids(row)) if part == 1]
        starts, ends = (
            dict(zip([0, *inside], logits[0, [0, *inside]].softmax(-1).tolist(), strict=True))
            for logits in (said.start_logits, said.end_logits)
        )
        doubts.append(starts[0] * ends[0])
        offsets = encoding["offset_mapping"][row]
        for first in inside:
            for last in range(first, min(first + 15, inside[-1] + 1)):
                best = max(best, (starts[first] * ends[last], offsets[first][0], offsets[last][1]))
    assert len(doubts) > 2
    [found] = answers(lm.model, lm.tokenizer, [(QUESTION, LONG)], overlap=20, limit=60)
    assert found.score == pytest.approx(best[0], abs=1e-5)
    assert found.no_answer == pytest.approx(min(doubts), abs=1e-5)
    assert found.text == LONG[found.start : found.end] == LONG[best[1] : best[2]].lstrip()


def test_questions_are_answered_together_as_alone() -> None:
    lm = headed("bert", "question-answering", ("LABEL_0", "LABEL_1"))
    questions, contexts = [QUESTION, "Who?", "Where did the dog go?"], [CONTEXT, LONG, TEXTS[0]]
    together = lm.answer(questions, contexts)
    for question, context, one in zip(questions, contexts, together, strict=True):
        alone = lm.answer(question, context)
        assert (one.start, one.end, one.text) == (alone.start, alone.end, alone.text)
        assert one.score == pytest.approx(alone.score, abs=1e-5)
    with pytest.raises(UsageError, match="2 questions need a context each, and there are 1"):
        lm.answer(["a", "b"], ["c"])


@pytest.mark.parametrize("doubts", [True, False])
def test_no_answer_is_one_where_it_is_asked_for_and_more_probable(doubts: bool) -> None:
    lm = headed("bert", "question-answering", ("LABEL_0", "LABEL_1"))
    [reading] = read(lm.model, lm.tokenizer, [(QUESTION, CONTEXT)])
    with torch.no_grad():  # a head that looks for the first token, or for anything but it
        first = lm.model.encode(torch.tensor([reading.ids]), None, torch.tensor([reading.segments]))[0, 0]
        assert isinstance(lm.model.task, Spans)
        lm.model.task.projection.weight.copy_((1 if doubts else -1) * first)
    plain, free = lm.answer(QUESTION, CONTEXT), lm.answer(QUESTION, CONTEXT, or_none=True)
    assert (plain.no_answer > plain.score) == doubts
    assert plain.text
    if doubts:
        assert (free.text, free.start, free.end, free.score) == ("", 0, 0, plain.no_answer)
        assert str(free) == "(no answer)"
    else:
        assert free == plain
