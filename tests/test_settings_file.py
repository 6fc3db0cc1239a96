"""What is wrong with a page of settings is said, with the way out."""

from pathlib import Path

import pytest

from trivium.errors import UsageError
from trivium.settings_file import read_settings_file


def test_keys_and_values(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text("tasks: {é: 1}\n", encoding="utf-8")
    assert read_settings_file(path, "suite", "`tasks`") == {"tasks": {"é": 1}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a: [", "is not valid YAML"),
        (b"a: \xff\xfe", r"is not UTF-8 text \(byte 3\)"),
        (b"- 1", r"must hold `tasks`; it holds \[1\]"),
        (b"", "must hold `tasks`; it holds None"),
        (b"a: 1\n" * 250_000, "has 1,250,000 bytes, and a suite at most 1,000,000"),
        (b"a: !!python/object/apply:os.getcwd []", "is not valid YAML"),
    ],
)
def test_a_page_that_is_wrong(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=said):
        read_settings_file(path, "suite", "`tasks`")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text("a: 1")
    with pytest.raises(UsageError, match=r"There is no suite .*suit\.yaml\. Did you mean 'suite\.yaml'"):
        read_settings_file(tmp_path / "suit.yaml", "suite", "`tasks`")
    with pytest.raises(UsageError, match=r"is a folder\. Name a suite; YAML files in it: suite\.yaml"):
        read_settings_file(tmp_path, "suite", "`tasks`")
    with pytest.raises(UsageError, match="There is no suite"):
        read_settings_file(tmp_path / "no" / "suite.yaml", "suite", "`tasks`")
