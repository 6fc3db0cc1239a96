"""Conversations: what is asked for, as transformers masks it; three mistakes that are refused; models that stop."""

from pathlib import Path

import pytest
import torch
import transformers as hf

from tests.decode.tiny import tokenizer
from trivium.data.examples import Conversation, Examples, TextPair
from trivium.errors import UsageError
from trivium.families.registry import family_named
from trivium.finetune.conversation import PLAIN_TEMPLATE, prepare_conversation, with_template
from trivium.finetune.registry import task_of
from trivium.finetune.run import finetune
from trivium.finetune.settings import FineTuneSettings
from trivium.language_model import LanguageModel
from trivium.model import Transformer
from trivium.objectives.batch import IGNORE

TALKS = (
    Conversation((("system", "the north"), ("user", "the cat"), ("assistant", "cats"))),
    Conversation((("user", "the dog"), ("assistant", "dogs"), ("user", "the mat"), ("assistant", "mats"))),
)
EXAMPLES = Examples("conversation", TALKS)
PLAIN = FineTuneSettings(chat_template="plain", precision="float32")


def _lm(family: str = "gpt2", positions: int = 128) -> LanguageModel:
    words = tokenizer("bpe" if family == "gpt2" else "unigram")
    shape = family_named(family).preset(vocab=words.vocabulary, dim=32, depth=1, heads=2, positions=positions)
    return LanguageModel(Transformer(shape, torch.Generator().manual_seed(0)).eval(), words)


def test_the_targets_are_what_transformers_marks(tmp_path: Path) -> None:
    lm = with_template(_lm(), PLAIN)
    ready = prepare_conversation(lm, EXAMPLES, (), PLAIN)
    lm.save(tmp_path)
    theirs = hf.AutoTokenizer.from_pretrained(tmp_path)
    for row, talk in zip(ready.rows, TALKS, strict=True):
        given = theirs.apply_chat_template(talk.messages, return_dict=True, return_assistant_tokens_mask=True)
        ids, said = given["input_ids"], given["assistant_masks"]
        assert row.input_ids.tolist() == ids[:-1]
        assert row.targets.tolist() == [
            number if its else IGNORE for number, its in zip(ids[1:], said[1:], strict=True)
        ]
        assert ids.count(lm.tokenizer.end_id) == row.targets.tolist().count(lm.tokenizer.end_id) == len(talk.turns) // 2


def test_a_person_sees_what_is_asked_for() -> None:
    shown = prepare_conversation(_lm(), EXAMPLES, (), PLAIN).preview
    end = _lm().tokenizer.special_tokens["eos_token"]
    assert shown == f"System:\nthe north\nUser:\nthe cat\nAssistant:\n→cats{end}←\n"


def test_a_template_that_never_asks_for_the_end_is_refused() -> None:
    outside = PLAIN_TEMPLATE.replace("{{ eos_token }}{% endgeneration %}", "{% endgeneration %}{{ eos_token }}")
    with pytest.raises(UsageError, match=r"Of the 1 answers of conversation 1 the end of 1 is not asked for.*→cats←"):
        prepare_conversation(_lm(), EXAMPLES, (), PLAIN.model_copy(update={"chat_template": outside}))
    without = PLAIN_TEMPLATE.replace("{{ eos_token }}", "")
    with pytest.raises(UsageError, match="never learn to stop"):
        prepare_conversation(_lm(), EXAMPLES, (), PLAIN.model_copy(update={"chat_template": without}))
    nothing = PLAIN_TEMPLATE.replace("{{ message.content }}{{ eos_token }}", "")
    with pytest.raises(UsageError, match="marks nothing of conversation 1"):
        prepare_conversation(_lm(), EXAMPLES, (), PLAIN.model_copy(update={"chat_template": nothing}))


@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_a_pad_that_is_the_end_is_refused(family: str) -> None:
    end = _lm(family).tokenizer.special_tokens["eos_token"]
    lm = _lm(family)
    wrong = LanguageModel(lm.model, lm.tokenizer.changed(pad_token=end), {"decoder_start_token_id": 0})
    with pytest.raises(UsageError, match=r"The pad of this tokenizer, .*, also ends.*Set pad_token to another"):
        prepare_conversation(wrong, EXAMPLES, (), PLAIN)
    if family == "gpt2":
        mended = PLAIN.model_copy(update={"pad_token": lm.tokenizer.token(5)})
        assert prepare_conversation(wrong, EXAMPLES, (), mended).pad == 5


@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_an_answer_that_would_be_cut_is_refused_or_left_out(family: str) -> None:
    long = Examples("conversation", (*TALKS, Conversation((("user", "the cat"), ("assistant", "cats and dogs " * 40)))))
    few = PLAIN.model_copy(update={"max_tokens": 100})
    with pytest.raises(UsageError, match=r"(Conversation|Answer) [34] .*without its\s+end"):
        prepare_conversation(_lm(family), long, (), few)
    ready = prepare_conversation(_lm(family), long, (), few.model_copy(update={"too_long": "leave out"}))
    assert (len(ready.rows), sum(ready.left_out.values())) == ({"gpt2": 2, "t5": 3}[family], 1)


def test_without_a_template_it_says_how_to_get_one() -> None:
    with pytest.raises(UsageError, match=r"no chat template\. Set chat_template to 'plain'"):
        prepare_conversation(_lm(), EXAMPLES, (), FineTuneSettings())
    with pytest.raises(UsageError, match="is no token"):
        with_template(_lm(), PLAIN.model_copy(update={"pad_token": "<nothing>"}))


def test_an_encoder_decoder_says_each_answer_behind_what_was_said() -> None:
    lm = _lm("t5")
    ready = prepare_conversation(lm, EXAMPLES, (), FineTuneSettings())
    read = [lm.tokenizer.decode(row.input_ids.tolist()) for row in ready.rows]
    assert read[1] == "the dog"
    assert read[2].split() == ["user:", "the", "dog", "assistant:", "dogs", "user:", "the", "mat"]
    assert [lm.tokenizer.decode(row.targets.tolist()) for row in ready.rows] == ["cats", "dogs", "mats"]


@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_taught_it_answers_and_stops(family: str, tmp_path: Path) -> None:
    """Questions with their answers, as pairs of texts; the folder opens in transformers with the same template."""
    pairs = tuple(TextPair(f"the {word}", (f"{word}s",)) for word in ("cat", "dog", "mat", "north"))
    examples = Examples("text-to-text", pairs)
    assert task_of(_lm(family).architecture, examples, "conversation") == "conversation"
    settings = PLAIN.model_copy(update={"epochs": 150.0, "batch": 4, "learning_rate": 1e-2})
    done = finetune(_lm(family), examples, tmp_path, settings=settings, task="conversation")
    lm = done.load("cpu")
    for pair in pairs:
        messages = [{"role": "user", "content": pair.source}]
        said = (
            lm.chat(messages, max_tokens=20, temperature=0)
            if family == "gpt2"
            else lm.generate(pair.source, max_tokens=20, temperature=0)
        )
        assert (said.text, said.finish_reason) == (pair.targets[0], "stop")
    if family == "gpt2":
        theirs = hf.AutoTokenizer.from_pretrained(tmp_path)
        assert theirs.chat_template == PLAIN_TEMPLATE
