"""The families there are, by name and by the `model_type` of a published config."""

__all__ = ["FAMILIES", "architecture_of_config", "family_named"]

from trivium.architecture import Architecture
from trivium.errors import ModelError, UsageError, nearest
from trivium.families.bart import BART
from trivium.families.bert import BERT
from trivium.families.bloom import BLOOM
from trivium.families.family import Config, Family
from trivium.families.gopher import GOPHER
from trivium.families.gpt1 import GPT1
from trivium.families.gpt2 import GPT2
from trivium.families.gpt3 import GPT3
from trivium.families.llama import LLAMA
from trivium.families.opt import OPT
from trivium.families.roberta import ROBERTA
from trivium.families.t5 import T5
from trivium.families.tasks import with_task
from trivium.families.transformer import TRANSFORMER

_PAGES = (BART, BERT, BLOOM, GOPHER, GPT1, GPT2, GPT3, LLAMA, OPT, ROBERTA, T5, TRANSFORMER)
FAMILIES: dict[str, Family] = {family.name: family for family in _PAGES}


def family_named(name: str) -> Family:
    """The family of that name. Raises `UsageError` for one that is not there."""
    if name not in FAMILIES:
        raise UsageError(f"There is no family '{name}'.{nearest(name, FAMILIES)} There are: {', '.join(FAMILIES)}.")
    return FAMILIES[name]


def architecture_of_config(config: Config) -> Architecture:
    """What a published config.json describes. Raises `ModelError` for a `model_type` that no page covers."""
    model_type = config.get("model_type")
    for family in FAMILIES.values():
        if model_type in (family.model_type, *family.other_types):
            return with_task(family, family.read_config(config), config)
    known = ", ".join(kind for family in FAMILIES.values() for kind in (family.model_type, *family.other_types))
    raise ModelError(f"A model of the type '{model_type}' is not known. Known types: {known}.")
