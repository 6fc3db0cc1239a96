"""README.md and docs/ are run: what they show is what happens.

A `console` block is a session: lines after `$ ` are typed into a shell, the lines below them are what it must show.
A `python` block is run too, with the `>>>` of a session or without. In both, `...` stands for anything, alone on a
line for any lines. Blocks of one page share a folder, which starts with a copy of `projects/`. Other blocks (`yaml`,
`text`) are read, not run. A comment before a block says what is special about it, and why:

    <!-- not run: it takes minutes -->           there may be few of these
    <!-- numbers differ: they are timings -->    digits are not compared
    <!-- output differs: drawn at random -->     it runs and succeeds, whatever it shows
    <!-- first: trivium run ... -->              typed before the page, unseen by the reader; pages share what it made
    <!-- needs: smollm2-135m -->                 of the catalogue; where it cannot be had the block is not run
"""

import doctest
import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from trivium.cli.reference import reference
from trivium.data import catalogue
from trivium.errors import UnavailableError

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

MAX_NOT_RUN = 4
SECONDS = 300

_BLOCK = re.compile(
    r"(?P<marks>(?:^<!-- .*? -->\n+)*)^```(?P<language>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)
_MARK = re.compile(r"<!-- (not run|numbers differ|output differs|first|needs): (.+?) -->")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, with what the comments before it say."""

    language: str
    body: str
    line: int
    marks: dict[str, str]


@dataclass(frozen=True)
class Exchange:
    """A command, and what the page says it shows."""

    command: str
    shown: str


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page in Markdown."""
    return [
        Block(
            found["language"],
            found["body"],
            text.count("\n", 0, found.start("body")),
            dict(_MARK.findall(found["marks"])),
        )
        for found in _BLOCK.finditer(text)
    ]


def exchanges(body: str) -> Iterator[Exchange]:
    """The commands of a session with what they show; a command goes on after a backslash."""
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        end = next(number for number, line in enumerate(lines, 1) if not line.endswith("\\"))
        yield Exchange("\n".join(lines[:end]), "\n".join(lines[end:]))


def matches(shown: str, happened: str, *, numbers: bool = True) -> bool:
    """Whether what happened is what the page shows; `...` stands for anything, alone on a line for any lines."""
    pattern = ""
    for line in _normal(shown, numbers).split("\n"):
        pattern += r"(?:.*\n)*?" if line.strip() == "..." else ".*?".join(map(re.escape, line.split("..."))) + r"\n"
    return re.fullmatch(pattern, _normal(happened, numbers) + "\n") is not None


def _normal(text: str, numbers: bool) -> str:
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    if not numbers:  # nor the width that they take
        lines = [re.sub(r"\s+", " ", re.sub(r"\d[\d,.]*", "0", line)) for line in lines]
    return "\n".join(lines)


def run_in_shell(command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def run_session(block: Block, folder: Path, where: str) -> None:
    for exchange in exchanges(block.body):
        done = run_in_shell(exchange.command, folder)
        fails = exchange.shown.startswith("error:")
        assert (done.returncode != 0) == fails, f"{where}: $ {exchange.command}\nexit {done.returncode}\n{done.stdout}"
        if exchange.shown.strip() and "output differs" not in block.marks:
            assert matches(exchange.shown, done.stdout, numbers="numbers differ" not in block.marks), (
                f"{where}: $ {exchange.command}\nthe page shows:\n{exchange.shown}\nit is now:\n{done.stdout}"
            )


def run_python(block: Block, names: dict[str, object], where: str) -> None:
    if ">>> " not in block.body:
        exec(compile(block.body, where, "exec"), names)
        return
    said: list[str] = []
    session = doctest.DocTestParser().get_doctest(block.body, names, where, where, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(session, out=said.append, clear_globs=False)
    names.update(session.globs)
    assert runner.failures == 0 or "output differs" in block.marks, "".join(said)


def can_be_had(name: str) -> bool:
    try:
        catalogue.get(name)
    except UnavailableError:
        return False
    return True


@pytest.fixture(scope="module")
def begin(tmp_path_factory: pytest.TempPathFactory) -> Callable[[tuple[str, ...]], Path]:
    """A folder with `projects/` in which some commands were run, once however many pages begin with them."""

    @functools.cache
    def folder(commands: tuple[str, ...]) -> Path:
        made = tmp_path_factory.mktemp("pages")
        shutil.copytree(ROOT / "projects", made / "projects")
        for command in commands:
            done = run_in_shell(command, made)
            assert done.returncode == 0, f"{command}: {done.stdout}"
        return made

    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_shows_what_happens(page: Path, begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = blocks(page.read_text(encoding="utf-8"))
    first = tuple(block.marks["first"] for block in found if "first" in block.marks)
    shutil.copytree(begin(first), tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for block in found:
        where = f"{page.name}:{block.line}"
        if "not run" in block.marks or not all(map(can_be_had, block.marks.get("needs", "").split())):
            continue
        if block.language in {"console", "sh"}:
            run_session(block, tmp_path, where)
        elif block.language == "python":
            run_python(block, names, where)


def test_few_blocks_are_not_run() -> None:
    left_out = [
        f"{page.name}:{block.line}: {block.marks['not run']}"
        for page in PAGES
        for block in blocks(page.read_text(encoding="utf-8"))
        if "not run" in block.marks
    ]
    assert len(left_out) <= MAX_NOT_RUN, "\n".join(left_out)


def test_the_reference_of_the_command_line_is_current() -> None:
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == reference(), "run `make docs`"


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_links_inside_the_project_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert not missing


class TestTheReader:
    """The reading of pages is itself tried: a page that says something false fails."""

    def test_blocks_and_their_marks(self) -> None:
        text = "# A\n\n<!-- not run: long -->\n```console\n$ make\n```\n\n```python\n1\n```\n"
        assert blocks(text) == [
            Block("console", "$ make\n", 4, {"not run": "long"}),
            Block("python", "1\n", 8, {}),
        ]

    def test_a_session_is_commands_and_what_they_show(self) -> None:
        assert list(exchanges("$ one \\\n  two\nshown\n$ three\n")) == [
            Exchange("one \\\n  two", "shown"),
            Exchange("three", ""),
        ]

    @pytest.mark.parametrize(
        ("shown", "happened", "expected"),
        [
            ("a\nb", "a\nb\n", True),
            ("a\nb", "a\nc\n", False),
            ("loss ...", "loss 3.14", True),
            ("...\nend", "a\nb\nend", True),
            ("...\nend", "a\nb", False),
            ("start\n...", "start", True),
            ("a.c", "abc", False),
        ],
    )
    def test_dots_stand_for_anything(self, shown: str, happened: str, expected: bool) -> None:
        assert matches(shown, happened) is expected

    def test_numbers_are_compared_unless_said_otherwise(self) -> None:
        assert not matches("loss   3.14", "loss 12.5")
        assert matches("loss   3.14", "loss 12.5", numbers=False)
        assert not matches("loss 3.14", "cost 3.14", numbers=False)

    def test_a_false_session_fails(self, tmp_path: Path) -> None:
        run_session(Block("console", "$ echo yes\nyes\n", 1, {}), tmp_path, "page")
        with pytest.raises(AssertionError, match="the page shows"):
            run_session(Block("console", "$ echo yes\nno\n", 1, {}), tmp_path, "page")
        with pytest.raises(AssertionError, match="exit 3"):
            run_session(Block("console", "$ exit 3\n", 1, {}), tmp_path, "page")

    def test_a_false_python_session_fails(self) -> None:
        names: dict[str, object] = {}
        run_python(Block("python", ">>> x = 2\n>>> x + 1\n3\n", 1, {}), names, "page")
        run_python(Block("python", "assert x == 2\n", 1, {}), names, "page")
        with pytest.raises(AssertionError, match="Expected"):
            run_python(Block("python", ">>> x + 1\n4\n", 1, {}), names, "page")
