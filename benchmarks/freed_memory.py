"""What keeping freed memory buys on a training step on a CPU, in time and in resident memory.

    python benchmarks/freed_memory.py

Each line is of processes that alternate, with glibc's own thresholds and with `keep_freed_memory`, each after a
warm-up: processor seconds (a busy machine changes them little) of the fastest and the median step, and the peak of
resident memory over the steps.
"""

import json
import statistics
import subprocess
import sys
import time

import torch

from trivium.families import bert, gpt2, t5
from trivium.model import Transformer
from trivium.objectives.batch import IGNORE, Batch
from trivium.train.loop import take_step
from trivium.train.loss import head_loss
from trivium.train.machine import keep_freed_memory, peak_memory_bytes, reset_peak_memory
from trivium.train.optimizer import build_optimizer
from trivium.train.precision import Precision
from trivium.train.settings import TrainSettings

VOCAB, ROWS, LENGTH, STEPS, ROUNDS = 8192, 8, 256, 6, 2
SHAPES = {
    "encoder": bert.preset(vocab=VOCAB, dim=256, depth=4, heads=4, positions=LENGTH),
    "decoder": gpt2.preset(vocab=VOCAB, dim=256, depth=4, heads=4, positions=LENGTH),
    "encoder-decoder": t5.preset(vocab=VOCAB, dim=256, depth=4, heads=4),
}


def example(kind: str) -> Batch:
    ids = torch.randint(0, VOCAB, (ROWS, LENGTH), generator=torch.Generator().manual_seed(0))
    if kind == "encoder":
        masked = torch.rand(ROWS, LENGTH, generator=torch.Generator().manual_seed(1)) < 0.15
        return Batch(ids, torch.where(masked, ids, IGNORE))
    if kind == "encoder-decoder":
        short = ids[:, : LENGTH // 4]
        return Batch(ids, short, None, short)
    return Batch(ids, ids)


def measure(kind: str, keep: bool) -> None:
    """In a process of its own: the seconds of each step and the peak, as JSON."""
    if keep:
        keep_freed_memory()
    model = Transformer(SHAPES[kind], torch.Generator().manual_seed(0))
    settings = TrainSettings(steps=1000, learning_rate=1e-4)
    optimizer, batch = build_optimizer(model, settings), example(kind)
    times = []
    for step in range(STEPS + 5):
        if step == 5:
            reset_peak_memory(torch.device("cpu"))
        start = time.process_time()
        take_step(model, [batch], head_loss, optimizer, settings, step, Precision("float32"))
        times.append(time.process_time() - start)
    print(json.dumps({"times": times[5:], "peak": peak_memory_bytes(torch.device("cpu"))}))


def main() -> None:
    print(f"{ROWS} rows of {LENGTH}, {torch.get_num_threads()} threads")
    print("Processor seconds a step: fastest, median; peak in MB")
    print(f"{'kind':<17}{'given back':>24}{'kept':>24}{'ratio':>8}")
    for kind in SHAPES:
        found: dict[str, list[dict]] = {"False": [], "True": []}
        for _ in range(ROUNDS):
            for keep, results in found.items():
                command = [sys.executable, __file__, kind, keep]
                results.append(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))
        cells, medians = "", []
        for results in found.values():
            times = [seconds for result in results for seconds in result["times"]]
            medians.append(statistics.median(times))
            peak = max(result["peak"] for result in results) / 1e6
            cells += f"{f'{min(times):.3f}, {medians[-1]:.3f}, {peak:,.0f}':>24}"
        print(f"{kind:<17}{cells}{medians[0] / medians[1]:>8.2f}")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        measure(sys.argv[1], sys.argv[2] == "True")
    else:
        main()
