"""The simulated memory of a step against what autograd really saves."""

import pytest
import torch

from tests.test_architecture import TINY
from trivium.model import Transformer
from trivium.objectives.batch import IGNORE, Batch
from trivium.plan.memory import training_memory
from trivium.train.loss import head_loss


def batch_for(family: str, packed: bool) -> Batch:
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(0, 61, (4, 32), generator=generator)
    documents = torch.tensor([[1] * 20 + [2] * 10 + [0] * 2]).expand(4, -1).contiguous() if packed else None
    if TINY[family].kind == "encoder-decoder":
        decoder_documents = torch.tensor([[1] * 5 + [2] * 4]).expand(4, -1).contiguous() if packed else None
        return Batch(ids, ids[:, :9], documents, ids[:, :9], decoder_documents)
    targets = ids.clone()
    if TINY[family].kind == "encoder":
        targets[torch.rand(ids.shape, generator=generator) > 0.15] = IGNORE
    return Batch(ids, targets, documents)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("family", TINY)
def test_the_simulated_activations_are_what_autograd_saves(family: str, packed: bool) -> None:
    batch = batch_for(family, packed)
    expected = training_memory(TINY[family], batch)
    model = Transformer(TINY[family])
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    saved: dict[int, int] = {}
    kept = []

    def count(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            saved[storage.data_ptr()] = storage.nbytes()
            kept.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        head_loss(model, batch)
    assert expected.activations == pytest.approx(sum(saved.values()), rel=0.03)
    assert expected.weights == sum(4 * parameter.numel() for parameter in model.parameters())
    assert expected.total == 4 * expected.weights + expected.activations
