"""The memory of training steps: by formula, simulated, and measured in real steps. Writes benchmarks/memory.md.

    python -m benchmarks.memory              all configurations, three minutes of one core
    python -m benchmarks.memory --only t5    those of one family; nothing is written

Measured is the peak of the second step tensor by tensor (`trivium.train.tracker`), which is what torch's allocator
counts. Errors are of the whole peak, and of what is neither weight nor state ("of the rest"), which is harder.
"""

import argparse
import statistics
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.grid import grid, model, step
from trivium.adapt.lora import Lora
from trivium.families import bart, bert, llama
from trivium.plan.memory import TrainingMemory, training_memory
from trivium.plan.simulate import simulate_step
from trivium.plan.trial import Trial
from trivium.plan.workload import Workload
from trivium.train.tracker import MemoryTracker, track


def configurations() -> list[Workload]:
    """Those of the grid, and a few odd ones: grouped queries, dropout, waves, bands, formats and LoRA mixed."""
    grouped = llama.preset(vocab=4096, dim=256, depth=6, heads=8, kv_heads=2, positions=1024)
    dropped = bert.preset(vocab=4096, dim=256, depth=4, heads=4, dropout=0.1, attention_dropout=0.1)
    uneven = bart.preset(vocab=4096, dim=256, depth=6, heads=4, decoder_depth=2, dropout=0.1)
    return [
        *grid(),
        step(grouped),
        step(grouped, masked=True, activation_checkpointing=True, optimizer="muon"),
        step(grouped, rows=2, lora=Lora(), precision="bfloat16"),
        step(grouped, rows=2, lora=Lora(rank_stabilized=True, targets=("*attention*", "*mlp*"))),
        step(grouped, rows=2, lora=Lora(decomposed=True), precision="bfloat16"),
        step(model("gpt2", 256, 4), lora=Lora(decomposed=True, targets=("*attention*", "*mlp*"))),
        step(dropped, masked=True),
        step(uneven, accumulation=2),
        step(model("gopher", 128, 3)),
        step(model("gpt3", 128, 4), inputs=512, rows=2),
        step(model("t5", 128, 6), rows=2, precision="bfloat16", activation_checkpointing=True),
        step(model("transformer"), targets=20, masked=True),
    ]


@dataclass(frozen=True)
class Row:
    """A workload and its peak in bytes, three times."""

    work: Workload
    formula: TrainingMemory
    simulated: int
    measured: MemoryTracker

    @property
    def error(self) -> float:
        """Of the formula, as a part of the peak."""
        return self.formula.total / self.measured.peak - 1

    @property
    def rest_error(self) -> float:
        """Of the formula, as a part of what is neither weight nor state."""
        standing = self.measured.at_peak["weights"] + self.measured.at_peak["optimizer"]
        return (self.formula.total - self.measured.peak) / (self.measured.peak - standing)

    @property
    def simulated_error(self) -> float:
        """Of the simulation, as a part of the peak."""
        return self.simulated / self.measured.peak - 1


def measure(work: Workload) -> Row:
    """Two real steps, the second one counted. Weights, states and gradients must be exact."""
    trial = Trial(work, torch.device("cpu"))
    trial.model.train()
    trial.step()
    with track(trial.model, trial.optimizer) as tracker:
        trial.step()
    formula = training_memory(work)
    assert formula.weights == tracker.at_peak["weights"]
    assert formula.optimizer == tracker.at_peak["optimizer"]
    assert formula.gradients == sum(4 * parameter.numel() for parameter in trial.optimizer.parameters)
    return Row(work, formula, simulate_step(work).total, tracker)


def described(work: Workload) -> str:
    """A workload in a table's cell."""
    depths = "+".join(str(stack.depth) for stack in work.architecture.stacks)
    layer = work.architecture.output_stack.pattern[0]
    said = [f"{work.architecture.family} {work.architecture.dim}x{depths}", f"{work.rows}x{work.inputs}"]
    if layer.attention.key_value_heads < layer.attention.heads:
        said.append(f"{layer.attention.key_value_heads} of {layer.attention.heads} heads for keys")
    said += ["dropout"] * (layer.dropout.residual > 0) + ["of attention too"] * (layer.dropout.attention > 0)
    if work.architecture.vocab != 4096:
        said.append(f"vocabulary {work.architecture.vocab}")
    said += ["masked"] * work.masked + ["checkpointing"] * work.activation_checkpointing
    said += [word for word in (work.optimizer, work.precision) if word not in ("adamw", "float32")]
    if work.accumulation > 1:
        said.append(f"accumulation {work.accumulation}")
    if work.lora is not None:
        kind = "DoRA" if work.lora.decomposed else "rsLoRA" if work.lora.rank_stabilized else "LoRA"
        said.append(f"{kind} {work.lora.rank} {'+'.join(work.lora.targets)}".replace("*", "\\*"))
    return ", ".join(said)


def table(rows: list[Row]) -> str:
    """Markdown: a line a workload, MB of 1e6 bytes; then the median and the worst."""
    lines = [
        "| configuration | weights | gradients | states | activations | formula | simulated | measured | error "
        "| of the rest | peak |",
        "|---|" + "---:|" * 9 + "---|",
    ]
    for row in rows:
        f = row.formula
        sizes = (f.weights, f.gradients_at_peak, f.optimizer, f.activation_bytes, f.total, row.simulated)
        cells = [*(f"{size / 1e6:.2f}" for size in sizes), f"{row.measured.peak / 1e6:.2f}"]
        errors = f"{row.error:+.2%} | {row.rest_error:+.2%}"
        lines.append(f"| {described(row.work)} | {' | '.join(cells)} | {errors} | {f.peak_phase} |")
    found = {
        "formula": [abs(row.error) for row in rows],
        "formula, of the rest": [abs(row.rest_error) for row in rows],
        "simulation": [abs(row.simulated_error) for row in rows],
    }
    lines += ["", "| error | median | worst |", "|---|---:|---:|"]
    lines += [f"| {name} | {statistics.median(e):.3%} | {max(e):.3%} |" for name, e in found.items()]
    return "\n".join(lines)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="one family")
    only = parser.parse_args().only
    torch.set_num_threads(1)
    rows = []
    for work in configurations():
        if only in (None, work.architecture.family):
            rows.append(measure(work))
            print(f"{described(work)}: {rows[-1].error:+.3%}", flush=True)
    said = table(rows)
    print(said)
    if only is None:
        intro = (
            "# Memory of training steps: by formula, simulated, measured\n\n"
            f"{len(rows)} configurations on a CPU, torch {torch.__version__.partition('+')[0]}; sizes in MB of 1e6 "
            "bytes at the peak. `python -m benchmarks.memory` writes this page and says what is measured.\n\n"
        )
        Path(__file__).with_suffix(".md").write_text(intro + said + "\n")


if __name__ == "__main__":
    main()
