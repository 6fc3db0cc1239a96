"""The memory of a training step, tensor by tensor: the same on any device, and on tensors without content.

A processor's allocator tells no peak, and resident memory holds what the system has not taken back. So every tensor
that an operation returns is counted here from its first appearance until its last use. What a kernel takes and gives
back inside itself is not seen.
"""

__all__ = ["MemoryTracker", "track"]

import contextlib
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from trivium.train.optimizer import Optimizer


class MemoryTracker(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of tensors that are alive, while it is entered, and remembers the peak and what stood there.

    `hold(kind, tensors)` names tensors, also those from before it was entered: weights, gradients, optimizer states.
    What nobody names is of the kind "rest".
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.alive = 0
        self.peak = 0
        self.at_peak: Mapping[str, int] = {}
        self._kinds: dict[int, str] = {}
        self._sizes: dict[int, int] = {}
        self._by_kind: Counter[str] = Counter()

    def hold(self, kind: str, tensors: Iterable[Tensor]) -> None:
        """Say what these tensors are. The ones that are already counted change their kind."""
        for tensor in tensors:
            key = self._see(tensor)
            self._by_kind[self._kinds[key]] -= self._sizes[key]
            self._by_kind[kind] += self._sizes[key]
            self._kinds[key] = kind

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run the operation and count what it returns."""
        out = func(*args, **(kwargs or {}))
        for value in tree_iter(out):
            if isinstance(value, Tensor):
                self._see(value)
        return out

    def _see(self, tensor: Tensor) -> int:
        storage = tensor.untyped_storage()
        key = int(storage._cdata)
        size = storage.nbytes()
        if key not in self._sizes:
            self._sizes[key], self._kinds[key] = size, "rest"
            weakref.finalize(storage, self._forget, key).atexit = False
            self._by_kind["rest"] += size
            self._grow(size)
        return key

    def _grow(self, size: int) -> None:
        self.alive += size
        if self.alive > self.peak:
            self.peak, self.at_peak = self.alive, dict(self._by_kind)

    def _forget(self, key: int) -> None:
        size = self._sizes.pop(key)
        self._by_kind[self._kinds.pop(key)] -= size
        self.alive -= size


@contextlib.contextmanager
def track(model: nn.Module, optimizer: Optimizer) -> Iterator[MemoryTracker]:
    """Count a training step's memory: weights, gradients, optimizer (its states), and the rest, activations mostly.

    Track the second step or a later one: the first makes the optimizer's states.
    """
    tracker = MemoryTracker()
    tracker.hold("weights", [*model.parameters(), *model.buffers()])
    tracker.hold("optimizer", optimizer.state_dict().values())

    def name_gradient(parameter: Tensor) -> None:
        assert parameter.grad is not None
        tracker.hold("gradients", [parameter.grad])

    hooks = [
        p.register_post_accumulate_grad_hook(name_gradient)  # type: ignore[no-untyped-call]
        for p in optimizer.parameters
    ]
    try:
        with tracker:
            yield tracker
    finally:
        for hook in hooks:
            hook.remove()
