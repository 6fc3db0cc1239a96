"""Whether it fits, how much of it would, and what to change first. No torch.

    training_verdict(Workload(architecture, rows=8, inputs=1024), DEVICES["rtx-4090"]).lines
    inference_verdict(Request(architecture, rows=4, inputs=2000, outputs=100), 24_000_000_000).first

"The largest" batch and "the longest" context are those that surely fit: see `margins`.
"""

__all__ = ["Verdict", "WayOut", "inference_verdict", "training_verdict"]

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any, TypeVar

from trivium.errors import UsageError
from trivium.plan.devices import Device
from trivium.plan.inference import Request
from trivium.plan.margins import GPU, Answer, Margins, Room
from trivium.plan.sharding import sharded_memory
from trivium.plan.ways_out import Way, inference_ways, longest_inputs, training_ways, with_inputs
from trivium.plan.workload import Workload

_S = TypeVar("_S", Workload, Request)

#: The most rows that are tried.
_MOST_ROWS = 1_048_576


@dataclass(frozen=True)
class WayOut:
    """A change, what it costs the user, and the memory that it leaves.

    `gives_up` says that something else is trained or answered then.
    """

    name: str
    what: str
    cost: str
    total_bytes: int
    answer: Answer
    gives_up: bool = False

    def __str__(self) -> str:
        return f"{self.what}: {_gigabytes(self.total_bytes)}, {self.answer} ({self.cost})"

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return asdict(self)


@dataclass(frozen=True)
class Verdict:
    """An answer, with the computed total and the bounds of the true one.

    `largest_rows` and `longest_inputs` vary one thing and leave the rest; 0 where not even one fits. Where it does not
    surely fit, `ways_out` are all changes by themselves, the cheapest for the user first; `together` are those that
    leave the task as it is, one on top of the other up to the one with which it surely fits (none where all of them
    are not enough).
    """

    what: str
    answer: Answer
    total_bytes: int
    least_bytes: int
    most_bytes: int
    device: str
    device_bytes: int
    items: Mapping[str, int]
    largest_rows: int
    longest_inputs: int
    ways_out: tuple[WayOut, ...] = ()
    together: tuple[WayOut, ...] = ()

    @property
    def fits(self) -> bool:
        """Surely."""
        return self.answer == "fits"

    @property
    def first(self) -> WayOut | None:
        """The cheapest single change with which it surely fits."""
        return next((way for way in self.ways_out if way.answer == "fits"), None)

    @property
    def lines(self) -> list[str]:
        """As a person reads it."""
        return list(_lines(self))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        follows = {"fits": self.fits, "first": None if self.first is None else self.first.name}
        return {**asdict(replace(self, items={})), "items": dict(self.items), **follows}


def training_verdict(
    workload: Workload,
    device: Device | int,
    margins: Margins = GPU,
    adapting: bool = False,
    total: Callable[[Workload], int] | None = None,
) -> Verdict:
    """Of a step of training on such a device, or one of so many bytes; of a sharded step, on each of them.

    `adapting` says that a finished model is trained on, so that low-rank updates are as good as the weights. `total`
    gives a workload's bytes; unless told, `sharded_memory` does.
    """
    items = sharded_memory(workload).items if total is None else {"total": total(workload)}
    room: Room[Workload] = Room(_bytes_of(device), margins, cache(total or (lambda work: sharded_memory(work).total)))
    return _verdict("Training", workload, device, room, items, Workload.with_rows, training_ways(adapting))


def inference_verdict(request: Request, device: Device | int, margins: Margins = GPU) -> Verdict:
    """Of requests that are answered together on such a device, or on one of so many bytes."""
    room: Room[Request] = Room(_bytes_of(device), margins, cache(lambda asked: asked.memory.total))
    return _verdict("Inference", request, device, room, request.memory.items, Request.with_rows, inference_ways())


def _verdict(
    what: str,
    subject: _S,
    device: Device | int,
    room: Room[_S],
    items: Mapping[str, int],
    with_rows: Callable[[_S, int], _S],
    ways: Sequence[Way[_S]],
) -> Verdict:
    total, margins = room.size(subject), room.margins
    found = Verdict(
        what=what,
        answer=room.judge(subject),
        total_bytes=total,
        least_bytes=margins.least(total),
        most_bytes=margins.most(total),
        device=device.title if isinstance(device, Device) else f"{_gigabytes(device)} of memory",
        device_bytes=room.memory_bytes,
        items=items,
        largest_rows=room.largest(lambda rows: with_rows(subject, rows), _MOST_ROWS, subject.rows),
        longest_inputs=room.largest(
            lambda inputs: with_inputs(subject, inputs), longest_inputs(subject), subject.inputs
        ),
    )
    if found.fits:
        return found
    alone = tuple(taken for way in ways for _, taken in _take(way, subject, room))
    return replace(found, ways_out=alone, together=_together(ways, subject, room))


def _take(way: Way[_S], subject: _S, room: Room[_S]) -> Iterator[tuple[_S, WayOut]]:
    """One, or none where there is nothing to change."""
    changed = way.change(subject, room)
    if changed is not None:
        other, words = changed
        yield other, WayOut(way.name, words, way.cost, room.size(other), room.judge(other), way.gives_up)


def _together(ways: Sequence[Way[_S]], subject: _S, room: Room[_S]) -> tuple[WayOut, ...]:
    taken: list[WayOut] = []
    for way in ways:
        if way.gives_up:
            continue
        for other, found in _take(way, subject, room):
            if found.total_bytes < room.size(subject):
                subject = other
                taken.append(found)
            if found.answer == "fits":
                return tuple(taken)
    return ()


def _lines(verdict: Verdict) -> Iterator[str]:
    verb = {"fits": "fits", "uncertain": "may or may not fit", "does not fit": "does not fit"}[verdict.answer]
    yield (
        f"{verdict.what} {verb} on {verdict.device}: {_gigabytes(verdict.total_bytes)} computed, "
        f"{_gigabytes(verdict.least_bytes)} to {_gigabytes(verdict.most_bytes)} in truth, of "
        f"{_gigabytes(verdict.device_bytes)}."
    )
    rows, inputs = verdict.largest_rows, verdict.longest_inputs
    largest = f"a batch of {rows:,}" if rows else "no row of this length"
    longest = f"rows of {inputs:,} tokens" if inputs else "no length"
    yield f"Surely fit: {largest}; in a batch as asked, {longest}."
    helpful = [way for way in verdict.ways_out if way.answer != "does not fit"]
    if helpful:
        yield "What to change, the cheapest first:"
        yield from (f"  {way}" for way in helpful)
    if verdict.together and all(way.gives_up for way in helpful):
        yield "Nothing else is enough by itself; together, one on top of the other:"
        yield from (f"  {way}" for way in verdict.together)
    elif verdict.ways_out and all(way.gives_up for way in helpful):
        yield (
            "No other change is enough, nor are all of them together. What is left: a larger device, a smaller model, "
            "or a model cut over several devices (tensor or pipeline parallelism), which is not computed here."
        )


def _bytes_of(device: Device | int) -> int:
    size = device.memory_bytes if isinstance(device, Device) else device
    if size < 1:
        raise UsageError(f"A device needs memory, and {size:,} bytes are none.")
    return size


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.3g} GB" if size < 1e12 else f"{size / 1e12:,.3g} TB"
