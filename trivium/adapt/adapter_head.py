"""A task's head that stands in an adapter's folder: built over the base, and given its weights.

The config.json beside the adapter says which head, and its labels. PEFT writes none: then `task_type` says which head,
and the weights how many labels, which are called LABEL_0, LABEL_1, ... as transformers does.
"""

__all__ = ["set_head", "with_head"]

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from torch import Tensor, nn

from trivium import architecture as arch
from trivium.adapt.copies import same_tensors
from trivium.adapt.peft_config import PeftConfig
from trivium.errors import ModelError
from trivium.families.registry import architecture_of_config, family_named
from trivium.families.tasks import TASKS, TaskName, published
from trivium.model import Transformer
from trivium.weights.config import read_config
from trivium.weights.folder import published_config
from trivium.weights.fresh import FreshHead, with_fresh_head
from trivium.weights.names import entries, from_stored

_TASK_TYPES: Final[Mapping[str, TaskName]] = {
    "SEQ_CLS": "sequence-classification",
    "TOKEN_CLS": "token-classification",
    "QUESTION_ANS": "question-answering",
}


def with_head(base: Transformer, folder: Path, config: PeftConfig, head: Mapping[str, Tensor]) -> Transformer:
    """The base's modules once more over the same tensors, under the head that the adapter was trained with.

    Raises `ModelError` where nothing says which head it is, or the base cannot have it.
    """
    described = folder / "config.json"
    if described.is_file():
        said = read_config(described)
        task = architecture_of_config(said).task
        fresh = _fresh(task)
        if fresh is None:
            raise ModelError(
                f"{folder} holds '{min(head)}', which is no update, and its config.json describes no head: only "
                "updates of linear layers and a task's head are supported."
            )
        return same_tensors(base) if task == base.architecture.task else with_fresh_head(base, said, fresh)
    name = _TASK_TYPES.get(config.task_type or "")
    classes = TASKS.get(base.architecture.family, {})
    if name is None or name not in classes:
        known = ", ".join(kind for kind, named in _TASK_TYPES.items() if named in classes)
        raise ModelError(
            f"{folder} holds '{min(head)}', which is no update, and its task_type {config.task_type!r} names no head "
            f"that a {base.architecture.family} has here: {known or 'there is none'}."
        )
    stored = [stored for stored, rule in classes[name].rows.items() if rule == "task.projection"]
    rows = next((len(head[f"{one}.weight"]) for one in stored if f"{one}.weight" in head), 0)
    here = base.architecture.task
    if _name(here) == name and (isinstance(here, arch.Spans) or rows == len(_labels(here))):
        return same_tensors(base)
    labels = () if name == "question-answering" else tuple(f"LABEL_{number}" for number in range(rows))
    return with_fresh_head(base, published_config(base), FreshHead(name, labels))


def set_head(model: Transformer, base: Transformer, head: Mapping[str, Tensor], folder: Path) -> None:
    """Give the head of `model` its weights, which `base` does not share.

    Raises `ModelError` for a weight that nothing reads, that has another shape, or that is neither here nor in `base`.
    """
    if model.task is None and not head:
        return
    family = published(family_named(model.architecture.family), model.architecture)
    parameters = dict(model.named_parameters())
    table = {entry.stored: entry for entry in entries(model, family) if entry.ours[0].startswith("task.")}
    stored = {name if name in table else family.prefix + name: tensor for name, tensor in head.items()}
    unread = sorted(stored.keys() - table.keys())
    if unread:
        raise ModelError(
            f"{folder} holds '{unread[0]}', which is no update and not of the head of a {family.classes}: this is the "
            "adapter of another base, or trains more than is supported."
        )
    given: dict[str, Tensor] = {}
    for name, tensor in stored.items():
        given |= dict(from_stored(table[name], tensor, parameters))
    shared = {id(parameter) for parameter in base.parameters()}
    absent = [ours for ours in parameters if ours.startswith("task.") and ours not in given]
    lacking = [ours for ours in absent if id(parameters[ours]) not in shared]
    if lacking:
        raise ModelError(
            f"{folder} does not hold '{lacking[0]}' of the head of a {family.classes}, and neither does the base: "
            "its answers would be drawn. Save the adapter with it among its modules_to_save."
        )
    like = model.tokens.weight
    for ours, tensor in given.items():
        parent, _, own = ours.rpartition(".")
        setattr(model.get_submodule(parent), own, nn.Parameter(tensor.contiguous().to(like.device, like.dtype)))


def _fresh(task: arch.Task | None) -> FreshHead | None:
    match task:
        case arch.SequenceLabels():
            return FreshHead("sequence-classification", task.labels, task.problem)
        case arch.TokenLabels():
            return FreshHead("token-classification", task.labels)
        case arch.Spans():
            return FreshHead("question-answering")
        case _:
            return None


def _name(task: arch.Task | None) -> TaskName | None:
    fresh = _fresh(task)
    return None if fresh is None else fresh.task


def _labels(task: arch.Task | None) -> tuple[str, ...]:
    fresh = _fresh(task)
    return () if fresh is None else fresh.labels
