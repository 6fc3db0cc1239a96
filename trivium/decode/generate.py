"""Text from prompts: token after token, until it ends.

    steps (ids) ──► TextStream a row (text, stop strings) ──► Delta ... Delta(completion) ──► Completion

`stream` is the one way in which a text comes about, and `generate` collects it, so that both say the same.
"""

__all__ = ["Completion", "Delta", "FinishReason", "generate", "stream"]

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from trivium.decode.draw import SEEDS
from trivium.decode.prompt import Ids, require_evaluation
from trivium.decode.rules import ABSENT, LogitsRule
from trivium.decode.sampling import Sampling
from trivium.decode.steps import Step, check_prompts, row_limits, steps
from trivium.decode.stream import TextStream
from trivium.model import Transformer
from trivium.text.tokenizer import Tokenizer

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True)
class Completion:
    """What a model said after a prompt.

    `tokens` are all that were chosen, with the token that ended the text or the tokens of a stop string; `text` is
    without them. `logprobs` are natural logarithms of the model's own probabilities, before any rule. The text ends by
    "stop" (an end token or a stop string) or by "length" (`max_tokens`, or the model's positions are full).
    """

    text: str
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    finish_reason: FinishReason
    prompt_tokens: int

    @property
    def logprob(self) -> float:
        """The log-probability of all tokens together, in nats."""
        return sum(self.logprobs)

    def __str__(self) -> str:
        return self.text

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self) | {"logprob": self.logprob}


@dataclass(frozen=True)
class Delta:
    """One more token of a row, the text that it completes (often none), and, with the last, the whole completion."""

    row: int
    text: str
    token: int
    logprob: float
    completion: Completion | None = None


def generate(
    model: Transformer,
    tokenizer: Tokenizer,
    prompts: Sequence[Ids],
    sampling: Sampling,
    start_id: int | None = None,
    rows: int = 32,
    rules: Sequence[LogitsRule] = (),
) -> list[Completion]:
    """The completions of prompts, in their order, `rows` at a time. The rest is as in `stream`."""
    sampling = sampling.resolve()
    assert sampling.seed is not None
    completions: list[Completion] = []
    for first in range(0, len(prompts), rows):
        seeded = replace(sampling, seed=(sampling.seed + first) % SEEDS)  # row i draws with seed + i, however batched
        deltas = stream(model, tokenizer, prompts[first : first + rows], seeded, start_id, rules)
        done = {delta.row: delta.completion for delta in deltas if delta.completion is not None}
        completions += [done[row] for row in sorted(done)]
    return completions


def stream(
    model: Transformer,
    tokenizer: Tokenizer,
    prompts: Sequence[Ids],
    sampling: Sampling,
    start_id: int | None = None,
    rules: Sequence[LogitsRule] = (),
) -> Iterator[Delta]:
    """The completions of prompts as they come about: rows take turns, and end when they end.

    A decoder continues its prompt. An encoder-decoder answers it, from `start_id` on. Options that are unset take
    their built-in value; `rules` come before those of the options.

    Raises `UsageError` at once for prompts that cannot be read (`check_prompts`) and a model in training mode.
    """
    check_prompts(model.architecture, prompts)
    if not prompts:
        return iter(())
    require_evaluation(model)
    sampling = sampling.resolve()
    assert sampling.max_tokens is not None
    said = prompts if model.architecture.kind == "decoder" else [()] * len(prompts)
    room = row_limits(model.architecture, prompts, sampling.max_tokens)
    rows = [
        _Row(number, len(prompt), TextStream(tokenizer, said[number], sampling.stops), sampling, room[number])
        for number, prompt in enumerate(prompts)
    ]
    finished = [False] * len(rows)
    return _deltas(rows, steps(model, prompts, sampling, room, finished, start_id, rules), finished)


def _deltas(rows: list["_Row"], tokens: Iterator[Step], finished: list[bool]) -> Iterator[Delta]:
    for step in tokens:
        for row, token, logprob in zip(rows, step.ids.tolist(), step.logprobs.tolist(), strict=True):
            if token != ABSENT:
                delta = row.take(token, logprob)
                finished[row.number] = delta.completion is not None
                yield delta


class _Row:
    """One completion in the making."""

    def __init__(self, number: int, prompt_tokens: int, stream: TextStream, sampling: Sampling, limit: int) -> None:
        self.number, self.prompt_tokens, self.limit = number, prompt_tokens, limit
        self.stream = stream
        self.end_ids = frozenset(sampling.end_ids or ())
        self.text = ""
        self.tokens: list[int] = []
        self.logprobs: list[float] = []

    def take(self, token: int, logprob: float) -> Delta:
        """One more token, and whether it is the last."""
        self.tokens.append(token)
        self.logprobs.append(logprob)
        ended = token in self.end_ids
        text = "" if ended else self.stream.feed(token)
        full = len(self.tokens) == self.limit
        if ended or full:
            text += self.stream.finish()
        self.text += text
        stopped = ended or self.stream.stopped
        return Delta(self.number, text, token, logprob, self._completion(stopped) if stopped or full else None)

    def _completion(self, stopped: bool) -> Completion:
        reason: FinishReason = "stop" if stopped else "length"
        return Completion(self.text, tuple(self.tokens), tuple(self.logprobs), reason, self.prompt_tokens)
