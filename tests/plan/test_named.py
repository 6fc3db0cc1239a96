"""Which architecture a name means."""

import json
from pathlib import Path

import pytest

from trivium.errors import UnavailableError, UsageError
from trivium.families.registry import FAMILIES
from trivium.plan.named import PUBLISHED, architecture_of


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("gpt2-xl", 1_557_611_200),
        ("bloom-176b", 176_247_271_424),
        ("BLOOM 560M", 559_214_592),
        ("llama-2-70b", 68_976_648_192),
        ("flan-t5-xl", 2_849_757_184),
        ("t5-v1_1-large", 783_150_080),
        ("xlm-roberta-base", 278_295_186),
        ("bloomberggpt", 50_558_868_480),
        ("bart-large", 406_291_456),
    ],
)
def test_published_names_in_any_order_of_words(name: str, parameters: int) -> None:
    assert architecture_of(name).parameters == parameters


def test_every_published_model_is_found_by_its_name() -> None:
    for name, (family, size) in PUBLISHED.items():
        assert architecture_of(name) == FAMILIES[family].size(size)


def test_a_config_file_and_a_folder(tmp_path: Path) -> None:
    described = FAMILIES["bert"].size("base-uncased")
    config = {"model_type": "bert", **FAMILIES["bert"].write_config(described)}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert architecture_of(tmp_path) == architecture_of(str(tmp_path / "config.json")) == described


def test_names_that_mean_nothing_or_much() -> None:
    with pytest.raises(UsageError, match="Did you mean 'gpt2-xl'"):
        architecture_of("gpt2-xll")
    with pytest.raises(UsageError, match=r"'llama' is a family\. Name a size: 7b, 13b"):
        architecture_of("llama")
    with pytest.raises(UsageError, match="may be several models: name one of"):
        architecture_of("13b")
    with pytest.raises(UsageError, match="neither a folder"):
        architecture_of("")


def test_a_hub_id_without_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UnavailableError, match="org/unknown"):
        architecture_of("org/unknown")
