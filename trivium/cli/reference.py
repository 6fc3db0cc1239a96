"""docs/cli.md, written from the command line's own help: `python -m trivium.cli.reference` prints it.

A test compares the file with what this prints, so the page cannot fall behind the code.
"""

__all__ = ["help_text", "reference"]

import contextlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence

from trivium.cli.main import SUMMARY, VERBS, Group, app

_COLUMNS = 100

_INTRODUCTION = f"""# The command line

{SUMMARY}

A bare command prints its help. On verbs that report, `--json` makes the last line of stdout one JSON document. Exit
codes: 0 done, 1 failed, 2 wrong use, 130 interrupted.

This page is written by `make docs` from the commands' own help.
"""


def reference(verbs: Mapping[str, Callable[..., None] | Group] = VERBS) -> str:
    """The page in Markdown: the help of the bare command, then of every verb."""
    sections = [_INTRODUCTION]
    for depth, line in [(1, []), *_lines(verbs)]:
        heading = f"{'#' * (depth + 1)} `trivium {' '.join(line)}`\n\n" if line else ""
        sections.append(f"{heading}```text\n{help_text(line, verbs)}```\n")
    return "\n".join(sections)


def help_text(line: Sequence[str], verbs: Mapping[str, Callable[..., None] | Group] = VERBS) -> str:
    """What `trivium <line> --help` prints, at a width that no terminal changes."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        app(verbs)([*line, "--help"], prog_name="trivium", standalone_mode=False, terminal_width=_COLUMNS)
    return "".join(text.rstrip() + "\n" for text in printed.getvalue().splitlines())


def _lines(verbs: Mapping[str, Callable[..., None] | Group]) -> Iterator[tuple[int, list[str]]]:
    """Every verb that can be typed, with its depth: `data` 1, `data list` 2."""
    for name, verb in verbs.items():
        yield 1, [name]
        if isinstance(verb, Group):
            yield from ((2, [name, inner]) for inner in verb.verbs)


if __name__ == "__main__":
    print(reference(), end="")
