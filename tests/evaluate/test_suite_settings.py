"""A suite file: what it may say, and a sentence for each mistake."""

from pathlib import Path

import pytest

from trivium.errors import UsageError
from trivium.evaluate.suite_settings import DataTask, TextTask, read_suite

GOOD = """
models: [runs/a]
limit: 40
tasks:
  reviews: {data: reviews, split: test, columns: {label: stars}, metrics: [accuracy]}
  wiki: {text: wiki.txt, stride: 16}
"""


def test_tasks_of_both_kinds(tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(GOOD)
    suite = read_suite(tmp_path / "suite.yaml")
    assert suite.models == ("runs/a",)
    assert suite.tasks["reviews"] == DataTask(
        data="reviews", split="test", columns={"label": "stars"}, metrics=("accuracy",)
    )
    assert suite.tasks["wiki"] == TextTask(text="wiki.txt", stride=16)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GOOD.replace("stride", "strid"), r"There is no 'tasks\.wiki\.strid'\. Did you mean 'stride'\?"),
        (GOOD.replace("metrics", "metric"), r"There is no 'tasks\.reviews\.metric'\. Did you mean 'metrics'\?"),
        (GOOD.replace("models", "model"), r"There is no 'model'\. Did you mean 'models'\?"),
        (GOOD.replace("limit: 40", "limit: 0"), r"'limit' is 0, and should be greater than or equal to 1\."),
        ("tasks: {a: {split: test}}", r"'tasks\.a\.data' is missing\. A task has `data` \(examples\) or `text`"),
        ("models: [a]", r"'tasks' is missing\."),
        ("tasks: {}", r"'tasks' is \{\}, and"),
        ("tasks: {'../up': {data: x}}", "should match pattern"),
        ("- a\n- b", r"must hold `tasks`"),
        ("tasks: [", "is not valid YAML"),
        (b"\xff\xfe", "is not UTF-8 text"),
    ],
)
def test_mistakes_are_named(content: str | bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UsageError, match=said):
        read_suite(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(GOOD)
    with pytest.raises(UsageError, match=r"There is no suite .*Did you mean 'suite\.yaml'\?"):
        read_suite(tmp_path / "suit.yaml")
