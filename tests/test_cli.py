"""Whole command lines: help, exit codes, error paragraphs, and what people and programs are shown."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from trivium.cli.console import Table, emit, json_document, printable, say
from trivium.cli.main import VERBS, Group, main
from trivium.errors import CheckpointError, DataError, StorageError, TriviumError, UsageError

#: Too heavy for a help text; most of all torch, which takes seconds.
HEAVY = {"torch", "numpy", "pydantic", "datasets", "tokenizers", "huggingface_hub", "matplotlib", "pandas", "rich"}


def command_lines(verbs: Mapping[str, Callable[..., None] | Group] = VERBS) -> Iterator[list[str]]:
    """Every verb that can be typed, groups included."""
    for name, verb in verbs.items():
        yield [name]
        if isinstance(verb, Group):
            yield from ([name, inner] for inner in verb.verbs)


def python(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, *arguments, "-c", program], capture_output=True, text=True, check=False)


class TestHelp:
    def test_a_bare_command_prints_the_help_and_is_no_mistake(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main([]) == 0
        bare = capsys.readouterr().out
        assert main(["--help"]) == 0
        assert capsys.readouterr().out == bare
        assert all(f"  {name} " in bare for name in VERBS)

    def test_a_bare_group_prints_its_help(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["data"], {"data": Group("About data.", {"list": lambda: None, "get": lambda: None})}) == 0
        out = capsys.readouterr().out
        assert "About data." in out
        assert "list" in out

    @pytest.mark.parametrize("line", list(command_lines()), ids=" ".join)
    def test_every_verb_says_what_it_does(self, line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert main([*line, "--help"]) == 0
        usage, summary, *_ = [text for text in capsys.readouterr().out.splitlines() if text.strip()]
        assert usage.startswith(f"Usage: trivium {' '.join(line)}")
        assert summary.strip().endswith((".", ":")) or len(summary) > 60

    def test_help_imports_nothing_heavy(self) -> None:
        done = python("import sys; from trivium.cli.main import main; sys.exit(main(['--help']))", "-X", "importtime")
        imported = {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
        assert done.returncode == 0
        assert "typer" in imported
        assert not imported & HEAVY

    def test_version_names_what_a_report_needs(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--version"]) == 0
        out = capsys.readouterr().out
        assert out.startswith("trivium ")
        assert "Python 3." in out
        assert "torch 2." in out


class TestWrongUse:
    @staticmethod
    def run(steps: int = 1) -> None:
        """Run."""

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            (["rnu"], "No such command 'rnu'. Did you mean 'run'? See 'trivium --help'."),
            (["run", "--stepz", "3"], "No such option: --stepz. Did you mean '--steps'? See 'trivium run --help'."),
            (["run", "--steps", "many"], "Invalid value for '--steps': Input should be a valid integer"),
            (["run", "--steps"], "Option '--steps' requires an argument"),
            (["run", "extra"], "extra"),
            (["data", "lst"], "No such command 'lst'. Did you mean 'list'? See 'trivium data --help'."),
        ],
    )
    def test_it_names_the_nearest_right_one(
        self, line: list[str], said: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(line, {"run": self.run, "data": Group("Data.", {"list": self.run, "get": self.run})}) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.startswith("error: ")
        assert said in shown.err
        assert shown.err.count("\n") == 1


class TestErrors:
    @staticmethod
    def failing(error: BaseException) -> int:
        def verb() -> None:
            raise error

        return main(["verb"], {"verb": verb})

    @pytest.mark.parametrize(
        ("kind", "code"), [(TriviumError, 1), (UsageError, 2), (DataError, 1), (CheckpointError, 1), (StorageError, 1)]
    )
    def test_what_a_user_caused_is_one_paragraph(
        self, kind: type[TriviumError], code: int, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.failing(kind("no file [bold]here[/bold]\x1b[2J")) == code
        assert capsys.readouterr().err == "error: no file [bold]here[/bold]\\x1b[2J\n"

    def test_what_we_caused_keeps_its_traceback(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.failing(ZeroDivisionError("by zero")) == 1
        said = capsys.readouterr().err
        assert said.startswith("Traceback")
        assert "ZeroDivisionError: by zero" in said
        assert "Please report" in said.splitlines()[-1]

    def test_an_interrupt_is_130(self) -> None:
        assert self.failing(KeyboardInterrupt()) == 130

    def test_a_reader_that_leaves_is_no_error(self) -> None:
        program = (
            "import sys; from trivium.cli.main import main; from trivium.cli.console import emit\n"
            "def verb() -> None:\n"
            "    for line in range(50_000): emit(line, as_json=False)\n"
            "sys.exit(main(['verb'], {'verb': verb}))"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline() == b"0\n"
            process.stdout.close()
            assert process.stderr.read() == b""
        assert process.returncode == 1


@dataclass(frozen=True)
class Result:
    loss: float
    where: Path

    def to_dict(self) -> dict[str, object]:
        return {"loss": self.loss, "where": self.where, "counts": np.arange(3), "mean": np.float32(0.5)}


class TestPrinting:
    def test_json_is_the_last_line_of_stdout(self, capsys: pytest.CaptureFixture[str]) -> None:
        say("reading")
        emit(Result(float("nan"), Path("run")), as_json=True)
        shown = capsys.readouterr()
        assert shown.err == "reading\n"
        assert json.loads(shown.out.splitlines()[-1]) == {
            "loss": None,
            "where": "run",
            "counts": [0, 1, 2],
            "mean": 0.5,
        }

    def test_json_is_one_line_of_ascii_whatever_the_text(self) -> None:
        document = json_document({"text": "héllo\n\u2028\x1b"})
        assert document.isascii()
        assert document.isprintable()
        assert json.loads(document) == {"text": "héllo\n\u2028\x1b"}

    def test_a_table_is_plain_lines_where_there_is_no_terminal(self, capsys: pytest.CaptureFixture[str]) -> None:
        rows = [["[red]book[/red]", 1234567, 0.123456, None, True], ["x" * 300, 8, 2.0, 3, False]]
        emit(None, as_json=False, human=Table(["name", "tokens", "share", "limit", "kept"], rows, title="What [is]"))
        title, header, first, second = capsys.readouterr().out.splitlines()
        assert title == "What [is]"
        assert header.split() == ["name", "tokens", "share", "limit", "kept"]
        assert first.split() == ["[red]book[/red]", "1,234,567", "0.1235", "yes"]
        assert second.split() == ["x" * 300, "8", "2", "3", "no"]
        assert header.index("tokens") + len("tokens") == second.index(" 8") + 2

    def test_text_cannot_move_the_cursor(self) -> None:
        assert printable("a\x1b[31m\r\x9b\tb\n 漢字 é") == "a\\x1b[31m\\x0d\\x9b\tb\n 漢字 é"
