"""What is asked of a model: a step of training and a request, with an assumption for all that nobody said. No torch."""

__all__ = ["Asked", "Settings"]

from dataclasses import dataclass
from typing import Any, get_args

from trivium.adapt.lora import Lora
from trivium.architecture import Architecture
from trivium.errors import UsageError, nearest
from trivium.plan.devices import Device
from trivium.plan.inference import Request
from trivium.plan.serving import WeightFormat
from trivium.plan.workload import OptimizerName, PrecisionName, Sharding, Workload

#: The longest row that is assumed: what the families of this size class were trained on.
_LENGTH = 2048
#: Positions of an encoder's row that bear a loss (Devlin et al. 2019, section 3.1).
_MASKED_SHARE = 0.15
#: Tokens of training for each parameter (Hoffmann et al. 2022, section 3.4).
_TOKENS_PER_PARAMETER = 20


@dataclass(frozen=True)
class Settings:
    """What a person may say. None is assumed, and the assumption is said.

    Of training: `rows` of a micro-batch on each device, each of `length` tokens (and `outputs` that a decoder beside an
    encoder writes), `tokens` of the whole run, of which an encoder's `targets` a row bear a loss. Of inference:
    `requests` at once, each of `prompt_tokens` with `new_tokens` written, from `weights` of that format.
    """

    rows: int = 1
    length: int | None = None
    outputs: int | None = None
    targets: int | None = None
    tokens: float | int | None = None
    masked: bool = False
    precision: str | None = None
    optimizer: str = "adamw"
    activation_checkpointing: bool = False
    accumulation: int = 1
    lora_rank: int | None = None
    sharding: str | None = None
    requests: int = 1
    prompt_tokens: int | None = None
    new_tokens: int | None = None
    weights: str | None = None


@dataclass(frozen=True)
class Asked:
    """A step, a request, the tokens of the run, and what was assumed to get there."""

    workload: Workload
    request: Request
    tokens: float
    assumptions: tuple[str, ...]

    @classmethod
    def of(cls, architecture: Architecture, said: Settings, device: Device | None, ranks: int) -> "Asked":
        """Fill in what was not said. Raises `UsageError` for a word or a number that cannot be."""
        assumed: list[str] = []
        length = _length(architecture, said.length, assumed)
        pair, encoder = architecture.kind == "encoder-decoder", architecture.kind == "encoder"
        outputs = said.outputs
        if pair and outputs is None:
            outputs = length
            assumed.append(f"{length:,} tokens written for as many read (--output-length)")
        targets = None if said.targets is None else said.targets * said.rows
        if encoder and targets is None:
            targets = max(1, round(_MASKED_SHARE * length * said.rows))
            assumed.append(f"a loss at {_MASKED_SHARE:.0%} of the tokens, as masked models have it (--targets)")
        precision = said.precision
        if precision is None:
            precision = "float32" if device is not None and device.half_format == "float32" else "bfloat16"
            assumed.append(f"matrix products in {precision}, everything else in float32 (--precision)")
        sharding = said.sharding
        if sharding is None:
            sharding = "weights" if ranks > 1 else "none"
            if ranks > 1:
                assumed.append("weights, gradients and states shared by the devices, FSDP or ZeRO-3 (--sharding)")
        workload = Workload(
            architecture,
            rows=said.rows,
            inputs=length,
            outputs=outputs,
            targets=targets,
            masked=said.masked,
            precision=_one_of(precision, PrecisionName, "precision"),
            optimizer=_one_of(said.optimizer, OptimizerName, "optimizer"),
            activation_checkpointing=said.activation_checkpointing,
            accumulation=said.accumulation,
            lora=None if said.lora_rank is None else Lora(rank=said.lora_rank),
            ranks=ranks,
            sharding=_one_of(sharding, Sharding, "sharding"),
        )
        tokens = said.tokens
        if tokens is None:
            tokens = float(_TOKENS_PER_PARAMETER * architecture.parameters)
            assumed.append(f"{_TOKENS_PER_PARAMETER} tokens of training a parameter, the compute-optimal (--tokens)")
        elif not 0 < tokens < float("inf"):
            raise UsageError(f"A training reads a number of tokens above 0, got {tokens:g}.")
        return cls(workload, _request(architecture, said, length, assumed), float(tokens), tuple(assumed))


def _length(architecture: Architecture, said: int | None, assumed: list[str]) -> int:
    context = architecture.context or architecture.stacks[0].trained_length
    if said is None:
        length = min(_LENGTH, context or _LENGTH)
        assumed.append(f"rows of {length:,} tokens (--length)")
        return length
    if architecture.context is not None and said > architecture.context:
        raise UsageError(
            f"This model has {architecture.context:,} positions, so that rows cannot have {said:,} tokens."
        )
    return said


def _request(architecture: Architecture, said: Settings, length: int, assumed: list[str]) -> Request:
    writes = architecture.decoder is not None
    alone = writes and architecture.encoder is None
    new = said.new_tokens
    if new is None:
        new = max(1, length // 4) if writes else 0
    prompt = said.prompt_tokens
    if prompt is None:
        prompt = max(1, length - new) if alone else length
    if said.prompt_tokens is None and said.new_tokens is None:
        read = f"requests of {prompt:,} tokens"
        assumed.append(f"{read} with {new:,} written (--prompt-tokens, --new-tokens)" if writes else f"{read}")
    weights = said.weights
    if weights is None:
        weights = "bfloat16"
        assumed.append("weights in 16 bits for inference (--weights)")
    return Request(architecture, said.requests, prompt, new, _one_of(weights, WeightFormat, "weights"))


def _one_of(word: str, names: object, what: str) -> Any:
    known = get_args(names)
    if word not in known:
        raise UsageError(f"There is no {what} '{word}'.{nearest(word, known)} There are: {', '.join(known)}.")
    return word
