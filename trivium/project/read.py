"""A project file from the disk, with its overrides, and every mistake in it named."""

__all__ = ["dump_project", "parse_project", "read_project"]

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from trivium.errors import UsageError, nearest
from trivium.project.schema import Project
from trivium.settings_file import read_settings_file
from trivium.train.settings import TrainSettings, parse_settings


def read_project(path: Path, overrides: Sequence[str] = ()) -> Project:
    """The project in a YAML file, with overrides `section.key=value` on top (the value is YAML, too).

    Raises `UsageError` for a file that is not there or is not YAML, and for every key or value that is wrong.
    """
    sections = "sections such as scope, data, model, train, evaluate (see `trivium schema`)"
    content = read_settings_file(path, "project file", sections)
    try:
        return parse_project(_changed(content, overrides), str(path))
    except UsageError:
        if guilty := _to_blame(content, overrides):
            where = " ".join(f"--set {override}" for override in guilty)
            return parse_project(_changed(content, overrides if len(guilty) > 1 else guilty), where)
        raise


def parse_project(content: Mapping[str, Any], where: str = "the project") -> Project:
    """A project from plain data. Raises `UsageError` naming each wrong key, its value, the limit, the nearest key."""
    try:
        project = Project.model_validate(content)
    except ValidationError as error:
        raise UsageError(f"In {where}: " + " ".join(_sentence(dict(detail)) for detail in error.errors())) from error
    fixed = sorted({"steps", "batch_rows", "seed"} & set(project.train))
    if fixed:
        raise UsageError(
            f"In {where}: train.{fixed[0]} is decided by the plan. The budget is scope.minutes, the size of a step is "
            "train.batch_tokens, and the seed is scope.seed."
        )
    try:
        parse_settings({"steps": 1_000_000, **project.train})
    except UsageError as error:
        raise UsageError(f"In {where}, section train: {error}") from error
    return project


def dump_project(project: Project) -> str:
    """The project as YAML with every value spelled out: it can be given back."""
    return yaml.safe_dump(project.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _changed(content: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    changed = copy.deepcopy(dict(content))
    for override in overrides:
        _apply(changed, override)
    return changed


def _to_blame(content: Mapping[str, Any], overrides: Sequence[str]) -> Sequence[str]:
    """The override that makes a wrong project of a right file; all, where only together they do; none, if it is not."""

    def right(some: Sequence[str]) -> bool:
        try:
            parse_project(_changed(content, some))
        except UsageError:
            return False
        return True

    if not right(()):
        return ()
    return next(([one] for one in overrides if not right([one])), overrides)


def _apply(content: dict[str, Any], override: str) -> None:
    name, equals, text = override.partition("=")
    keys = name.strip().split(".")
    if not equals or not all(keys):
        raise UsageError(
            f"An override is written section.key=value, for example --set scope.minutes=2; got '{override}'."
        )
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"The value in --set {override} is not valid YAML.") from error
    place: Any = content
    for key in keys[:-1]:
        place = _enter(place, key, override)
    if isinstance(place, list):
        place[_index(place, keys[-1], override)] = value
    elif isinstance(place, dict):
        place[keys[-1]] = value
    else:
        raise UsageError(f"--set {override}: '{keys[-2]}' holds a value, not a section.")


def _enter(place: Any, key: str, override: str) -> Any:
    if isinstance(place, list):
        return place[_index(place, key, override)]
    inner = place.setdefault(key, {})
    if inner is None:
        inner = place[key] = {}
    if not isinstance(inner, dict | list):
        raise UsageError(f"--set {override}: '{key}' holds a value, not a section.")
    return inner


def _index(place: list[Any], key: str, override: str) -> int:
    if not key.isdecimal() or int(key) >= len(place):
        raise UsageError(f"--set {override}: '{key}' is no place in a list of {len(place)} (they count from 0).")
    return int(key)


def _sentence(detail: Mapping[str, Any]) -> str:
    path = [str(part) for part in detail["loc"]]
    name = ".".join(path)
    match detail["type"]:
        case "extra_forbidden":
            return f"There is no '{name}'.{nearest(path[-1], _keys(path[:-1]))}"
        case "missing":
            return f"'{name}' is missing."
        case "value_error":
            return f"{detail['ctx']['error']}." if not name else f"'{name}': {detail['ctx']['error']}."
        case _:
            message = str(detail["msg"]).removeprefix("Input ")
            return f"'{name}' is {detail['input']!r:.80}, and {message}."


def _keys(path: Sequence[str]) -> list[str]:
    """The keys that may stand in the section at this path."""
    section: Any = Project
    for key in path:
        if key.isdecimal():
            continue
        annotation = section.model_fields[key].annotation
        candidates = (
            [annotation, *get_args(annotation)] if not isinstance(annotation, UnionType) else get_args(annotation)
        )
        section = next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
        if section is None:
            return list(TrainSettings.model_fields)
    return list(section.model_fields)
