"""A tiny random model of each family under a task head, with the tokenizer of its kind."""

from typing import Any

import torch

from tests.decode.tiny import _KINDS, tokenizer
from trivium.families.registry import family_named
from trivium.families.tasks import TASKS, TaskName, labels_config
from trivium.language_model import LanguageModel
from trivium.model import Transformer

TEXTS = [
    "The old sailor walked down to the harbour.",
    "Nobody knew.",
    "She counted the boats twice, wrote the number in her book, and waited.",
]


def headed(
    family: str, task: TaskName, labels: tuple[str, ...] = ("O", "B-PER", "I-PER"), **config: Any
) -> LanguageModel:
    words = tokenizer(_KINDS[family])
    body = family_named(family).preset(vocab=words.vocabulary, dim=24, depth=2, heads=2, positions=64)
    said = {"eos_token_id": words.end_id, "decoder_start_token_id": words.pad_id, **labels_config(labels), **config}
    architecture = TASKS[family][task].on(body, said)
    model = Transformer(architecture, torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4 if family != "t5" and parameter.dim() > 1 else 1)
            parameter.add_(0.02 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return LanguageModel(model, words)
