"""Callers, events and readings of the kernel's own tables, the short way."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from domains.estate.models import Company
from domains.kernel import database
from domains.kernel.actor import Actor, Grant, Origin
from domains.kernel.events import Event
from domains.kernel.outbox import Relay

ORIGIN = Origin(request_id="req-1", ip="203.0.113.9", user_agent="test")


@dataclass(frozen=True, slots=True)
class NotePosted(Event):
    """Something happened to a subject; `place` counts what happened to it."""

    note_id: str
    place: int = 0


@dataclass(frozen=True, slots=True)
class AlarmRaised(Event):
    """Something that cannot wait."""

    note_id: str
    place: int = 0


class Seen:
    """A handler that notes what it saw, in its own transaction, and fails as it is told."""

    def __init__(self, *, pause_s: float = 0.0) -> None:
        self.failing: set[tuple[str, int]] = set()
        self.calls: list[tuple[str, int]] = []
        self.pause_s = pause_s

    async def note(self, event: Event, event_id: UUID) -> None:
        """The handler."""
        assert isinstance(event, NotePosted | AlarmRaised)
        self.calls.append((event.note_id, event.place))
        await Company.create(name=f"{event.note_id}#{event.place}#{event_id}")
        await asyncio.sleep(self.pause_s)
        if (event.note_id, event.place) in self.failing:
            raise ValueError("not now")

    def of(self, note_id: str) -> list[int]:
        """What it saw of one subject."""
        return [place for name, place in self.calls if name == note_id]


def staff(*grants: Grant, confined: bool = False) -> Actor:
    """A staff member with these permissions."""
    return Actor("staff", uuid4(), uuid4(), "王管家", grants=grants, confined=confined, origin=ORIGIN)


def resident() -> Actor:
    """A resident who has no house."""
    return Actor("resident", uuid4(), uuid4(), "李住户", origin=ORIGIN)


async def audit_rows(action: str) -> list[dict[str, Any]]:  # Any: columns
    """The audit's rows of an action, in order."""
    rows = await database.fetch("SELECT * FROM audit_entry WHERE action = $1 ORDER BY id", action)
    return [dict(row) for row in rows]


async def message(event_id: UUID) -> asyncpg.Record:
    """An event's row in the outbox."""
    row = await database.fetchrow("SELECT * FROM outbox_message WHERE event_id = $1", event_id)
    assert row is not None
    return row


async def deliver_all(relay: Relay) -> int:
    """Deliver until nothing is due; the number of messages claimed."""
    total = 0
    while claimed := await relay.deliver():
        total += claimed
    return total


async def hurry() -> None:
    """Let what waits for its next attempt be due now."""
    await database.execute("UPDATE outbox_message SET available_at = now() WHERE state = 'pending'")
