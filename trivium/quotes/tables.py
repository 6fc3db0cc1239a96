"""A quote as a person reads it: rows of tables, and lines below them. No torch."""

__all__ = [
    "COMPUTE_COLUMNS",
    "MEMORY_COLUMNS",
    "compute_rows",
    "headline",
    "lines",
    "memory_rows",
    "plan_lines",
    "size_text",
]

from collections.abc import Iterator

from trivium.plan.compute import petaflop_s_days, textbook_equivalences
from trivium.plan.textbook import rules_for_holding, rules_for_inference, rules_for_training
from trivium.quotes.quote import ModelQuote
from trivium.scaling.budget_plan import BudgetPlan

#: Above the rows of memory.
MEMORY_COLUMNS = ("memory of a device", "to hold", "to answer", "to train")
#: Above the rows of time.
COMPUTE_COLUMNS = ("device", "peak, TFLOP/s", "at", "device-hours", "at published shares", "days on all", "price")

_ITEMS = ("weights", "gathered", "gradients", "optimizer", "cache", "source", "logits", "temporaries", "activations")


def headline(quote: ModelQuote) -> str:
    """What model it is."""
    architecture = quote.architecture
    depth = " + ".join(str(stack.depth) for stack in architecture.stacks)
    sizes = f"{architecture.parameters:,} parameters ({architecture.non_embedding_parameters:,} without embeddings)"
    return f"{quote.name}: {architecture.kind}, {sizes}, {depth} layers of {architecture.dim:,} channels"


def memory_rows(quote: ModelQuote) -> Iterator[tuple[str, ...]]:
    """Items, their total, and the textbook's figures below."""
    held = {"weights": quote.held[quote.asked.request.weights]}
    columns = (held, quote.inference.items, quote.on_each.items)
    for item in _ITEMS:
        if any(item in column for column in columns):
            yield item, *(size_text(column[item]) if item in column else "" for column in columns)
    yield "all", *(size_text(sum(column.values())) for column in columns)
    kind = f"hold in {quote.asked.request.weights}"
    hold = next(rule for rule in rules_for_holding(quote.architecture) if rule.name == kind)
    (answer,), (train, *_) = rules_for_inference(quote.asked.request), rules_for_training(quote.asked.workload)
    yield "by the textbook", *(size_text(rule.bytes) for rule in (hold, answer, train))


def compute_rows(quote: ModelQuote) -> Iterator[tuple[object, ...]]:
    """The time of the whole run on each device that is shown."""
    from trivium.plan.devices import DEVICES

    for time in quote.times:
        device = quote.device if quote.device is not None else DEVICES[time.device]
        low, high = time.device_hours_range
        yield (
            f"{time.devices} x {device.title}" if time.devices > 1 else device.title,
            device.flops_per_second[time.format] / 1e12,
            f"{time.utilisation:.0%}",
            _count(time.device_hours),
            f"{_count(low)} to {_count(high)}",
            _count(time.days),
            None if time.price is None else f"{time.price:,.0f}",
        )


def lines(quote: ModelQuote) -> Iterator[tuple[str, str]]:
    """What stands below the tables: a word, and what is said of it."""
    work, request, run = quote.asked.workload, quote.asked.request, quote.run
    pair = f" + {work.written:,}" if quote.architecture.kind == "encoder-decoder" else ""
    yield (
        "training",
        f"{work.rows} rows of {work.inputs:,}{pair} tokens, {work.precision}, {work.optimizer}"
        + (", activation checkpointing" if work.activation_checkpointing else "")
        + ("" if work.lora is None else f", LoRA of rank {work.lora.rank}")
        + (f", {work.accumulation} micro-batches a step" if work.accumulation > 1 else "")
        + f"; the peak is in the {quote.training.peak_phase}",
    )
    kinds = ", ".join(f"{kind} {size_text(size)}" for kind, size in quote.training.activations.items())
    yield "activations", f"{kinds}, on a device that holds all weights"
    kept = f", {request.outputs:,} written" if request.outputs else ""
    yield "answering", f"{request.rows} requests of {request.inputs:,} tokens{kept}, weights in {request.weights}"
    yield "to hold", ", ".join(f"{size_text(size)} in {kind}" for kind, size in quote.held.items())
    for verdict in (quote.inference_verdict, quote.training_verdict):
        if verdict is not None:
            for number, line in enumerate(verdict.lines):
                yield ("verdict" if number == 0 else ""), line
    for rule in (*rules_for_training(work), *rules_for_inference(request)):
        yield "rule of thumb", str(rule)
    yield (
        "compute",
        f"{run.exact / run.tokens:.4g} FLOPs a token, {run.exact:.4g} for {run.tokens:.4g} tokens: "
        f"{petaflop_s_days(run.exact):.4g} petaflop/s-days; by the rule {_rule(quote)} {run.rule:.4g} "
        f"({run.rule / run.exact - 1:+.1%})"
        + (f"; with recomputation {run.hardware:.4g}" if run.hardware > run.exact else ""),
    )
    yield (
        "claim",
        '"1 petaflop/s-day = 8 V100 or 2 A100 for a day": '
        + " ".join(each.verdict for each in textbook_equivalences()),
    )
    if quote.here is not None:
        seconds = quote.here.step_seconds
        yield (
            "here",
            f"a step of {work.tokens:,} tokens takes {seconds:.3g} s, all {quote.steps:,.0f} steps "
            f"{_duration(quote.steps * seconds)} (the calibration misses by {quote.here.error:.0%} in the median)",
        )
    if quote.request.request_seconds is not None:
        yield "latency", f"a request takes {quote.request.request_seconds:.3g} s at least"
    if quote.loss is not None:
        yield "loss", f"{quote.loss:.3f} nats a token of {quote.law.tokenizer} by {quote.law.title}"
    for warning in quote.warnings:
        yield "note", warning
    if quote.asked.assumptions:
        yield "assumed", "; ".join(quote.asked.assumptions)


def plan_lines(plan: BudgetPlan) -> Iterator[tuple[str, str]]:
    """What a budget buys."""
    architecture, recipe = plan.architecture, plan.recipe
    layer = architecture.output_stack.pattern[0]
    depth = " + ".join(str(stack.depth) for stack in architecture.stacks)
    yield "law", f"{plan.law.title} [{plan.law.source}]"
    yield (
        "model",
        f"{architecture.family}, {plan.parameters:,} parameters: {depth} layers of {architecture.dim:,} channels, "
        f"{layer.attention.heads} heads of {layer.attention.head_dim}, MLP of {layer.mlp.hidden:,}, vocabulary "
        f"{architecture.vocab:,}, rows of {plan.context:,} tokens",
    )
    yield (
        "data",
        f"{plan.tokens:.4g} tokens, {plan.tokens / plan.parameters:.3g} a parameter"
        + ("" if plan.epochs is None else f", {plan.epochs:.3g} epochs"),
    )
    yield "loss", f"{plan.loss:.3f} nats a token of {plan.loss_law.tokenizer}"
    yield (
        "steps",
        f"{recipe.steps:,} of {recipe.batch_tokens:,} tokens ({recipe.rows:,} rows), learning rate "
        f"{recipe.learning_rate:.2g} after {recipe.warmup_steps:,} steps, then {recipe.schedule} down to "
        f"{recipe.floor:.0%}",
    )
    for note in plan.notes:
        yield "note", note
    for warning in plan.warnings:
        yield "careful", warning


def size_text(size: float | int) -> str:
    """Bytes in decimal units, as makers of devices count: 6.23 GB."""
    scale, unit = next(((s, u) for s, u in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")) if size >= s), (1e3, "kB"))
    return f"{size / scale:,.3g} {unit}" if size < 1000 * scale else f"{size / scale:,.0f} {unit}"


def _count(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"


def _rule(quote: ModelQuote) -> str:
    return "3ND" if quote.architecture.kind == "encoder-decoder" else "6ND"


def _duration(seconds: float) -> str:
    for size, name in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.3g} {name}"
    return f"{seconds:.3g} seconds"
