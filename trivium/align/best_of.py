"""Best of n: draw several answers and give the one that is worth most (Stiennon et al. 2020, section 4.3).

The further the best is picked from, the less likely it is under the model: the distance is at most log n − (n − 1) / n
nats (the same paper's appendix; Beirami et al. 2024 show that it is a bound).
"""

__all__ = ["Best", "best_of", "divergence_bound"]

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trivium.align.judge import Judge, Turns
from trivium.decode.generate import Completion, generate
from trivium.decode.prompt import prompt_ids
from trivium.errors import UsageError
from trivium.language_model import LanguageModel
from trivium.text.chat import chat_ids

_MOST = 1024


@dataclass(frozen=True)
class Best:
    """All answers to a prompt with what each is worth; `answer` is the best, the first of equal ones."""

    answers: tuple[Completion, ...]
    worth: tuple[float, ...]

    @property
    def place(self) -> int:
        """Which of them is the best."""
        return max(range(len(self.worth)), key=lambda place: (self.worth[place], -place))

    @property
    def answer(self) -> Completion:
        """The best."""
        return self.answers[self.place]

    def __str__(self) -> str:
        return self.answer.text

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        both = zip(self.answers, self.worth, strict=True)
        return {"best": self.place, "answers": [{**each.to_dict(), "worth": worth} for each, worth in both]}


def best_of(lm: LanguageModel, prompts: Sequence[str | Turns], judge: Judge, n: int = 4, **options: Any) -> list[Best]:
    """`n` answers to each prompt, drawn as the options of `generate` say, and what the judge makes of them.

    A prompt is a text, or the turns of a conversation. A decoder with a chat template is asked in it, another model by
    the texts alone; where the model's folder would have it greedy, the temperature is 1. Raises `UsageError` for n
    below 1 and above 1,024, for a temperature of 0 with more than one answer, and as `generate` does.
    """
    if not 1 <= n <= _MOST:
        raise UsageError(f"n is {n}: draw from 1 to {_MOST:,} answers.")
    sampling = lm.options(**options)
    if sampling.greedy and "temperature" not in options:
        sampling = lm.options(temperature=1.0, **options)
    if n > 1 and sampling.greedy:
        raise UsageError(f"All {n} answers would be the same: give a temperature above 0 to draw them.")
    asked: list[Turns] = [(("user", each),) if isinstance(each, str) else each for each in prompts]
    ids = [_read(lm, turns) for turns in asked for _ in range(n)]
    said = generate(lm.model, lm.tokenizer, ids, sampling, lm.start_id)
    found = []
    for place, turns in enumerate(asked):
        answers = said[place * n : (place + 1) * n]
        worth = judge(turns, [each.text for each in answers])
        found.append(Best(tuple(answers), tuple(float(each) for each in worth)))
    return found


def divergence_bound(n: int) -> float:
    """The most that the best of n is away from the model, KL in nats: log n − (n − 1) / n."""
    return math.log(n) - (n - 1) / n


def _read(lm: LanguageModel, turns: Turns) -> list[int]:
    if lm.architecture.kind == "decoder" and lm.tokenizer.chat_template is not None:
        return chat_ids(lm.tokenizer, [{"role": role, "content": content} for role, content in turns])
    return prompt_ids(lm.tokenizer, lm.architecture.kind, "\n".join(content for _, content in turns))
