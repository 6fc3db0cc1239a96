"""What a source holds, found by reading it whole once, before a model spends hours on it.

So broken bytes, broken JSON and a record of another length stop a job within seconds, the progress has an end to move
to, and the output's columns and types are known. No torch.
"""

__all__ = ["Survey", "survey"]

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from trivium.data.formats import format_of
from trivium.data.sources import Source

_WHOLE: Final = range(-(2**63), 2**63)
_EXACT: Final = range(-(2**53), 2**53 + 1)  # whole numbers that float64 holds
_NAMES: Final[dict[type, str]] = {bool: "bool", int: "int64", float: "float64", str: "string"}


@dataclass(frozen=True)
class Survey:
    """How many rows there are, every column that any of them has, and pyarrow's types of those that have one."""

    rows: int
    columns: tuple[str, ...]
    types: Mapping[str, Any]


def survey(source: Source) -> Survey:
    """Read a source whole. Raises `DataError` where it cannot be read to its end."""
    rows = 0
    found: dict[str, set[str]] = {}
    for row in source.rows():
        rows += 1
        for column, value in row.items():
            found.setdefault(column, set()).add(_name(value))
    return Survey(rows, tuple(found), _types(source, found))


def _types(source: Source, found: Mapping[str, set[str]]) -> dict[str, Any]:
    import pyarrow

    types: dict[str, Any] = {}
    for column, names in found.items():
        kinds = names - {"null", "list<null>"}
        if kinds == {"int64", "float64"}:
            kinds = {"float64"}
        if kinds == {"int64", "large"}:
            kinds = {"int64"}
        if len(kinds) == 1 and (kind := kinds.pop()) != "other":
            items = kind.removeprefix("list<").removesuffix(">").replace("large", "int64")
            types[column] = pyarrow.type_for_alias(items)
            if kind != items:
                types[column] = pyarrow.list_(types[column])
    for file in source.files:
        if format_of(file) == ".parquet":
            import pyarrow.parquet

            types |= {field.name: field.type for field in pyarrow.parquet.read_schema(file)}
    return types


def _name(value: object) -> str:
    """The name of a value's type: that of a plain value, of a list of equal ones, "large", or "other"."""
    if value is None:
        return "null"
    if isinstance(value, list):
        items = {_name(item) for item in value} or {"null"}
        return f"list<{items.pop()}>" if len(items) == 1 and not any(map(_nested, value)) else "other"
    if type(value) is int and value not in _WHOLE:
        return "other"
    if type(value) is int and value not in _EXACT:
        return "large"
    return _NAMES.get(type(value), "other")


def _nested(value: object) -> bool:
    return isinstance(value, list | dict)
