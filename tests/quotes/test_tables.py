"""A quote as a person reads it."""

import pytest

from trivium.plan.serving import WEIGHTS_FACTOR
from trivium.quotes.asked import Settings
from trivium.quotes.budgeted import quote_budget
from trivium.quotes.quote import HereTime, quote
from trivium.quotes.tables import (
    COMPUTE_COLUMNS,
    MEMORY_COLUMNS,
    compute_rows,
    headline,
    lines,
    memory_rows,
    plan_lines,
    size_text,
)


def test_sizes_as_makers_of_devices_count() -> None:
    assert [size_text(size) for size in (999, 1_500, 3_115_222_400, 80e9, 2.5e12)] == [
        "0.999 kB", "1.5 kB", "3.12 GB", "80 GB", "2.5 TB",
    ]  # fmt: skip


def test_memory_of_a_model_and_the_textbook_beside_it() -> None:
    found = quote("gpt2-small", Settings(length=64), device="t4")
    rows = {row[0]: row[1:] for row in memory_rows(found)}
    assert all(len(row) == len(MEMORY_COLUMNS) - 1 for row in rows.values())
    weights = 2 * 124_439_808
    assert rows["weights"] == (size_text(weights), size_text(weights), size_text(2 * weights))
    assert rows["by the textbook"] == (
        size_text(weights), size_text(WEIGHTS_FACTOR * weights), size_text(24 * 124_439_808),
    )  # fmt: skip
    assert headline(found).startswith("gpt2-small: decoder, 124,439,808 parameters (85,056,000 without embeddings)")


def test_devices_and_prices() -> None:
    many = list(compute_rows(quote("gpt2-small", Settings(length=64))))
    assert len(many) > 3
    (one,) = compute_rows(quote("gpt2-small", Settings(length=64), device="2xh100", price_per_hour=2))
    assert len(one) == len(COMPUTE_COLUMNS)
    assert one[0] == "2 x H100 SXM"
    assert float(str(one[-1])) == pytest.approx(2 * float(str(one[3])), abs=1)


def test_every_part_is_said() -> None:
    said = list(lines(quote("gpt2-small", Settings(length=64), device="t4", here=lambda asked: HereTime(0.5, 0.07))))
    words = {word for word, _ in said}
    assert {"training", "verdict", "rule of thumb", "compute", "claim", "here", "loss", "assumed"} <= words
    text = dict(said)
    assert "petaflop/s-days; by the rule 6ND" in text["compute"]
    assert "misses by 7% in the median" in text["here"]
    assert "too few, and right only with 2:4 sparsity" in text["claim"]
    pair = dict(lines(quote("t5-small", Settings(length=64))))
    assert "by the rule 3ND" in pair["compute"]
    assert "loss" not in pair


def test_what_a_budget_buys() -> None:
    plan = quote_budget("1e19 flops", "gpt2").plan
    text = dict(plan_lines(plan))
    assert f"{plan.parameters:,} parameters" in text["model"]
    assert f"{plan.recipe.steps:,} of" in text["steps"]
