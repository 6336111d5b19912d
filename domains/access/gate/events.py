"""The queue of events (离线事件队列): what happened at the gate, on disk until the server has it."""

from __future__ import annotations

import secrets
import struct
from dataclasses import dataclass

from .claims import ID_BYTES
from .folder import Folder
from .reasons import Kind, Reason
from .records import RecordFile

_LAYOUT = struct.Struct(">Q16s16s8sq16s")
_NOBODY = bytes(ID_BYTES)
_CONFIRMED = "confirmed"
MOST_WAITING = 10_000


@dataclass(frozen=True, slots=True)
class Event:
    """One scan: a random id (16 bytes), its place in the order, what was shown, when, what came of it.

    `at` is the gate's own clock in epoch seconds. `shown` (16 bytes) and `kind` are None where no
    signature counted.
    """

    sequence: int
    id: bytes
    kind: Kind | None
    shown: bytes | None
    at: int
    reason: Reason


class EventQueue:
    """Whoever calls holds the folder's lock and has called `refresh`."""

    def __init__(self, folder: Folder) -> None:
        self._file = RecordFile(folder, "events", _LAYOUT.size)
        self.waiting: list[Event] = []
        self.last_sequence = 0

    def refresh(self) -> None:
        """Take over what other processes on the gate have written or confirmed."""
        anew, rows = self._file.news()
        if anew:
            self.waiting = []
        for row in rows:
            self._keep(row)

    def add(
        self,
        sequence: int,
        kind: Kind | None,
        shown: bytes | None,
        at: int,
        reason: Reason,
        *,
        id: bytes | None = None,
    ) -> None:
        """Queue an event durably, under a sequence above all before and a random id unless told.

        A refusal is left out while 10,000 wait, so that rubbish cannot fill the disk.
        """
        if reason is not Reason.OK and len(self.waiting) >= MOST_WAITING:
            return
        event = Event(sequence, id or secrets.token_bytes(ID_BYTES), kind, shown, at, reason)
        row = _packed(event)
        self._file.append(row)
        self._keep(row)

    def confirm(self, up_to: int) -> None:
        """Forget the events that the server has, up to this sequence and including it."""
        kept = [event for event in self.waiting if event.sequence > up_to]
        if len(kept) < len(self.waiting):
            mark = _LAYOUT.pack(min(up_to, self.last_sequence), _NOBODY, _NOBODY, b"", 0, _CONFIRMED.encode())
            self._file.replace([mark, *map(_packed, kept)])
            self.waiting = kept

    def _keep(self, row: bytes) -> None:
        self.last_sequence, id, shown, kind, at, reason = _LAYOUT.unpack(row)
        if (name := _text(reason)) != _CONFIRMED:
            who = (Kind(_text(kind)), shown) if _text(kind) else (None, None)
            self.waiting.append(Event(self.last_sequence, id, who[0], who[1], at, Reason(name)))


def _packed(event: Event) -> bytes:
    kind = (event.kind or "").encode()
    shown, reason = event.shown or _NOBODY, event.reason.encode()
    return _LAYOUT.pack(event.sequence, event.id, shown, kind, event.at, reason)


def _text(field: bytes) -> str:
    return field.rstrip(b"\0").decode("ascii")
