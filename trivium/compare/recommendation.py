"""Which candidate to take, how sure that is, and what would make it surer, in words. No torch.

Among the candidates that are not surely behind the best, those whose score is at most `margin` below it are as good
for the purpose, and the quickest of them is taken. It is sure to the share of the resamples in which no candidate is
more than the margin better.

A difference d of standard error e on N items, in intervals of q standard errors, is seen with the chance 1 - b on

    N ((q + z) e / d)^2        items, with z the normal quantile of 1 - b, if it is really so large

(the sample size of Agresti & Min's comparison of two proportions, or of any mean).
"""

__all__ = ["Recommendation", "items_needed", "recommend"]

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from scipy.stats import norm

from trivium.compare.ranking import Ranking

#: The chance with which a difference is to be seen, where more items are advised.
_POWER: Final = 0.8
#: More items than these nobody labels: a difference that wants them is none.
_TOO_MANY: Final = 200_000
#: On fewer items the intervals were not tried (benchmarks/compare_coverage.py).
_FEW: Final = 50
#: What is so much quicker is worth a sentence.
_MUCH_QUICKER: Final = 2.0
#: By how probable it is, how a recommendation is worded.
_WORDS: Final = ((0.99, "as good as certain"), (0.95, "very likely"), (0.8, "likely"), (0.6, "more likely than not"))


@dataclass(frozen=True)
class Recommendation:
    """The candidate to take, the probability that none is more than `margin` better, and why, in sentences.

    `items` is how many held-out items would tell it from its nearest rival; None where no number would, or none is
    needed.
    """

    take: str
    probability: float
    margin: float | int
    items: int | None
    sentences: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join(self.sentences)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def recommend(
    ranking: Ranking,
    seconds: Mapping[str, float | int],
    *,
    margin: float | int = 0.01,
    baselines: Sequence[str] = (),
    seeds: int = 1,
) -> Recommendation:
    """What to take of a ranking, with each candidate's `seconds` of a request.

    `margin` is the difference of the score that does not matter, as a share of the metric's scale. `baselines` are
    those that a model must beat. `seeds` is how often each was trained.
    """
    room = margin * (ranking.scale[1] - ranking.scale[0])
    best = ranking.best
    near = [each.name for each in ranking.contenders if best.score.value - each.score.value <= room]
    take = min(near, key=lambda name: (seconds[name], -ranking[name].score.value))
    if seconds[best.name] <= _MUCH_QUICKER * seconds[take]:
        take = best.name
    probability = ranking.probability_within(take, room)
    items = _wanted(ranking, take, room)
    sentences = [
        _first(ranking, take, seconds),
        f"That no candidate is more than {_points(room, ranking)} better is {_word(probability)} "
        f"({_percent(probability)}, by {ranking.items:,} held-out items).",
        *_few_items(ranking),
        *_rivals(ranking, take),
        *_surer(ranking, take, items, room),
        *([] if take in baselines else _cheaper(ranking, take, seconds)),
        *_beside_baselines(ranking, take, baselines),
        *_of_one_training(ranking, take, baselines, seeds),
    ]
    return Recommendation(take, probability, margin, items, tuple(sentences))


def items_needed(difference: float | int, error: float | int, critical: float | int, items: int) -> int | None:
    """On how many items a difference would be seen, by its standard error on `items`; None where on no sane number."""
    if difference == 0:
        return None
    needed = items * ((critical + float(norm.ppf(_POWER))) * error / abs(difference)) ** 2
    return math.ceil(needed) if needed <= _TOO_MANY else None


def _wanted(ranking: Ranking, take: str, room: float | int) -> int | None:
    """Items to tell the taken one from every rival whose distance matters."""
    wanted = [
        items_needed(ranking.differences[take, name].value, ranking.error(take, name), ranking.critical, ranking.items)
        for name in _open(ranking, take)
        if abs(ranking.differences[take, name].value) > room
    ]
    return max((each for each in wanted if each is not None), default=None)


def _open(ranking: Ranking, take: str) -> list[str]:
    """Those of which it is not sure whether they are better or worse than the taken one."""
    return [
        standing.name
        for standing in ranking.standings
        if standing.name != take and not ranking.differences[take, standing.name].is_sure
    ]


def _first(ranking: Ranking, take: str, seconds: Mapping[str, float | int]) -> str:
    score, best = ranking[take].score, ranking.best
    said = f"Take {take}: {score.name.replace('_', ' ')} {_range(score.value, score.low, score.high, ranking)}"
    if take == best.name:
        return f"{said}, the best score of {len(ranking.standings)}." if len(ranking.standings) > 1 else f"{said}."
    times = seconds[best.name] / seconds[take]
    return (
        f"{said}. {best.name} scores {_points(best.score.value - score.value, ranking)} more, which does not matter by "
        f"the margin, and {take} answers {_times(times)} as fast."
    )


def _few_items(ranking: Ranking) -> list[str]:
    if ranking.items >= _FEW:
        return []
    return [f"With fewer than {_FEW} held-out items all that is said to be sure is less so: the intervals are rough."]


def _rivals(ranking: Ranking, take: str) -> list[str]:
    if len(ranking.standings) == 1:
        return ["It was compared with nothing."]
    unsure = _open(ranking, take)
    behind = [
        standing.name
        for standing in ranking.standings
        if standing.name != take and ranking.differences[take, standing.name].low > 0
    ]
    said = []
    if behind:
        verb = "is" if len(behind) == 1 else "are"
        said.append(f"Surely worse ({ranking.confidence:.0%}, all pairs together) {verb} {_list(behind)}.")
    if unsure:
        shown = [
            f"{name} ({_signed(-difference.value, ranking)}; {_signed(-difference.high, ranking)} to "
            f"{_signed(-difference.low, ranking)})"
            for name in unsure
            for difference in [ranking.differences[take, name]]
        ]
        said.append(f"Not surely better or worse {'is' if len(unsure) == 1 else 'are'} {_list(shown)}.")
    return said


def _surer(ranking: Ranking, take: str, items: int | None, room: float | int) -> list[str]:
    unsure = _open(ranking, take)
    if not unsure:
        return []
    if items is not None:
        return [
            f"To be surer, hold out about {_rounded(items):,} items ({ranking.items:,} now): if the differences are "
            f"really as large as they look, that tells them apart {_POWER:.0%} of the time."
        ]
    if all(abs(ranking.differences[take, name].value) <= room for name in unsure):
        return ["What is not sure is also too small to matter by the margin: more items would change little."]
    return ["No number of items that one would label tells these apart: choose between them by their costs."]


def _cheaper(ranking: Ranking, take: str, seconds: Mapping[str, float | int]) -> list[str]:
    """The best score among those that answer much faster."""
    fast = [each for each in ranking.standings if seconds[each.name] * _MUCH_QUICKER <= seconds[take]]
    if not fast:
        return []
    best = max(fast, key=lambda each: each.score.value)
    less = ranking[take].score.value - best.score.value
    times = _times(seconds[take] / seconds[best.name])
    return [f"Where speed counts: {best.name} answers {times} as fast, for {_points(less, ranking)} less."]


def _beside_baselines(ranking: Ranking, take: str, baselines: Sequence[str]) -> list[str]:
    there = [name for name in baselines if name != take]
    if take in baselines:
        return ["It is a baseline: no model here earns its cost."] if len(ranking.standings) > len(baselines) else []
    unbeaten = [name for name in there if ranking.differences[take, name].low <= 0]
    if unbeaten:
        return [f"It does not surely beat the baseline {_list(unbeaten)}: as yet a model is not shown to be needed."]
    return []


def _of_one_training(ranking: Ranking, take: str, baselines: Sequence[str], seeds: int) -> list[str]:
    if seeds > 1 or all(standing.name in baselines for standing in ranking.standings):
        return []
    return [
        "The intervals are of these trained models and these shots on other items; another seed would move them, too."
    ]


def _word(probability: float) -> str:
    return next((word for least, word in _WORDS if probability >= least), "open")


def _percent(probability: float) -> str:
    return "over 99%" if probability > 0.99 else f"{probability:.0%}"


def _points(value: float, ranking: Ranking) -> str:
    """Shares in points of a hundred, others on their own scale of 0 to 100."""
    hundred = 100 * value / (ranking.scale[1] - ranking.scale[0])
    return f"{hundred:.1f} points"


def _signed(value: float, ranking: Ranking) -> str:
    return f"{100 * value / (ranking.scale[1] - ranking.scale[0]):+.1f}"


def _range(value: float, low: float | None, high: float | None, ranking: Ranking) -> str:
    digits = 3 if ranking.scale[1] <= 1 else 1
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _times(value: float) -> str:
    return f"{_rounded(round(value)):,} times" if value >= 9.5 else f"{value:.1f} times"


def _rounded(items: int) -> int:
    """Two digits are all that the estimate is worth; rounded up."""
    unit: int = 10 ** max(0, len(str(items)) - 2)
    return math.ceil(items / unit) * unit


def _list(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
