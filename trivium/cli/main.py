"""The entry of the command line: the table of verbs, and errors turned into exit codes.

To add a verb: write `trivium/cli/<verb>.py` with a plain typed function (its docstring is the help; rooms below are
imported inside it), import the module here, and add a line to `VERBS`. Then `make docs` brings docs/cli.md up to date.

Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted.
"""

__all__ = ["SUMMARY", "VERBS", "Group", "app", "main", "versions"]

import contextlib
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from trivium.cli import data, fit, tokenizer
from trivium.cli.answer import answer
from trivium.cli.classify import classify
from trivium.cli.compare import compare
from trivium.cli.console import printable
from trivium.cli.embed import embed
from trivium.cli.evaluate import evaluate
from trivium.cli.export import export
from trivium.cli.generate import generate
from trivium.cli.ladder import ladder
from trivium.cli.plan import plan
from trivium.cli.preview import preview
from trivium.cli.prompt import prompt
from trivium.cli.run import run
from trivium.cli.schema import schema
from trivium.cli.tag import tag
from trivium.cli.train import train
from trivium.cli.translate import summarize, translate
from trivium.cli.which import which
from trivium.errors import TriviumError


@dataclass(frozen=True)
class Group:
    """A verb with verbs of its own: `trivium data list`."""

    summary: str
    verbs: Mapping[str, Callable[..., None]]


#: What the whole command does, at the top of its help.
SUMMARY = "Plan, train, evaluate and use language models of all three transformer families."

#: Every verb of the command line, in the order of the help.
VERBS: Mapping[str, Callable[..., None] | Group] = {
    "run": run,
    "which": which,
    "plan": plan,
    "fit": Group("Fit scaling laws to your own runs.", {"points": fit.points, "ladder": ladder}),
    "tokenizer": Group(
        "Train a tokenizer, or report what one makes of a text.",
        {"train": tokenizer.train, "report": tokenizer.report},
    ),
    "data": Group(
        "See what data there is, fetch it, and look into it.",
        {"list": data.list_entries, "get": data.get, "describe": data.describe, "preview": preview},
    ),
    "train": train,
    "evaluate": evaluate,
    "compare": compare,
    "prompt": prompt,
    "generate": generate,
    "classify": classify,
    "tag": tag,
    "answer": answer,
    "translate": translate,
    "summarize": summarize,
    "embed": embed,
    "export": export,
    "schema": schema,
}


def app(verbs: Mapping[str, Callable[..., None] | Group] = VERBS) -> typer.Typer:
    """The typer application of a table of verbs."""
    made = _typer(SUMMARY, _options)
    for name, verb in verbs.items():
        if isinstance(verb, Group):
            group = _typer(verb.summary)
            for inner_name, inner_verb in verb.verbs.items():
                group.command(inner_name)(inner_verb)
            made.add_typer(group, name=name)
        else:
            made.command(name)(verb)
    return made


def versions() -> str:
    """What a fault report needs: the versions of Trivium, Python and torch, and the machine."""
    from trivium.versions import versions as installed

    found = installed()
    return f"trivium {found['trivium']} (Python {found['python']}, torch {found['torch']}, {found['system']})"


def main(arguments: Sequence[str] | None = None, verbs: Mapping[str, Callable[..., None] | Group] = VERBS) -> int:
    """Run one command line (by default the process's own) and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that cannot show a character shows its code instead
            stream.reconfigure(errors="backslashreplace")
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if _is_bare(arguments, verbs):
        arguments.append("--help")  # which is no mistake
    try:
        code = app(verbs)(arguments, prog_name="trivium", standalone_mode=False)
        sys.stdout.flush()
    except TriviumError as error:
        return _fail(str(error), error.exit_code)
    except typer.TyperException as error:
        return _fail(_usage(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", 130)
    except BrokenPipeError:  # the reader (`| head`) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception:
        traceback.print_exc()
        return _fail(f"this is a fault in Trivium, not yours. Please report the lines above with: {versions()}", 1)
    return code if isinstance(code, int) else 0


def _typer(summary: str, callback: Callable[..., None] | None = None) -> typer.Typer:
    # Without rich's markup: importing rich would take half of the time that help may take.
    return typer.Typer(help=summary, callback=callback, rich_markup_mode=None, add_completion=False)


def _print_versions(asked: bool) -> bool:
    if asked:
        typer.echo(versions())
        raise typer.Exit
    return asked


def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the versions of Trivium, Python and torch.",
            is_eager=True,
            callback=_print_versions,
        ),
    ] = False,
) -> None:
    """Take the options of the bare command: they act on their own."""


def _is_bare(arguments: Sequence[str], verbs: Mapping[str, Callable[..., None] | Group]) -> bool:
    """Whether no verb was typed: `trivium`, or `trivium data`."""
    return not arguments or (len(arguments) == 1 and isinstance(verbs.get(arguments[0]), Group))


def _fail(message: str, code: int) -> int:
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
    sys.stderr.write(f"error: {printable(message)}\n")
    return code


def _usage(error: typer.TyperException) -> str:
    """A wrong option or verb: what was wrong, the nearest right one, and where help is."""
    message = error.format_message()
    near = getattr(error, "possibilities", None)
    if near:
        message = f"{error.message}. Did you mean {near[0]!r}?"
    if not message.endswith((".", "?", ")")):
        message += "."
    context = getattr(error, "ctx", None)
    where = context.command_path if context is not None else "trivium"
    return f"{message} See '{where} --help'."
