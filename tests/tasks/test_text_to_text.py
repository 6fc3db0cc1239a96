"""Tasks from text to text: what is read and said, where a folder keeps them, and what a model makes of a text."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf

import trivium
from tests.decode.tiny import TEXTS, speaker, tokenizer
from trivium.errors import UsageError
from trivium.families.registry import family_named
from trivium.language_model import LanguageModel
from trivium.model import Transformer
from trivium.tasks.text_to_text import TextTask, answer_ids, chosen_task, read_tasks, source_ids, written_tasks
from trivium.text.training import train_tokenizer

#: What t5-small's config.json holds, word for word, in part.
T5_SMALL = {
    "task_specific_params": {
        "summarization": {
            "early_stopping": True, "length_penalty": 2.0, "max_length": 200, "min_length": 30,
            "no_repeat_ngram_size": 3, "num_beams": 4, "prefix": "summarize: ",
        },
        "translation_en_to_de": {
            "early_stopping": True, "max_length": 300, "num_beams": 4, "prefix": "translate English to German: ",
        },
        "translation_en_to_fr": {
            "early_stopping": True, "max_length": 300, "num_beams": 4, "prefix": "translate English to French: ",
        },
    }
}  # fmt: skip
CAT = "The cat sat on the mat"


def test_the_published_tasks_of_t5() -> None:
    tasks = read_tasks(T5_SMALL)
    assert tasks["summarization"] == TextTask("summarization", "summarize: ", answer_tokens=200)
    assert chosen_task(tasks, "summarization").prefix == "summarize: "
    assert chosen_task(tasks, "translation", "translation_en_to_de").prefix == "translate English to German: "
    assert read_tasks(written_tasks(tasks)) == tasks
    assert written_tasks({}) == {}
    assert read_tasks({"task_specific_params": None}) == {}


def test_a_choice_is_named_and_never_guessed() -> None:
    tasks = read_tasks(T5_SMALL)
    with pytest.raises(UsageError, match=r"Several of them is a translation. Say which: task=..."):
        chosen_task(tasks, "translation")
    with pytest.raises(UsageError, match=r"Did you mean '?translation_en_to_de"):
        chosen_task(tasks, "translation", "translation_en_de")
    with pytest.raises(UsageError, match="names no task"):
        chosen_task({}, "translation")
    only = TextTask("medical", "en: ")
    assert chosen_task({"medical": only}, "translation") is only


def test_both_sides_of_an_encoder_decoder() -> None:
    words, task = tokenizer("unigram"), TextTask(prefix="mat: ")
    assert source_ids(words, "encoder-decoder", CAT, task) == ([*words.encode("mat: " + CAT), words.end_id], 0)
    assert answer_ids(words, "encoder-decoder", CAT, task) == ([*words.encode(CAT), words.end_id], 0)


def test_both_sides_of_a_decoder_are_one_text() -> None:
    words, task = tokenizer("bpe"), TextTask(prefix="mat: ")
    read, said = source_ids(words, "decoder", CAT, task)[0], answer_ids(words, "decoder", "Naïve café", task)[0]
    assert words.decode(read + said) == f"mat: {CAT}\nNaïve café"
    assert read == [words.begin_id, *words.encode(f"mat: {CAT}\n")]
    assert said[-1] == words.end_id


def test_bart_frames_both_sides() -> None:
    """As its tokenizer has it: <s> text </s>, which the decoder says behind its start token."""
    words = train_tokenizer("bpe-mask", TEXTS, 300)
    framed = words.framed(CAT).ids
    assert framed[0] == words.begin_id
    assert source_ids(words, "encoder-decoder", CAT, TextTask())[0] == framed
    assert answer_ids(words, "encoder-decoder", CAT, TextTask())[0] == framed


def test_a_source_loses_its_own_end_and_an_answer_its_end_token() -> None:
    words, task = tokenizer("unigram"), TextTask(prefix="mat: ", suffix=" !", source_tokens=14, answer_tokens=5)
    prefix, suffix = words.encode("mat: "), words.encode(" !")
    whole = source_ids(words, "encoder-decoder", CAT, TextTask(prefix="mat: ", suffix=" !"))[0]
    read, left_out = source_ids(words, "encoder-decoder", CAT, task)
    assert len(read) == 14
    assert left_out == len(whole) - 14
    assert read[: len(prefix)] == whole[: len(prefix)]
    assert read[-1 - len(suffix) :] == [*suffix, words.end_id]
    said, lost = answer_ids(words, "encoder-decoder", CAT, task)
    assert (said, lost) == (words.encode(CAT)[:5], len(words.encode(CAT)) + 1 - 5)
    with pytest.raises(UsageError, match=r"A source may have 3 tokens, and the prefix 'mat: '"):
        source_ids(words, "encoder-decoder", CAT, task, limit=3)


@pytest.fixture
def t5() -> LanguageModel:
    model, words = speaker("t5")
    tasks = read_tasks(T5_SMALL)
    return LanguageModel(model, words, text_tasks=tasks)


def test_a_model_translates_as_transformers_does_with_the_prefix(t5: LanguageModel, tmp_path: Path) -> None:
    t5.save(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["task_specific_params"]["summarization"] == {"prefix": "summarize: ", "max_length": 200}
    loaded = trivium.load(tmp_path)
    assert loaded.text_tasks == t5.text_tasks
    theirs = hf.T5ForConditionalGeneration.from_pretrained(tmp_path)
    read = hf.AutoTokenizer.from_pretrained(tmp_path)(f"translate English to French: {CAT}", return_tensors="pt")
    with torch.no_grad():
        model: Any = theirs
        expected = model.generate(**read, max_new_tokens=12, do_sample=False)[0, 1:].tolist()
    found = loaded.translate(CAT, "translation_en_to_fr", max_tokens=12)
    assert list(found.tokens) == expected
    assert found == loaded.generate(f"translate English to French: {CAT}", max_tokens=12)


def test_several_texts_and_summaries(t5: LanguageModel) -> None:
    both = t5.summarize([CAT, "Nobody knew"], max_tokens=6)
    assert [one.text for one in both] == [t5.summarize(text, max_tokens=6).text for text in (CAT, "Nobody knew")]
    assert t5.summarize(CAT) == t5.summarize(CAT, max_tokens=200)  # the task's own


def test_a_long_source_is_cut_only_where_it_may_be() -> None:
    words = tokenizer("bpe")
    architecture = family_named("gpt2").preset(vocab=words.vocabulary, dim=24, depth=2, heads=2, positions=32)
    model = Transformer(architecture, torch.Generator().manual_seed(0)).eval()
    lm = LanguageModel(model, words, text_tasks={"summarization": TextTask("summarization", answer_tokens=8)})
    with pytest.raises(UsageError, match=r"this model reads 24 for summarization. Shorten it, or say truncate=True"):
        lm.summarize(" ".join(TEXTS))
    done = lm.summarize(" ".join(TEXTS), truncate=True)
    assert done.prompt_tokens == 24
    assert len(done.tokens) <= 8
