"""What is expected of a run beside what the loop then measures."""

import torch

from tests.finetune.tiny import body, prepared
from trivium.finetune.batching import batches_of
from trivium.finetune.estimate import estimate
from trivium.finetune.heads import starting_model
from trivium.train.loop import train
from trivium.train.settings import TrainSettings


def test_memory_is_what_the_loop_counts_and_time_is_that_of_its_steps() -> None:
    lm = body("bert")
    ready = prepared(lm, "classification")
    settings = TrainSettings(steps=4, batch_rows=5, precision="float32", checkpoint_every_seconds=None)

    def batches(step: int):
        return batches_of(ready.rows, ready.pad, ready.batching)

    model = starting_model(lm.model, ready.architecture, seed=0)
    quote = estimate(model, batches, ready.loss_fn, settings, title="tiny", tokens=4 * ready.tokens)
    result = train(starting_model(lm.model, ready.architecture, seed=0), batches, ready.loss_fn, settings)
    assert (quote.tokens, quote.steps, quote.parameters) == (result.tokens, result.steps, result.parameters)
    assert quote.memory is not None
    assert result.memory is not None
    assert quote.memory.weights == result.memory.weights
    assert abs(quote.memory.total / result.memory.total - 1) < 0.1
    assert 0 < quote.step_seconds <= quote.seconds
    assert torch.is_grad_enabled()
