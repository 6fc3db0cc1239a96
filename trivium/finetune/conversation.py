r"""Instructions: conversations in the form of a chat template, in which the loss falls on what the assistant says.

    <|user|>Who wrote Emma?<end>\n<|assistant|>Jane Austen.<end>\n
                                               ^^^^^^^^^^^^^^^^^ asked for

A decoder learns every answer of a conversation in one row. An encoder-decoder reads all that was said before an answer
and says it: an example an answer, without a template (a single question stands there as it is).

Three mistakes make a model that never stops, and neither the loss nor a sample of the training shows them. Each is an
error before the first step: an answer whose end is not asked for, a pad that is the end (which other programs leave out
of the loss), and an answer that is cut.
"""

__all__ = ["PLAIN_TEMPLATE", "conversation_row", "prepare_conversation", "with_template"]

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from trivium.data.examples import Conversation, Example, Examples, TextPair
from trivium.errors import UsageError
from trivium.finetune.prepared import Prepared
from trivium.finetune.settings import FineTuneSettings
from trivium.finetune.text_to_text import prepare_text_to_text
from trivium.language_model import LanguageModel
from trivium.objectives.batch import IGNORE
from trivium.objectives.row import Row
from trivium.text.chat import ChatTokens, chat_tokens
from trivium.train.loss import head_loss

#: For a model that has no template of its own: who speaks, a new line, what is said, and the end of the text.
PLAIN_TEMPLATE = (
    "{% for message in messages %}{{ message.role | capitalize }}:\n"
    "{% if message.role == 'assistant' %}{% generation %}{{ message.content }}{{ eos_token }}{% endgeneration %}"
    "{% else %}{{ message.content }}{% endif %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}Assistant:\n{% endif %}"
)


def with_template(lm: LanguageModel, settings: FineTuneSettings) -> LanguageModel:
    """The model as conversations are taught to it: with the template and the pad that are set. The tokens stay.

    Raises `UsageError` where a template is needed and there is none, and for a pad that is no token.
    """
    template = PLAIN_TEMPLATE if settings.chat_template == "plain" else settings.chat_template
    words = lm.tokenizer
    if template is not None or settings.pad_token is not None:
        words = words.changed(template, settings.pad_token)
    if words.chat_template is None and lm.architecture.kind == "decoder":
        raise UsageError(
            "This model's tokenizer has no chat template. Set chat_template to 'plain' (who speaks, a new line, what "
            "is said), or to a Jinja template with {% generation %} around what the assistant says."
        )
    return replace(lm, tokenizer=words)


def prepare_conversation(
    lm: LanguageModel, examples: Examples, labels: Sequence[str], settings: FineTuneSettings
) -> Prepared:
    """Conversations, or pairs of texts as conversations of one question, for a decoder or an encoder-decoder.

    Raises `UsageError` for a model that writes nothing, for the three mistakes above, and as `chat_tokens` does.
    """
    if lm.model.head is None or lm.architecture.decoder is None:
        raise UsageError("This model writes no text: take a decoder or an encoder-decoder with its head.")
    talks = [_conversation(example) for example in examples]
    if lm.architecture.kind == "encoder-decoder":
        return _answer_by_answer(lm, replace(examples, form="text-to-text", examples=tuple(_pairs(talks))), settings)
    lm = with_template(lm, settings)
    stops = _stops(lm)
    rows: list[Row] = []
    left_out: Counter[str] = Counter()
    shown = ""
    for number, talk in enumerate(talks, 1):
        tokens = chat_tokens(lm.tokenizer, talk.messages)
        row = conversation_row(lm, talk, settings, tokens)
        if row is None:
            _refuse_cut(examples, number, settings)
            left_out["more tokens than are read"] += 1
            continue
        _check_ends(tokens, stops, lm, number, sum(role == "assistant" for role, _ in talk.turns))
        shown = shown or _show(lm, tokens)
        rows.append(row)
    words = lm.tokenizer
    return Prepared(
        lm.architecture, tuple(rows), head_loss, words.pad_id or 0, dict(left_out), preview=shown, tokenizer=words
    )


def conversation_row(
    lm: LanguageModel,
    talk: Conversation,
    settings: FineTuneSettings,
    tokens: ChatTokens | None = None,
    last_only: bool = False,
) -> Row | None:
    """A decoder's row of a conversation, of which every answer is asked for or the last one; None for one too long."""
    tokens = tokens or chat_tokens(lm.tokenizer, talk.messages)
    limits = [bound for bound in (settings.max_tokens, lm.architecture.context) if bound is not None]
    if limits and len(tokens.ids) - 1 > min(limits):
        return None
    ids, said = np.array(tokens.ids, dtype=np.int64), np.array(tokens.said)
    if last_only and said.any():
        begun = np.flatnonzero(said & ~np.concatenate(([False], said[:-1])))[-1]
        said[:begun] = False
    targets = np.where(said[1:], ids[1:], IGNORE)
    return Row(ids[:-1], targets, np.ones(len(targets), dtype=np.int64))


def _show(lm: LanguageModel, tokens: ChatTokens) -> str:
    """A conversation as it is read, with what is asked for between two arrows: for a person, before the first step."""
    parts, before = [], False
    for number, said in zip([*tokens.ids, None], [*tokens.said, False], strict=True):
        if said != before:
            parts.append("→" if said else "←")
        parts.append("" if number is None else lm.tokenizer.decode([number], skip_special=False))
        before = said
    return "".join(parts)


def _conversation(example: Example) -> Conversation:
    if isinstance(example, TextPair):
        return Conversation((("user", example.source), ("assistant", example.targets[0])))
    assert isinstance(example, Conversation)
    return example


def _pairs(talks: Sequence[Conversation]) -> Iterator[TextPair]:
    """What an encoder-decoder reads and says: each answer, behind all that was said before it."""
    for talk in talks:
        for place, (role, content) in enumerate(talk.turns):
            if role == "assistant":
                before = talk.turns[:place]
                read = before[0][1] if place == 1 else "\n".join(f"{who}: {what}" for who, what in before)
                yield TextPair(read, (content,))


def _answer_by_answer(lm: LanguageModel, pairs: Examples, settings: FineTuneSettings) -> Prepared:
    """As text to text has it; there an answer that is cut is taught without its end, and here it is refused."""
    _stops(lm)
    ready = prepare_text_to_text(lm, pairs, (), settings)
    end = lm.tokenizer.end_id
    for number, row in enumerate(ready.rows, 1):
        if row.targets[-1] != end:
            raise UsageError(
                f"Answer {number:,} of {pairs.where} has more tokens than may be said: cut, it would be taught without "
                "its end. Raise max_tokens, or set too_long to 'leave out'."
            )
    return ready


def _stops(lm: LanguageModel) -> frozenset[int]:
    """The tokens that end what this model says. Raises `UsageError` where one of them is the pad."""
    given = lm.generation_config.get("eos_token_id")
    ends = [given] if isinstance(given, int) else list(given or ())
    stops = frozenset(each for each in (*ends, lm.tokenizer.end_id) if each is not None)
    if not stops:
        raise UsageError("The tokenizer has no token that ends a text. Give it an `eos_token`.")
    pad = lm.tokenizer.pad_id
    if pad is not None and pad in stops:
        token = lm.tokenizer.token(pad)
        raise UsageError(
            f"The pad of this tokenizer, {token!r}, also ends what the model says: programs that leave the pad out of "
            "the loss never teach it to stop. Set pad_token to another token, such as the one for unknown text."
        )
    return stops


def _refuse_cut(examples: Examples, number: int, settings: FineTuneSettings) -> None:
    if settings.too_long != "leave out":
        raise UsageError(
            f"Conversation {number:,} of {examples.where} has more tokens than are read: cut, an answer would be "
            "taught without its end. Set too_long to 'leave out', or raise max_tokens."
        )


def _check_ends(tokens: ChatTokens, stops: frozenset[int], lm: LanguageModel, number: int, answers: int) -> None:
    """Every answer ends in a token that is asked for and stops the model."""
    following = [*tokens.said[1:], False]
    last = [at for at, (said, on) in enumerate(zip(tokens.said, following, strict=True)) if said and not on]
    ended = sum(tokens.ids[at] in stops for at in last)
    if not last:
        raise UsageError(
            f"The chat template marks nothing of conversation {number:,} as said by the assistant, so there is nothing "
            "to teach. Put {% generation %} and {% endgeneration %} around what it says."
        )
    if ended < answers:
        names = ", ".join(repr(lm.tokenizer.token(each)) for each in sorted(stops))
        raise UsageError(
            f"Of the {answers} answers of conversation {number:,} the end of {answers - ended} is not asked for: the "
            f"model would never learn to stop. What is taught is: {_show(lm, tokens)!r:.300}. Put {names} before "
            "{% endgeneration %} in the chat template."
        )
