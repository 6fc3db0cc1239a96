"""Whether a model that was taught to answer ends its answers by itself."""

__all__ = ["Stopping", "stopping"]

from dataclasses import dataclass
from typing import Any

import numpy as np

from trivium.data.examples import Conversation, Examples, TextPair
from trivium.decode.generate import generate
from trivium.language_model import LanguageModel
from trivium.metrics.bootstrap import bootstrap, mean_of
from trivium.metrics.metric import Metric
from trivium.text.chat import chat_ids

_BATCH = 16


@dataclass(frozen=True)
class Stopping:
    """The share of held-out prompts on which the model's own answer, greedy, came to its end before `max_tokens`."""

    stopped: Metric
    prompts: int
    max_tokens: int

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The one that there is."""
        return (self.stopped,)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the share is of."""
        return (f"stopped: the share of {self.prompts:,} answers that ended within {self.max_tokens:,} tokens.",)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        metrics = {each.name: each.to_dict() for each in self.metrics}
        return {"items": self.prompts, "metrics": metrics, "remarks": list(self.remarks)}


def stopping(lm: LanguageModel, examples: Examples, max_tokens: int = 256, items: int = 200) -> Stopping:
    """Ask the model for the last answer of conversations, or for the answer of pairs; of so many at most, by seed."""
    some = examples.sample(items)
    ended: list[bool] = []
    for first in range(0, len(some), _BATCH):
        batch = some.examples[first : first + _BATCH]
        if lm.architecture.kind == "decoder":
            prompts = [chat_ids(lm.tokenizer, _messages(example)) for example in batch]
            sampling = lm.options(max_tokens=max_tokens, temperature=0)
            done = generate(lm.model, lm.tokenizer, prompts, sampling, lm.start_id)
        else:
            done = lm.generate([_source(example) for example in batch], max_tokens=max_tokens, temperature=0)
        ended += [each.finish_reason == "stop" for each in done]
    return Stopping(bootstrap("stopped", mean_of(np.array(ended, dtype=float))), len(ended), max_tokens)


def _messages(example: object) -> list[dict[str, str]]:
    if isinstance(example, TextPair):
        return [{"role": "user", "content": example.source}]
    assert isinstance(example, Conversation)
    return example.messages[:-1]


def _source(example: object) -> str:
    messages = _messages(example)
    if len(messages) == 1:
        return messages[0]["content"]
    return "\n".join(f"{each['role']}: {each['content']}" for each in messages)
