"""Files in a folder of this machine (本地文件存储)."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from domains.kernel import clock
from domains.kernel.storage.errors import file_not_found, range_invalid, store_unavailable
from domains.kernel.storage.keys import check_key, new_key
from domains.kernel.storage.port import (
    READ_CHUNK_BYTES,
    FileStat,
    Intake,
    StoredFile,
    check_range,
)


class LocalStorage:
    """A `Storage` in a folder. Half-written files live in `.partial`, which no key can name."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._partial = self._root / ".partial"

    async def save(
        self,
        prefix: str,
        chunks: AsyncIterator[bytes],
        *,
        content_type: str,
        limit_bytes: int,
        key: str | None = None,
    ) -> StoredFile:
        """See `Storage.save`."""
        key = key or new_key(prefix, content_type, clock.now())
        intake = Intake(limit_bytes)
        partial, final = self._partial / secrets.token_hex(16), self._root / key
        with _disk():
            await asyncio.to_thread(_make_folders, self._partial, final.parent)
        with _unpublished(partial, final) as file:
            async for chunk in chunks:
                intake.take(chunk)
                with _disk():
                    await asyncio.to_thread(file.write, chunk)
            with _disk():
                await asyncio.to_thread(_flush, file)
                # Not in a thread: a cancelled save could not stop it from publishing any more.
                _publish(partial, final)
                await asyncio.to_thread(_flush_folders, final.parent, self._root)
        return intake.stored(key, content_type)

    async def open(self, key: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        """See `Storage.open`."""
        check_key(key)
        check_range(start, end)
        content = _read(self._root / key, start, end)
        # Up to its first, empty chunk: what is missing is refused here, before headers are sent.
        await anext(content)
        return content

    async def stat(self, key: str) -> FileStat:
        """See `Storage.stat`."""
        content_type = check_key(key)
        with _disk(), _existing():
            found = await asyncio.to_thread((self._root / key).stat)
        return FileStat(key, found.st_size, content_type, datetime.fromtimestamp(found.st_mtime, UTC))

    async def delete(self, key: str) -> None:
        """See `Storage.delete`."""
        check_key(key)
        with _disk():
            await asyncio.to_thread((self._root / key).unlink, missing_ok=True)

    async def sweep_partial(self, older_than: timedelta) -> int:
        """See `Storage.sweep_partial`; a file that is still being written grows younger by it."""
        with _disk():
            return await asyncio.to_thread(_sweep, self._partial, clock.now() - older_than)

    async def aclose(self) -> None:
        """Nothing is held between calls."""


@contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as failed:
        raise store_unavailable() from failed


@contextmanager
def _existing() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as missing:
        raise file_not_found() from missing


@contextmanager
def _unpublished(partial: Path, final: Path) -> Iterator[BinaryIO]:
    """A new file that is gone again, under either name, unless the block succeeds."""
    with _disk():
        file = _create(partial)
    try:
        yield file
        file.close()
    except BaseException:
        # On a full disk the buffer cannot be emptied here either; that has been told already.
        with suppress(OSError):
            file.close()
        partial.unlink(missing_ok=True)
        final.unlink(missing_ok=True)
        raise


def _create(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _publish(partial: Path, final: Path) -> None:
    partial.rename(final)


def _opened(path: Path) -> BinaryIO:
    with _existing():
        return path.open("rb")


def _make_folders(*folders: Path) -> None:
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _flush_folders(folder: Path, root: Path) -> None:
    """A name is durable when its folder is, and a new month's folder when its parent is."""
    while folder.is_relative_to(root):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        folder = folder.parent


async def _read(path: Path, start: int, end: int | None) -> AsyncGenerator[bytes, None]:
    with _disk(), _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if (start or end is not None) and start >= size:
            raise range_invalid()
        left = min(size, size if end is None else end) - start
        file.seek(start)
        yield b""
        while left > 0:
            chunk = await asyncio.to_thread(file.read, min(left, READ_CHUNK_BYTES))
            if not chunk:
                raise store_unavailable()
            left -= len(chunk)
            yield chunk


def _sweep(partial: Path, before: datetime) -> int:
    swept = 0
    for path in partial.glob("*"):
        try:
            if path.stat().st_mtime < before.timestamp():
                path.unlink()
                swept += 1
        except FileNotFoundError:
            # Its save has just ended, or another process sweeps too.
            continue
    return swept
