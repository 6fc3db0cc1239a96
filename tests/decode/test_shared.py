"""Texts that begin alike are read as a tree: each shared beginning once."""

from hypothesis import given
from hypothesis import strategies as st

from trivium.decode.shared import Branch, Leaves, tree

TEXTS = st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=40), min_size=1, max_size=12)


def read_tokens(texts: list[list[int]], branch: Branch) -> int:
    """How many tokens are read from the branch's end on, padding aside."""
    total = 0
    for part in branch.grows:
        if isinstance(part, Leaves):
            total += sum(len(texts[number]) - branch.length for number in part.numbers)
        else:
            total += part.length - branch.length + read_tokens(texts, part)
    return total


def below(branch: Branch) -> list[int]:
    """The texts of a branch."""
    return [number for part in branch.grows for number in (part.numbers if isinstance(part, Leaves) else below(part))]


def agree(texts: list[list[int]], bounds: list[int], branch: Branch) -> bool:
    """Whether all texts of each branch begin with its tokens, and none is shared past its bound."""
    numbers = below(branch)
    begin = texts[numbers[0]][: branch.length]
    same = all(texts[number][: branch.length] == begin and bounds[number] >= branch.length for number in numbers)
    return same and all(agree(texts, bounds, part) for part in branch.grows if isinstance(part, Branch))


@given(TEXTS, st.randoms(use_true_random=False))
def test_every_text_is_read_once_behind_what_it_begins_with(texts: list[list[int]], random: object) -> None:
    bounds = [random.randint(0, len(text) - 1) for text in texts]  # type: ignore[attr-defined]
    root = tree(texts, bounds)
    assert sorted(below(root)) == list(range(len(texts)))
    assert agree(texts, bounds, root)
    assert read_tokens(texts, root) <= sum(map(len, texts))


def test_shots_are_one_branch_and_few_shared_tokens_are_none() -> None:
    shots = list(range(100))
    assert tree([[*shots, 1], [*shots, 2, 3], [*shots, 4]], [100] * 3) == Branch(
        0, (Branch(100, (Leaves((0, 1, 2)),)),)
    )
    assert tree([[1, 2, 3], [1, 2, 4]], [2, 2]) == Branch(0, (Leaves((0, 1)),))
