"""Prompts x shots x ways of scoring x seeds on the same examples: how well each does, and how much that is luck.

One reading of the examples serves every way of scoring. The interval of an accuracy is of the mean over seeds, by
bootstrap of the items; the range over seeds stands beside it, as it is another kind of luck. Draws of shots can also be
asked together: their mean scores decide, which takes most of that luck away, for as many times the work.

    tuning = sweep(lm, prompts, pool, some, ...)      the best setting is chosen on examples ...
    sweep(lm, {best.prompt: ...}, pool, held_out)     ... that it is not reported on
"""

__all__ = ["Row", "Sweep", "sweep"]

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from trivium.data.examples import Examples
from trivium.errors import UsageError
from trivium.evaluate.identity import identity_of
from trivium.files import atomic_write
from trivium.language_model import LanguageModel
from trivium.metrics.bootstrap import bootstrap, mean_of
from trivium.metrics.metric import Metric
from trivium.prompts.lean import Lean
from trivium.prompts.picture import Curve, accuracy_chart
from trivium.prompts.predictors import ChoicePrompter
from trivium.prompts.prompt import Prompt, answer_of
from trivium.prompts.shots import Embed, Shots
from trivium.prompts.ways import check_way, log_probabilities, scores


@dataclass(frozen=True)
class Row:
    """How well a prompt does with some shots and a way of scoring, over seeds.

    `together` is the accuracy of all draws asked together; None where there is one. `left_out` shots found no room in
    the context, of all prompts; the fewest that one had is `fewest`.
    """

    prompt: str
    shots: Shots
    way: str
    accuracy: Metric
    by_seed: tuple[float, ...]
    together: Metric | None
    lean: Lean
    left_out: int
    fewest: int
    seconds: float

    @property
    def spread(self) -> tuple[float, float]:
        """The lowest and the highest accuracy of a seed."""
        return min(self.by_seed), max(self.by_seed)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**asdict(self), "lean": self.lean.to_dict()}


@dataclass(frozen=True)
class Sweep:
    """The rows of a sweep over examples, and the first whole prompt of each prompt with most shots."""

    rows: tuple[Row, ...]
    items: int
    seeds: int
    first: Mapping[str, str]

    @property
    def best(self) -> Row:
        """The row of the highest accuracy; of equal ones the one with the fewest shots."""
        return max(self.rows, key=lambda row: (row.accuracy.value, -row.shots.count))

    def plot(self) -> Figure:
        """Accuracy by shots, a line a prompt and way."""
        curves: dict[str, list[Row]] = {}
        for row in self.rows:
            curves.setdefault(f"{row.prompt}, {row.way}", []).append(row)
        return accuracy_chart(
            [
                Curve(name, [row.shots.count for row in rows], [row.accuracy for row in rows], [r.spread for r in rows])
                for name, rows in curves.items()
            ],
            f"{self.items:,} examples, {self.seeds} seeds of shots",
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "items": self.items,
            "seeds": self.seeds,
            "rows": [row.to_dict() for row in self.rows],
            "first": dict(self.first),
        }


@dataclass(frozen=True)
class _Said:
    """What is said of every example with one draw of shots, by each way: the log-probabilities of its choices."""

    scores: dict[str, list[list[float]]]
    left_out: int
    fewest: int
    seconds: float
    first: str


def sweep(
    lm: LanguageModel,
    prompts: Mapping[str, Prompt],
    pool: Examples | None,
    asked: Examples,
    shots: Sequence[Shots] = (Shots(),),
    ways: Sequence[str] = ("plain",),
    seeds: int = 1,
    embed: Embed | None = None,
    folder: Path | None = None,
    told: Callable[[str], None] | None = None,
) -> Sweep:
    """Ask all `asked` examples by every prompt, number of shots, way, and draw of shots from `pool` (seeds 0, 1, ...).

    With a `folder` each draw's answers are kept there, and a sweep that is started again goes on behind them. `told`
    hears of each that is done. Raises `UsageError` as `read_choices` and `draw_shots` do, and for nothing to sweep.
    """
    if not prompts or not shots or not ways or seeds < 1 or not len(asked):
        raise UsageError("A sweep needs a prompt, a number of shots, a way of scoring, a seed and an example at least.")
    for way in ways:
        check_way(way)
    right = [answer_of(example) for example in asked]
    unknown = {
        label for prompt in prompts.values() if prompt.words for label in right if label not in prompt.words.words
    }
    if unknown:
        raise UsageError(f"Examples of {asked.where} have the label '{min(unknown)}', which has no word in a prompt.")
    model = "" if folder is None else identity_of(lm)
    rows: list[Row] = []
    first: dict[str, str] = {}
    for name, prompt in prompts.items():
        if prompt.words is None:
            raise UsageError(f"The prompt '{name}' has no label words, and a sweep is of choices.")
        for shown in shots:
            drawn: list[_Said] = []
            for seed in range(seeds if shown.count and shown.order != "nearest" else 1):
                asker = ChoicePrompter(lm, prompt, pool, shown, ways[0], seed, embed=embed)
                place = None if folder is None else folder / f"{_key(model, asker, asked, ways)}.json"
                drawn.append(_kept(place) or _ask(asker, asked, ways, place))
                if told is not None:
                    told(_line(name, shown, seed, drawn[-1], right, prompt.words.labels))
            first[name] = drawn[0].first
            rows += [_row(name, shown, way, drawn, right, prompt.words.labels) for way in ways]
    return Sweep(tuple(rows), len(asked), seeds, first)


def _ask(asker: ChoicePrompter, asked: Examples, ways: Sequence[str], place: Path | None) -> _Said:
    start = time.perf_counter()
    reading = asker.read(asked, ways)
    said = {way: log_probabilities(scores(reading.likelihoods, way)).tolist() for way in ways}
    shots = [built.shots for built in reading.built]
    left_out = sum(built.left_out for built in reading.built)
    made = _Said(said, left_out, min(shots), time.perf_counter() - start, reading.built[0].text)
    if place is not None:
        atomic_write(place, json.dumps(asdict(made)) + "\n")
    return made


def _row(name: str, shots: Shots, way: str, drawn: Sequence[_Said], right: Sequence[str], labels: Sequence[str]) -> Row:
    each = np.array([one.scores[way] for one in drawn])  # seeds x items x choices
    answers = np.array([labels.index(label) for label in right])
    said = each.argmax(axis=-1)
    hits = (said == answers).astype(float)
    together = each.mean(axis=0).argmax(axis=-1) == answers
    return Row(
        name,
        shots,
        way,
        bootstrap("accuracy", mean_of(hits.mean(axis=0))),
        tuple(hits.mean(axis=1).tolist()),
        bootstrap("accuracy", mean_of(together)) if len(drawn) > 1 else None,
        Lean.of([labels[place] for place in said.ravel()], [*right] * len(drawn), labels),
        sum(one.left_out for one in drawn),
        min(one.fewest for one in drawn),
        sum(one.seconds for one in drawn),
    )


def _line(name: str, shots: Shots, seed: int, said: _Said, right: Sequence[str], labels: Sequence[str]) -> str:
    answers = np.array([labels.index(label) for label in right])
    shares = {way: np.mean(np.array(each).argmax(axis=-1) == answers) for way, each in said.scores.items()}
    shown = ", ".join(f"{way} {share:.1%}" for way, share in shares.items())
    return f"{name}, shots {shots}, seed {seed}: {shown} ({said.seconds:.1f} s)"


# ---- what was asked before -------------------------------------------------------------------------------------------


def _kept(place: Path | None) -> _Said | None:
    """What an earlier sweep said, unless the file is not whole."""
    if place is None or not place.is_file():
        return None
    try:
        return _Said(**json.loads(place.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        return None


def _key(model: str, asker: ChoicePrompter, asked: Examples, ways: Sequence[str]) -> str:
    pool = "" if asker.pool is None else asker.pool.fingerprint
    parts = (model, asker.prompt.to_dict(), pool, asked.fingerprint, asdict(asker.shots), asker.seed, sorted(ways))
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]
