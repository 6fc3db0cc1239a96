"""What fits, and how much of something does."""

from hypothesis import given
from hypothesis import strategies as st

from trivium.plan.margins import GPU, PROCESSOR, Margins, Room

EXACT = Margins(error=0.0, fragmentation=0.0, context_bytes=0)


def test_between_the_bounds_it_is_uncertain() -> None:
    margins = Margins(error=0.1, fragmentation=0.0, context_bytes=5)
    assert (margins.least(100), margins.most(100)) == (90, 115)
    assert [margins.judge(100, memory) for memory in (115, 114, 90, 89)] == [
        "fits",
        "uncertain",
        "uncertain",
        "does not fit",
    ]


@given(st.integers(0, 10**13), st.integers(1, 10**12))
def test_a_larger_device_is_never_worse(total: int, memory: int) -> None:
    order = ["does not fit", "uncertain", "fits"]
    for margins in (GPU, PROCESSOR, EXACT):
        assert order.index(margins.judge(total, memory)) <= order.index(margins.judge(total, 2 * memory))
        assert margins.least(total) <= total <= margins.most(total)


@given(
    st.integers(0, 1000),
    st.integers(1, 100),
    st.integers(0, 3),
    st.integers(0, 10**7),
    st.integers(1, 10**6),
    st.integers(1, 10**6),
)
def test_the_largest_is_the_largest(fixed: int, slope: int, bend: int, memory: int, most: int, near: int) -> None:
    """For lines and parabolas, from wherever the search begins."""

    def size(number: int) -> int:
        return fixed + slope * number + bend * number * number

    found = Room(memory + 1, EXACT, size).largest(lambda number: number, most, near)
    assert 0 <= found <= most
    assert found == 0 or size(found) <= memory + 1
    assert found == most or size(found + 1) > memory + 1


def test_few_sizes_are_computed() -> None:
    asked = []

    def size(number: int) -> int:
        asked.append(number)
        return 1000 + 7 * number

    assert Room(8_001, EXACT, size).largest(lambda number: number, 10**6, 30) == 1000
    assert len(asked) < 25
