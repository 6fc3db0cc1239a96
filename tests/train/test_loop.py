"""The loop: what a step does, what stops it, and that stopping changes nothing."""

import math
import signal
from collections.abc import Iterable

import pytest
import torch
from torch import nn

from tests.train.tiny import KINDS, batch, build, micro_batches
from trivium.errors import TrainingError
from trivium.objectives.batch import IGNORE, Batch
from trivium.train.loop import take_step, train
from trivium.train.loss import LossSum, head_loss
from trivium.train.optimizer import build_optimizer
from trivium.train.precision import Precision
from trivium.train.settings import TrainSettings
from trivium.train.state import TrainResult, TrainState
from trivium.train.stop import Stop
from trivium.train.validation import Validation, validate

FULL = Precision("float32")


def settings(**changes: object) -> TrainSettings:
    return TrainSettings(**{"steps": 6, "learning_rate": 1e-2, "precision": "float32", **changes})


def whole_step(kind: str):
    return lambda step: [batch(kind, step)]


def gradients_of_step(model: nn.Module, batches: Iterable[Batch], **changes: object) -> tuple[dict, object]:
    """A step's gradients as the optimizer sees them, and its outcome."""
    seen: dict[str, torch.Tensor] = {}
    optimizer = build_optimizer(model, settings(**changes))

    def look(multiplier: float) -> None:
        seen.update({name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None})

    optimizer.step = look
    return seen, take_step(model, batches, head_loss, optimizer, settings(**changes), 0, FULL)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("parts", [2, 4])
def test_micro_batches_equal_the_big_one(kind: str, parts: int) -> None:
    """Also where they have different numbers of targets, as here: weighting by rows would go wrong."""
    whole = batch(kind, 0)
    pieces = micro_batches(whole, parts)
    assert len({piece.target_tokens for piece in pieces}) > 1
    big, big_outcome = gradients_of_step(build(kind).eval(), [whole])
    small, small_outcome = gradients_of_step(build(kind).eval(), pieces)
    assert small_outcome.targets == big_outcome.targets == whole.target_tokens
    assert small_outcome.tokens == big_outcome.tokens == whole.tokens
    assert small_outcome.loss == pytest.approx(big_outcome.loss, rel=1e-6)
    for name, gradient in big.items():
        torch.testing.assert_close(small[name], gradient, rtol=1e-4, atol=1e-6)


def test_the_gradient_is_that_of_the_mean_loss() -> None:
    model, example = build().eval(), batch("decoder", 0)
    found, outcome = gradients_of_step(model, [example], clip_norm=None)
    logits = model(example.input_ids, example.documents)
    mean = nn.functional.cross_entropy(logits.flatten(0, 1), example.targets.flatten(), ignore_index=IGNORE)
    parameters = dict(model.named_parameters())
    expected = dict(zip(parameters, torch.autograd.grad(mean, list(parameters.values())), strict=True))
    assert outcome.loss == pytest.approx(mean.item(), rel=1e-6)
    norm = math.sqrt(sum(float(g.square().sum()) for g in expected.values()))
    assert outcome.gradient_norm == pytest.approx(norm, rel=1e-5)
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-6)


def test_clipping_shortens_to_the_norm() -> None:
    for limit in (0.01, 1e6):
        found, outcome = gradients_of_step(build().eval(), [batch("decoder", 0)], clip_norm=limit)
        norm = math.sqrt(sum(float(gradient.square().sum()) for gradient in found.values()))
        assert norm == pytest.approx(min(limit, outcome.gradient_norm), rel=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_learns(kind: str, optimizer: str) -> None:
    """Forty steps on one batch bring its loss far below that of a guess."""
    example = batch(kind, 0)
    chosen = settings(steps=40, optimizer=optimizer)
    result = train(build(kind), lambda step: [example], head_loss, chosen)
    assert result.finished
    assert result.loss < 0.6 * math.log(61)
    assert result.targets == 40 * example.target_tokens


def test_rows_of_the_report() -> None:
    rows: list[dict] = []
    model, held_out = build(), [batch("decoder", 1000)]
    result = train(
        model,
        whole_step("decoder"),
        head_loss,
        settings(validate_every=2, warmup_steps=2),
        validate=lambda m: validate(m, held_out, head_loss, torch.full((61,), 3)),
        report=rows.append,
        flops_per_token=1e6,
    )
    steps = [row for row in rows if "loss" in row]
    assert [row["step"] for row in steps] == [1, 2, 3, 4, 5, 6]
    assert [row["learning_rate"] for row in steps][:3] == pytest.approx([0.005, 0.01, 0.01])
    assert steps[-1]["tokens"] == result.tokens == sum(batch("decoder", step).tokens for step in range(6))
    validations = [(row["step"], row["validation"]) for row in rows if "validation" in row]
    assert [step for step, _ in validations] == [2, 4, 6]
    assert validations[-1][1] == result.validation.to_dict()
    assert result.best_validation_loss == min(found["loss"] for _, found in validations)
    assert result.flops_per_second == pytest.approx(1e6 * result.tokens / result.seconds)


def test_the_callers_random_numbers_are_left_alone() -> None:
    model = build()
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    train(model, whole_step("decoder"), head_loss, settings())
    assert torch.equal(torch.rand(3), expected)


def test_a_validation_changes_no_weight() -> None:
    models = [build(), build()]
    for model, every in zip(models, (None, 1), strict=True):
        held_out = [batch("decoder", 1000)]
        train(
            model,
            whole_step("decoder"),
            head_loss,
            settings(validate_every=every),
            validate=lambda m, held_out=held_out: validate(m, held_out, head_loss),
        )
    for one, other in zip(*(model.parameters() for model in models), strict=True):
        assert torch.equal(one, other)


def poisoned(kind: str, at: int, value: float):
    """A loss that is `value` times itself at one step."""
    calls = []

    def loss_fn(model: nn.Module, example: Batch) -> LossSum:
        part = head_loss(model, example)
        calls.append(part)
        return LossSum(part.loss_sum * value, part.targets) if len(calls) == at + 1 else part

    return loss_fn


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_step_that_is_not_finite_is_never_applied(value: float) -> None:
    model, other, saved = build(), build(), []
    with pytest.raises(TrainingError, match=r"At step 3 .*the gradient of .* is not finite") as error:
        train(model, whole_step("decoder"), poisoned("decoder", 3, value), settings(), save=saved.append)
    assert "Lower learning_rate" in str(error.value)
    assert saved == []
    stop = Stop()
    train(
        other,
        whole_step("decoder"),
        head_loss,
        settings(),
        report=lambda row: stop.request("the test") if row["step"] == 3 else None,
        stop=stop,
    )
    for one, expected in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, expected)


def test_a_gradient_that_is_not_finite_under_a_finite_loss() -> None:
    model = build()
    model.decoder.final_norm.weight.register_hook(lambda gradient: gradient * math.inf)
    with pytest.raises(TrainingError, match=r"the gradient of decoder\.final_norm\.weight is not finite"):
        train(model, whole_step("decoder"), head_loss, settings())


def test_a_spike_that_stays_stops_the_run_and_saves_nothing_of_it() -> None:
    saved: list[TrainState] = []

    def loss_fn(model: nn.Module, example: Batch) -> LossSum:
        part = head_loss(model, example)
        high = len(steps) >= 5
        return LossSum(part.loss_sum + 3 * part.targets, part.targets) if high else part

    steps: list[dict] = []
    with pytest.raises(TrainingError, match=r"At step 9 the loss is .* for 4 steps in a row") as error:
        train(
            build(),
            whole_step("decoder"),
            loss_fn,
            settings(steps=30, spike_steps=4, checkpoint_every=1),
            save=saved.append,
            report=steps.append,
        )
    assert "spike_nats" in str(error.value)
    assert [state.step for state in saved] == [1, 2, 3, 4, 5]


def test_a_step_without_targets_is_an_error() -> None:
    empty = Batch(torch.ones(2, 4, dtype=torch.long), torch.full((2, 4), IGNORE))
    with pytest.raises(TrainingError, match="Step 0 has no target"):
        train(build(), lambda step: [empty], head_loss, settings())


def test_sigterm_saves_and_leaves_and_the_handlers_come_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    saved: list[TrainState] = []
    result = train(
        build(),
        whole_step("decoder"),
        head_loss,
        settings(),
        save=saved.append,
        report=lambda row: signal.raise_signal(signal.SIGTERM) if row["step"] == 2 else None,
    )
    assert not result.finished
    assert result.stopped_by == "SIGTERM"
    assert [state.step for state in saved] == [2]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_stop_in_the_last_step_still_ends_a_whole_run() -> None:
    stop, held_out = Stop(), [batch("decoder", 1000)]
    result = train(
        build(),
        whole_step("decoder"),
        head_loss,
        settings(),
        validate=lambda m: validate(m, held_out, head_loss),
        report=lambda row: stop.request("late") if row["step"] == 6 else None,
        stop=stop,
    )
    assert result.finished
    assert result.stopped_by is None
    assert result.validation is not None


def test_checkpoints_by_steps_by_seconds_and_at_the_best() -> None:
    def saved(**changes: object) -> list[int]:
        states: list[TrainState] = []
        losses = iter([3.0, 2.0, 2.5, 1.0])
        train(
            build(),
            whole_step("decoder"),
            head_loss,
            settings(**{"steps": 4, "checkpoint_every_seconds": None, **changes}),
            save=states.append,
            validate=lambda m: type(validate(m, [], head_loss))(next(losses), 1),
        )
        return [state.step for state in states]

    assert saved(keep_best=False) == [4]
    assert saved(keep_best=False, checkpoint_every=2) == [2, 4]
    assert saved(keep_best=False, checkpoint_every_seconds=1e-9) == [1, 2, 3, 4]
    assert saved(validate_every=1) == [1, 2, 4]


def validated(losses: list[float], **changes: object) -> tuple[TrainResult, list[TrainState]]:
    """A run whose validations give these losses, and the states that were saved."""
    states: list[TrainState] = []
    given = iter(losses)
    result = train(
        build(),
        whole_step("decoder"),
        head_loss,
        settings(**{"validate_every": 1, "checkpoint_every_seconds": None, **changes}),
        save=states.append,
        validate=lambda model: Validation(next(given), 1),
    )
    return result, states


def test_patience_ends_a_run_whose_validation_loss_does_not_fall() -> None:
    result, states = validated([3.0, 2.0, 2.5, 2.0, 1.0], steps=9, patience=2)
    assert result.finished
    assert (result.steps, result.best_step, result.best_validation_loss) == (4, 2, 2.0)
    assert [state.step for state in states] == [1, 2, 4]
    assert states[-1].ended(settings(steps=9, validate_every=1, patience=2))


def test_a_fall_starts_the_patience_anew() -> None:
    result, _ = validated([3.0, 3.5, 2.0, 2.5, 1.0, 1.5], steps=6, patience=2)
    assert (result.steps, result.best_step) == (6, 5)


def test_a_checkpoint_before_its_validation_is_saved_again_where_it_is_the_best() -> None:
    """A run that is stopped saves first; what continues it validates that step, and must be able to keep it."""
    states: list[TrainState] = []
    train(
        build(),
        whole_step("decoder"),
        head_loss,
        settings(steps=2, validate_every=1, checkpoint_every_seconds=None),
        state=TrainState(step=1),
        save=states.append,
        validate=lambda model: Validation(1.0, 1),
    )
    assert [(state.step, state.validation_loss_here) for state in states] == [(1, 1.0), (2, 1.0)]
