"""The start of a fine-tuning: a published model's body under a task head that has learned nothing yet."""

__all__ = ["FreshHead", "starting_architecture", "with_fresh_head"]

from dataclasses import dataclass

import torch

from trivium.architecture import Architecture, Problem
from trivium.errors import ModelError, UsageError
from trivium.families.family import Config
from trivium.families.registry import architecture_of_config, family_named
from trivium.families.tasks import TASKS, TaskClass, TaskName, labels_config, published
from trivium.model import Transformer
from trivium.nn.initialise import initialise

_FINE_TUNED = ("sequence-classification", "token-classification", "question-answering")


@dataclass(frozen=True)
class FreshHead:
    """Which head, its labels (an answer's place needs none), and the seed that its first weights are drawn by."""

    task: TaskName
    labels: tuple[str, ...] = ()
    problem: Problem | None = None
    seed: int = 0


def starting_architecture(config: Config) -> Architecture:
    """What is read of a folder for its body: a task's own class as it is, of a language model what is below its head.

    So a BERT's pooler, which language models leave out, is read where the file has it.
    """
    architecture = architecture_of_config(config)
    bare = TASKS.get(architecture.family, {}).get("model")
    return architecture if architecture.head is None or bare is None else bare.on(architecture, config)


def with_fresh_head(model: Transformer, config: Config, head: FreshHead) -> Transformer:
    """The model's body under a new head, in evaluation mode; the tensors are the same, not copies.

    A transform below the labels stays where the new head has the same one: BERT's pooler. Raises `UsageError` for a
    head that no published class of the family has, and `ModelError` for a body that lacks what the head reads.
    """
    family = model.architecture.family
    one = _task_class(family, head)
    named = labels_config(head.labels or ("LABEL_0", "LABEL_1"), head.problem)
    target = one.on(architecture_of_config({**config, "architectures": []}), {**config, "problem_type": None, **named})
    with torch.device("meta"):
        fresh = Transformer(target)
    parameters = dict(model.named_parameters())
    kept = {name for name in parameters if not name.startswith("task.") or name in _shared(model.architecture, one)}
    lacking = [name for name, _ in fresh.named_parameters() if name not in kept and not name.startswith("task.")]
    if lacking:
        raise ModelError(
            f"A {one.name} has a decoder or a head that this model lacks ({lacking[0]}): take a whole one."
        )
    assert fresh.task is not None
    weight = model.tokens.weight
    fresh.task.to_empty(device="cpu")
    initialise(fresh.task, target, torch.Generator().manual_seed(head.seed))
    fresh.task.to(weight.device, weight.dtype)
    own = dict(fresh.named_parameters())
    fresh.load_state_dict({name: parameters[name] for name in kept & own.keys()}, strict=False, assign=True)
    if fresh.head is not None and target.head is not None and target.head.tied:
        fresh.head.projection.weight = fresh.tokens.weight
    return fresh.eval()


def _task_class(family: str, head: FreshHead) -> TaskClass:
    known = {name: one for name, one in TASKS.get(family, {}).items() if name in _FINE_TUNED}
    if head.task not in known:
        raise UsageError(f"There is no head '{head.task}' for {family}. There are: {', '.join(known) or 'none'}.")
    if head.task != "question-answering" and not head.labels:
        raise UsageError(f"A head for {head.task} needs its labels: give them in their order.")
    return known[head.task]


def _shared(architecture: Architecture, one: TaskClass) -> set[str]:
    """Our names of the transform, where the head before publishes it under the same name as the new one."""
    before = published(family_named(architecture.family), architecture).table(architecture)
    same = any(rule == "task.transform" and before.get(stored) == rule for stored, rule in one.rows.items())
    return {"task.transform.weight", "task.transform.bias"} if same else set()
