"""How a candidate is prompted, as one asks for it. No torch."""

__all__ = ["CHOSEN", "PromptSettings", "parse_prompt_settings"]

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from trivium.errors import UsageError, nearest
from trivium.prompts.shots import ORDERS
from trivium.prompts.ways import WAYS

#: The way of scoring is decided by the choose split.
CHOSEN: Final = "chosen"


class PromptSettings(BaseModel):
    """How a candidate is prompted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    template: str | None = Field(None, description="Jinja, with the example's fields and its answer at the end.")
    instruction: str = Field("", description="What stands before all examples.")
    words: dict[str, str] | None = Field(None, description="What the model says for each label; the label itself.")
    style: Literal["text", "chat"] = Field("text", description="One running text, or turns of a conversation.")
    order: str | None = Field(None, description="Shots: random, balanced by label, or nearest. By what there is.")
    way: str = Field(CHOSEN, description="How choices are scored; by the choose split.")
    max_tokens: int = Field(32, gt=0, description="Tokens of an answer in free text.")

    @field_validator("order")
    @classmethod
    def _known_order(cls, said: str | None) -> str | None:
        return said if said is None else _known(said, ORDERS)

    @field_validator("way")
    @classmethod
    def _known_way(cls, said: str) -> str:
        return _known(said, (CHOSEN, *WAYS))


def _known(said: str, known: Sequence[str]) -> str:
    if said not in known:
        raise ValueError(f"it is one of {', '.join(known)}.{nearest(said, known)}")
    return said


def parse_prompt_settings(values: Mapping[str, Any], where: str) -> PromptSettings:
    """Settings from plain data. Raises `UsageError` with each wrong one, and the nearest right name."""
    try:
        return PromptSettings.model_validate(dict(values))
    except ValidationError as error:
        raise UsageError(f"In '{where}': " + " ".join(_sentence(dict(each)) for each in error.errors())) from error


def _sentence(detail: Mapping[str, Any]) -> str:
    name = str(detail["loc"][0])
    if detail["type"] == "extra_forbidden":
        return f"There is no setting '{name}' of a prompt.{nearest(name, PromptSettings.model_fields)}"
    return f"{name} is {detail['input']!r}: {str(detail['msg']).removeprefix('Input ').removeprefix('Value error, ')}"
