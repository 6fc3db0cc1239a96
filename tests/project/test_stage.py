"""A stage is done once for the same inputs, and anew for others."""

import json
from pathlib import Path

from trivium.project.stage import fingerprint, kept


def test_a_result_is_made_once_and_again_for_other_inputs(tmp_path: Path) -> None:
    path, calls = tmp_path / "stage.json", []

    def make() -> dict:
        calls.append(1)
        return {"made": len(calls), "pair": (1, 2)}

    first = kept(path, "a", make)
    assert kept(path, "a", make) == first == {"made": 1, "pair": [1, 2]}
    assert kept(path, "b", make)["made"] == 2
    assert kept(path, "a", make)["made"] == 3


def test_a_file_that_was_cut_off_or_altered_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "stage.json"
    kept(path, "a", lambda: {"value": 1})
    whole = path.read_text()
    for broken in ("", whole[: len(whole) // 2], "[]", json.dumps({"inputs": "a", "result": 3})):
        path.write_text(broken)
        assert kept(path, "a", lambda: {"value": 2}) == {"value": 2}


def test_fingerprints_tell_inputs_apart() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert len({fingerprint(*inputs) for inputs in [(1,), ("1",), (1, 2), ([1, 2],), ({"1": 2},)]}) == 5
