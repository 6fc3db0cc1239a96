"""docs/families.md, drawn by the checks themselves: `python -m tests.families.table` prints it.

A cell stands for a check that ran a moment before and held: "yes" against `transformers` at tiny size, "equations"
against the paper's own, written plainly in float64. A test compares the page with what this prints; there the checks
are tests of their own.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import torch

from tests.families import checks, test_gopher, test_gpt3, test_tasks, test_transformer
from tests.families.tiny import BUILDERS
from tests.weights import test_gguf
from trivium.families.family import Family
from trivium.families.registry import FAMILIES
from trivium.families.tasks import TASKS
from trivium.weights.gguf_families import PAGES

_INTRODUCTION = """# The families

Each is a page of data in `trivium/families`: presets of the published sizes, its config both ways, and the table of its
weights' names. This page is drawn by the tests (`make docs`): a cell stands for a check that ran and held.

- **load, save**: what `transformers` wrote is read, and what is written opens there with nothing missing, left over or
  changed, bit for bit. *own*: nobody publishes it in Hugging Face's form, so the folder is Trivium's own.
- **train**: a fresh model, with the paper's initial weights, learns a batch by heart.
- **logits, gradients**: equal in float32, within 1e-4 and within 1e-5 of every parameter's gradient, padded on either
  side. *equations*: `transformers` has no such model, so the paper's equations are written out in float64.
- **cache**: prompts of several lengths, then token by token, says what the whole text says.
- **GGUF**: written and read back with equal logits; llama.cpp runs it with the same greedy tokens.
- **heads**: classes that load with head and labels, compute `transformers`' logits and gradients, and are saved back.

"""

_TASKS = {
    "sequence-classification": "texts",
    "token-classification": "tokens",
    "question-answering": "answers",
    "pre-training": "pairs",
}

#: Families that `transformers` lacks: the checks against their equations, of logits and of gradients, and of the rest.
_EQUATIONS: dict[str, dict[str, Callable[[Path], None]]] = {
    "gopher": {
        "save": test_gopher.test_it_goes_through_a_folder,
        "logits": lambda folder: test_gopher.test_logits_and_gradients_are_the_equations(),
        "cache": lambda folder: test_gopher.test_padding_a_neighbour_and_a_cache_change_nothing(),
    },
    "gpt3": {
        "save": test_gpt3.test_it_goes_through_a_folder,
        "logits": lambda folder: test_gpt3.test_logits_and_gradients_are_the_equations(),
        "cache": lambda folder: test_gpt3.test_padding_and_a_cache_change_nothing(),
    },
    "transformer": {
        "save": test_transformer.test_folders_go_round_exactly,
        "logits": lambda folder: test_transformer.test_logits_are_the_papers(left=True, written_left=False),
        "gradients": lambda folder: test_transformer.test_gradients_are_the_papers(),
        "cache": lambda folder: test_transformer.test_step_by_step_with_a_cache(),
    },
}


def _row(family: Family) -> list[str]:
    """The cells of a family, without its name and kind."""
    cache = "—" if family.kind == "encoder" else "yes"
    heads = ", ".join(word for task, word in _TASKS.items() if task in TASKS.get(family.name, {}))
    if family.name in _EQUATIONS:
        return ["own", "own", "yes", "equations", "equations", "equations", "—", heads or "—"]
    return ["yes", "yes", "yes", "yes", "yes", cache, "yes" if _has_gguf(family) else "—", heads or "—"]


def _has_gguf(family: Family) -> bool:
    return any(page.family == family.name for page in PAGES.values())


def _check(family: Family) -> None:
    """Run the checks that the family's cells stand for."""
    checks.check_a_preset_learns(family)
    for check in _EQUATIONS.get(family.name, {}).values():
        _run(lambda _, folder, check=check: check(folder), family.name)
    for builder in (name for name in BUILDERS if name.split()[0] == family.name):
        _run(checks.check_saving, builder)
        _run(checks.check_logits, builder)
        _run(checks.check_padding_on_the_left, builder)
        _run(checks.check_padding_on_the_right, builder)
        _run(checks.check_gradients, builder)
        if family.kind != "encoder":
            _run(checks.check_cache, builder)
        if _has_gguf(family):
            _run(test_gguf.test_float32_gives_the_same_model_back, builder)
    for task in TASKS.get(family.name, {}).keys() & _TASKS.keys():
        _run(lambda name, folder, task=task: test_tasks.test_logits_equal_the_oracle(name, task, folder), family.name)


def _run(check: Callable[[str, Path], None], name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        check(name, Path(folder))


def page() -> str:
    """The page in Markdown."""
    columns = ["family", "kind", "load", "save", "train", "logits", "gradients", "cache", "GGUF", "heads", "sizes"]
    rows = [
        [f"`{name}`", family.kind, *_row(family), ", ".join(family.sizes)] for name, family in sorted(FAMILIES.items())
    ]
    lines = ["| " + " | ".join(cells) + " |" for cells in [columns, ["---"] * len(columns), *rows]]
    return _INTRODUCTION + "\n".join(lines) + "\n"


if __name__ == "__main__":
    torch.set_num_threads(1)
    for each in FAMILIES.values():
        _check(each)
    print(page(), end="")
