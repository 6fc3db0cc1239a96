"""`trivium prompt`: what a model knows of a task from a template and a few examples alone."""

__all__ = ["prompt"]

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trivium.cli.console import JsonOption, Lines, Page, Table, emit, say
from trivium.errors import UsageError

if TYPE_CHECKING:
    from trivium.data.examples import Examples
    from trivium.evaluate.evaluation import Evaluation
    from trivium.language_model import LanguageModel
    from trivium.prompts.prompt import Prompt
    from trivium.prompts.shots import Embed, Shots
    from trivium.prompts.study import Study
    from trivium.prompts.sweep import Sweep


#: Those that are shown where none is asked for: as it is, and without a lean.
_WAYS = ("plain", "content-free", "in-domain")

_Model = Annotated[str, typer.Argument(help="A folder, run, .gguf, catalogue name or hub id.", show_default=False)]
_Data = Annotated[str | None, typer.Option(help="Examples: a file, a folder, a name of the catalogue or a hub id.")]
_Templates = Annotated[
    list[str] | None,
    typer.Option(help=r"'Review: {{ text }}\nSentiment: {{ label }}', or a file; several are compared."),
]
_Words = Annotated[
    list[str] | None, typer.Option(metavar="LABEL=WORD", help="What is said for a label. The label itself.")
]
_Instruction = Annotated[str, typer.Option(help="Stands before everything.", show_default=False)]
_Style = Annotated[str, typer.Option(help="text, or chat: turns in the form of the model's chat template.")]
_Shots = Annotated[str, typer.Option(help="How many examples are shown: 0,1,4.")]
_Order = Annotated[str, typer.Option(help="Which: random, balanced (by label), nearest (by embedding).")]
_Ways = Annotated[
    list[str] | None,
    typer.Option(
        help="How choices are scored: plain, per-token, per-character, per-byte, unconditional, content-free, "
        "in-domain. plain, content-free and in-domain."
    ),
]
_Seeds = Annotated[int, typer.Option(help="Draw the shots so often.", min=1)]
_ChooseOn = Annotated[
    int, typer.Option(help="Choose the best setting on so many examples that are not held out.", min=0)
]
_Items = Annotated[int | None, typer.Option(help="Ask so many of the held-out examples at most.", min=1)]
_Free = Annotated[bool, typer.Option("--free", help="Let the model write its answer.")]
_Stop = Annotated[list[str] | None, typer.Option(help="End a written answer before this. A new line.")]
_MaxTokens = Annotated[int, typer.Option(help="End a written answer after so many tokens.", min=1)]
_Split = Annotated[str | None, typer.Option(help="The split that shots are drawn from.")]
_Test = Annotated[str | None, typer.Option(help="Other examples to hold out, not a share.")]
_TestSplit = Annotated[str | None, typer.Option(help="The split that is held out.")]
_HeldOut = Annotated[float, typer.Option(help="Share that is held out, where there is no other test.")]
_Columns = Annotated[list[str] | None, typer.Option(metavar="ROLE=NAME", help="The column of a role: label=stars.")]
_Embedder = Annotated[str | None, typer.Option(help="Finds the nearest shots. The model itself.")]
_Folder = Annotated[Path | None, typer.Option(help="Keep answers here, and go on from there.")]
_Plot = Annotated[Path | None, typer.Option(help="Draw accuracy by shots: .svg or .png.")]
_Device = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, ... The GPU if there is one.")]
_Dtype = Annotated[str | None, typer.Option(help="float32, bfloat16 or float16. The file's own.")]


def prompt(
    model: _Model,
    data: _Data = None,
    template: _Templates = None,
    word: _Words = None,
    instruction: _Instruction = "",
    style: _Style = "text",
    shots: _Shots = "0",
    order: _Order = "",
    way: _Ways = None,
    seeds: _Seeds = 1,
    choose_on: _ChooseOn = 0,
    items: _Items = None,
    free: _Free = False,
    stop: _Stop = None,
    max_tokens: _MaxTokens = 32,
    split: _Split = None,
    test: _Test = None,
    test_split: _TestSplit = None,
    held_out: _HeldOut = 0.2,
    column: _Columns = None,
    embedder: _Embedder = None,
    folder: _Folder = None,
    plot: _Plot = None,
    device: _Device = None,
    dtype: _Dtype = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a model by a template with zero, one or several examples, and say how well it does.

    Labels are chosen by the likelihood of their words; other answers are written. The first whole prompt is printed,
    and how often each label is said. A decoder or an encoder-decoder can be asked.
    """
    if data is None:
        raise UsageError("Say what to ask about: --data FILE.")
    counts = _counts(shots)
    words, columns = _named(word, "--word", "positive=great"), _named(column, "--column", "label=stars")

    from trivium.language_model import load
    from trivium.prompts.predictors import embedder as embed_with
    from trivium.prompts.shots import Shots

    pool, asked = _material(data, split, test, test_split, held_out, columns)
    asked = asked if items is None else asked.sample(items)
    prompts = _prompts(template, words, instruction, style, pool, asked, free)
    lm = load(model, device, dtype)
    chosen = order or ("balanced" if asked.form == "classification" else "random")
    shown = [Shots(count, chosen) for count in counts]
    embed = None if chosen != "nearest" else embed_with(lm if embedder is None else load(embedder, device, dtype))
    if free or asked.form != "classification":
        _write(lm, prompts, pool, asked, shown, embed, tuple(stop or ("\n",)), max_tokens, as_json)
        return

    from trivium.plan.picture import save_chart
    from trivium.prompts.study import study

    result = study(lm, prompts, pool, asked, shown, way or _WAYS, seeds, choose_on, embed, folder, say)
    if plot is not None:
        save_chart((result.tuning or result.held_out).plot(), plot)
        say(f"drawn: {plot}")
    emit(result, as_json=as_json, human=_page(result, asked))


def _write(
    lm: "LanguageModel",
    prompts: "dict[str, Prompt]",
    pool: "Examples",
    asked: "Examples",
    shown: "list[Shots]",
    embed: "Embed | None",
    stop: tuple[str, ...],
    max_tokens: int,
    as_json: bool,
) -> None:
    """The model writes its answers."""
    from trivium.evaluate.evaluation import evaluate
    from trivium.prompts.predictors import TextPrompter

    found = []
    for each in prompts.values():
        for one in shown:
            asker = TextPrompter(lm, each, pool, one, stop=stop, max_tokens=max_tokens, embed=embed)
            found.append(evaluate(asker, asked, told=lambda done, of: say(f"{done:,} of {of:,}")))
    emit({"evaluations": [one.to_dict() for one in found]}, as_json=as_json, human=_written(found))


def _counts(shots: str) -> list[int]:
    try:
        return list(dict.fromkeys(int(part) for part in shots.split(",")))
    except ValueError:
        raise UsageError(f"--shots is '{shots}': give numbers with commas between them, such as 0,1,4.") from None


def _named(given: list[str] | None, option: str, like: str) -> dict[str, str]:
    for one in given or []:
        if "=" not in one:
            raise UsageError(f"{option} is '{one}': write it as {like}.")
    return dict(one.split("=", 1) for one in given or [])


def _material(
    data: str, split: str | None, test: str | None, test_split: str | None, held_out: float, columns: dict[str, str]
) -> "tuple[Examples, Examples]":
    from trivium.data.example_reader import read_examples

    pool = read_examples(data, split=split, columns=columns)
    if test is None and test_split is None:
        pool, asked = pool.split(held_out)
    else:
        asked = read_examples(test or data, split=test_split, columns=columns)
    for reason, count in {**pool.skipped, **asked.skipped}.items():
        say(f"left out: {count:,} rows with {reason}")
    return pool, asked


def _prompts(
    templates: list[str] | None,
    words: dict[str, str],
    instruction: str,
    style: str,
    pool: "Examples",
    asked: "Examples",
    free: bool,
) -> "dict[str, Prompt]":
    from trivium.prompts.prompt import Prompt
    from trivium.prompts.template import Template, fields_of
    from trivium.prompts.words import LabelWords

    choice = None
    if asked.form == "classification" and (words or not free):
        choice = LabelWords.of(sorted({*pool.labels, *asked.labels}), words or None)
    elif words:
        raise UsageError(f"--word gives labels a word, and examples of {asked.form} have no labels.")
    made = {}
    for number, text in enumerate(templates or [""], 1):
        path = Path(text)
        is_file = "{" not in text and bool(text)
        if is_file and not path.is_file():
            raise UsageError(f"--template is '{text}', which is neither a file nor has {{{{ label }}}} in it.")
        source = path.read_text(encoding="utf-8").removesuffix("\n") if is_file else text.replace("\\n", "\n")
        pair = "text_b" in fields_of(asked.examples[0])
        made[path.stem if is_file else f"template {number}"] = Prompt(
            Template(source) if source else Template.default(asked.form, pair), choice, instruction, style=style
        )
    return made


def _page(result: "Study", asked: "Examples") -> Page:
    parts: list[str | Table | Lines] = [f"The first {name}:\n\n{text}" for name, text in result.held_out.first.items()]
    if result.tuning is not None:
        parts.append(_table(result.tuning, f"Chosen among these on {result.tuning.items:,} other examples"))
    parts.append(_table(result.held_out, f"{asked.where}: {result.held_out.items:,} held out"))
    return Page((*parts, *result.remarks))


def _table(sweep: "Sweep", title: str) -> Table:
    rows = []
    for row in sweep.rows:
        low, high = row.accuracy.low, row.accuracy.high
        said = ", ".join(f"{label} {share:.0%}" for label, share in row.lean.said.items())
        interval = "" if low is None or high is None else f"{low:.1%} to {high:.1%}"
        spread = f"{row.spread[0]:.1%} to {row.spread[1]:.1%}" if len(row.by_seed) > 1 else ""
        together = "" if row.together is None else f"{row.together.value:.1%}"
        leans = "" if row.lean.to is None else f"leans to {row.lean.to}"
        rows.append(
            (row.prompt, row.shots.count, row.way, f"{row.accuracy.value:.1%}", interval, spread, together, said, leans)
        )
    columns = ("prompt", "shots", "choice by", "accuracy", "95 % interval", "seeds", "together", "said", "")
    return Table(columns, rows, title)


def _written(found: "list[Evaluation]") -> Page:
    parts: list[str | Table | Lines] = []
    for one in found:
        rows = [(metric.name, str(metric)) for metric in one.metrics]
        parts.append(f"The first prompt:\n\n{one.first_input}")
        parts.append(f"shots: {one.how['shots']}; {one.items:,} items held out")
        parts.append(Table(("metric", "95 % interval"), rows))
        parts += one.remarks
    return Page(tuple(parts))
