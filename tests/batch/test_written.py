"""What is written for rows is what `lm.translate` and `lm.summarize` write."""

import dataclasses
from pathlib import Path

import pytest

from tests.batch.running import LONG, ran
from tests.decode.tiny import speaker
from tests.tasks.tiny import TEXTS
from trivium.batch.written import Continued, Written, text_task
from trivium.errors import UsageError
from trivium.language_model import LanguageModel
from trivium.tasks.text_to_text import TextTask

TASKS = {
    "translation_en_to_fr": TextTask("translation_en_to_fr", prefix="translate: ", source_tokens=64, answer_tokens=9),
    "summarization": TextTask("summarization", prefix="summarize: ", suffix="\n", answer_tokens=5),
}


@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_the_models_own_tasks(family: str, tmp_path: Path) -> None:
    lm = dataclasses.replace(LanguageModel(*speaker(family)), text_tasks=TASKS)
    rows = [{"source": text} for text in [*TEXTS[:2], LONG]]
    translation = Written(lm, task=text_task(lm, "translation"))
    found, finished = ran(translation, rows, tmp_path)
    assert [row["translation"] for row in found[:2]] == [one.text for one in lm.translate(TEXTS[:2])]
    assert [row["finish_reason"] for row in found[:2]] == [one.finish_reason for one in lm.translate(TEXTS[:2])]
    limit = 55 if family == "gpt2" else 64  # a decoder's answer shares its 64 positions with the source
    assert finished.skipped == {f"more than {limit} tokens": 1}
    summary = Written(lm, truncate=True, task=text_task(lm, "summarization"), added="summary")
    (tmp_path / "out.jsonl").unlink()
    found, finished = ran(summary, rows, tmp_path)
    said = lm.summarize([row["source"] for row in rows], truncate=True)
    assert [row["summary"] for row in found] == [one.text for one in said]
    assert [row["cut"] for row in found] == [False, False, family == "gpt2"]


def test_a_row_draws_the_same_wherever_the_job_stopped(tmp_path: Path) -> None:
    lm = LanguageModel(*speaker("gpt2"))
    options = {"max_tokens": 8, "temperature": 1.0, "seed": 5}
    task = Written(lm, chunk_rows=2, task=text_task(lm, "translation", before="say: "), options=options)
    found, _ = ran(task, [{"source": text} for text in ["Nobody", "Nobody knew.", "Nobody"]], tmp_path)
    said = lm.generate(
        ["say: Nobody\n", "say: Nobody knew.\n", "say: Nobody\n"], **options
    )  # a decoder is told to begin
    assert [row["translation"] for row in found] == [one.text for one in said]
    assert found[0]["translation"] != found[2]["translation"]


@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_prompts_are_continued(family: str, tmp_path: Path) -> None:
    lm = LanguageModel(*speaker(family))
    options = {"max_tokens": 6, "temperature": 0.7, "top_k": 9, "seed": 3}
    rows = [{"prompt": text} for text in [*TEXTS[:2], LONG, ""]]
    found, finished = ran(Continued(lm, options=options), rows, tmp_path)
    kept = TEXTS[:2] if family == "gpt2" else [*TEXTS[:2], LONG]
    said = lm.generate(kept, **options)
    assert [row["completion"] for row in found if row["completion"] is not None] == [one.text for one in said]
    assert [row["logprob"] for row in found if row["logprob"] is not None] == [one.logprob for one in said]
    assert finished.skipped == {"no prompt": 1} | ({"more than 63 tokens": 1} if family == "gpt2" else {})


def test_what_cannot_be_written() -> None:
    lm = dataclasses.replace(LanguageModel(*speaker("t5")), text_tasks=TASKS)
    assert text_task(lm, "translation", "summarization") == TASKS["summarization"]
    with pytest.raises(UsageError, match="not both"):
        text_task(lm, "translation", "summarization", "say: ")
    with pytest.raises(UsageError, match="names no task"):
        text_task(LanguageModel(*speaker("t5")), "translation")
    with pytest.raises(UsageError, match="writes no text"):
        Written(LanguageModel(*speaker("bert")), task=TextTask())
