"""The storage port (文件存储): what every store of uploaded and generated files does."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from domains.kernel.storage.errors import file_too_large, range_invalid

READ_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is completely and durably stored; `size` in bytes, `sha256` in hex."""

    key: str
    size: int
    sha256: str
    content_type: str


@dataclass(frozen=True, slots=True)
class FileStat:
    """What the store knows of a file without reading it; `size` in bytes."""

    key: str
    size: int
    content_type: str
    stored_at: datetime


class Storage(Protocol):
    """A place for files. Every method raises `FILE_STORE_UNAVAILABLE` when the place fails."""

    async def save(
        self,
        prefix: str,
        chunks: AsyncIterator[bytes],
        *,
        content_type: str,
        limit_bytes: int,
        key: str | None = None,
    ) -> StoredFile:
        """Store a stream under a new key; nothing is visible before all of it is durable.

        `key` is one that `new_key` has made for this prefix and content type, where it has to be on the books
        before there is a file.

        Raises `FILE_TOO_LARGE`, `FILE_TYPE_REFUSED`, `FILE_PREFIX_INVALID` and whatever `chunks`
        raises; in each case nothing is left behind.
        """
        ...

    async def open(self, key: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        """The bytes from `start` up to, not including, `end` (as in a slice).

        Raises `FILE_NOT_FOUND`, `FILE_KEY_INVALID` and `FILE_RANGE_INVALID` before the first byte.
        """
        ...

    async def stat(self, key: str) -> FileStat:
        """What is known of a file. Raises `FILE_NOT_FOUND` and `FILE_KEY_INVALID`."""
        ...

    async def delete(self, key: str) -> None:
        """Remove a file; one that is not there is already removed. Raises `FILE_KEY_INVALID`."""
        ...

    async def sweep_partial(self, older_than: timedelta) -> int:
        """Remove what saves that died have left, untouched for longer; how many that were."""
        ...

    async def aclose(self) -> None:
        """Give back connections; the store is not used afterwards."""
        ...


class Intake:
    """Counts, limits and hashes the bytes of one save."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._hash = hashlib.sha256()
        self._size = 0

    def take(self, chunk: bytes) -> None:
        """Account for a chunk before it is written. Raises `FILE_TOO_LARGE`."""
        self._size += len(chunk)
        if self._size > self._limit_bytes:
            raise file_too_large(self._limit_bytes)
        self._hash.update(chunk)

    def stored(self, key: str, content_type: str) -> StoredFile:
        """What has been taken in, as the file it has become."""
        return StoredFile(key, self._size, self._hash.hexdigest(), content_type)


def check_range(start: int, end: int | None) -> None:
    """Raises `FILE_RANGE_INVALID` for a part that no file can have."""
    if start < 0 or (end is not None and end <= start):
        raise range_invalid()
