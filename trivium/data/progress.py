"""The progress of building shards: one live line on a terminal, plain lines now and then where there is none."""

__all__ = ["shard_progress"]

import contextlib
from collections.abc import Callable, Iterator
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from trivium.data.shard_writer import Built

_PLAIN_SECONDS: Final = 10.0


@contextlib.contextmanager
def shard_progress(console: Console, title: str, total_bytes: int | None = None) -> Iterator[Callable[[Built], None]]:
    """What to give to `build_shards` as its `progress`; the line ends with the block.

    `total_bytes` is the size of the source (`Source.bytes`), from which the share done and the time left are estimated.
    """
    if console.is_terminal:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[done]}"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console) as bar:
            task = bar.add_task(title, total=total_bytes, done="")
            yield lambda built: bar.update(task, completed=built.bytes, done=_line(built))
            bar.update(task, total=1, completed=1)
        return
    last: list[Built] = []
    said = [0.0]

    def plain(built: Built) -> None:
        last[:] = [built]
        if built.seconds - said[0] >= _PLAIN_SECONDS:
            said[0] = built.seconds
            console.print(f"{title}: {_line(built)}")

    yield plain
    if last:
        console.print(f"{title}: {_line(last[0])}, done")


def _line(built: Built) -> str:
    rate = built.bytes / 1e6 / built.seconds if built.seconds else 0.0
    return f"{built.documents:,} documents, {built.tokens:,} tokens, {rate:.1f} MB/s"
