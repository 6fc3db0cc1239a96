"""Which family serves a task best: the whole comparison on film reviews and on the topics of financial news.

    python -m benchmarks.compare                            # hours on two quiet cores; goes on where it was stopped
    python -m benchmarks.compare --tasks reviews            # one of them
    python -m benchmarks.compare --train-items 200 --items 40 --out runs/look    # a look

Baselines, an encoder with a head (whole, and by low-rank adapters), a decoder with zero, one and four shots, the same
decoder fine-tuned to write its answer, and, where `trivium run projects/quickstart.yaml` has trained one, an
encoder-decoder text to text. All are taught on the catalogue's train split and measured on its test split. Writes
benchmarks/compare.md, and docs/compare-TASK.svg for each task.
"""

import argparse
import platform
import sys
from pathlib import Path
from typing import Any

import torch

from trivium.compare.comparison import COLUMNS, Comparison
from trivium.compare.run import compare
from trivium.compare.settings import parse_compare_settings
from trivium.plan.picture import save_chart

ROOT = Path(__file__).parent.parent
WRITER = ROOT / "runs" / "quickstart" / "t5"
REVIEW = "Review: {{ text }}\nIn short, the film is {{ label }}"
STORY = "Story: {{ text }}\nTopic: {{ label }}"
DECODER = "smollm2-135m"
TAUGHT = {"max_tokens": 96, "epochs": 1, "precision": "float32"}
REVIEWS: tuple[str | dict[str, Any], ...] = (
    "most-common",
    "naive-bayes",
    {"name": "minilm+head", "model": "minilm", "train": "head", "epochs": 3, "learning_rate": 1e-4},
    {
        "name": "minilm+lora",
        "model": "minilm",
        "train": "lora",
        "lora": {"rank": 16, "alpha": 32.0, "targets": ["*attention.*", "*mlp.*"]},
        "epochs": 3,
        "learning_rate": 2e-3,
    },
    *({"name": f"{DECODER}@{shots}-shot", "model": DECODER, "shots": shots, "template": REVIEW} for shots in (0, 1, 4)),
    {"name": f"{DECODER}+lora", "model": DECODER, "train": "lora", "lora": {"rank": 8}, **TAUGHT},
)
TOPICS: tuple[str | dict[str, Any], ...] = (
    "most-common",
    "naive-bayes",
    {"name": "minilm+head", "model": "minilm", "train": "head", "epochs": 3, "learning_rate": 3e-4, "max_tokens": 128},
    {"name": f"{DECODER}+lora", "model": DECODER, "train": "lora", "lora": {"rank": 8}, **TAUGHT},
)
TASKS = {"reviews": REVIEWS, "reuters": TOPICS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--items", type=int, default=500, help="held-out items")
    parser.add_argument("--train-items", type=int, default=4000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "compare")
    parser.add_argument("--page", type=Path, default=Path(__file__).with_suffix(".md"))
    asked = parser.parse_args()
    page = [
        "# Which family serves a task best",
        "",
        f"Written by `python -m benchmarks.compare --items {asked.items}`.",
    ]
    for task in asked.tasks.split(","):
        written = [{"name": "t5+text", "model": str(WRITER), "train": "text", "epochs": 3, "max_tokens": 96}]
        settings = {
            "data": task,
            "split": "train",
            "test_split": "test",
            "train_items": asked.train_items,
            "held_out_items": asked.items,
            "seeds": asked.seeds,
            "candidates": [*TASKS[task], *(written if (WRITER / "config.json").is_file() else [])],
            "out": asked.out / task,
        }
        found = compare(parse_compare_settings(settings), lambda said: print(said, file=sys.stderr, flush=True))
        if asked.page.parent == Path(__file__).parent:
            save_chart(found.plot(), ROOT / "docs" / f"compare-{task}.svg")
        page += ["", *section(task, found)]
    page += ["", f"Times: {platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}."]
    asked.page.write_text("\n".join(page) + "\n", encoding="utf-8")
    print("\n".join(page))


def section(task: str, found: Comparison) -> list[str]:
    """A task's table and what it comes to."""
    lines = [f"## {task}", "", f"{found.splits}.", "", f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
    lines += [f"| {' | '.join(cell(value) for value in row)} |" for row in found.rows()]
    for failure in found.failed:
        lines += ["", f"{failure.name} failed: {failure.reason}"]
    for name, remarks in found.remarks.items():
        if remarks:
            lines += ["", f"{name}: {' '.join(remarks)}"]
    return [*lines, "", str(found.recommendation)]


def cell(value: object) -> str:
    """As Markdown has it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    main()
