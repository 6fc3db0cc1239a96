"""From a budget to a model: published budgets, every family, what is spent, and what cannot be had."""

import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivium.errors import BudgetError, UsageError
from trivium.families.registry import FAMILIES, family_named
from trivium.scaling.budget import Budget, parse_budget
from trivium.scaling.from_budget import model_for
from trivium.scaling.kaplan import critical_batch_tokens
from trivium.scaling.laws import LAWS, law_named

GPT2, LLAMA = family_named("gpt2"), family_named("llama")


@pytest.mark.parametrize("law", ["chinchilla-1", "chinchilla-2", "besiroglu"])
def test_gophers_budget_buys_chinchilla(law: str) -> None:
    plan = model_for(parse_budget("5.76e23 flops"), family_named("gopher"), law_named(law), vocab=32_000)
    assert plan.parameters == pytest.approx(70e9, rel=0.12)
    assert plan.tokens == pytest.approx(1.4e12, rel=0.1)
    assert plan.loss == pytest.approx(1.976, abs=0.001)
    assert plan.loss_law.name == "besiroglu"
    assert plan.recipe.batch_tokens == pytest.approx(2e6, rel=0.05)
    assert sum(warning.startswith("Extrapolated") for warning in plan.warnings) == 2


def test_gpt3s_budget() -> None:
    """3640 petaflop/s-days: by Kaplan et al. a GPT-3 on few tokens; by Hoffmann et al. a third of it."""
    budget = parse_budget("3640 pf-days")
    then = model_for(budget, family_named("gpt3"), law_named("kaplan"))
    now = model_for(budget, family_named("gpt3"), law_named("chinchilla-1"))
    assert 174.6e9 < then.parameters < 2 * 174.6e9
    assert then.tokens < 300e9
    assert now.parameters == pytest.approx(50e9, rel=0.05)
    assert now.tokens > 900e9
    assert then.architecture.non_embedding_parameters == pytest.approx(then.wanted.parameters, rel=0.01)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_spends_its_budget(name: str) -> None:
    for flops in (1e17, 8.2e20, 1e24):
        plan = model_for(Budget(flops, ""), family_named(name), vocab=32_000)
        one_step = plan.recipe.batch_tokens * plan.flops_per_token
        assert flops - one_step < plan.training_flops <= flops
        rows, length = plan.recipe.rows, plan.context
        targets = round(0.15 * length) if plan.architecture.kind == "encoder" else None
        exact = rows * plan.architecture.training_flops(length, targets=targets) * plan.recipe.steps
        assert plan.training_flops == pytest.approx(exact)
        assert plan.parameters == pytest.approx(plan.wanted.parameters, rel=0.025 if flops > 1e18 else 0.1)
        first_guess = any("first guess" in warning for warning in plan.warnings)
        assert first_guess == (plan.architecture.kind != "decoder")
        post_norm = any("norms after each sublayer" in warning for warning in plan.warnings)
        assert post_norm == (name in ("bart", "bert", "gpt1", "roberta", "transformer"))


def test_an_encoder_decoder_has_three_flops_a_parameter_and_token() -> None:
    plan = model_for(parse_budget("1e21"), family_named("t5"))
    assert plan.flops_per_token / plan.parameters == pytest.approx(3, rel=0.1)
    other = model_for(parse_budget("2e21"), family_named("bert"), vocab=32_128)
    assert plan.parameters == pytest.approx(other.parameters, rel=0.1)


@settings(max_examples=15)
@given(
    exponent=st.floats(13, 29.5),
    name=st.sampled_from(sorted(FAMILIES)),
    vocab=st.sampled_from([300, 8000, 50_257]),
    law=st.sampled_from(sorted(LAWS)),
)
def test_any_budget_is_a_plan_or_says_which_would_be(exponent: float, name: str, vocab: int, law: str) -> None:
    family = family_named(name)
    try:
        plan = model_for(Budget(10**exponent, ""), family, law_named(law), vocab, 512)
    except BudgetError as error:
        found = re.search(r"takes? (\S+) FLOPs at (least|most)", str(error))
        assert found is not None
        sign = 1 if found[2] == "least" else -1
        assert model_for(Budget(float(found[1]) * (1 + 0.02 * sign), ""), family, law_named(law), vocab, 512).loss > 0
        with pytest.raises(BudgetError):
            model_for(Budget(float(found[1]) * (1 - 0.1 * sign), ""), family, law_named(law), vocab, 512)
    else:
        assert plan.wanted.parameters / 1.31 < plan.law.size_of(plan.architecture) < 1.31 * plan.wanted.parameters


def test_budgets_that_no_model_fits() -> None:
    with pytest.raises(
        BudgetError, match=r"nearest gpt2 with a vocabulary of 50,257 has 1,666,464\. It takes \S+ FLOPs at least: give"
    ):
        model_for(parse_budget("1e12"), GPT2)
    with pytest.raises(BudgetError, match=r"largest gpt2 that is offered has \S+ It can take \S+ FLOPs at most"):
        model_for(parse_budget("1e31"), GPT2)
    with pytest.raises(BudgetError, match=r"to serve 1e\+12 tokens, .*, fewer tokens to serve or another family"):
        model_for(parse_budget("1e18"), GPT2, inference_tokens=1e12)


def test_data_that_run_out() -> None:
    budget = parse_budget("8xh100 for 3 days")
    fresh, enough = model_for(budget, LLAMA), model_for(budget, LLAMA, unique_tokens=1e12)
    assert (fresh.epochs, fresh.architecture) == (None, enough.architecture)
    assert enough.epochs == pytest.approx(enough.tokens / 1e12)
    assert enough.loss == fresh.loss
    assert enough.warnings == ()
    some, few, tiny = (model_for(budget, LLAMA, unique_tokens=tokens) for tokens in (20e9, 5e9, 0.5e9))
    assert fresh.loss < some.loss < few.loss < tiny.loss
    assert some.parameters < fresh.parameters
    assert "almost as good as fresh data" in some.warnings[-1]
    assert re.search(r"read 1\d\.\d times: the last time is worth 4\d% of fresh data", few.warnings[-1])
    assert "nothing is won any more" in tiny.warnings[-1]


def test_a_model_that_will_serve() -> None:
    """The budget pays for both, and the model is smaller, longer trained and worse than one that only learns."""
    budget = parse_budget("1e22")
    plain, served = model_for(budget, LLAMA), model_for(budget, LLAMA, inference_tokens=2e11)
    assert served.parameters < plain.parameters
    assert served.loss > plain.loss
    assert served.tokens / served.parameters > plain.tokens / plain.parameters
    assert served.training_flops + served.inference_flops == pytest.approx(1e22, rel=1e-4)
    assert served.inference_flops == pytest.approx(2e11 * served.flops_per_token / 3)


def test_laws_without_a_loss_cannot_weigh_repetition() -> None:
    for law in ("chinchilla-1", "kaplan"):
        with pytest.raises(UsageError, match=r"Take one of besiroglu, chinchilla-3, chinchilla-3-rounded, muennighoff"):
            model_for(parse_budget("1e21"), GPT2, law_named(law), unique_tokens=1e9)
        assert model_for(parse_budget("1e21"), GPT2, law_named(law), unique_tokens=1e12).epochs is not None


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_amounts_of_tokens_must_be_amounts(value: float) -> None:
    with pytest.raises(UsageError, match="unique_tokens must be a number above 0"):
        model_for(parse_budget("1e21"), GPT2, unique_tokens=value)
    with pytest.raises(UsageError, match="inference_tokens must be a number above 0"):
        model_for(parse_budget("1e21"), GPT2, inference_tokens=value)


@pytest.mark.parametrize(("vocab", "context"), [(0, 512), (50_257, 0), (-3, 512)])
def test_a_vocabulary_and_a_context_must_be_there(vocab: int, context: int) -> None:
    with pytest.raises(UsageError, match="must be at least 1, got"):
        model_for(parse_budget("1e21"), GPT2, vocab=vocab, context=context)


def test_too_few_steps_are_said() -> None:
    plan = model_for(parse_budget("100000xh100 for 0.1 s"), GPT2)
    assert any(f"There are {plan.recipe.steps} steps" in warning for warning in plan.warnings)


def test_notes_say_how_near_and_whose_nats() -> None:
    plan = model_for(parse_budget("1e21"), GPT2)
    near, exact, nats = plan.notes
    assert f"{plan.parameters:,}" in near
    assert f"{plan.flops_per_token / plan.parameters:.2f} a parameter, where the rule has 6." in exact
    assert "nats a token of Chinchilla's (32,000 words)" in nats
    tiny = model_for(parse_budget("1e15"), GPT2, vocab=1000, context=128)
    assert any("no better than guessing among 1,000 words, 6.91" in warning for warning in tiny.warnings)
    assert tiny.recipe.batch_tokens == pytest.approx(critical_batch_tokens(6.91) / 4, rel=0.42)


def test_devices_share_the_rows_and_the_familys_own_numbers_hold() -> None:
    plan = model_for(parse_budget("12 a100 for 2 days"), GPT2)
    assert plan.recipe.rows % 12 == 0
    assert (plan.architecture.vocab, plan.context) == (50_257, 1024)


def test_planning_imports_neither_torch_nor_matplotlib() -> None:
    program = "import sys, trivium.scaling.from_budget; print(sys.modules.keys() & {'torch', 'matplotlib', 'scipy'})"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"
