"""The table of families: what a page promises holds, and what is not there is said."""

import pytest

from trivium.errors import ModelError, UsageError
from trivium.families.family import Preset
from trivium.families.registry import FAMILIES, architecture_of_config, family_named
from trivium.objectives.registry import OBJECTIVES


@pytest.mark.parametrize("name", FAMILIES)
def test_a_page_keeps_its_promises(name: str) -> None:
    family = family_named(name)
    assert isinstance(family.preset, Preset)
    architecture = family.preset(vocab=50, dim=16, depth=2, heads=2, positions=32)
    assert (family.name, family.kind) == (name, architecture.kind)
    assert architecture.family == name
    assert architecture.context in (None, 32)
    assert family.objective in OBJECTIVES
    config = {"model_type": family.model_type, **family.write_config(architecture)}
    assert architecture_of_config(config) == architecture


def test_every_kind_has_a_family_and_no_two_share_a_model_type() -> None:
    assert {family.kind for family in FAMILIES.values()} == {"encoder", "decoder", "encoder-decoder"}
    types = [kind for family in FAMILIES.values() for kind in (family.model_type, *family.other_types)]
    assert len(set(types)) == len(types)


def test_a_size_that_is_not_there() -> None:
    assert family_named("gpt2").size("xl").dim == 1600
    with pytest.raises(
        UsageError, match=r"gpt2 has no size 'medum'.* Did you mean 'medium'\? .*small, medium, large, xl"
    ):
        family_named("gpt2").size("medum")


def test_a_family_that_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"no family 'gtp2'.* Did you mean 'gpt2'\? .*bert.*gpt2.*llama.*roberta"):
        family_named("gtp2")


@pytest.mark.parametrize("config", [{"model_type": "mamba"}, {}])
def test_a_type_that_no_page_covers(config: dict) -> None:
    with pytest.raises(ModelError, match=f"'{config.get('model_type')}' is not known.*bert.*gpt2.*llama.*roberta"):
        architecture_of_config(config)


#: The sizes for which the published code has a default.
OPTIONAL = (
    {"type_vocab_size", "n_inner", "num_key_value_heads", "head_dim", "num_decoder_layers", "pad_token_id"}
    | {"seq_length", "word_embed_proj_dim"}
    | {f"relative_attention_{name}" for name in ("num_buckets", "max_distance")}
)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_config_that_lacks_a_size_says_which(name: str) -> None:
    family = family_named(name)
    config = family.write_config(family.preset(vocab=50, dim=16, depth=2, heads=2, positions=32))
    sizes = {key for key, value in config.items() if type(value) is int}
    assert len(sizes - OPTIONAL) >= 4
    for key in sizes:
        rest = {other: value for other, value in config.items() if other != key}
        if key in OPTIONAL or (name, key) == ("t5", "n_positions"):
            family.read_config(rest)
        else:
            with pytest.raises(ModelError, match=f"has no '{key}'"):
                family.read_config(rest)
