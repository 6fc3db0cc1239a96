"""Files that are whole or absent: everything is written aside, flushed to the disk, and renamed into place.

A process that is killed at any moment leaves either the old file or the new one. A full disk raises `StorageError`
and leaves what was there before.
"""

__all__ = ["atomic_folder", "atomic_stream", "atomic_write", "fsync_folder", "sha256_of", "storage_errors"]

import contextlib
import errno
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from trivium.errors import StorageError

#: A place that cannot be written: not allowed, or a file stands where a folder should, or the other way round.
_UNUSABLE = {
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG,
}  # fmt: skip


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's errors of writing into a `StorageError` that names the place and the way out.

    Libraries written in Rust (safetensors, tokenizers) raise exceptions of their own for the same thing, whose message
    ends in `(os error 28)`: they are recognised by it.
    """
    try:
        yield
    except StorageError:
        raise
    except Exception as error:
        number = _error_number(error)
        if number in (errno.ENOSPC, errno.EDQUOT):
            free = shutil.disk_usage(_existing_parent(path)).free
            raise StorageError(
                f"The disk is full: writing {path} failed with {free / 1e6:,.0f} MB free there. What had been written "
                "before is whole. Free some space, or choose another folder, and run the same command again: it "
                "continues where it was."
            ) from error
        if number == errno.EFBIG:
            raise StorageError(
                f"A file under {path} would be larger than this system allows (see `ulimit -f`, or the file system's "
                "own limit). What had been written before is whole. Raise the limit, or choose another folder, and run "
                "the same command again: it continues where it was."
            ) from error
        if number == errno.EIO:
            raise StorageError(
                f"The disk failed while writing {path}: {os.strerror(number)}. What had been written before is whole. "
                "Check the disk, or choose another folder."
            ) from error
        if number in _UNUSABLE:
            raise StorageError(
                f"Cannot write {path}: {os.strerror(number)}. Choose a folder that you may write to."
            ) from error
        raise


def atomic_write(path: Path, content: bytes | str) -> None:
    """Write a whole file or nothing: aside, fsync, rename. Text is UTF-8."""
    with atomic_stream(path) as stream:
        stream.write(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def atomic_stream(path: Path) -> Iterator[BinaryIO]:
    """A stream into a file that appears whole, or not at all, when it is left: for what does not fit the memory."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with aside.open("wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            aside.replace(path)
            fsync_folder(path.parent)
        finally:
            aside.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """A folder that appears whole: fill the folder that this yields; on leaving it takes the place of `path`.

    A new folder is whole or absent. One that replaces another is, for the instant between two renames, absent: the old
    one then stands beside it, under a hidden name that ends in `.old`.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with storage_errors(path):
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        try:
            yield aside
            for file in sorted(aside.rglob("*")):
                if file.is_file():
                    with file.open("rb") as stream:
                        os.fsync(stream.fileno())
            fsync_folder(aside)
            if path.exists():
                old = path.with_name(f".{path.name}.{os.getpid()}.old")
                path.replace(old)
                aside.replace(path)
                shutil.rmtree(old)
            else:
                aside.replace(path)
            fsync_folder(path.parent)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def fsync_folder(folder: Path) -> None:
    """Flush a folder's entries, so that a rename in it survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _error_number(error: Exception) -> int | None:
    if isinstance(error, OSError):
        return error.errno
    found = re.search(r"\(os error (\d+)\)", str(error))
    return int(found.group(1)) if found else None


def _existing_parent(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
