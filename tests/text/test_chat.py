"""Chats: templates render as `transformers` renders them, and no message can speak for the template."""

from pathlib import Path
from typing import Any

import pytest
import transformers

from trivium.errors import ModelError, UsageError
from trivium.text.chat import chat_ids, chat_tokens, render
from trivium.text.tokenizer import Tokenizer

#: In the manner of the published ones, with the constructs that they use.
TEMPLATES = {
    "plain": "{% for message in messages %}<|{{ message.role }}|>{{ message.content | trim }}{{ eos_token }}\n"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}",
    "blocks": """{{- bos_token }}
    {%- set ns = namespace(seen=0) %}
    {%- for message in messages %}
        {%- if message['role'] == 'system' and not loop.first %}
            {%- continue %}
        {%- endif %}
        {%- set ns.seen = ns.seen + 1 %}
    {%- if tools is not none and loop.first %}
Tools: {{ tools | tojson(indent=2) }}
    {% endif %}
[{{ ns.seen }}:{{ message['role'] | upper }}] {% generation %}{{ message['content'] }}{% endgeneration %}{{ eos_token }}
    {%- endfor %}
    {% if add_generation_prompt %}
[{{ ns.seen + 1 }}:ASSISTANT] {{ '<é>' | tojson }}
    {% endif %}
""",
    "parts": "{% for message in messages %}{% if message.content is string %}{{ message.content }}"
    "{% else %}{% for part in message.content %}{{ part.text | trim }}{% endfor %}{% endif %}{{ eos_token }}"
    "{% endfor %}",
}
MARKED = (
    "{% for message in messages %}<|{{ message.role }}|>{% if message.role == 'assistant' %}{% generation %}"
    "{{ message.content | trim }}{{ eos_token }}{% endgeneration %}{% else %}{{ message.content | trim }}"
    "{{ eos_token }}{% endif %}{{ '\n' }}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
TALK = [
    {"role": "system", "content": "Be <b>brief</b>."},
    {"role": "user", "content": "  Where's the café?\n\n"},
    {"role": "assistant", "content": "There."},
    {"role": "system", "content": "late"},
    {"role": "user", "content": "Thanks <"},
]


@pytest.fixture
def words(request: pytest.FixtureRequest, tokenizers: dict[str, Tokenizer], tmp_path: Path) -> Tokenizer:
    """A tokenizer of its own, because a template is put into it."""
    tokenizers[getattr(request, "param", "bpe")].save(tmp_path)
    return Tokenizer.load(tmp_path)


def theirs(words: Tokenizer, folder: Path) -> Any:
    words.save(folder)
    return transformers.AutoTokenizer.from_pretrained(folder)


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("prompt", [True, False])
def test_a_conversation_reads_as_transformers_reads_it(
    template: str, prompt: bool, words: Tokenizer, tmp_path: Path
) -> None:
    words.chat_template = TEMPLATES[template]
    oracle = theirs(words, tmp_path)
    for messages, extra in [(TALK, {}), (TALK[1:2], {"tools": [{"type": "function", "function": {"name": "f"}}]})]:
        expected = oracle.apply_chat_template(messages, add_generation_prompt=prompt, tokenize=False, **extra)
        assert render(words, messages, prompt, **extra) == expected
        ids = oracle.apply_chat_template(messages, add_generation_prompt=prompt, **extra)["input_ids"]
        assert chat_ids(words, messages, prompt, **extra) == list(ids)
    assert words.end_id in chat_ids(words, TALK)


@pytest.mark.parametrize(
    "content",
    [
        "<|endoftext|>",
        "now <|endoftext|><|pad|> then <|endoftext|",
        [{"text": "<|endof"}, {"text": "text|>"}],
        [{"text": "<|endof  "}, {"text": " text|>"}],
        [{"text": "<"}, {"text": "|endoftext|>"}],
    ],
)
def test_a_message_cannot_spell_a_special_token(content: Any, words: Tokenizer) -> None:
    words.chat_template = TEMPLATES["parts"]
    ids = chat_ids(words, [{"role": "user", "content": content}])
    assert [number for number in ids if number in words.special_ids] == [words.end_id]
    assert ids[-1] == words.end_id
    spelled = content if isinstance(content, str) else "".join(part["text"].strip() for part in content)
    assert ids[:-1] == words.encode(spelled)
    assert "\ue000" not in words.decode(ids)


def test_a_message_may_hold_any_character(words: Tokenizer) -> None:
    words.chat_template = TEMPLATES["parts"]
    content = "\ue000\ue001<|pad|>"
    assert chat_ids(words, [{"role": "user", "content": content}])[:-1] == words.encode(content)


@pytest.mark.parametrize(
    ("words", "template"),
    [("bpe", "marked"), ("bpe", "blocks"), ("unigram", "marked"), ("wordpiece", "marked")],
    indirect=["words"],
)
def test_what_is_said_is_what_transformers_says(words: Tokenizer, template: str, tmp_path: Path) -> None:
    words.chat_template = {**TEMPLATES, "marked": MARKED}[template]
    # Theirs ends at an answer that begins with white space, which is no token of the other two kinds.
    given = theirs(words, tmp_path).apply_chat_template(
        TALK, return_dict=True, return_assistant_tokens_mask=True, tokenize=True
    )
    found = chat_tokens(words, TALK)
    assert found.ids == list(given["input_ids"])
    assert found.said == [bool(each) for each in given["assistant_masks"]]
    assert 0 < sum(found.said) < len(found.said)


def test_without_marks_an_answer_stands_behind_its_prompt(words: Tokenizer) -> None:
    """The end of the turn is said, the new line behind it is not; marks in the template would say the same."""
    words.chat_template = TEMPLATES["plain"]
    found = chat_tokens(words, TALK)
    assert found.ids == chat_ids(words, TALK, add_generation_prompt=False)
    said = [number for number, its in zip(found.ids, found.said, strict=True) if its]
    assert words.decode(said, skip_special=False) == f"There.{words.special_tokens['eos_token']}"
    words.chat_template = MARKED
    assert chat_tokens(words, TALK) == found


def test_what_a_message_spells_is_said_as_plain_text(words: Tokenizer) -> None:
    words.chat_template = TEMPLATES["plain"]
    end = words.special_tokens["eos_token"]
    talk = [{"role": "user", "content": f"a{end}b"}, {"role": "assistant", "content": f"c{end}d"}]
    found = chat_tokens(words, talk)
    assert found.ids == chat_ids(words, talk, add_generation_prompt=False)
    said = [number for number, its in zip(found.ids, found.said, strict=True) if its]
    assert said == [*words.encode(f"c{end}d"), words.end_id]


def test_a_template_that_writes_answers_otherwise_is_refused(words: Tokenizer) -> None:
    words.chat_template = "{{ messages | length }}" + TEMPLATES["plain"]
    with pytest.raises(UsageError, match=r"answer 2 otherwise.*Put {% generation %}"):
        chat_tokens(words, TALK)


@pytest.mark.parametrize("place", ["file", "config", "named"])
def test_the_template_is_found_where_folders_keep_it(place: str, words: Tokenizer, tmp_path: Path) -> None:
    template = TEMPLATES["plain"]
    oracle = theirs(words, tmp_path / "saved")
    oracle.chat_template = {"default": template, "rag": "x"} if place == "named" else template
    oracle.save_pretrained(tmp_path / "theirs", save_jinja_files=place == "file")
    again = Tokenizer.load(tmp_path / "theirs")
    assert again.chat_template == template
    assert again.begin_id == words.begin_id
    again.save(tmp_path / "again")
    assert (tmp_path / "again" / "chat_template.jinja").read_text() == template
    assert "chat_template" not in (tmp_path / "again" / "tokenizer_config.json").read_text()
    assert transformers.AutoTokenizer.from_pretrained(tmp_path / "again").chat_template == template


@pytest.mark.parametrize(
    ("template", "messages", "error", "said"),
    [
        (None, TALK, UsageError, "no chat template"),
        ("{% for %}", TALK, ModelError, "no Jinja template"),
        (
            "{{ raise_exception('No system, please') }}",
            TALK,
            UsageError,
            "cannot use these messages: No sys",
        ),
        ("{{ messages[9].content }}", TALK, UsageError, "cannot use these messages"),
        ("{{ messages[0].content + 3 }}", TALK, UsageError, "cannot use these messages"),
        ("{{ ''.__class__.__mro__ }}", TALK, UsageError, "unsafe"),
        ("{{ messages.append(1) }}", TALK, UsageError, "cannot use these messages"),
        ("{% set ns = namespace(_x=1) %}", TALK, UsageError, "underscore"),
        ("x", [], UsageError, "at least one"),
        ("x", [{"content": "no role"}], UsageError, "at least one"),
        ("x", [{"role": "user", "content": object()}], UsageError, "not object"),
    ],
)
def test_what_goes_wrong_is_said(
    template: str | None, messages: list[Any], error: type[Exception], said: str, words: Tokenizer
) -> None:
    words.chat_template = template
    with pytest.raises(error, match=said):
        chat_ids(words, messages)


def test_today_is_the_template_s_to_ask(words: Tokenizer) -> None:
    words.chat_template = "{{ strftime_now('%Y') }}"
    assert int(render(words, TALK)) >= 2024
