"""English that every machine with Trivium has: the docstrings of Python, NumPy and torch, read from their sources.

It is technical and repetitive, so it is the last resort: for a machine without any index, hub or file of its own.
"""

__all__ = ["docstrings"]

import ast
import inspect
import sysconfig
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

_PACKAGES: Final = ("numpy", "torch")
_LEFT_OUT: Final = {"site-packages", "test", "tests", "testing", "_inductor", "lib2to3"}  # little text in much code
_SHORTEST: Final = 40  # characters; shorter ones name a thing and say nothing


def docstrings() -> Iterator[str]:
    """The docstrings of each module that is documented at all, a module a document, without repetitions."""
    seen: set[str] = set()
    for file in _sources():
        try:
            with warnings.catch_warnings(action="ignore", category=SyntaxWarning):
                tree = ast.parse(file.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError):  # some sources are broken on purpose, for their tests
            continue
        found = []
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = inspect.cleandoc(ast.get_docstring(node) or "")
                if len(text) >= _SHORTEST and text not in seen:
                    seen.add(text)
                    found.append(text)
        if found:
            yield "\n\n".join(found)


def _sources() -> Iterator[Path]:
    yield from _python_files(Path(sysconfig.get_path("stdlib")))
    for package in _PACKAGES:
        spec = find_spec(package)
        for location in (spec.submodule_search_locations or []) if spec else []:
            yield from _python_files(Path(location))


def _python_files(folder: Path) -> list[Path]:
    files = folder.rglob("*.py")
    return sorted(file for file in files if not _LEFT_OUT & set(file.relative_to(folder).parts))
