"""The use journal (使用流水): a row on disk before the gate opens, so that no use counts twice.

A row stays until its pass is over by the clock floor, never by the gate's own clock, which may be
set forward and back: what is dropped stays expired.
"""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import dataclass

from .folder import Folder
from .reasons import Kind
from .records import RecordFile

_LAYOUT = struct.Struct(">16s8sQqQ")
COMPACT_ABOVE = 512


@dataclass(frozen=True, slots=True)
class Use:
    """One entry: id of the pass or code, until when the row matters, when it was used (epoch seconds).

    `sequence` is that of the event that tells the server; 0 where the server knows already.
    """

    id: bytes
    kind: Kind
    until: int
    at: int
    sequence: int

    def packed(self) -> bytes:
        """The row on disk."""
        return _LAYOUT.pack(self.id, self.kind.encode(), self.until, self.at, self.sequence)

    @classmethod
    def unpacked(cls, row: bytes) -> Use:
        """The use that a row tells of."""
        id, kind, until, at, sequence = _LAYOUT.unpack(row)
        return cls(id, Kind(kind.rstrip(b"\0").decode()), until, at, sequence)


class Journal:
    """Whoever calls holds the folder's lock and has called `refresh`."""

    def __init__(self, folder: Folder) -> None:
        self._file = RecordFile(folder, "journal", _LAYOUT.size)
        self._uses: list[Use] = []
        self._counts: Counter[bytes] = Counter()
        self.last: Use | None = None

    def refresh(self) -> None:
        """Take over what other processes on the gate have written; DiskFailed for a damaged row."""
        anew, rows = self._file.news()
        if anew:
            self._restart()
        for row in rows:
            self._keep(Use.unpacked(row))

    def uses(self, id: bytes) -> int:
        """How often it was used here."""
        return self._counts[id]

    def record(self, use: Use) -> None:
        """Write a use; on return it survives a power cut. DiskFailed: it does not count."""
        self._file.append(use.packed())
        self._keep(use)

    def compact(self, floor: int) -> None:
        """Drop the rows that were over at the clock floor, once they are many and most of the file."""
        kept = [use for use in self._uses if use.until > floor]
        if len(self._uses) > COMPACT_ABOVE and 2 * len(kept) < len(self._uses):
            self._file.replace([use.packed() for use in kept])
            self._restart()
            for use in kept:
                self._keep(use)

    def _restart(self) -> None:
        self._uses, self._counts, self.last = [], Counter(), None

    def _keep(self, use: Use) -> None:
        self._uses.append(use)
        self._counts[use.id] += 1
        if use.sequence:
            self.last = use
