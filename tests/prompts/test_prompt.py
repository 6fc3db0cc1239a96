"""What a model reads: text and tokens, borders of prompt and answer, turns of a chat, and what fits."""

import dataclasses

import pytest

from tests.prompts.tiny import review_prompt, reviews, speaker, text_of
from trivium.data.examples import LabelledText, Question, TextPair
from trivium.decode.prompt import prompt_ids
from trivium.errors import UsageError
from trivium.language_model import LanguageModel
from trivium.prompts.prompt import Prompt, answer_of, build, limit_of, unconditional
from trivium.prompts.template import Template
from trivium.text.tokenizer import Tokenizer

SHOTS = reviews(3).examples
CHAT = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}</>\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_a_decoder_reads_one_text(family: str) -> None:
    lm = speaker(family)
    built = build(lm, review_prompt(instruction="Say what it is.", good="great", bad="poor"), {"text": "Odd."}, SHOTS)
    assert built.text == (
        "Say what it is.\n\nReview: A dull film, 0\nSentiment: poor\n\nReview: A fine film, 1\nSentiment: great\n\n"
        "Review: A cold film, 2\nSentiment: poor\n\nReview: Odd.\nSentiment:"
    )
    assert (built.shots, built.left_out) == (3, 0)
    for word, choice in zip(("poor", "great"), built.choices, strict=True):
        assert [*built.ids, *choice] == prompt_ids(lm.tokenizer, "decoder", f"{built.text} {word}")


@pytest.mark.parametrize("border", [": ", ":", ":\n", " ("])
def test_the_space_before_an_answer_is_the_answers(border: str) -> None:
    """A prompt that ends in a space makes another token of the word behind it: " good" is one, " " and "good" two."""
    lm = speaker("gpt2")
    template = f"{{{{ text }}}}{border}{{{{ label }}}}"
    built = build(lm, review_prompt(template), {"text": "Odd"})
    whole = Template(template).render({"text": "Odd"})
    assert built.text == whole.before.rstrip()
    for word, choice in zip(("bad", "good"), built.choices, strict=True):
        assert [*built.ids, *choice] == prompt_ids(lm.tokenizer, "decoder", whole.before + word)


def test_a_token_over_the_border_counts_with_all_answers() -> None:
    lm = speaker("gpt2")
    assert lm.tokenizer.encode("te")[0] != lm.tokenizer.encode("t")[0]
    built = build(lm, review_prompt("{{ text }}{{ label }}", good="e", bad="q"), {"text": "A t"})
    assert list(built.ids) == prompt_ids(lm.tokenizer, "decoder", "A ")[:-1] or len(built.choices[0]) == 2
    for word, choice in zip("qe", built.choices, strict=True):
        assert [*built.ids, *choice] == prompt_ids(lm.tokenizer, "decoder", f"A t{word}")


def test_an_encoder_decoder_answers_its_source() -> None:
    lm = speaker("t5")
    built = build(lm, review_prompt(), {"text": "Odd."}, SHOTS[:1])
    assert list(built.ids) == [*lm.tokenizer.encode(built.text), lm.tokenizer.end_id]
    assert [list(choice) for choice in built.choices] == [lm.tokenizer.encode("bad"), lm.tokenizer.encode("good")]


def test_a_chat_has_shots_as_turns() -> None:
    lm = speaker("gpt2")
    talker = LanguageModel(lm.model, _with_template(lm.tokenizer))
    prompt = dataclasses.replace(review_prompt("{{ text }} Is it good? {{ label }}", "Be brief."), style="chat")
    built = build(talker, prompt, {"text": "Odd."}, SHOTS[:1])
    assert built.text == (
        "<system>Be brief.</>\n<user>A dull film, 0 Is it good?</>\n<assistant>bad</>\n<user>Odd. Is it good?</>\n"
        "<assistant>"
    )
    assert [list(choice) for choice in built.choices] == [lm.tokenizer.encode("bad"), lm.tokenizer.encode("good")]
    assert lm.tokenizer.decode(built.ids) == built.text
    with pytest.raises(UsageError, match="no chat template"):
        build(lm, prompt, {"text": "Odd."})


def _with_template(tokenizer: Tokenizer) -> Tokenizer:
    return Tokenizer(tokenizer._hearing, tokenizer.special_tokens, CHAT)


def test_shots_that_do_not_fit_are_left_out_and_counted() -> None:
    lm = speaker("gpt2", positions=120)
    assert limit_of(lm) == 120
    many = reviews(12).examples
    built = build(lm, review_prompt(), {"text": "Odd."}, many)
    assert built.shots + built.left_out == 12
    assert 0 < built.shots < 12
    assert len(built.ids) + max(map(len, built.choices)) - 1 <= 120
    more = build(speaker("gpt2", positions=400), review_prompt(), {"text": "Odd."}, many[: built.shots + 1])
    assert len(more.ids) + max(map(len, more.choices)) - 1 > 120  # one more would not have fitted
    assert built.text.startswith(f"Review: {text_of(many[0])}")
    with pytest.raises(UsageError, match=r"without any shot takes [\d,]+ tokens, and this model reads 120"):
        build(lm, review_prompt(), {"text": "Odd, " * 200}, many)


def test_the_unconditional_prompt_is_what_stands_before_the_answer() -> None:
    lm = speaker("gpt2")
    built = unconditional(lm, review_prompt(instruction="Look."), ["text"])
    assert built.text == "Sentiment:"
    bare = unconditional(lm, review_prompt("{{ text }} {{ label }}"), ["text"])
    assert (bare.text, list(bare.ids)) == ("", [lm.tokenizer.begin_id])
    assert [list(choice) for choice in bare.choices] == [lm.tokenizer.encode(" bad"), lm.tokenizer.encode(" good")]


def test_answers() -> None:
    assert answer_of(LabelledText("a", "b")) == "b"
    assert answer_of(TextPair("a", ("b", "c"))) == "b"
    assert (answer_of(Question("q", "c", ("a",), (0,))), answer_of(Question("q", "c", (), ()))) == ("a", "")
    with pytest.raises(UsageError, match="A prompt asks for one label"):
        answer_of(LabelledText("a", ("b", "c")))
    with pytest.raises(UsageError, match="the label 'ugly', which has no word"):
        review_prompt().answer(LabelledText("a", "ugly"))
    with pytest.raises(UsageError, match=r"no style 'chats'.*Did you mean 'chat'"):
        Prompt(Template("{{ text }}{{ label }}"), style="chats")
    assert review_prompt().to_dict()["words"] == {"bad": "bad", "good": "good"}
