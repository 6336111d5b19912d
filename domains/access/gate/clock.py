"""The clock floor (时钟下限): the latest signed time that the gate has seen, kept on disk.

Only what the server signed raises it: a gate's own clock that once ran ahead would shut the gate for good.
"""

from __future__ import annotations

from .folder import Folder, Snapshot

_BYTES = 8


class ClockFloor:
    """Whoever calls holds the folder's lock."""

    def __init__(self, folder: Folder) -> None:
        self._snapshot = Snapshot(folder, "floor")
        self.seconds = 0

    def refresh(self) -> None:
        """Take over what another process on the gate has seen."""
        news = self._snapshot.news()
        if news is not None and len(news) == _BYTES:
            self.seconds = max(self.seconds, int.from_bytes(news, "big"))

    def rise(self, signed_at: int) -> None:
        """Keep a signed time (epoch seconds) if it is later than all before."""
        if signed_at > self.seconds:
            self._snapshot.write(signed_at.to_bytes(_BYTES, "big"))
            self.seconds = signed_at
