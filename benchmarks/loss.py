"""Cross-entropy over the logits' own memory against torch's, forward and backward, in time and in memory.

    python benchmarks/loss.py

Both get a buffer of logits and leave a gradient. Processor seconds, the fastest of a few; memory is what either adds to
the logits at its peak, as a multiple of their size. Freed memory is kept, as in a run.
"""

import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from trivium.train.loss import cross_entropy_in_place
from trivium.train.machine import keep_freed_memory, peak_memory_bytes, reset_peak_memory

CPU = torch.device("cpu")
REPEATS = 4


def ours(logits: Tensor, targets: Tensor) -> None:
    torch.autograd.grad(cross_entropy_in_place(logits.requires_grad_(), targets), logits)


def torch_s(logits: Tensor, targets: Tensor) -> None:
    torch.autograd.grad(F.cross_entropy(logits.requires_grad_().float(), targets, reduction="sum"), logits)


def seconds(loss: Callable[[Tensor, Tensor], None], logits: Tensor, targets: Tensor) -> float:
    times = []
    for _ in range(REPEATS):
        fresh = logits.clone()
        start = time.process_time()
        loss(fresh, targets)
        times.append(time.process_time() - start)
    return min(times)


def added_memory(loss: Callable[[Tensor, Tensor], None], logits: Tensor, targets: Tensor) -> float:
    fresh = logits.clone()
    reset_peak_memory(CPU)
    before = peak_memory_bytes(CPU)
    loss(fresh, targets)
    return (peak_memory_bytes(CPU) - before) / logits.nbytes


def main() -> None:
    cases = [(vocab, dtype) for vocab in (4096, 16_384, 50_257) for dtype in (torch.float32, torch.bfloat16)]
    print(f"{'vocabulary':>10} {'type':<10}{'rows':>6}{'torch':>9}{'ours':>9}{'ratio':>7}   added memory: torch, ours")
    lines = []
    for vocab, dtype in cases:  # memory first: freed memory is still given back, so that a peak is seen
        rows = 2**25 // vocab
        generator = torch.Generator().manual_seed(0)
        logits = (3 * torch.randn(rows, vocab, generator=generator)).to(dtype)
        targets = torch.randint(0, vocab, (rows,), generator=generator)
        lines.append((vocab, dtype, logits, targets, [added_memory(loss, logits, targets) for loss in (torch_s, ours)]))
    keep_freed_memory()
    for vocab, dtype, logits, targets, added in lines:
        theirs, mine = seconds(torch_s, logits, targets), seconds(ours, logits, targets)
        name = str(dtype).removeprefix("torch.")
        print(
            f"{vocab:>10} {name:<10}{len(logits):>6}{theirs:>9.3f}{mine:>9.3f}{theirs / mine:>7.2f}"
            f"   {added[0]:.2f}, {added[1]:.2f}"
        )


if __name__ == "__main__":
    main()
