"""What the time of a step is summed from: how much of each kind of work it holds. No torch.

    products       operations of matrix products, by number format; and the bytes that they read and write
    scores         pairs of query and key, by how attention is told who sees whom: each form has its own kernel
    biases         numbers of learned biases, a head and pair of places, which are looked up once for all rows
    logits         numbers that the loss passes over
    channels       numbers that norms, activations and residual sums pass over
    updates        weights that AdamW or Muon changes; Muon's own matrix products are among the products
    calls          operations started, each of which costs something however small it is

The time is their weighted sum: a machine is described by one weight for each (`profile`).
"""

__all__ = ["FEATURES", "step_features"]

from collections import Counter
from functools import lru_cache

from trivium.architecture import Layer, RelativeBuckets, Rotary, Stack
from trivium.plan.operations import Linear, Scores, operations
from trivium.plan.workload import Workload

#: Every kind of work, in the order of a feature's row.
FEATURES: tuple[str, ...] = (
    "float32 products",
    "bfloat16 products",
    "bytes of products",
    "full scores",
    "causal scores",
    "matrix scores",
    "unfused scores",
    "biases",
    "logits",
    "channels",
    "AdamW updates",
    "Muon updates",
    "calls",
)

#: Newton-Schulz rounds of Muon (`trivium.train.muon`).
_ROUNDS = 5
#: Operations that a sublayer starts beside its products, and attention, forward: norm, split, activation, sum.
_CALLS_OF_A_SUBLAYER, _CALLS_OF_SCORES = 5, 2
#: What an exponential or an error function costs, in simple passes over the same numbers.
_TRANSCENDENTAL = 2


@lru_cache(maxsize=256)
def step_features(workload: Workload) -> tuple[float, ...]:
    """How much of each of `FEATURES` a step holds."""
    found: Counter[str] = Counter()
    for each in operations(workload):
        match each:
            case Linear():
                _count_linear(each, workload, found)
            case Scores():
                _count_scores(each, found)
    _count_channels(workload, found)
    found["logits"] += (
        0 if workload.architecture.head is None else workload.head_positions * workload.architecture.vocab
    )
    for name in found:
        found[name] *= workload.accumulation
    _count_updates(workload, found)
    return tuple(float(found[name]) for name in FEATURES)


def _product(rows: int, inner: int, columns: int, times: int, workload: Workload, found: Counter[str]) -> None:
    found[f"{workload.precision} products"] += times * 2 * rows * inner * columns
    size = 2 if workload.precision == "bfloat16" else 4
    found["bytes of products"] += times * size * (rows * inner + inner * columns + rows * columns)
    found["calls"] += times


def _count_linear(linear: Linear, workload: Workload, found: Counter[str]) -> None:
    times = 1 + linear.recomputed + linear.trained + linear.passed
    _product(linear.rows, linear.inputs, linear.outputs, times, workload, found)


def _count_scores(scores: Scores, found: Counter[str]) -> None:
    passes = 1 + scores.recomputed + (scores.gradients > 0)
    found[f"{scores.form} scores"] += passes * scores.rows * scores.heads * scores.queries * scores.keys
    found["calls"] += passes * _CALLS_OF_SCORES


def _count_channels(workload: Workload, found: Counter[str]) -> None:
    architecture, passes = workload.architecture, 3 if workload.activation_checkpointing else 2
    lengths = (workload.inputs, workload.written) if len(architecture.stacks) == 2 else (workload.inputs,)
    for stack, tokens in zip(architecture.stacks, lengths, strict=True):
        numbers = sum(_channels(layer, architecture.dim) for layer in stack.layers)
        found["channels"] += passes * workload.rows * tokens * numbers
        found["calls"] += passes * _CALLS_OF_A_SUBLAYER * sum(_sublayers(layer) for layer in stack.layers)
        heads = sum(heads for position, heads in stack.positions if isinstance(position, RelativeBuckets))
        found["biases"] += (2 if workload.lora is None else 1) * heads * tokens**2


def _sublayers(layer: Layer) -> int:
    return 2 + (layer.cross_attention is not None)


def _channels(layer: Layer, dim: int) -> int:
    """Numbers a token that pass through something else than a product, forward."""
    norms = (layer.norms.before is not None) + (layer.norms.after is not None)
    activated = layer.mlp.hidden * (_TRANSCENDENTAL if layer.mlp.activation != "relu" else 1)
    gated = layer.mlp.hidden if layer.mlp.gated else 0
    turned = 0
    if isinstance(layer.position, Rotary):
        turned = layer.attention.query_dim + layer.attention.key_value_dim
    return _sublayers(layer) * dim * (1 + 2 * norms) + activated + gated + turned


def _count_updates(workload: Workload, found: Counter[str]) -> None:
    trained = workload.architecture.parameters
    if workload.lora is not None:
        trained = sum(
            each.inputs * each.outputs for each in operations(workload) if isinstance(each, Linear) and each.trained
        )
    matrices = _matrices(workload) if workload.optimizer == "muon" else []
    for rows, columns in matrices:
        low, high = min(rows, columns), max(rows, columns)
        _product(low, high, low, _ROUNDS, workload, found)
        _product(low, low, low, _ROUNDS, workload, found)
        _product(low, low, high, _ROUNDS, workload, found)
        found["Muon updates"] += rows * columns
    found["AdamW updates"] += trained - found["Muon updates"]


def _matrices(workload: Workload) -> list[tuple[int, int]]:
    """Those that Muon makes orthogonal: of the blocks, or LoRA's there."""
    if workload.lora is not None:
        done = [each for each in operations(workload) if isinstance(each, Linear) and each.trained]
        return [(each.inputs, each.outputs) for each in done]
    dim = workload.architecture.dim
    return [shape for stack in workload.architecture.stacks for shape in _matrices_of(stack, dim)]


def _matrices_of(stack: Stack, dim: int) -> list[tuple[int, int]]:
    found = []
    for layer in stack.layers:
        for attention in (layer.attention, layer.cross_attention):
            if attention is not None:
                found += 2 * [(dim, attention.query_dim)] + 2 * [(dim, attention.key_value_dim)]
        found += (3 if layer.mlp.gated else 2) * [(dim, layer.mlp.hidden)]
    return found
