"""The products that are listed are those that torch does."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from trivium.adapt.lora import Lora
from trivium.adapt.low_rank import add_lora
from trivium.architecture import Architecture, Pooler
from trivium.families import bart
from trivium.families.registry import FAMILIES
from trivium.model import Transformer
from trivium.objectives.batch import IGNORE, Batch
from trivium.plan.operations import Linear, Scores, operations
from trivium.plan.trial import Trial
from trivium.plan.workload import Workload
from trivium.train.loss import head_loss
from trivium.train.recompute import recompute_blocks

ADAPTATIONS = {
    "none": None,
    "default": Lora(rank=3),
    "mlp": Lora(rank=3, targets=("*mlp.up",)),
    "last layer": Lora(rank=3, targets=("*layers.1.attention.output",)),
    "head": Lora(rank=3, targets=("head.projection",)),
    "decomposed": Lora(rank=3, targets=("*attention.query", "*mlp.down"), decomposed=True),
}


def model(family: str) -> Architecture:
    return FAMILIES[family].preset(vocab=40, dim=32, depth=2, heads=2, positions=32)


def counted(workload: Workload) -> tuple[int, int]:
    """Forward, and forward with backward, as torch counts them with attention in single products."""
    built = Transformer(workload.architecture)
    if workload.lora is not None:
        add_lora(built, workload.lora)
    if workload.activation_checkpointing:
        recompute_blocks(built)
    targets = torch.full((workload.rows * workload.written,), IGNORE)
    targets[: workload.head_positions] = 1
    pair = workload.architecture.kind == "encoder-decoder"
    read = torch.ones(workload.rows, workload.inputs, dtype=torch.long)
    written = torch.ones(workload.rows, workload.written, dtype=torch.long)
    batch = Batch(
        read,
        targets.view(written.shape),
        read if workload.masked else None,
        written if pair else None,
        written if pair and workload.masked else None,
    )
    counter = FlopCounterMode(display=False)
    with counter, sdpa_kernel(SDPBackend.MATH):
        loss = head_loss(built, batch).loss_sum
        forward = counter.get_total_flops()
        loss.backward()  # type: ignore[no-untyped-call]
    return forward, counter.get_total_flops()


def summed(workload: Workload) -> tuple[int, int]:
    done = operations(workload)
    forward = sum(each.forward for each in done)
    return forward, forward + sum(each.backward + each.recomputed * each.forward for each in done)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_full_training_is_what_torch_counts(family: str) -> None:
    workload = Workload(model(family), rows=3, inputs=7, targets=5)
    assert summed(workload) == counted(workload)


@pytest.mark.parametrize("adaptation", sorted(ADAPTATIONS))
@pytest.mark.parametrize("family", ["bert", "gopher", "gpt2", "llama", "t5"])
@pytest.mark.parametrize("checkpointing", [False, True])
def test_low_rank_adaptation_and_recomputation_are_what_torch_counts(
    family: str, adaptation: str, checkpointing: bool
) -> None:
    workload = Workload(
        model(family), rows=2, inputs=9, lora=ADAPTATIONS[adaptation], activation_checkpointing=checkpointing
    )
    assert summed(workload) == counted(workload)


def test_a_pairs_sides_and_padded_rows_are_what_torch_counts() -> None:
    for workload in (
        Workload(model("t5"), rows=2, inputs=9, outputs=4),
        Workload(model("bart"), rows=2, inputs=4, outputs=9, masked=True),
        Workload(model("bart"), rows=2, inputs=4, outputs=9, lora=Lora(targets=("decoder.*",))),
    ):
        assert summed(workload) == counted(workload)


@pytest.mark.parametrize(
    ("family", "masked", "lora", "form"),
    [
        ("gpt2", False, None, "causal"),
        ("gpt2", True, None, "matrix"),
        ("bert", False, None, "full"),
        ("bloom", False, None, "matrix"),
        ("t5", False, None, "unfused"),
        ("t5", False, Lora(), "matrix"),
        ("gopher", False, None, "unfused"),
    ],
)
def test_the_form_of_attention(family: str, masked: bool, lora: Lora | None, form: str) -> None:
    done = operations(Workload(model(family), rows=1, inputs=8, masked=masked, lora=lora))
    assert next(each for each in done if isinstance(each, Scores)).form == form


def test_dropout_of_attention_has_no_fused_kernel() -> None:
    dropping = bart.preset(vocab=40, dim=32, depth=1, heads=2, attention_dropout=0.1)
    forms = {each.form for each in operations(Workload(dropping, rows=1, inputs=8)) if isinstance(each, Scores)}
    assert forms == {"unfused"}


class _Kernels(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts attention's forward kernels: fused ones, and softmax by itself."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.fused = self.unfused = 0

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        self.fused += str(func) == "aten._scaled_dot_product_flash_attention_for_cpu.default"
        self.unfused += str(func) == "aten._safe_softmax.default"
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("family", ["bart", "bert", "bloom", "gopher", "gpt3", "t5"])
@pytest.mark.parametrize("lora", [None, Lora()])
@pytest.mark.parametrize("masked", [False, True])
def test_unfused_scores_are_those_that_torch_does_not_fuse(family: str, lora: Lora | None, masked: bool) -> None:
    workload = Workload(model(family), rows=2, inputs=8, lora=lora, masked=masked)
    trial = Trial(workload, torch.device("cpu"))
    with _Kernels() as kernels:
        head_loss(trial.model, trial.batch)
    forms = [each.form for each in operations(workload) if isinstance(each, Scores)]
    assert kernels.unfused == forms.count("unfused")
    assert kernels.fused == len(forms) - kernels.unfused


def test_what_a_window_leaves_out_is_counted_all_the_same() -> None:
    banded = FAMILIES["gpt3"].preset(vocab=40, dim=32, depth=2, heads=2, positions=32)
    forms = [each.form for each in operations(Workload(banded, rows=1, inputs=32)) if isinstance(each, Scores)]
    windows = [layer.attention.window for layer in banded.stacks[0].layers]
    assert forms == ["causal" if window is None or window >= 32 else "matrix" for window in windows]


def test_a_task_head_is_counted_though_a_language_model_does_not_run_it() -> None:
    plain = model("bert")
    pooled = replace(plain, task=Pooler())
    more = [each for each in operations(Workload(pooled, rows=3, inputs=8)) if isinstance(each, Linear)]
    assert more[-1] == Linear(3, 32, 32)
    assert sum(each.forward for each in more) - sum(
        each.forward for each in operations(Workload(plain, rows=3, inputs=8)) if isinstance(each, Linear)
    ) == 3 * (2 * 32 * 32)
