"""Inference memory: the formulas of `trivium.plan.inference` beside the real models, of all three families.

    python benchmarks/inference_memory.py [--device cuda] [--write]

Random weights do: memory does not depend on their values. "beside the weights" leaves the weights out on both sides,
which are exact: it is the harder comparison. `--write` puts the table into benchmarks/inference_memory.md.
"""

import argparse
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from trivium.architecture import Architecture
from trivium.families.registry import FAMILIES
from trivium.model import Transformer
from trivium.plan.inference import InferenceMemory, inference_memory
from trivium.plan.measured_inference import measured_inference_bytes
from trivium.plan.serving import WeightFormat


@dataclass(frozen=True)
class Case:
    """A small real model with what it is asked."""

    family: str
    rows: int
    inputs: int
    outputs: int
    weights: WeightFormat = "float32"
    shorter: int = 0
    kv_heads: int | None = None
    dim: int = 128

    @property
    def architecture(self) -> Architecture:
        """Four layers, 8 heads, 2,000 tokens of vocabulary."""
        special = {} if self.kv_heads is None else {"kv_heads": self.kv_heads}
        long = {} if self.family in ("t5", "bloom") else {"positions": 1024}
        return FAMILIES[self.family].preset(vocab=2000, dim=self.dim, depth=4, heads=8, **long, **special)

    def __str__(self) -> str:
        groups = "" if self.kv_heads is None else f", {self.kv_heads} key-value heads"
        return self.family + groups + (", padded" if self.shorter else "")


CASES: tuple[Case, ...] = (
    Case("bert", 8, 128, 0),
    Case("bert", 2, 512, 0, "bfloat16"),
    Case("roberta", 4, 256, 0, shorter=30),
    Case("gpt2", 1, 32, 64),
    Case("gpt2", 8, 200, 20, "bfloat16"),
    Case("gpt2", 4, 128, 32, shorter=50),
    Case("llama", 4, 256, 16),
    Case("llama", 16, 64, 128, kv_heads=2),
    Case("llama", 4, 500, 4, "bfloat16", kv_heads=2),
    Case("llama", 4, 128, 32, kv_heads=2, shorter=20),
    Case("bloom", 4, 128, 16),
    Case("gpt3", 4, 500, 8),
    Case("gopher", 2, 128, 16),
    Case("t5", 4, 256, 16),
    Case("t5", 8, 64, 64, "bfloat16", shorter=10),
    Case("bart", 4, 200, 32),
    Case("transformer", 8, 64, 64),
)


def measured(case: Case, device: str) -> tuple[InferenceMemory, int]:
    """Computed, and the peak of the real model."""
    architecture = case.architecture
    dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[case.weights]
    model = Transformer(architecture).to(device=device, dtype=dtype).eval()
    computed = inference_memory(
        architecture, case.rows, case.inputs, case.outputs, case.weights, padded=bool(case.shorter)
    )
    return computed, measured_inference_bytes(model, case.rows, case.inputs, case.outputs, shorter=case.shorter)


def lines(device: str) -> Iterator[str]:
    """A table in Markdown, and what it comes to."""
    yield "| model | weights | rows | read | written | computed MB | measured MB | error | beside the weights |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|--:|"
    errors, besides = [], []
    for case in CASES:
        computed, peak = measured(case, device)
        error = computed.total / peak - 1
        beside = (computed.total - computed.weights) / (peak - computed.weights) - 1
        errors.append(abs(error))
        besides.append(abs(beside))
        yield (
            f"| {case} | {case.weights} | {case.rows} | {case.inputs} | {case.outputs} | {computed.total / 1e6:.2f} "
            f"| {peak / 1e6:.2f} | {error:+.1%} | {beside:+.1%} |"
        )
    yield ""
    yield (
        f"Median error {statistics.median(errors):.1%}, worst {max(errors):.1%}; beside the weights, median "
        f"{statistics.median(besides):.1%}, worst {max(besides):.1%}."
    )


def main() -> None:
    """Print the table, or write it beside this script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    table = "\n".join(lines(arguments.device))
    print(table)
    if arguments.write:
        text = f"# Inference memory, computed and measured ({arguments.device})\n\n{table}\n"
        Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
