import json
from collections.abc import Callable
from pathlib import Path

import pytest

from trivium.data.catalogue import ENTRIES, get
from trivium.data.columns import kind_of
from trivium.data.packages import PACKAGES
from trivium.errors import UsageError

# Rows of each split, counted once; the packages are pinned by their hashes.
ROWS = {
    "news": {"train": 3781},
    "headlines": {"train": 60418},
    "kjv": {"train": 1189},
    "legal": {"train": 2289},
    "medical": {"train": 16454},
    "icd10": {"train": 1918},
    "reviews": {"train": 8004, "test": 2039},
    "reuters": {"train": 6532, "test": 2568},
    "newsgroups": {"train": 11293, "test": 7528},
    "conll2003": {"train": 14041, "validation": 3250, "test": 3453},
    "news-titles": {"train": 3722},
    "medical-en-fr": {"train": 7339, "test": 1831},
    "medical-en-de": {"train": 7014, "test": 1741},
    "medical-en-es": {"train": 7377, "test": 1835},
    "trivia": {"train": 9785, "test": 2452},
    "dialogue": {"train": 1310, "test": 716},
}


def test_every_package_is_used_and_every_entry_is_described() -> None:
    assert {entry.package for entry in ENTRIES.values()} - {None} == set(PACKAGES)
    assert all(name == entry.name and entry.about for name, entry in ENTRIES.items())
    assert ROWS.keys() == {name for name, entry in ENTRIES.items() if entry.read} - {"docstrings"}
    assert ENTRIES["news"].to_dict()["megabytes"] == 10.5


@pytest.mark.parametrize(
    "name", ["news", *(pytest.param(name, marks=pytest.mark.slow) for name in ROWS if name != "news")]
)
def test_entries_hold_what_they_say(name: str, entry: Callable[[str], Path]) -> None:
    folder = entry(name)
    counted = {}
    for split in ENTRIES[name].splits:
        with (folder / f"{split}.jsonl").open() as lines:
            rows = [json.loads(line) for line in lines]
        counted[split] = len(rows)
        assert kind_of(rows[0], name) == ENTRIES[name].kind
        assert all(
            value not in ("", []) for row in rows for key, value in row.items() if key != "subtitle" and key != "title"
        )
    assert counted == ROWS[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, entry in ENTRIES.items() if not entry.read])
def test_weights_and_tokenizers_are_members_as_they_are(name: str, entry: Callable[[str], Path]) -> None:
    folder = entry(name)
    assert {file.name for file in folder.iterdir()} == set(ENTRIES[name].members.values())


def test_an_entry_is_made_once(entry: Callable[[str], Path]) -> None:
    folder = entry("news")
    before = (folder / "train.jsonl").stat().st_mtime_ns
    assert entry("news") == folder
    assert (folder / "train.jsonl").stat().st_mtime_ns == before


def test_an_unknown_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no 'newz' in the catalogue. Did you mean 'news'\?"):
        get("newz", tmp_path)
    assert not list(tmp_path.iterdir())
