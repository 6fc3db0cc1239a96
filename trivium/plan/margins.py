"""Computed bytes against a device's memory, with what formulas cannot know; and how much of something fits. No torch.

    least    total · (1 − error)
    most     total · (1 + error) · (1 + fragmentation) + context

It fits where the most does, does not where the least does not, and is uncertain in between.
"""

__all__ = ["GPU", "PROCESSOR", "Answer", "Margins", "Room"]

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

Answer = Literal["fits", "uncertain", "does not fit"]

#: What takes memory: a `Workload`, a `Request`.
_S = TypeVar("_S")


@dataclass(frozen=True)
class Margins:
    """What stands between computed bytes and a device's memory.

    `error` is the share by which the formulas may be wrong, `fragmentation` the share that an allocator holds and
    cannot give, `context_bytes` what a process takes on the device before its first tensor.
    """

    error: float
    fragmentation: float
    context_bytes: int

    def least(self, total: int) -> int:
        """If all goes well."""
        return round(total * (1 - self.error))

    def most(self, total: int) -> int:
        """If nothing does."""
        return round(total * (1 + self.error) * (1 + self.fragmentation)) + self.context_bytes

    def judge(self, total: int, memory_bytes: int) -> Answer:
        """Whether so much fits in so much."""
        if self.most(total) <= memory_bytes:
            return "fits"
        return "does not fit" if self.least(total) > memory_bytes else "uncertain"


#: Tests hold the formulas to 10 % at worst and 3 % in the median; over all that was measured (benchmarks/), 5 % is more
#: than the worst.
_ERROR = 0.05
#: On a GPU: a context with the libraries' kernels and workspaces takes 0.3 to 0.6 GB, and the caching allocator rounds
#: and splits its blocks, so that some hundredths of what it holds serve no further tensor.
GPU = Margins(error=_ERROR, fragmentation=0.03, context_bytes=600_000_000)
#: On a processor: Python with torch takes a third of a GB, and the system gives memory page by page.
PROCESSOR = Margins(error=_ERROR, fragmentation=0.0, context_bytes=350_000_000)


@dataclass(frozen=True)
class Room(Generic[_S]):
    """A device's memory, for what `size` gives the bytes of."""

    memory_bytes: int
    margins: Margins
    size: Callable[[_S], int]

    def judge(self, subject: _S) -> Answer:
        """Whether it fits."""
        return self.margins.judge(self.size(subject), self.memory_bytes)

    def fits(self, subject: _S) -> bool:
        """Surely."""
        return self.judge(subject) == "fits"

    def largest(self, make: Callable[[int], _S], most: int, near: int = 1) -> int:
        """The largest number up to `most` for which what is made surely fits; 0 where 1 does not.

        Bytes must grow with the number. From `near` on it is doubled or halved until it is between two numbers; there
        bytes grow nearly in proportion, so that a guess along a straight line comes first, and every guess that did not
        halve the question is followed by one that does.
        """
        low, high = 0, most + 1
        number = min(max(near, 1), most)
        while low < number < high:
            low, high = (number, high) if self.fits(make(number)) else (low, number)
            number = min(2 * low, most) if low >= number else high // 2
        by_line = True
        while high - low > 1:
            width, middle = high - low, (low + high) // 2
            if by_line and low > 0:
                least, greatest = self._most(make(low)), self._most(make(high))
                middle = low + int(width * (self.memory_bytes - least) / max(1, greatest - least))
                middle = min(max(middle, low + 1), high - 1)
            low, high = (middle, high) if self.fits(make(middle)) else (low, middle)
            by_line = not by_line or high - low < width / 2
        return low

    def _most(self, subject: _S) -> int:
        return self.margins.most(self.size(subject))
