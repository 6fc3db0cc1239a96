"""A trial takes the steps that its workload describes."""

import pytest
import torch

from trivium.adapt.lora import Lora
from trivium.families.registry import FAMILIES
from trivium.nn.block import Block
from trivium.plan.trial import Trial, random_batch
from trivium.plan.workload import Workload
from trivium.train.muon import Muon

CPU = torch.device("cpu")


def workload(family: str, **settings: object) -> Workload:
    model = FAMILIES[family].preset(vocab=40, dim=32, depth=2, heads=2, positions=16)
    return Workload(model, rows=3, inputs=8, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("family", "settings"), [("bert", {"targets": 5}), ("gpt2", {}), ("t5", {"outputs": 6, "targets": 7})]
)
@pytest.mark.parametrize("masked", [False, True])
def test_a_batch_is_what_the_workload_says(family: str, settings: dict[str, int], masked: bool) -> None:
    wanted = workload(family, masked=masked, **settings)
    batch = random_batch(wanted, torch.Generator().manual_seed(0))
    assert batch.input_ids.shape == (3, 8)
    assert batch.targets.shape == (3, wanted.written)
    assert batch.target_tokens == wanted.head_positions
    assert batch.tokens == wanted.tokens
    assert (batch.documents is not None) == masked
    assert (batch.decoder_input_ids is not None) == (family == "t5")
    assert (batch.decoder_documents is not None) == (masked and family == "t5")


def test_a_step_trains() -> None:
    trial = Trial(workload("gpt2"), CPU)
    before = trial.model.tokens.weight.clone()
    assert trial.step() > 0
    assert trial.step() > 0
    assert trial.taken == 2
    assert not torch.equal(before, trial.model.tokens.weight)


def test_every_setting_reaches_the_step() -> None:
    trial = Trial(workload("gpt2", lora=Lora(), activation_checkpointing=True, accumulation=2), CPU)
    names = set(trial.optimizer.names.values())
    assert names
    assert all(".down." in name or ".up." in name for name in names)
    passes = 0

    def count(*_: object) -> None:
        nonlocal passes
        passes += 1

    blocks = [module for module in trial.model.modules() if isinstance(module, Block)]
    blocks[-1].before_attention.register_forward_hook(count)
    trial.step()
    assert passes == 2 * 2  # micro-batches, each forward and recomputed
    assert any(isinstance(part, Muon) for part in Trial(workload("gpt2", optimizer="muon"), CPU).optimizer.parts)
    half = Trial(workload("gpt2", precision="bfloat16"), CPU)
    assert half.precision.dtype == torch.bfloat16
    assert half.step() > 0
