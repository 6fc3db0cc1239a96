"""The whole question: which prompt is best, chosen on some examples, and how good it is on others."""

__all__ = ["Study", "study"]

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from trivium.data.examples import Examples
from trivium.errors import UsageError
from trivium.language_model import LanguageModel
from trivium.prompts.prompt import Prompt
from trivium.prompts.shots import Embed, Shots
from trivium.prompts.sweep import Sweep, sweep

#: Draws the examples that a setting is chosen on.
_SEED: Final = 1


@dataclass(frozen=True)
class Study:
    """What was found on the examples that are held out, and, where a setting was chosen, on which grounds."""

    held_out: Sweep
    tuning: Sweep | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        tuning = None if self.tuning is None else self.tuning.to_dict()
        return {"held_out": self.held_out.to_dict(), "tuning": tuning}

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader of the figures should know: leans, shots that found no room."""
        said = []
        for row in self.held_out.rows:
            which = f"{row.prompt}, {row.shots.count} shots, {row.way}"
            if row.lean.to is not None:
                label = row.lean.to
                said.append(
                    f"{which} leans to '{label}': said of {row.lean.said[label]:.0%}, right for "
                    f"{row.lean.right[label]:.0%}. Calibrate it (content-free, in-domain), or show other shots."
                )
            if row.left_out:
                said.append(
                    f"{which}: {row.left_out:,} shots found no room in the context; a prompt has {row.fewest} at least."
                )
        return tuple(dict.fromkeys(said))


def study(
    lm: LanguageModel,
    prompts: Mapping[str, Prompt],
    pool: Examples | None,
    asked: Examples,
    shots: Sequence[Shots],
    ways: Sequence[str],
    seeds: int = 1,
    choose_on: int = 0,
    embed: Embed | None = None,
    folder: Path | None = None,
    told: Callable[[str], None] | None = None,
) -> Study:
    """Sweep over `asked`; or, with `choose_on`, over so many of the pool, and ask `asked` by the best setting only.

    Examples that a setting is chosen on are shown in no prompt. Raises `UsageError` where the pool has not more than
    `choose_on`, and as `sweep` does.
    """
    if not choose_on:
        return Study(sweep(lm, prompts, pool, asked, shots, ways, seeds, embed, folder, told))
    if pool is None or choose_on >= len(pool):
        raise UsageError(
            f"A setting cannot be chosen on {choose_on:,} examples: beside those that are held out there are "
            f"{0 if pool is None else len(pool):,}, and some must be left to be shown. Choose on fewer."
        )
    some = pool.sample(choose_on, _SEED)
    taken = set(some.examples)
    rest = pool.pick([place for place, example in enumerate(pool) if example not in taken])
    tuning = sweep(lm, prompts, rest, some, shots, ways, seeds, embed, folder, told)
    best = tuning.best
    chosen = {best.prompt: prompts[best.prompt]}
    if told is not None:
        told(f"chosen: {best.prompt}, shots {best.shots}, {best.way} ({best.accuracy} on {choose_on:,})")
    return Study(sweep(lm, chosen, rest, asked, [best.shots], [best.way], seeds, embed, folder, told), tuning)
