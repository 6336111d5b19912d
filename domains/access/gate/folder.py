"""A gate's folder on disk: one lock for every process on the gate, and files that survive a power cut."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_DIGEST_BYTES = 32


class DiskFailed(Exception):
    """The gate's folder cannot be read or written, or a record in it is damaged."""


@contextmanager
def disk() -> Iterator[None]:
    """Tell a failing disk from a failing relay: both are an OSError to Python."""
    try:
        yield
    except OSError as error:
        raise DiskFailed(str(error)) from error


class Folder:
    """The folder (made where it is missing); threads and processes take turns by `locked`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with disk():
            path.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the gate's lock (flock); the kernel gives it back when a process is killed."""
        with disk():
            # opened anew each time, because a lock belongs to the opening: threads exclude each other too
            handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with disk():
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def write(self, name: str, content: bytes) -> None:
        """Replace a file whole and durably: after a power cut it is the old one or the new one."""
        path, draft = self.path / name, self.path / f"{name}.new"
        with disk():
            with draft.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            self._sync_names()

    def _sync_names(self) -> None:
        handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class Snapshot:
    """One value in one file, with its SHA-256; read again only when another process replaced it."""

    def __init__(self, folder: Folder, name: str) -> None:
        self._folder, self._name, self._seen = folder, name, (0, 0, 0)

    def news(self) -> bytes | None:
        """The value if it changed since the last call; None if not, or where none is readable."""
        path = self._folder.path / self._name
        with disk(), suppress(FileNotFoundError):
            now = path.stat()
            seen = (now.st_ino, now.st_mtime_ns, now.st_size)
            if seen != self._seen:
                digest, content = _split(path.read_bytes())
                self._seen = seen
                return content if hashlib.sha256(content).digest() == digest else None
        return None

    def write(self, content: bytes) -> None:
        """Replace the value durably."""
        self._folder.write(self._name, hashlib.sha256(content).digest() + content)


def _split(data: bytes) -> tuple[bytes, bytes]:
    return data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
