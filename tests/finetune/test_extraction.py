"""Windows and places are those of the recipe of `transformers` for SQuAD; what teaches nothing is counted."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf

from tests.decode.tiny import speaker
from trivium.architecture import Spans
from trivium.data.examples import Examples, Question
from trivium.errors import UsageError
from trivium.finetune.extraction import prepare_extraction
from trivium.finetune.run import finetune
from trivium.finetune.settings import FineTuneSettings
from trivium.language_model import LanguageModel

CONTEXT = (
    "Nobody knew where the river began, but everyone in the village had a story about it. Every morning the old sailor "
    "walked down to the harbour, and the dog did not. She counted the boats twice, wrote the number in her book."
)


def asked(question: str, *answers: str, context: str = CONTEXT) -> Question:
    return Question(question, context, answers, tuple(context.index(answer) for answer in answers))


QUESTIONS = [
    asked("Who walked down?", "the old sailor", "sailor"),
    asked("Who?", "Nobody"),
    asked("What did she write?", "the number in her book."),
    asked("Where is the river's end?"),
    asked("Who stayed?", "og", context="The dog."),
]


def examples(*questions: Question) -> Examples:
    return Examples("extraction", questions)


def recipe(theirs: Any, question: Question, limit: int | None) -> list[tuple[list[int], tuple[int, int]]]:
    """`prepare_train_features` of transformers' question-answering example, a question at a time."""
    plain = theirs(question.question, question.context)
    room = 0 if limit is None else limit - sum(part != 1 for part in plain.sequence_ids())
    cut = {"truncation": "only_second", "max_length": limit, "stride": room // 2} if limit else {}
    tokenized = theirs(
        question.question, question.context, return_overflowing_tokens=True, return_offsets_mapping=True, **cut
    )
    found = []
    for row, ids in enumerate(tokenized["input_ids"]):
        offsets, parts = tokenized["offset_mapping"][row], tokenized.sequence_ids(row)
        first, last = parts.index(1), len(parts) - 1 - parts[::-1].index(1)
        place = (0, 0)
        if question.answers:
            start = question.starts[0]
            end = start + len(question.answers[0])
            if offsets[first][0] <= start and offsets[last][1] >= end:
                while first < len(offsets) and offsets[first][0] <= start:
                    first += 1
                while offsets[last][1] >= end:
                    last -= 1
                place = (first - 1, last + 1)
        found.append((ids, place))
    return found


@pytest.mark.parametrize("limit", [None, 48, 63])
def test_rows_are_those_of_the_recipe(limit: int | None, tmp_path: Path) -> None:
    model, words = speaker("bert")
    lm = LanguageModel(model, words)
    words.save(tmp_path)
    theirs = hf.AutoTokenizer.from_pretrained(tmp_path)
    expected = [row for question in QUESTIONS for row in recipe(theirs, question, limit or 64)]
    prepared = prepare_extraction(lm, examples(*QUESTIONS), (), FineTuneSettings(max_tokens=limit))
    assert [(row.input_ids.tolist(), row.label) for row in prepared.rows] == expected
    assert len({place for _, place in expected}) > 3
    assert prepared.left_out == {}
    assert isinstance(prepared.architecture.task, Spans)
    parted_or_without = sum(prepared.noticed.values())
    of_answered = sum(len(recipe(theirs, question, limit or 64)) for question in QUESTIONS if question.answers)
    held = sum(place != (0, 0) for _, place in expected)
    assert parted_or_without == of_answered - held


def test_an_answer_that_a_window_cuts_off_is_not_asked_of_it() -> None:
    long = asked("Who?", "the village had a story about it. Every morning the old sailor")
    lm = LanguageModel(*speaker("bert"))
    prepared = prepare_extraction(lm, examples(long), (), FineTuneSettings(max_tokens=63))
    held = [row for row in prepared.rows if row.label != (0, 0)]
    parted, without = (
        prepared.noticed["windows that cut the answer off"],
        prepared.noticed["windows without the answer"],
    )
    assert len(prepared.rows) == len(held) + parted + without
    assert min(len(held), parted, without) > 0


def test_what_teaches_nothing_is_left_out_and_counted() -> None:
    lm = LanguageModel(*speaker("bert"))
    questions = [
        asked("Who?", CONTEXT[: len(CONTEXT) // 2]),
        asked("Nobody knew where the river began, but everyone in the village had a story about it?", "dog"),
        asked("Who?", "\u0001", context="The \u0001 dog."),
        asked("Who?", context="\u0001"),
        asked("Who stayed?", "dog"),
    ]
    prepared = prepare_extraction(lm, examples(*questions), (), FineTuneSettings(max_tokens=40))
    assert prepared.left_out == {
        "an answer that no window holds whole": 1,
        "a question that leaves no room for its context": 1,
        "an answer without a token": 1,
        "no token in the context": 1,
    }
    assert any(row.label != (0, 0) for row in prepared.rows)


def test_long_contexts_may_be_left_out_or_refused() -> None:
    lm, taught = LanguageModel(*speaker("bert")), examples(*QUESTIONS)
    with pytest.raises(
        UsageError, match=r"Question 1 of the examples has \d+ tokens with its context, and 40 are read"
    ):
        prepare_extraction(lm, taught, (), FineTuneSettings(max_tokens=40, too_long="refuse"))
    prepared = prepare_extraction(lm, taught, (), FineTuneSettings(max_tokens=40, too_long="leave out"))
    assert prepared.left_out == {"more than 40 tokens": 4}
    assert len(prepared.rows) == 1


@pytest.mark.parametrize("family", ["gpt2", "llama", "t5"])
def test_every_family_finds_the_answers_tokens(family: str) -> None:
    model, words = speaker(family)
    prepared = prepare_extraction(LanguageModel(model, words), examples(QUESTIONS[4]), (), FineTuneSettings())
    [row] = prepared.rows
    assert isinstance(row.label, tuple)
    first, last = (int(place) for place in row.label)
    assert "og" in words.decode(row.input_ids[first : last + 1].tolist()).strip()
    assert row.segments is None


@pytest.mark.parametrize("family", ["bert", "t5"])
def test_what_is_taught_is_what_transformers_answers(family: str, tmp_path: Path) -> None:
    """From questions to a folder; then its best span is that of the model as transformers opens it."""
    taught = examples(*QUESTIONS)
    settings = FineTuneSettings(epochs=2, batch=10, learning_rate=3e-3, max_tokens=48, precision="float32")
    done = finetune(LanguageModel(*speaker(family)), taught, tmp_path / "run", settings=settings)
    lm = done.load()
    theirs = hf.AutoModelForQuestionAnswering.from_pretrained(done.folder).eval()
    words = hf.AutoTokenizer.from_pretrained(done.folder)
    for question in QUESTIONS[4], asked("Who sat down?", "sailor", context="The cat and the sailor sat down."):
        encoding = words(question.question, question.context, return_tensors="pt", return_offsets_mapping=True)
        offsets, parts = encoding.pop("offset_mapping")[0].tolist(), encoding.sequence_ids()
        with torch.no_grad():
            said = theirs(
                **{name: tensor for name, tensor in encoding.items() if family == "bert" or name[:5] != "token"}
            )
        inside = [place for place, part in enumerate(parts) if part == 1]
        _, first, last = max(
            (float(said.start_logits[0, first] + said.end_logits[0, last]), first, last)
            for first in inside
            for last in inside
            if 0 <= last - first < 15
        )
        found = lm.answer(question.question, question.context)
        assert found.text == question.context[offsets[first][0] : offsets[last][1]].strip()
