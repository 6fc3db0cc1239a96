"""Everything that is known of a model before it runs: what holds it, trains it and serves it. No torch."""

__all__ = ["HereTime", "ModelQuote", "quote"]

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trivium.architecture import Architecture
from trivium.errors import UsageError
from trivium.plan.compute import DeviceTime, StepFlops, TrainingFlops, device_time, step_flops, training_flops
from trivium.plan.devices import DEVICES, Device, measured_device
from trivium.plan.inference import InferenceMemory, weight_bytes
from trivium.plan.margins import GPU, PROCESSOR
from trivium.plan.memory import TrainingMemory, training_memory
from trivium.plan.named import architecture_of
from trivium.plan.serving import COMPUTE_SHARE, Serving, WeightFormat, serving
from trivium.plan.sharding import ShardedMemory, sharded_memory
from trivium.plan.verdict import Verdict, inference_verdict, training_verdict
from trivium.quotes.asked import Asked, Settings
from trivium.scaling.budget import counted_device
from trivium.scaling.law import Law
from trivium.scaling.laws import DEFAULT_LAW

#: Where no device is named: one of each generation, and a maker beside.
_SHOWN = ("v100-sxm2-32", "a100-sxm-80", "h100-sxm", "b200", "mi300x", "tpu-v5p")
#: The formats that weights are held in, from large to small.
_HELD: tuple[WeightFormat, ...] = ("float32", "bfloat16", "int8", "int4")


@dataclass(frozen=True)
class HereTime:
    """Seconds of a step on this machine, and the median share by which its calibration misses."""

    step_seconds: float
    error: float


@dataclass(frozen=True)
class ModelQuote:
    """Memory, operations, time and loss of one model; bytes, FLOPs, seconds, nats a token.

    `held` are the weights alone by format. `training` is of one device that holds everything, `on_each` of each of
    several that share. Verdicts and `here` are None where no device, or not this machine, is meant.
    `loss` is None where the law says none of such a model.
    """

    name: str
    architecture: Architecture
    asked: Asked
    device: Device | None
    devices: int
    held: Mapping[WeightFormat, int]
    inference: InferenceMemory
    training: TrainingMemory
    on_each: ShardedMemory
    inference_verdict: Verdict | None
    training_verdict: Verdict | None
    step: StepFlops
    run: TrainingFlops
    times: tuple[DeviceTime, ...]
    request: Serving
    law: Law
    loss: float | None
    warnings: tuple[str, ...]
    here: HereTime | None = None

    @property
    def steps(self) -> float:
        """Steps of the whole run."""
        return self.asked.tokens / (self.asked.workload.tokens * self.devices)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        work, request = self.asked.workload, self.asked.request
        return {
            "model": self.name,
            "family": self.architecture.family,
            "kind": self.architecture.kind,
            "parameters": self.architecture.parameters,
            "non_embedding_parameters": self.architecture.non_embedding_parameters,
            "dim": self.architecture.dim,
            "depth": self.architecture.output_stack.depth,
            "device": None if self.device is None else self.device.to_dict(),
            "devices": self.devices,
            "asked": {
                **{
                    field: getattr(work, field)
                    for field in work.__dataclass_fields__
                    if field not in ("architecture", "lora")
                },
                "lora_rank": None if work.lora is None else work.lora.rank,
                "tokens": self.asked.tokens,
                "requests": request.rows,
                "prompt_tokens": request.inputs,
                "new_tokens": request.outputs,
                "weights": request.weights,
            },
            "assumptions": list(self.asked.assumptions),
            "held_bytes": dict(self.held),
            "inference": self.inference.to_dict(),
            "training": self.training.to_dict(),
            "training_on_each_device": self.on_each.to_dict(),
            "inference_verdict": None if self.inference_verdict is None else self.inference_verdict.to_dict(),
            "training_verdict": None if self.training_verdict is None else self.training_verdict.to_dict(),
            "step_flops": self.step.to_dict(),
            "training_flops": self.run.to_dict(),
            "steps": self.steps,
            "times": [time.to_dict() for time in self.times],
            "request": self.request.to_dict(),
            "law": self.law.name,
            "loss": self.loss,
            "warnings": list(self.warnings),
            "here": None if self.here is None else asdict(self.here),
        }

    def plot(self) -> Any:
        """A matplotlib `Figure`: what memory is for, when the model is held, answers, and is trained."""
        from trivium.plan.picture import memory_chart  # matplotlib takes longer to import than all of this

        scenarios = {
            "hold": {"weights": self.held[self.asked.request.weights]},
            "infer": self.inference.items,
            "train": self.on_each.items,
        }
        limit = None if self.device is None else self.device.memory_bytes
        return memory_chart(scenarios, limit, f"{self.name}: memory of each device")


def quote(
    model: str | Path | Architecture,
    settings: Settings | None = None,
    *,
    device: str | Device | None = None,
    devices: int = 1,
    utilisation: float = COMPUTE_SHARE,
    price_per_hour: float | int | None = None,
    law: Law = DEFAULT_LAW,
    adapting: bool = False,
    here: Callable[[Asked], HereTime] | None = None,
) -> ModelQuote:
    """What a model takes: a published name, a config.json, a folder, a hub id, or an `Architecture`.

    `device` is a name with or without a number ("h100", "8xh100"), or "here": this machine, measured; beside a `Device`
    stands `devices`, their number. `utilisation` is the share of its peak that training reaches. `adapting` says that a
    finished model is trained on. `here` predicts a step on this machine. Nothing is allocated, and nothing is
    fetched but a hub id's config.json.

    Raises `UsageError` for a model or a device that is not known and for numbers outside of their limits.
    """
    architecture = model if isinstance(model, Architecture) else architecture_of(model)
    name = f"{architecture.family} of your own" if isinstance(model, Architecture) else str(model)
    count, chosen = _device(device, devices)
    asked = Asked.of(architecture, settings or Settings(), chosen, count)
    work, request = asked.workload, asked.request
    run = training_flops(work, asked.tokens)
    margins = PROCESSOR if chosen is not None and chosen.name == "here" else GPU
    shown = [DEVICES[each] for each in _SHOWN] if chosen is None else [chosen]
    decoder = architecture.kind == "decoder"
    size = law.size_of(architecture)
    return ModelQuote(
        name=name,
        architecture=architecture,
        asked=asked,
        device=chosen,
        devices=count,
        held={kind: weight_bytes(architecture, kind) for kind in _HELD},
        inference=request.memory,
        training=training_memory(work),
        on_each=sharded_memory(work),
        inference_verdict=None if chosen is None else inference_verdict(request, chosen, margins),
        training_verdict=None if chosen is None else training_verdict(work, chosen, margins, adapting),
        step=step_flops(work),
        run=run,
        times=tuple(
            device_time(run.exact, each, utilisation=utilisation, devices=count, price_per_hour=price_per_hour)
            for each in shown
        ),
        request=serving(architecture, request.inputs, request.outputs, request.weights, chosen),
        law=law,
        loss=law.loss(size, asked.tokens) if decoder and not adapting else None,
        warnings=law.beyond(size, asked.tokens) if decoder and not adapting else (),
        here=None if here is None else here(asked),
    )


def _device(device: str | Device | None, devices: int) -> tuple[int, Device | None]:
    if device is None or isinstance(device, Device):
        return devices, device
    count, found = counted_device(device, measured_device)
    if count > 1 and found.name == "here":
        raise UsageError(f"There is one machine here, not {count}: write --device here.")
    return count, found
