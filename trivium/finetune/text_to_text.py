"""A text that becomes another, for models that write: translation, summaries, answers, and any label as a word.

    form             source                              answer
    text-to-text     the source                          its first target
    classification   the text                            the label
    multi-label      the text                            the labels, with commas
    regression       the text                            the number
    tagging          the words                           the tags
    extraction       question: ... context: ...          the first part of the context that answers
    conversation     all turns but the last, a line each the last turn

Two texts of an example are read as "sentence1: ... sentence2: ...". So the published T5 has its tasks (Raffel et al.
2020, appendix D).
"""

__all__ = ["as_text_pairs", "prepare_text_to_text", "row_of", "text_task_of"]

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from trivium.data.examples import (
    Conversation,
    Example,
    Examples,
    LabelledText,
    Preference,
    Question,
    TaggedWords,
    TextPair,
)
from trivium.errors import UsageError
from trivium.finetune.prepared import Prepared
from trivium.finetune.settings import FineTuneSettings
from trivium.language_model import LanguageModel
from trivium.objectives.row import Row
from trivium.objectives.seq2seq import answer_row, continuation_row
from trivium.tasks.text_to_text import TextTask, answer_ids, source_ids, written_tasks
from trivium.train.loss import head_loss


def as_text_pairs(examples: Examples) -> Examples:
    """Examples of any form as pairs of texts, in their order."""
    return replace(examples, form="text-to-text", examples=tuple(map(_pair, examples)))


def _pair(example: Example) -> TextPair:
    match example:
        case TextPair():
            return example
        case Conversation():
            said = "\n".join(content for _, content in example.turns[:-1])
            return TextPair(said, (example.turns[-1][1],))
        case Preference():
            return TextPair("\n".join(content for _, content in example.turns), (example.chosen,))
        case Question():
            return TextPair(f"question: {example.question} context: {example.context}", example.answers or ("",))
        case TaggedWords():
            return TextPair(" ".join(example.words), (" ".join(example.tags),))
        case LabelledText():
            text = example.text
            read = text if isinstance(text, str) else f"sentence1: {text[0]} sentence2: {text[1]}"
            said = f"{example.label:g}" if isinstance(example.label, float) else ", ".join(example.labels)
            return TextPair(read, (said,))


def prepare_text_to_text(
    lm: LanguageModel, examples: Examples, labels: Sequence[str], settings: FineTuneSettings
) -> Prepared:
    """Examples of any form, each as a text that becomes another, for a decoder or an encoder-decoder.

    The loss is over the answer and its end token. A source that is too long loses its own end, never the prefix; an
    answer that is cut is not taught to end. With `copy_epochs` there is a second row of each example, whose source is
    the answer: a fresh decoder learns first to do without a source in another language, and copies teach it to look
    (Currey et al. 2017 mix such pairs in). Raises `UsageError` for a model that writes nothing, a tokenizer without an
    end token, and a text that is too long where it may not be cut.
    """
    del labels
    task = text_task_of(lm, settings)
    rows: list[Row] = []
    copies: list[Row] = []
    left_out: Counter[str] = Counter()
    cut = 0
    for number, pair in enumerate(as_text_pairs(examples), 1):
        assert isinstance(pair, TextPair)
        row, excess = row_of(lm, pair, task, settings.max_tokens)
        if excess and settings.too_long == "refuse":
            raise UsageError(
                f"Example {number:,} of {examples.where} has {excess:,} tokens more than are read or said. Set "
                "too_long to 'cut' or 'leave out', or raise max_tokens as far as the model reads."
            )
        if excess and settings.too_long == "leave out":
            left_out["more tokens than are read or said"] += 1
            continue
        rows.append(row)
        cut += excess > 0
        if settings.copy_epochs:
            copies.append(row_of(lm, replace(pair, source=pair.targets[0]), task, settings.max_tokens)[0])
    config = written_tasks({**lm.text_tasks, task.name: task})
    pad = lm.tokenizer.pad_id or 0
    return Prepared(
        lm.architecture, tuple(rows), head_loss, pad, dict(left_out), cut, config=config, copies=tuple(copies)
    )


def text_task_of(lm: LanguageModel, settings: FineTuneSettings) -> TextTask:
    """What is set, or the model's own where it has one task; with the lengths that are set."""
    if lm.model.head is None or lm.architecture.decoder is None:
        raise UsageError("This model writes no text: take a decoder or an encoder-decoder with its head.")
    if lm.tokenizer.end_id is None or (lm.architecture.kind == "encoder-decoder" and lm.start_id is None):
        raise UsageError(
            "Text to text needs a token that ends a text, and an encoder-decoder one that starts it, and the tokenizer "
            "has none. Give it an `eos_token` and a `pad_token`."
        )
    own = next(iter(lm.text_tasks.values())) if len(lm.text_tasks) == 1 else TextTask()
    task = settings.text_task or own
    if settings.max_tokens is None or lm.architecture.kind == "decoder":
        return task
    return replace(
        task,
        source_tokens=task.source_tokens or settings.max_tokens,
        answer_tokens=task.answer_tokens or settings.max_tokens,
    )


def row_of(lm: LanguageModel, pair: TextPair, task: TextTask, max_tokens: int | None) -> tuple[Row, int]:
    """The row of a pair, and how many tokens did not fit it."""
    kind, words = lm.architecture.kind, lm.tokenizer
    limits = [bound for bound in (max_tokens, lm.architecture.context) if bound is not None]
    limit = min(limits) if limits else None
    if kind == "decoder":  # one row for both: the answer takes what it needs, half of it at most
        said, lost = answer_ids(words, kind, pair.targets[0], task, limit and max(1, limit // 2))
        read, left = source_ids(words, kind, pair.source, task, limit and limit + 1 - len(said))
        return continuation_row(np.array(read, dtype=np.int64), np.array(said, dtype=np.int64)), lost + left
    said, lost = answer_ids(words, kind, pair.targets[0], task, limit)
    read, left = source_ids(words, kind, pair.source, task, limit)
    assert lm.start_id is not None
    row = answer_row(
        np.array(read, dtype=np.int64), np.array(said, dtype=np.int64), pad=words.pad_id or 0, start=lm.start_id
    )
    return row, lost + left
