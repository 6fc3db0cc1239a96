"""What a model says of every choice of every example: one reading serves all ways of scoring.

Letters: N items, C choices, K inputs of a calibration.
"""

__all__ = ["Reading", "read_choices"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from trivium.data.examples import Example, Examples
from trivium.decode.score import Score, score
from trivium.errors import UsageError
from trivium.language_model import LanguageModel
from trivium.prompts.prompt import Built, Prompt, build, unconditional
from trivium.prompts.template import fields_of
from trivium.prompts.ways import CONTENT_FREE, Likelihoods


@dataclass(frozen=True, eq=False)
class Reading:
    """The likelihoods of the choices, and the prompts that were read."""

    likelihoods: Likelihoods
    built: tuple[Built, ...]


def read_choices(
    lm: LanguageModel,
    prompt: Prompt,
    asked: Examples,
    shots: Sequence[tuple[Example, ...]],
    ways: Sequence[str] = ("plain",),
    in_domain: Sequence[Example] = (),
    rows: int = 16,
    told: Callable[[int, int], None] | None = None,
    remembered: dict[tuple[int, ...], list[Score]] | None = None,
) -> Reading:
    """The likelihoods of the choices of each example after its shots, and what `ways` compare them with.

    Calibration reads its inputs after the same shots, once for each set of shots. What prompts share is read once.
    `in_domain` are examples whose labels are not looked at. `told` hears how many of all pairs are done;
    what is `remembered` from earlier calls, with the same model and words, is not read again. Raises
    `UsageError` for a model that gives no likelihoods, a prompt that does not fit, and a template that suits not.
    """
    words = prompt.words
    if words is None:
        raise UsageError("Choices are scored by their words, and the prompt has none.")
    for example in asked:
        prompt.template.check(asked.form, example)
    built = [build(lm, prompt, fields_of(example), shown) for example, shown in zip(asked, shots, strict=True)]
    extra: list[Built] = []
    sets = list(dict.fromkeys(shots))
    inputs = {
        "content-free": [_content_free(asked.examples[0], text) for text in CONTENT_FREE] if asked.examples else [],
        "in-domain": [fields_of(example) for example in in_domain],
    }
    if "in-domain" in ways and not in_domain:
        raise UsageError("Calibration in the domain needs texts of it: give some examples (their labels are not read).")
    for way, texts in inputs.items():
        if way in ways:
            extra += [build(lm, prompt, fields, shown) for shown in sets for fields in texts]
    if "unconditional" in ways:
        extra.append(unconditional(lm, prompt, fields_of(asked.examples[0])))
    known = {} if remembered is None else remembered
    new = [one for one in extra if tuple(one.ids) not in known]
    pairs = [(one.ids, choice) for one in (*built, *new) for choice in one.choices]
    done = None if told is None else lambda count: told(count, len(pairs))
    scored = score(lm.model, pairs, lm.start_id, rows, told=done)
    choices = len(words.words)
    for number, one in enumerate(new, len(built)):
        known[tuple(one.ids)] = scored[choices * number : choices * (number + 1)]
    whole = [*scored[: choices * len(built)], *(each for one in extra for each in known[tuple(one.ids)])]
    logprobs, tokens = _table(whole, choices)
    return Reading(_sorted_out(logprobs, tokens, prompt, ways, shots, sets, inputs), tuple(built))


def _sorted_out(
    logprobs: np.ndarray,
    tokens: np.ndarray,
    prompt: Prompt,
    ways: Sequence[str],
    shots: Sequence[tuple[Example, ...]],
    sets: Sequence[tuple[Example, ...]],
    inputs: dict[str, list[dict[str, str]]],
) -> Likelihoods:
    """The rows of the items, then those of each calibration for each set of shots, then the unconditional one."""
    assert prompt.words is not None
    place = len(shots)
    set_of = [{shown: number for number, shown in enumerate(sets)}[shown] for shown in shots]
    found: dict[str, np.ndarray | None] = {"content-free": None, "in-domain": None}
    for way in found:
        if way in ways:
            count = len(inputs[way])
            block = logprobs[place : place + len(sets) * count].reshape(len(sets), count, logprobs.shape[1])
            found[way] = block[set_of]
            place += len(sets) * count
    return Likelihoods(
        logprobs[: len(shots)],
        tokens[: len(shots)],
        tuple(prompt.words.words.values()),
        logprobs[place] if "unconditional" in ways else None,
        found["content-free"],
        found["in-domain"],
    )


def _table(scored: Sequence[Score], choices: int) -> tuple[np.ndarray, np.ndarray]:
    logprobs = np.array([one.logprob for one in scored]).reshape(-1, choices)
    return logprobs, np.array([one.tokens for one in scored]).reshape(-1, choices)


def _content_free(example: Example, text: str) -> dict[str, str]:
    return dict.fromkeys(fields_of(example), text)
