"""From a budget to a quoted model."""

import json

import pytest

from trivium.errors import BudgetError, UsageError
from trivium.quotes.budgeted import quote_budget


@pytest.mark.parametrize("family", ["llama", "bert", "t5"])
def test_the_quoted_training_spends_the_budget(family: str) -> None:
    found = quote_budget("1e20 flops", family)
    assert found.plan.training_flops == pytest.approx(1e20, rel=0.02)
    assert found.quote.run.exact == pytest.approx(1e20, rel=0.02)
    assert found.quote.asked.tokens == found.plan.tokens


def test_a_step_is_cut_until_it_fits_its_devices() -> None:
    found = quote_budget("8xh100 for 3 days")
    work = found.quote.asked.workload
    assert found.quote.devices == 8
    assert work.rows * work.accumulation * 8 == found.plan.recipe.rows
    assert found.quote.training_verdict is not None
    assert found.quote.training_verdict.fits
    assert found.quote.times[0].days == pytest.approx(3, rel=0.02)
    json.dumps(found.to_dict(), allow_nan=False)


def test_budgets_that_buy_nothing() -> None:
    with pytest.raises(UsageError, match="no budget that can be read"):
        quote_budget("much")
    with pytest.raises(UsageError, match="no device 'h1000'"):
        quote_budget("8xh1000 for 3 days")
    with pytest.raises(BudgetError, match="at least"):
        quote_budget("1e9 flops")
