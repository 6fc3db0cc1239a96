import hashlib
from pathlib import Path

import pytest

from trivium.data.packages import PACKAGES, Package, default_cache, fetch
from trivium.errors import StorageError, UnavailableError

ABSENT = Package("trivium_test_absent-0.0.1-py3-none-any.whl", 0.1, "0" * 64)


def test_names_and_versions_come_from_the_file() -> None:
    package = PACKAGES["simple-icd-10-cm"]
    assert (package.name, package.version, package.is_wheel) == ("simple-icd-10-cm", "1.5.0", True)
    package = PACKAGES["vadersentiment"]
    assert (package.version, package.is_wheel) == ("3.3.2", False)
    assert all(len(package.sha256) == 64 for package in PACKAGES.values())


def test_the_cache_honours_xdg() -> None:
    assert default_cache({"XDG_CACHE_HOME": "elsewhere"}) == Path("elsewhere/trivium")
    assert default_cache({}) == default_cache({"XDG_CACHE_HOME": ""}) == Path.home() / ".cache" / "trivium"


def test_a_file_put_there_by_hand_is_used(tmp_path: Path) -> None:
    package = Package(ABSENT.file, 0.1, hashlib.sha256(b"content").hexdigest())
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / package.file).write_bytes(b"content")
    assert fetch(package, tmp_path).read_bytes() == b"content"


def test_what_cannot_be_fetched_says_why_and_what_else(tmp_path: Path) -> None:
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / ABSENT.file).write_bytes(b"of another hash: it is not used")
    with pytest.raises(
        UnavailableError, match=r"could not be fetched from the package index. pip said: .*yourself"
    ) as caught:
        fetch(ABSENT, tmp_path)
    assert "\n" not in str(caught.value)
    assert [file.name for file in (tmp_path / "packages").iterdir()] == [ABSENT.file]


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in the way")
    with pytest.raises(StorageError, match="Cannot write"):
        fetch(ABSENT, tmp_path / "cache")
