from pathlib import Path

import datasets
import pytest

from trivium.data.hub import HubTable, open_hub
from trivium.errors import UnavailableError


def test_offline_it_says_so_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="owner/name cannot be had") as caught:
        open_hub("owner/name", "train", tmp_path)
    assert "\n" not in str(caught.value)


def test_a_stream_of_the_library_can_be_read_twice() -> None:
    stream = datasets.Dataset.from_list([{"text": "one"}, {"text": "two"}]).to_iterable_dataset()
    table = HubTable(stream, "commit train")
    assert [row["text"] for row in table.rows()] == [row["text"] for row in table.rows()] == ["one", "two"]
