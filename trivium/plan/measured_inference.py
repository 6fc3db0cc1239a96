"""The memory of inference, measured on the real model: what `inference` computes, held against it.

A request is read and answered as `trivium.decode` does it, greedily. On a processor every tensor is counted from its
first appearance to its last use; on a GPU the allocator tells.
"""

__all__ = ["measured_inference_bytes"]

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from trivium.decode.prompt import pad
from trivium.decode.sampling import Sampling
from trivium.decode.steps import steps
from trivium.model import Transformer
from trivium.train.tracker import MemoryTracker

_COMPOSITE = "CompositeImplicitAutograd"
_COMPOSITE_KEY = torch._C.DispatchKey.CompositeImplicitAutograd


class _OpenTracker(MemoryTracker):  # type: ignore[no-untyped-call]
    """Counts also what composite operations make inside themselves: in inference mode they arrive whole."""

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Open the operation where it has parts, and count it where it has none."""
        # Not `func.decompose`: its rules in Python are for compilers, and copy where the kernels do not.
        if not torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), _COMPOSITE):  # type: ignore[attr-defined]
            return super().__torch_dispatch__(func, types, args, kwargs)
        with self:
            return func._op_dk(_COMPOSITE_KEY, *args, **(kwargs or {}))  # type: ignore[attr-defined]


def measured_inference_bytes(
    model: Transformer, rows: int, inputs: int, outputs: int, start_id: int = 0, shorter: int = 0
) -> int:
    """Peak bytes, weights included, of `rows` prompts of `inputs` tokens that get `outputs` tokens each.

    The last prompt is `shorter` by so many tokens, which pads it. An encoder reads the prompts and says one token of
    each row, as `fill_mask` does; without a head it reads alone.
    """
    device = model.tokens.weight.device
    prompts = [[1] * inputs for _ in range(rows - 1)] + [[1] * (inputs - shorter)]
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        _answer(model, prompts, outputs, start_id)
        return torch.cuda.max_memory_allocated(device)
    tracker = _OpenTracker()
    tracker.hold("weights", model.parameters())
    with tracker:
        _answer(model, prompts, outputs, start_id)
    return tracker.peak


@torch.inference_mode()
def _answer(model: Transformer, prompts: list[list[int]], outputs: int, start_id: int) -> None:
    if model.architecture.kind != "encoder":
        greedy, count = Sampling(temperature=0.0, seed=0).resolve(), len(prompts)
        for _ in steps(model, prompts, greedy, [outputs] * count, [False] * count, start_id):
            pass
        return
    ids, documents = pad(prompts, left=False, device=model.tokens.weight.device)
    hidden = model.encode(ids, documents)
    if model.head is not None:
        model.head(hidden[:, 0]).float().softmax(dim=-1)
