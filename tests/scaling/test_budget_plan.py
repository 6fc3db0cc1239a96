"""A plan as plain data and as a picture."""

import json

from trivium.families.registry import family_named
from trivium.scaling.budget import parse_budget
from trivium.scaling.from_budget import model_for
from trivium.scaling.laws import law_named


def test_plain_data_says_everything() -> None:
    plan = model_for(parse_budget("8xh100 for 3 days"), family_named("llama"), unique_tokens=20e9)
    plain = json.loads(json.dumps(plan.to_dict()))
    assert plain["shape"] == {
        "family": "llama",
        "vocab": 32_000,
        "dim": plan.architecture.dim,
        "depth": plan.architecture.output_stack.depth,
        "heads": plan.architecture.dim // 128,
        "head_dim": 128,
        "hidden": plan.architecture.output_stack.pattern[0].mlp.hidden,
        "context": 2048,
    }
    assert plain["training_flops"] == plain["tokens"] * plain["flops_per_token"]
    assert plain["loss_law"] == plain["law"]["name"] == "besiroglu"
    assert plain["recipe"]["steps"] * plain["recipe"]["batch_tokens"] == plain["tokens"]
    assert plain["budget"]["devices"] == 8


def test_the_picture_has_the_plan_among_published_models() -> None:
    plan = model_for(parse_budget("1e21"), family_named("gpt2"), law_named("chinchilla-3"))
    sizes, _ = plan.plot().axes
    assert "this plan" in {text.get_text() for text in sizes.texts}
    legend = sizes.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [
        "Chinchilla's approach 3", "Besiroglu et al. 2024", "Kaplan et al. 2020",
    ]  # fmt: skip
