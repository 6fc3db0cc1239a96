"""Files are whole or absent: a process is really killed at every step of a write, and a disk is really full."""

import contextlib
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trivium.errors import StorageError
from trivium.files import atomic_folder, atomic_write, sha256_of, storage_errors

#: Ends the process, as SIGKILL would, at its n-th file operation after the start of the write.
DYING = """
import os, sys
from pathlib import Path
from trivium.files import atomic_folder, atomic_write

moment, path, seen = int(sys.argv[1]), Path(sys.argv[2]), 0

def die(event: str, arguments: tuple) -> None:
    global seen
    if event in {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree"}:
        seen += 1
        if seen > moment:
            os._exit(9)

sys.addaudithook(die)
WRITE
"""
WRITE_FILE = "atomic_write(path, 'new' * 1000)"
WRITE_FOLDER = """
with atomic_folder(path) as folder:
    for name in "ab":
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT)
        os.write(descriptor, b"new")
        os.close(descriptor)
"""


def die_at(moment: int, path: Path, write: str) -> bool:
    """Start a write of `path` and end the process at a moment of it; whether it died before it was done."""
    program = DYING.replace("WRITE", write)
    done = subprocess.run(
        [sys.executable, "-c", program, str(moment), str(path)], check=False, cwd=Path(__file__).parent.parent
    )
    assert done.returncode in {0, 9}
    return done.returncode == 9


def content(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_file_is_the_old_or_the_new_one_whenever_the_process_dies(tmp_path: Path) -> None:
    path = tmp_path / "file"
    moment, seen = 0, set()
    path.write_text("old")
    while die_at(moment, path, WRITE_FILE):
        seen.add(path.read_text())
        path.write_text("old")
        moment += 1
    assert moment >= 2
    assert seen <= {"old", "new" * 1000}
    assert path.read_text() == "new" * 1000


def test_a_new_folder_is_whole_or_absent_whenever_the_process_dies(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    moment = 0
    while die_at(moment, path, WRITE_FOLDER):
        if path.exists():
            assert content(path) == {"a": "new", "b": "new"}
            for name in "ab":
                (path / name).unlink()
            path.rmdir()
        moment += 1
    assert moment >= 5
    assert content(path) == {"a": "new", "b": "new"}


def test_nothing_is_left_aside(tmp_path: Path) -> None:
    atomic_write(tmp_path / "deep" / "file", "text")
    with atomic_folder(tmp_path / "folder") as folder:
        (folder / "a").write_text("1")
    with atomic_folder(tmp_path / "folder") as folder:
        (folder / "b").write_text("2")
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == [
        "deep", "deep/file", "folder", "folder/b",
    ]  # fmt: skip


def test_a_folder_that_could_not_be_filled_leaves_the_old_one(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "folder") as folder:
        (folder / "a").write_text("1")
    with contextlib.suppress(ZeroDivisionError), atomic_folder(tmp_path / "folder") as folder:
        (folder / "a").write_text("2")
        raise ZeroDivisionError
    assert content(tmp_path / "folder") == {"a": "1"}
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_said_in_a_paragraph(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match=r"The disk is full: writing .* with [\d,]+ MB free") as caught,
        storage_errors(tmp_path / "x"),
    ):
        Path("/dev/full").write_bytes(b"x")
    assert "\n" not in str(caught.value)


def test_a_place_that_is_no_folder_is_said_in_a_paragraph(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"Cannot write .*: File exists"):
        atomic_write(tmp_path / "file" / "inside", "text")


def test_the_hash_is_that_of_the_content(tmp_path: Path) -> None:
    data = os.urandom(100_000)
    (tmp_path / "file").write_bytes(data)
    assert sha256_of(tmp_path / "file") == hashlib.sha256(data).hexdigest()
