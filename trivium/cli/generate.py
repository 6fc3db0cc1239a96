"""`trivium generate`: what a model says, as its family can: continue, answer, or fill gaps."""

__all__ = ["generate"]

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trivium.cli.console import JsonOption, emit, printable, say
from trivium.cli.over_file import (
    ChunkOption,
    ColumnOption,
    OutputArgument,
    PrefixOption,
    SplitOption,
    is_text,
    open_rows,
    over_file,
)
from trivium.errors import UsageError

if TYPE_CHECKING:
    from trivium.decode.fill import SpanFilling
    from trivium.decode.generate import Completion
    from trivium.language_model import LanguageModel


def generate(
    model: Annotated[str, typer.Argument(help="A folder, run, .gguf, catalogue name or hub id.", show_default=False)],
    prompt: Annotated[
        str | None,
        typer.Argument(
            help="The text (without it, standard input), or a file with a column prompt.", show_default=False
        ),
    ] = None,
    output: OutputArgument = None,
    chat: Annotated[
        str | None,
        typer.Option(help="Say this to the model, in the form of its own chat template.", show_default=False),
    ] = None,
    system: Annotated[str | None, typer.Option(help="With --chat: how the model should behave.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="End after so many tokens.")] = None,
    min_tokens: Annotated[int | None, typer.Option(help="Do not end before so many tokens.")] = None,
    temperature: Annotated[float | None, typer.Option(help="0 is greedy: always the most probable token.")] = None,
    top_k: Annotated[int | None, typer.Option(help="Draw from the k most probable tokens only; 0 is all.")] = None,
    top_p: Annotated[float | None, typer.Option(help="Draw from the most probable tokens of this mass only.")] = None,
    min_p: Annotated[float | None, typer.Option(help="Draw from tokens this share as probable as the best.")] = None,
    repetition_penalty: Annotated[float | None, typer.Option(help="Above 1 discourages repetition.")] = None,
    no_repeat_ngram: Annotated[int | None, typer.Option(help="Never say the same n tokens twice; 0 is off.")] = None,
    seed: Annotated[int | None, typer.Option(help="Draw the same again; without it, a new seed is printed.")] = None,
    stop: Annotated[list[str] | None, typer.Option(help="End before this text; may be given several times.")] = None,
    stream: Annotated[bool, typer.Option("--stream", help="Print the text while it comes.")] = False,
    column: ColumnOption = None,
    prefix: PrefixOption = "",
    split: SplitOption = None,
    chunk_rows: ChunkOption = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, ... The GPU if there is one.")] = None,
    dtype: Annotated[str | None, typer.Option(help="float32, bfloat16 or float16. The file's own.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Let a model write: a decoder continues, an encoder fills masks.

    An encoder-decoder answers the prompt, or fills its gaps <extra_id_0>, <extra_id_1>, ... if there are any. An
    encoder fills each [MASK] (--top-k: how many candidates are shown, 5 by default). What is not given comes from the
    model's generation_config.json. Of a file, column prompt is read, and completion, finish_reason and logprob are
    added; the seed is 0 unless given, and a job that was stopped goes on by the same command.
    """
    options = {
        "max_tokens": max_tokens,
        "min_tokens": min_tokens,
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "min_p": min_p,
        "repetition_penalty": repetition_penalty,
        "no_repeat_ngram": no_repeat_ngram,
        "seed": seed,
        "stop": stop or None,
    }
    given = {name: value for name, value in options.items() if value is not None}
    if stream and as_json:
        raise UsageError("--stream prints text while it comes, and --json one document at the end: choose one.")
    if system is not None and chat is None:
        raise UsageError("--system tells the model how to behave in a chat, and there is no --chat.")
    if chat is not None and prompt is not None:
        raise UsageError("--chat is what the model is told, so there is no place for a prompt: give one of the two.")
    single = chat is not None or is_text(prompt, output)
    if output is not None and (chat is not None or stream):
        raise UsageError(f"The rows of a file go to {output} whole, and are prompts: leave --chat and --stream out.")
    text = _prompt(prompt) if single and chat is None else ""

    from trivium.language_model import load

    lm = load(model, device, dtype)
    if not single:
        assert output is not None
        _write_file(lm, prompt, output, column, prefix, split, chunk_rows, given, as_json)
    elif chat is not None:
        told = [{"role": "system", "content": system}] if system is not None else []
        _write(lm, [*told, {"role": "user", "content": chat}], given, stream, as_json)
    elif lm.architecture.kind == "encoder":
        _fill_masks(lm, text, given, stream, as_json)
    else:
        _write(lm, text, given, stream, as_json)


def _write_file(
    lm: "LanguageModel",
    source: str | None,
    output: Path,
    columns: list[str] | None,
    prefix: str,
    split: str | None,
    chunk_rows: int | None,
    given: dict[str, Any],
    as_json: bool,
) -> None:
    from trivium.batch.written import Continued

    options = {"seed": 0, **given}
    say(f"decoding: {lm.options(**options)}")
    task = Continued(lm, chunk_rows=chunk_rows or Continued.chunk_rows, options=options)
    over_file(task, open_rows(source, columns, split), output, columns, prefix, as_json)


def _prompt(prompt: str | None) -> str:
    if prompt is not None:
        return prompt
    if sys.stdin.isatty():
        raise UsageError("There is no prompt: give it behind the model, or on standard input.")
    text = sys.stdin.read()
    if not text:
        raise UsageError("There is no prompt: standard input is empty. Give it behind the model, or pipe a text in.")
    return text


def _fill_masks(lm: "LanguageModel", text: str, given: dict[str, Any], stream: bool, as_json: bool) -> None:
    others = [f"--{name.replace('_', '-')}" for name in given if name != "top_k"] + ["--stream"] * stream
    if others:
        raise UsageError(
            f"An encoder fills its masks at once and draws nothing, so {', '.join(others)} cannot apply: of the "
            "options of decoding, it has --top-k."
        )
    emit(lm.fill_mask(text, given.get("top_k", 5)), as_json=as_json)


def _write(
    lm: "LanguageModel", text: str | list[dict[str, str]], given: dict[str, Any], stream: bool, as_json: bool
) -> None:
    options = lm.options(**given)
    call = {**given, "seed": options.seed}
    say(f"decoding: {options}")
    if lm.ignored:
        asked = ", ".join(f"{name}={value!r}" for name, value in lm.ignored.items())
        say(f"generation_config.json also asks for {asked}, which Trivium does not do: ignored")
    start = time.perf_counter()
    from trivium.decode.fill import SpanFilling

    sentinels = [lm.tokenizer.token(sentinel) for sentinel in lm.tokenizer.sentinel_ids]
    gaps = isinstance(text, str) and any(sentinel in text for sentinel in sentinels)
    if gaps and stream:
        raise UsageError("Gaps are filled once all is said: leave out --stream, or write a prompt without gaps.")
    if stream:
        completion = _streamed(lm, text, call)
    else:
        result = _said(lm, text, gaps, call)
        document = {"decoding": options.to_dict(), "seconds": time.perf_counter() - start, **result.to_dict()}
        emit(document, as_json=as_json, human=str(result))
        completion = result.completion if isinstance(result, SpanFilling) else result
    seconds, tokens = time.perf_counter() - start, len(completion.tokens)
    say(f"{tokens:,} tokens in {seconds:.2f} s ({tokens / seconds:,.1f} tokens/s), ended by {completion.finish_reason}")


def _said(
    lm: "LanguageModel", text: str | list[dict[str, str]], gaps: bool, call: dict[str, Any]
) -> "Completion | SpanFilling":
    if not isinstance(text, str):
        return lm.chat(text, **call)
    return lm.fill_spans(text, **call) if gaps else lm.generate(text, **call)


def _streamed(lm: "LanguageModel", text: str | list[dict[str, str]], call: dict[str, Any]) -> "Completion":
    """Print each piece as it comes; the completion, once it has ended."""
    deltas = lm.stream(text, **call) if isinstance(text, str) else lm.stream_chat(text, **call)
    for delta in deltas:
        sys.stdout.write(printable(delta.text))
        sys.stdout.flush()
    sys.stdout.write("\n")
    sys.stdout.flush()
    assert delta.completion is not None
    return delta.completion
