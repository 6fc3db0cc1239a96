"""A model that starts from nothing, as one asks for it. No torch."""

__all__ = ["FreshSettings"]

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from trivium.architecture import Architecture
from trivium.errors import TriviumError
from trivium.families.registry import FAMILIES, family_named

_Count = Annotated[int, Field(gt=0)]


class FreshSettings(BaseModel):
    """A model that knows nothing: its shape, over a tokenizer that is trained on the examples of the task."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: str = Field(description="What it is built like.", json_schema_extra={"enum": list(FAMILIES)})
    vocabulary: int = Field(1000, ge=300, le=2**20, description="Ids of its tokenizer.")
    dim: _Count = Field(192, description="Its width.")
    depth: _Count = Field(2, description="Its layers; of an encoder-decoder those of each side.")
    heads: _Count = Field(4, description="Heads of an attention.")
    positions: _Count = Field(128, description="Tokens of the longest text that it reads.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Share of the channels that are left out while it learns.")
    options: dict[str, Any] = Field({}, description="More of the family's own settings, such as {scaled: true}.")

    @model_validator(mode="after")
    def _can_be_built(self) -> "FreshSettings":
        try:
            self.architecture(self.vocabulary)
        except (TriviumError, TypeError) as error:
            raise ValueError(str(error).replace("preset()", f"a fresh {self.family}")) from error
        return self

    def architecture(self, vocabulary: int) -> Architecture:
        """What is built over so many ids."""
        shape = self.model_dump(include={"dim", "depth", "heads", "positions"})
        if self.dropout:  # which not every family has
            shape["dropout"] = self.dropout
        return family_named(self.family).preset(vocab=vocabulary, **{**shape, **self.options})
