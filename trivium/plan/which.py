"""Which family, objective and size for a task, under limits of memory and time. No torch, unless this machine is asked.

    which("classify support tickets by urgency", device="l4", latency_ms=10, examples=5000)

The task and the labels decide the kind (`advice`); the largest published model of that kind that fits the limits is the
size (`candidates`). Limits never change the kind: where nothing fits, the error says what would. Only a text longer
than a kind can read rules it out.
"""

__all__ = ["PLENTY", "which"]

from collections.abc import Iterator, Sequence

from trivium.errors import BudgetError, UsageError, nearest
from trivium.plan.advice import ADAPTATIONS, USUAL_WAY, Option, Way, options_for
from trivium.plan.candidates import Candidate, Limits, candidates, largest, next_larger
from trivium.plan.devices import Device, device_named
from trivium.plan.recommendation import Pick, Recommendation
from trivium.plan.serving import BYTES, COMPUTE_SHARE, WeightFormat
from trivium.plan.tasks import Task, Understood, understand

#: From so many labelled examples on, fine-tuning; fewer go into the prompt.
PLENTY = 1000
_SHOTS = 4
_ASSUMED_BYTES = 24_000_000_000


def which(
    task: str,
    *,
    device: str | None = None,
    memory_gb: float | int | None = None,
    latency_ms: float | int | None = None,
    per_token: bool = False,
    input_tokens: int | None = None,
    output_tokens: int | None = None,
    examples: int | None = None,
    fine_tune: bool | None = None,
    dtype: str | None = None,
) -> Recommendation:
    """Recommend a family, an objective and a size for a task in plain words.

    `device` is a name of `trivium.plan.devices` or "here"; `memory_gb` (10^9 bytes) limits a request with the weights;
    `latency_ms` limits a request, or with `per_token` each token written; `examples` are labelled ones at hand;
    `dtype` is the weights' format, by default the device's 16 bits. Raises `UsageError` for a task that is unclear, an
    unknown device or wishes that contradict each other, and `BudgetError` where no published model fits.
    """
    _check(memory_gb=memory_gb, latency_ms=latency_ms, input_tokens=input_tokens, output_tokens=output_tokens)
    understood = understand(task)
    chosen = None if device is None else device_named(device)
    if latency_ms is not None and chosen is None:
        raise UsageError("How long a request takes depends on the device: name one, or this machine by --device here.")
    if per_token and latency_ms is None:
        raise UsageError("--per-token says what --latency-ms is for: give both, or neither.")
    assumptions: list[str] = []
    way = _way(understood, examples, fine_tune, assumptions)
    inputs = _inputs(understood.task, input_tokens, assumptions)
    limits = Limits(
        inputs=inputs,
        shot_tokens=_shot_tokens(way, inputs, assumptions),
        outputs=_outputs(understood.task, output_tokens, assumptions),
        memory_bytes=_memory(chosen, memory_gb, assumptions),
        latency_seconds=None if latency_ms is None else latency_ms / 1000,
        per_token=per_token,
        weights=_weights(chosen, dtype),
    )
    options = options_for(understood.task.name, way)
    readable = [option for option in options if any(candidate.reads for candidate in candidates(option, limits, None))]
    if not readable:
        raise UsageError(_too_long(options, limits))
    first = readable[0]
    if first is not options[0]:
        assumptions.append(_ruled_out(options[0], limits))
    best = largest(first, limits, chosen)
    if best is None:
        raise BudgetError(_nothing_fits(first, readable[1:], limits, chosen))
    assumptions.append(
        f"one request at a time, weights in {limits.weights}; products reach {COMPUTE_SHARE:.0%} of the peak, reading "
        "memory all of the bandwidth, so true times are rather longer"
    )
    return Recommendation(
        task=understood.task.name,
        what=understood.task.what,
        asked=task,
        way=way,
        limits=limits,
        device=chosen,
        choice=Pick.of(first, best),
        others=tuple(Pick.of(option, largest(option, limits, chosen)) for option in options if option is not first),
        larger=next_larger(first, best, limits, chosen),
        unless=first.unless,
        assumptions=tuple(assumptions),
        adaptations=ADAPTATIONS if way != "fine-tune" else (),
    )


def _check(**limits: float | int | None) -> None:
    for name, value in limits.items():
        least = 0 if name == "output_tokens" else 1e-9
        if value is not None and not least <= value < float("inf"):
            raise UsageError(f"--{name.replace('_', '-')} must be a number above 0, got {value}.")


def _way(understood: Understood, examples: int | None, fine_tune: bool | None, assumptions: list[str]) -> Way:
    """By what is at hand: nothing, some examples, or thousands; and by what the user will do."""
    task, usual = understood.task, USUAL_WAY[understood.task.name]
    if examples is not None and examples < 0:
        raise UsageError(f"--examples is a number of labelled examples, and {examples} is none.")
    if fine_tune and understood.few_shot:
        raise UsageError("Few-shot use is use without training, so --fine-tune contradicts it: leave out one of them.")
    if fine_tune and examples == 0 and task.name not in _NEEDS_NO_LABELS:
        raise UsageError(
            "Fine-tuning for this task learns from labelled examples, and --examples 0 says there are none: leave out "
            "--fine-tune to prompt a model instead, or label some (a thousand is a good start)."
        )
    if fine_tune:
        return "fine-tune"
    if understood.few_shot:
        return "prompt" if examples == 0 else "few-shot"
    if task.name == "embedding":
        return "fine-tune" if fine_tune is None and examples is not None and examples >= PLENTY else "prompt"
    if examples is None:
        if fine_tune is False:
            assumptions.append("nothing is said of labelled examples, so none are assumed (--examples)")
            return "prompt"
        if usual == "fine-tune":
            assumptions.append(f"labelled examples, {PLENTY:,} or more, are at hand to fine-tune on (--examples)")
        return usual
    if examples == 0:
        return "prompt"
    if examples >= PLENTY and fine_tune is None:
        return "fine-tune"
    if examples >= PLENTY:
        assumptions.append("your labelled examples could train a model, and --no-fine-tune leaves all but a few unused")
    elif fine_tune is None:
        assumptions.append(
            f"fewer than {PLENTY:,} labelled examples go into the prompt (a rule of thumb; with hundreds, try "
            "--fine-tune, too)"
        )
    return "few-shot"


#: Tasks that a model learns from plain text.
_NEEDS_NO_LABELS = ("generation", "closed-book-question-answering", "embedding")


def _inputs(task: Task, given: int | None, assumptions: list[str]) -> int:
    if given is None:
        assumptions.append(f"{task.input_tokens:,} tokens of text, as is usual for the task (--input-tokens)")
    return task.input_tokens if given is None else given


def _shot_tokens(way: Way, inputs: int, assumptions: list[str]) -> int:
    if way != "few-shot":
        return 0
    assumptions.append(f"{_SHOTS} examples in the prompt, each as long as the text")
    return _SHOTS * inputs


def _outputs(task: Task, given: int | None, assumptions: list[str]) -> int:
    if given is None and task.output_tokens:
        assumptions.append(f"{task.output_tokens:,} tokens written by what writes (--output-tokens)")
    return task.output_tokens if given is None else given


def _memory(device: Device | None, memory_gb: float | int | None, assumptions: list[str]) -> int:
    """The tighter of the device's and the user's."""
    limits = [round(memory_gb * 1e9)] if memory_gb is not None else []
    limits += [device.memory_bytes] if device is not None else []
    if not limits:
        assumptions.append("no limit is given, so the memory of a common GPU is assumed: 24 GB (--memory-gb, --device)")
        return _ASSUMED_BYTES
    return min(limits)


def _weights(device: Device | None, dtype: str | None) -> WeightFormat:
    if dtype is None:
        half = "bfloat16" if device is None else device.half_format
        return "float16" if half == "float16" else "float32" if half == "float32" else "bfloat16"
    known = next((name for name in BYTES if name == dtype), None)
    if known is None:
        raise UsageError(f"There is no weight format '{dtype}'.{nearest(dtype, BYTES)} There are: {', '.join(BYTES)}.")
    return known


def _longest(option: Option, limits: Limits) -> int:
    return max(candidate.longest or 0 for candidate in candidates(option, limits, None))


def _ruled_out(option: Option, limits: Limits) -> str:
    return (
        f"{_an(option.kind)} would come first, but reads {_longest(option, limits):,} tokens at most, and the text "
        f"has {limits.inputs:,}"
    )


def _too_long(options: Sequence[Option], limits: Limits) -> str:
    longest = max(_longest(option, limits) for option in options)
    reads = f"{limits.inputs:,} tokens" + (f" and {limits.shot_tokens:,} of examples" if limits.shot_tokens else "")
    return (
        f"No published model for this reads {reads} and writes {limits.outputs:,}: the longest takes {longest:,} "
        "together. Cut the text into parts, or lower --input-tokens."
    )


def _an(kind: str) -> str:
    return f"an {kind}" if kind[0] == "e" else f"a {kind}"


def _nothing_fits(first: Option, others: Sequence[Option], limits: Limits, device: Device | None) -> str:
    """What the smallest would take (the fastest, where memory is enough), and the ways out."""
    reading = [found for found in candidates(first, limits, device) if found.reads]
    roomy = [found for found in reading if found.serving.memory_bytes <= limits.memory_bytes]
    nearest_one = min(
        roomy or reading, key=lambda found: (found.seconds(limits) or 0.0 if roomy else 0.0, found.serving.memory_bytes)
    )
    return " ".join(_ways_out(nearest_one, "fastest" if roomy else "smallest", first, others, limits, device))


def _ways_out(
    near: Candidate, how: str, first: Option, others: Sequence[Option], limits: Limits, device: Device | None
) -> Iterator[str]:
    yield f"No published {first.kind} fits {limits}."
    took = near.seconds(limits)
    yield (
        f"The {how}, {near.name}, takes {near.serving.memory_bytes / 1e9:.3g} GB"
        + ("" if took is None else f" and {took * 1e3:.3g} ms")
        + "."
    )
    fits = next((found for option in others if (found := largest(option, limits, device))), None)
    if fits is not None:
        yield f"Of the other kinds, {fits.name} ({fits.kind}) would fit."
    if BYTES[limits.weights] > BYTES["int4"]:
        yield "Ways out: raise the limit, a faster device, shorter texts, or smaller weights (--dtype int4)."
    else:
        yield "Ways out: raise the limit, a faster device, or shorter texts."
