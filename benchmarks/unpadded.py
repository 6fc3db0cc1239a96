"""What padding costs a fine-tuning, and what is cheapest instead of it; writes unpadded.md beside itself.

    python benchmarks/unpadded.py             two cores take about five minutes
    python benchmarks/unpadded.py --steps 2   a proof that it runs; writes nothing

Forward and backward pass of MiniLM over the same steps of 32 examples, each made into batches in several ways: padded
to the longest; in order of length in several batches, each padded to its own longest; packed, several texts to a row of
so many tokens. The gradient is the same in all. Seconds are the processor's, so that others may use the machine too,
the median of the steps, with one thread.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

import trivium
from trivium.data.example_reader import read_examples
from trivium.finetune.batching import Shuffled
from trivium.finetune.heads import starting_model
from trivium.finetune.labels import labels_of
from trivium.finetune.prepared import Prepared
from trivium.finetune.registry import TASKS
from trivium.finetune.settings import FineTuneSettings
from trivium.model import Transformer
from trivium.objectives.batch import Batch
from trivium.objectives.collate import packed, padded
from trivium.objectives.row import Row

Way = Callable[[Sequence[Row]], Iterable[Batch]]


def by_length(rows: Sequence[Row], parts: int) -> list[Batch]:
    """Batches of about equally long texts."""
    ordered = sorted(rows, key=lambda row: len(row.input_ids))
    return [padded([ordered[n] for n in places], 0) for places in np.array_split(np.arange(len(rows)), parts)]


WAYS: dict[str, Way] = {
    "padded to the longest": lambda rows: [padded(rows, 0)],
    "by length, 2 batches": lambda rows: by_length(rows, 2),
    "by length, 4 batches": lambda rows: by_length(rows, 4),
    "by length, 8 batches": lambda rows: by_length(rows, 8),
    "packed to the longest": lambda rows: [packed(rows, 0, 1)],
    "packed to 64 tokens": lambda rows: [packed(rows, 0, 64)],
    "packed to 128 tokens": lambda rows: [packed(rows, 0, 128)],
    "packed to 256 tokens": lambda rows: [packed(rows, 0, 256)],
    "packed to 512 tokens": lambda rows: [packed(rows, 0, 512)],
}


def measured(model: Transformer, ready: Prepared, way: Way, steps: int) -> tuple[float, float]:
    """The median step's processor seconds, and the share of what is read that is padding."""
    shuffled = Shuffled(ready.rows, 32, seed=0)
    seconds, read, held = [], 0, 0
    for step in range(steps + 1):
        begin = time.process_time()
        for batch in way(shuffled(step)):
            torch.autograd.backward(ready.loss_fn(model, batch).loss_sum)
            read, held = read + batch.tokens, held + batch.input_ids.numel()
        seconds.append(time.process_time() - begin)
        model.zero_grad()
    return statistics.median(seconds[1:]), 1 - read / held


def main() -> None:
    """Measure, print, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=16)
    steps = parser.parse_args().steps
    torch.set_num_threads(1)
    lm = trivium.load("minilm", device="cpu")
    lines = [
        "| data | tokens of a text | batches | padding | seconds a step | of padded |",
        "|---|---:|---|---:|---:|---:|",
    ]
    print("\n".join(lines))
    for name in ("reviews", "conll2003"):
        examples = read_examples(name, limit=32 * (steps + 1))
        ready = TASKS[examples.form](lm, examples, labels_of(examples), FineTuneSettings())
        model = starting_model(lm.model, ready.architecture, seed=0).train()
        whole = 0.0
        for title, way in WAYS.items():
            seconds, padding = measured(model, ready, way, steps)
            whole = whole or seconds
            mean = ready.tokens / len(ready.rows)
            lines.append(f"| {name} | {mean:.1f} | {title} | {padding:.0%} | {seconds:.3f} | {seconds / whole:.0%} |")
            print(lines[-1], flush=True)
    if steps >= 16:
        head = "# Batches without padding\n\nWritten by `benchmarks/unpadded.py`, which says what is measured.\n"
        Path(__file__).with_suffix(".md").write_text("\n".join([head, *lines, ""]))


if __name__ == "__main__":
    main()
