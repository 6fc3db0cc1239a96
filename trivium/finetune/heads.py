"""The head that a task wants on a model, and the model with it: its body's weights, the head's as they are at first."""

__all__ = ["starting_model", "with_head", "without_head"]

from copy import deepcopy
from dataclasses import replace

import torch

from trivium import architecture as arch
from trivium.architecture import Architecture
from trivium.families.registry import family_named
from trivium.families.tasks import TASKS, published
from trivium.model import Transformer
from trivium.weights.fresh import FreshHead, with_fresh_head


def with_head(architecture: Architecture, head: FreshHead) -> Architecture:
    """The architecture with the head that the family's published class has; unchanged where it has that very head.

    So a model that knows the same labels in another order goes on from what it knows, and their order stays. Raises
    `UsageError` where the family has no class with such a head.
    """
    if _fits(architecture.task, head):
        return architecture
    with torch.device("meta"):
        body = Transformer(architecture)
    return with_fresh_head(body, _config(architecture), head).architecture


def without_head(architecture: Architecture) -> Architecture:
    """The bare body that makes vectors: of an encoder-decoder, where such a class is published, the encoder alone."""
    encoder = TASKS.get(architecture.family, {}).get("encoder")
    alone = architecture.decoder is not None and architecture.encoder is not None and encoder is not None
    task = architecture.task if isinstance(architecture.task, arch.Pooler) else None
    return replace(architecture, head=None, task=task, decoder=None if alone else architecture.decoder)


def starting_model(model: Transformer, architecture: Architecture, seed: int) -> Transformer:
    """A model of `architecture`, of float32 weights of its own: `model`'s, and a head drawn by `seed` where it is new.

    `architecture` is what `with_head` or `without_head` made of the model's.
    """
    body = deepcopy(model).float()
    body.requires_grad_(True)
    task = architecture.task
    if body.architecture == architecture:
        return body
    match task:
        case arch.SequenceLabels():
            head = FreshHead("sequence-classification", task.labels, task.problem, seed)
        case arch.TokenLabels():
            head = FreshHead("token-classification", task.labels, seed=seed)
        case arch.Spans():
            head = FreshHead("question-answering", seed=seed)
        case _:
            return _bare(body, architecture)
    return with_fresh_head(body, _config(body.architecture), head)


def _bare(model: Transformer, architecture: Architecture) -> Transformer:
    """The same weights in a model of `architecture`, which lacks some of them."""
    with torch.device("meta"):
        fresh = Transformer(architecture)
    own = dict(model.named_parameters())
    fresh.load_state_dict({name: own[name] for name, _ in fresh.named_parameters()}, assign=True)
    return fresh


def _config(architecture: Architecture) -> dict[str, object]:
    family = published(family_named(architecture.family), architecture)
    return {"model_type": family.model_type, **family.write_config(architecture)}


def _fits(task: arch.Task | None, head: FreshHead) -> bool:
    match task, head.task:
        case arch.SequenceLabels(), "sequence-classification":
            return set(task.labels) == set(head.labels) and task.problem in (None, head.problem)
        case arch.TokenLabels(), "token-classification":
            return set(task.labels) == set(head.labels)
        case arch.Spans(), "question-answering":
            return True
    return False
