"""The work that a step holds, of each kind."""

from dataclasses import replace

import pytest
import torch

from trivium.adapt.lora import Lora
from trivium.adapt.low_rank import add_lora
from trivium.families.registry import FAMILIES
from trivium.model import Transformer
from trivium.plan.compute import step_flops
from trivium.plan.operations import Scores, operations
from trivium.plan.step_features import FEATURES, step_features
from trivium.plan.trial import Trial
from trivium.plan.workload import Workload
from trivium.train.muon import Muon


def workload(family: str, **settings: object) -> Workload:
    model = FAMILIES[family].preset(vocab=40, dim=32, depth=2, heads=2, positions=16)
    return Workload(model, rows=3, inputs=8, **settings)  # type: ignore[arg-type]


def features(step: Workload) -> dict[str, float]:
    return dict(zip(FEATURES, step_features(step), strict=True))


@pytest.mark.parametrize("family", ["bert", "bloom", "gpt2", "llama", "t5"])
@pytest.mark.parametrize("checkpointing", [False, True])
def test_products_are_those_of_the_hardware_without_attention_s(family: str, checkpointing: bool) -> None:
    step = workload(family, activation_checkpointing=checkpointing, accumulation=2)
    scores = [each for each in operations(step) if isinstance(each, Scores)]
    attention = 2 * sum(each.forward * (1 + each.recomputed) + each.backward for each in scores)
    assert features(step)["float32 products"] == step_flops(step).hardware - attention


def test_the_format_of_the_products_is_the_precision() -> None:
    full, half = features(workload("gpt2")), features(workload("gpt2", precision="bfloat16"))
    assert (full["float32 products"], full["bfloat16 products"]) == (half["bfloat16 products"], 0)
    assert half["float32 products"] == 0
    assert half["bytes of products"] == full["bytes of products"] / 2


@pytest.mark.parametrize(
    ("family", "settings", "name"),
    [
        ("bert", {}, "full scores"),
        ("gpt2", {}, "causal scores"),
        ("gpt2", {"masked": True}, "matrix scores"),
        ("t5", {}, "unfused scores"),
    ],
)
def test_scores_stand_with_their_form(family: str, settings: dict[str, bool], name: str) -> None:
    found = features(workload(family, **settings))
    assert found[name] == (2 if family != "t5" else 4) * 2 * 3 * 2 * 8 * 8  # passes, layers, rows, heads, pairs
    assert found["biases"] == (0 if family != "t5" else 2 * 2 * 2 * 8 * 8)  # passes, stacks, heads, pairs


def test_logits_are_where_the_head_speaks() -> None:
    assert features(workload("bert", targets=5, accumulation=2))["logits"] == 2 * 5 * 40


@pytest.mark.parametrize("lora", [None, Lora(rank=2), Lora(rank=2, targets=("*mlp*",))])
@pytest.mark.parametrize("family", ["gpt2", "llama", "t5"])
def test_updates_are_the_optimizer_s(family: str, lora: Lora | None) -> None:
    for optimizer in ("adamw", "muon"):
        step = workload(family, optimizer=optimizer, lora=lora)
        parts = Trial(step, torch.device("cpu")).optimizer.parts
        held = {
            isinstance(part, Muon): sum(p.numel() for group in part.param_groups for p in group["params"])
            for part in parts
        }
        found = features(step)
        assert (found["AdamW updates"], found["Muon updates"]) == (held.get(False, 0), held.get(True, 0))


def test_everything_but_the_updates_grows_with_the_rows() -> None:
    once, twice = (features(replace(workload("llama"), rows=rows)) for rows in (1, 2))
    for name in ("float32 products", "causal scores", "logits", "channels"):
        assert twice[name] == 2 * once[name]
    assert twice["AdamW updates"] == once["AdamW updates"]
    assert twice["calls"] == once["calls"]


def test_adapters_of_a_built_model_are_as_many() -> None:
    step = workload("gpt2", lora=Lora(rank=3))
    model = Transformer(step.architecture)
    add_lora(model, Lora(rank=3))
    assert features(step)["AdamW updates"] == sum(p.numel() for p in model.parameters() if p.requires_grad)
