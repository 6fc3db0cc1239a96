"""A text that becomes another: translations, summaries, answers.

One model does several tasks, and is told which by what stands around the source (Raffel et al. 2020, section 2.4):

    prefix                           source              suffix      answer
    "translate English to French: "  Acute myocarditis               Myocardite aiguë
    "summarize: "                    The Senate ...                  Senate Confirms ...
                                     Who wrote Emma?     new line    Jane Austen

A suffix tells a decoder, which reads source and answer as one text, where the answer begins. A folder keeps its tasks
where the published T5 has them: in config.json, under `task_specific_params`.
"""

__all__ = ["TextTask", "answer_ids", "chosen_task", "read_tasks", "say", "source_ids", "written_tasks"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trivium.architecture import Kind
from trivium.decode.generate import Completion, generate
from trivium.decode.prompt import surround
from trivium.decode.sampling import Sampling
from trivium.errors import UsageError, nearest
from trivium.model import Transformer
from trivium.text.tokenizer import Tokenizer

_PARAMS: Final = "task_specific_params"
#: Our field -> its name in config.json; those of lengths are Hugging Face's.
_FIELDS: Final = {
    "prefix": "prefix", "suffix": "suffix", "source_tokens": "max_source_length", "answer_tokens": "max_length",
}  # fmt: skip


@dataclass(frozen=True)
class TextTask:
    """What stands around a source, and how many tokens both sides have at most (None: as many as the model reads).

    Where no suffix is given, a decoder has a new line there. `source_tokens` count all that is read.
    """

    name: str = "text_to_text"
    prefix: str = ""
    suffix: str | None = None
    source_tokens: int | None = None
    answer_tokens: int | None = None

    def behind(self, kind: Kind) -> str:
        """What stands behind the source for a model of that kind."""
        return ("\n" if kind == "decoder" else "") if self.suffix is None else self.suffix


def read_tasks(config: Mapping[str, Any]) -> dict[str, TextTask]:
    """The tasks of a config.json, by their names."""
    given = config.get(_PARAMS) or {}
    return {
        name: TextTask(name, **{ours: params[theirs] for ours, theirs in _FIELDS.items() if theirs in params})
        for name, params in given.items()
        if isinstance(params, Mapping)
    }


def written_tasks(tasks: Mapping[str, TextTask]) -> dict[str, Any]:
    """The same as config.json has it; nothing where there are none."""
    params = {
        name: {theirs: value for ours, theirs in _FIELDS.items() if (value := getattr(task, ours)) not in (None, "")}
        for name, task in tasks.items()
    }
    return {_PARAMS: params} if params else {}


def chosen_task(tasks: Mapping[str, TextTask], kind: str, name: str | None = None) -> TextTask:
    """The task of a name, or the only one whose name begins with `kind`: "translation", "summarization".

    A model of one task needs no name for it. Raises `UsageError` where there is none of the kind, or a choice.
    """
    there = f"This model's tasks are {', '.join(tasks)}." if tasks else "This model's config.json names no task."
    if name is not None:
        if name not in tasks:
            raise UsageError(f"There is no task '{name}'.{nearest(name, tasks)} {there}")
        return tasks[name]
    found = [task for each, task in tasks.items() if each.startswith(kind)] or list(tasks.values())[: len(tasks) == 1]
    if len(found) != 1:
        way_out = "Say which: task=..." if found else "Fine-tune it on pairs of texts, or ask it by lm.generate."
        raise UsageError(f"{there} {'Several' if found else 'None'} of them is a {kind}. {way_out}")
    return found[0]


def source_ids(
    tokenizer: Tokenizer, kind: Kind, text: str, task: TextTask, limit: int | None = None
) -> tuple[list[int], int]:
    """What a model of that kind reads of a source, and how many tokens of its end were left out to fit.

    The limit is the task's or a lower one that is given; prefix, suffix and special tokens stay. Raises `UsageError`
    where they alone exceed it.
    """
    ids, suffix = tokenizer.encode(task.prefix + text), tokenizer.encode(task.behind(kind))
    limits = [bound for bound in (task.source_tokens, limit) if bound is not None]
    whole = surround(tokenizer, kind, [*ids, *suffix])
    if not limits or len(whole) <= min(limits):
        return whole, 0
    excess, fixed = len(whole) - min(limits), len(tokenizer.encode(task.prefix))
    if excess > len(ids) - fixed:
        raise UsageError(
            f"A source may have {min(limits):,} tokens, and the prefix {task.prefix!r}, what stands behind and the "
            f"special tokens alone take {len(whole) - len(ids) + fixed:,}. Allow more, or shorten them."
        )
    return surround(tokenizer, kind, [*ids[: len(ids) - excess], *suffix]), excess


def answer_ids(
    tokenizer: Tokenizer, kind: Kind, text: str, task: TextTask, limit: int | None = None
) -> tuple[list[int], int]:
    """What the model is to say, its end token last, and how many tokens were left out to fit.

    An answer that is cut has no end token: its end was never seen (so T5's own `trim_and_pad_dataset` has it).
    """
    assert tokenizer.end_id is not None
    ids = tokenizer.encode(text)
    if kind == "decoder":  # its first word follows the suffix, where some tokenizers write it in another way
        before, both = (tokenizer.encode(task.behind(kind) + each) for each in ("", text))
        ids = both[len(before) :] if both[: len(before)] == before else ids
    said = [*ids, tokenizer.end_id] if kind == "decoder" else surround(tokenizer, kind, ids)
    limits = [bound for bound in (task.answer_tokens, limit) if bound is not None]
    kept = min(len(said), *limits) if limits else len(said)
    return said[:kept], len(said) - kept


def say(
    model: Transformer,
    tokenizer: Tokenizer,
    sources: Sequence[str],
    task: TextTask,
    sampling: Sampling,
    start_id: int | None = None,
    truncate: bool = False,
) -> list[Completion]:
    """What the model makes of each source, in their order.

    A decoder's answer shares the positions with its source: `max_tokens` are kept free for it, or half of them. Raises
    `UsageError` for a source over the limit, unless its end may be left out, and as `generate` does.
    """
    kind, limit = model.architecture.kind, model.architecture.context
    if limit is not None and kind == "decoder":
        limit -= min(sampling.resolve().max_tokens or 0, limit // 2)
    read = [source_ids(tokenizer, kind, text, task, limit) for text in sources]
    long = [(number, len(ids), cut) for number, (ids, cut) in enumerate(read) if cut]
    if long and not truncate:
        number, kept, cut = long[0]
        raise UsageError(
            f"Text {number} has {kept + cut:,} tokens; this model reads {kept:,} for {task.name}. Shorten it, or say "
            "truncate=True to leave out its end."
        )
    return generate(model, tokenizer, [ids for ids, _ in read], sampling, start_id)
