"""A comparison as one asks for it: a YAML file, or the options of the verb. No torch.

data: reviews
held_out_items: 1000
candidates:
  - naive-bayes
  - minilm+head
  - {model: smollm2-135m, shots: 4}
"""

__all__ = ["CompareSettings", "parse_compare_settings", "read_compare_settings"]

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trivium.errors import UsageError, nearest
from trivium.settings_file import read_settings_file

_Count = Annotated[int, Field(gt=0)]


class CompareSettings(BaseModel):
    """What is compared, on which examples, by which metric."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str = Field(description="The examples: a file, a folder, a name of the catalogue or a hub id.", min_length=1)
    candidates: tuple[str | dict[str, Any], ...] = Field(description="What is compared.", min_length=1)
    split: str | None = Field(None, description="The split of the data, where it has several.")
    columns: dict[str, str] = Field({}, description="Role of a column: its name in the data, as {label: stars}.")
    test: str | None = Field(None, description="Other examples to hold out, in place of a share of the data.")
    test_split: str | None = Field(None, description="The split of `test`, or of the data, that is held out.")
    held_out: float = Field(0.2, gt=0, lt=1, description="Share of the examples that is held out.")
    choose: float = Field(0.1, gt=0, lt=1, description="Share of the others for decisions: when to stop, which prompt.")
    train_items: _Count | None = Field(None, description="Train on so many at most, drawn by seed.")
    held_out_items: _Count | None = Field(None, description="Hold out so many at most, drawn by seed.")
    metric: str | None = Field(None, description="The metric that decides; by the form of task.")
    margin: float = Field(0.01, ge=0, lt=1, description="A difference that does not matter, as a share of the scale.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Of all intervals.")
    seed: int = Field(0, ge=0, lt=2**31, description="Starts every draw: splits, training, shots, resamples.")
    seeds: int = Field(1, ge=1, le=100, description="Train and prompt each candidate so often, from seeds in a row.")
    out: Path = Field(Path("runs/compare"), description="The folder of it all.")


def parse_compare_settings(content: Mapping[str, Any], where: str = "the comparison") -> CompareSettings:
    """Settings from plain data. Raises `UsageError` with each wrong key or value, its limit and the nearest key."""
    try:
        return CompareSettings.model_validate(dict(content))
    except ValidationError as error:
        raise UsageError(f"In {where}: " + " ".join(_sentence(dict(each)) for each in error.errors())) from error


def read_compare_settings(path: Path, **changes: Any) -> CompareSettings:
    """Settings of a YAML file, with `changes` in place of what it says.

    Raises `UsageError` for a file that is not there or no YAML, and as `parse_compare_settings` does.
    """
    content = read_settings_file(path, "comparison", "keys such as data and candidates")
    return parse_compare_settings({**content, **changes}, str(path))


def _sentence(detail: Mapping[str, Any]) -> str:
    name = str(detail["loc"][0])
    if detail["type"] == "extra_forbidden" and len(detail["loc"]) == 1:
        return f"there is no key '{name}'.{nearest(name, CompareSettings.model_fields)}"
    said = CompareSettings.model_fields[name].description if name in CompareSettings.model_fields else ""
    if detail["type"] == "missing":
        return f"{name} is missing. {said}"
    return f"{name} is {detail['input']!r:.80}: {str(detail['msg']).removeprefix('Input ')}. {said}"
