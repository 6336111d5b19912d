"""An append-only file of records of one size, each with a CRC-32; its last may be torn by a power cut."""

from __future__ import annotations

import errno
import os
import secrets
import zlib
from collections.abc import Iterable
from contextlib import suppress

from .folder import DiskFailed, Folder, disk

_MAGIC = b"LINLI\x00\x00\x01"
_HEADER_BYTES, _CHECK_BYTES = 16, 4


class RecordFile:
    """Rows of one size. Whoever calls holds the folder's lock and has called `news` before writing."""

    def __init__(self, folder: Folder, name: str, row_bytes: int) -> None:
        self._folder, self._name = folder, name
        self._size = row_bytes + _CHECK_BYTES
        self._header, self._end = b"", 0

    def news(self) -> tuple[bool, list[bytes]]:
        """The rows since the last read; True with all of them where the file was replaced meanwhile."""
        with disk():
            data, anew = self._unread()
        rows = []
        for start in range(0, len(data) - self._size + 1, self._size):
            chunk = data[start : start + self._size]
            if not _is_whole(chunk):
                if len(data) - start >= 2 * self._size:
                    raise DiskFailed(f"{self._name}: a record is damaged")
                break
            rows.append(chunk[:-_CHECK_BYTES])
        self._end += len(rows) * self._size
        return anew, rows

    def append(self, row: bytes) -> None:
        """Add a row; on return it is on disk (fsync). DiskFailed leaves the file as it was."""
        with disk(), (self._folder.path / self._name).open("r+b", buffering=0) as file:
            try:
                # what a power cut left of a torn record goes, so that rows stay aligned
                file.truncate(self._end)
                file.seek(self._end)
                if file.write(_checked(row)) != self._size:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file.fileno())
            except OSError:
                with suppress(OSError):
                    file.truncate(self._end)
                raise
        self._end += self._size

    def replace(self, rows: Iterable[bytes]) -> None:
        """Keep these rows instead, durably and at once."""
        # a header of its own tells other processes that what they have read is no longer the file
        header = _MAGIC + secrets.token_bytes(_HEADER_BYTES - len(_MAGIC))
        content = b"".join([header, *(_checked(row) for row in rows)])
        self._folder.write(self._name, content)
        self._header, self._end = header, len(content)

    def _unread(self) -> tuple[bytes, bool]:
        path = self._folder.path / self._name
        if not path.exists():
            self.replace(())
            return b"", True
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
            if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
                raise DiskFailed(f"{self._name}: not a record file")
            anew = header != self._header
            if anew:
                self._header, self._end = header, _HEADER_BYTES
            file.seek(self._end)
            return file.read(), anew


def _checked(row: bytes) -> bytes:
    return row + zlib.crc32(row).to_bytes(_CHECK_BYTES, "big")


def _is_whole(chunk: bytes) -> bool:
    return _checked(chunk[:-_CHECK_BYTES]) == chunk
