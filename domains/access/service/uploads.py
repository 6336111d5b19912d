"""What a gate did without a network (离线事件上报): each event is written once, each use counted once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import asyncpg

from domains.access import sql
from domains.access.events import PassOverused, VisitorAdmitted, VisitorLeft
from domains.access.gate.reasons import Kind, Reason
from domains.access.queries import gates
from domains.access.queries.gates import GateDoor
from domains.access.rules import Direction
from domains.access.service import uses
from domains.access.service.recording import is_kept
from domains.access.service.scanning import code_key, scan_key
from domains.devices.rules import SKEW
from domains.kernel import clock, database, live, outbox
from domains.kernel.ids import uuid7

MOST_EVENTS = 500
OLDEST = timedelta(days=30)
WALK = timedelta(minutes=30)
"""From the compound's gate to a door inside."""

# The events of one gate take turns; nothing else waits for this row.
TURN = "SELECT event_sequence FROM door WHERE id = $1 FOR NO KEY UPDATE"

# What was opened online is the same opening under the id of its scan; a code opens a door once.
KNOWN = """
SELECT event_key AS key FROM access_record
WHERE door_id = $1 AND event_key = ANY($2::text[]) AND (event_key NOT LIKE 'scan:%' OR result = 'opened')
UNION SELECT left(event_key, 37) FROM access_record
WHERE door_id = $1 AND event_key LIKE 'code:%' AND left(event_key, 37) = ANY($2::text[])
"""

# On its own, so that what is read next was written before whoever held a pass let go of it.
HOLD = """
SELECT id FROM visitor_pass WHERE id = ANY($1::uuid[]) AND compound_id = $2 ORDER BY id FOR NO KEY UPDATE
"""

# At an inner door the first opening of an entry belongs to it, as it does online. An inner door that told first
# has taken the use of an entry at a gate (`alone`): it stands for one entry there a little earlier.
PASSES = """
SELECT p.id, p.house_id, p.guest_name AS who, p.plate, p.uses, p.uses_allowed, p.inside_since, p.ends_at,
    p.state = 'active' AND ($6 OR p.offline_door_id IS NOT NULL) AS may_be_listed,
    $3 AND p.inside_since IS NOT NULL AND NOT coalesce(since.was_here, false) AS is_on_its_way,
    $3 AND coalesce(since.came_by_gate, false) AS came_by_gate,
    (SELECT max(a.at) FROM access_record a WHERE a.visitor_pass_id = p.id AND a.result = 'opened') AS seen_at,
    array(SELECT r.at FROM access_record r WHERE NOT $3 AND r.visitor_pass_id = p.id AND r.building_id IS NOT NULL
        AND r.result = 'opened' AND r.direction <> 'out' AND NOT EXISTS (
            SELECT FROM access_record o WHERE o.visitor_pass_id = p.id AND o.result = 'opened' AND o.direction <> 'out'
                AND o.at > r.at - $5::interval - $7::interval AND o.at <= r.at + $7::interval
                AND (o.building_id IS NULL OR (o.at, o.id) < (r.at, r.id)))
        ORDER BY r.at) AS alone
FROM visitor_pass p CROSS JOIN LATERAL (
    SELECT bool_or(a.door_id = $4) AS was_here, bool_or(a.building_id IS NULL AND a.direction <> 'out') AS came_by_gate
    FROM access_record a WHERE a.visitor_pass_id = p.id AND a.result = 'opened' AND a.at >= p.inside_since) AS since
WHERE p.id = ANY($1::uuid[]) AND p.compound_id = $2 ORDER BY p.id
"""

HOLDERS = """
SELECT c.id, c.house_id, c.account_id, p.id AS person_id, coalesce(p.name, '') AS who
FROM resident_code c LEFT JOIN person p ON p.account_id = c.account_id AND p.compound_id = c.compound_id
WHERE c.id = ANY($1::uuid[]) AND c.compound_id = $2
"""

ADD_RECORDS = """
INSERT INTO access_record (id, compound_id, door_id, building_id, house_id, person_id, account_id, visitor_pass_id,
    who, plate, is_vehicle, at, device_at, received_at, direction, method, result, reason, note, event_key)
SELECT e.id, d.compound_id, d.id, d.building_id, e.house_id, e.person_id, e.account_id, e.pass_id, e.who,
    CASE WHEN d.kind = 'vehicle_gate' THEN e.plate ELSE '' END, d.kind = 'vehicle_gate', e.at, e.device_at, $2,
    e.direction, 'qr', e.result, e.reason, '', e.event_key
FROM door d CROSS JOIN unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::text[], $9::text[],
    $10::timestamptz[], $11::timestamptz[], $12::text[], $13::text[], $14::text[], $15::text[])
    AS e (id, house_id, person_id, account_id, pass_id, who, plate, at, device_at, direction, result, reason, event_key)
WHERE d.id = $1 ON CONFLICT DO NOTHING
"""

HEARD = "UPDATE door SET event_sequence = greatest(event_sequence, $2) WHERE id = $1"


@dataclass(frozen=True, slots=True)
class Told:
    """An event as a gate tells it: its own number and id, what was shown (a pass or a code, by `kind`), when
    by its own clock, and what it answered."""

    sequence: int
    id: UUID
    kind: Kind | None
    shown: UUID | None
    at: datetime
    reason: Reason
    direction: Direction = "unknown"

    @property
    def opened(self) -> bool:
        """Whether the gate has opened."""
        return self.reason is Reason.OK

    @property
    def key(self) -> str:
        """Under which it is written once; a code opens a door once, told online or later."""
        if self.opened and self.kind is Kind.RESIDENT and self.shown:
            return code_key(self.shown)
        return f"event:{self.id.hex}"

    @property
    def online_key(self) -> str:
        """Under which it is written already if the server let somebody in and the gate had no answer."""
        return scan_key(self.id)

    def is_among(self, known: Collection[str]) -> bool:
        """Whether it is one of what is written."""
        return self.key in known or (self.opened and self.online_key in known)


@dataclass(frozen=True, slots=True)
class Received:
    """What the server has now: up to which sequence, how many it had before, and the sequences that it has
    never seen between those that it has (first and last of each gap)."""

    up_to: int
    repeated: int
    gaps: Sequence[tuple[int, int]]


async def receive(device_id: UUID, events: Sequence[Told]) -> Received:
    """Write down what is new. Raises GATE_UNKNOWN."""
    door = await gates.of_device(device_id)
    async with database.transaction():
        last: int | None = await database.fetchval(TURN, door.id)
        events = sorted(events, key=lambda event: event.sequence)
        keys = [key for event in events for key in (event.key, event.online_key)]
        known = {row["key"] for row in await database.fetch(KNOWN, door.id, keys)}
        fresh = {event.key: event for event in reversed(events) if not event.is_among(known)}
        await _write(door, sorted(fresh.values(), key=lambda event: event.sequence))
        up_to = events[-1].sequence
        await database.execute(HEARD, door.id, up_to)
        return Received(up_to, len(events) - len(fresh), _gaps(last, events))


def _gaps(last: int | None, events: Sequence[Told]) -> list[tuple[int, int]]:
    # A gate that counts from the beginning again has lost its queue, and nothing in between.
    begins = [] if last is None or events[0].sequence <= last else [last]
    there = [*begins, *(event.sequence for event in events)]
    return [(a + 1, b - 1) for a, b in pairwise(there) if b > a + 1]


async def _write(door: GateDoor, events: Sequence[Told]) -> None:
    refused = sum(not event.opened for event in events)
    if refused and not await is_kept(door.device_id, "http", refused):
        events = [event for event in events if event.opened]
    if not events:
        return
    shown = {kind: [event.shown for event in events if event.kind is kind] for kind in Kind}
    passes = await _passes(door, shown[Kind.VISITOR])
    codes = await database.fetch(HOLDERS, shown[Kind.RESIDENT], door.compound_id)
    tallies = {row["id"]: Tally.of(row) for row in passes}
    whose: dict[UUID, asyncpg.Record] = {row["id"]: row for row in [*passes, *codes]}
    now = clock.now()
    rows = [_row(door, event, whose, tallies, now) for event in events]
    columns = (list(column) for column in zip(*rows, strict=True))
    await database.execute(ADD_RECORDS, door.id, now, *columns)
    await _count(door, [tally for tally in tallies.values() if tally.has_opened], now)


async def _passes(door: GateDoor, ids: Sequence[UUID | None]) -> Sequence[asyncpg.Record]:
    await database.execute(HOLD, ids, door.compound_id)
    return await database.fetch(
        PASSES, ids, door.compound_id, door.is_inner, door.id, WALK, door.rules.counts_offline, SKEW
    )


@dataclass(slots=True)
class Tally:
    """What the events of one pass come to."""

    row: asyncpg.Record
    uses: int
    is_on_its_way: bool
    alone: list[datetime]
    inside_since: datetime | None
    entries: list[UUID] = field(default_factory=list)
    has_opened: bool = False
    used_at: datetime | None = None

    @classmethod
    def of(cls, row: asyncpg.Record) -> Tally:
        """Before the first event."""
        return cls(row, row["uses"], row["is_on_its_way"], list(row["alone"]), row["inside_since"])

    @property
    def is_to_list(self) -> bool:
        """Used up just now, and gates that count for themselves would open to it."""
        allowed = self.row["uses_allowed"]
        return bool(self.row["may_be_listed"]) and allowed is not None and self.uses >= allowed

    @property
    def has_left(self) -> bool:
        """Was inside before these events, and is not after them."""
        return self.row["inside_since"] is not None and self.inside_since is None

    @property
    def is_over(self) -> bool:
        """Used more often than it allows."""
        return self.row["uses_allowed"] is not None and self.uses > self.row["uses_allowed"]

    def pass_through(self, direction: Direction, at: datetime, record_id: UUID) -> str:
        """An opening; the reason that is noted with it."""
        self.has_opened = True
        if direction == "out":
            if self._is_news(at) and not self.row["came_by_gate"]:
                self.inside_since = None
            return ""
        if self.is_on_its_way or self._was_counted_inside(at):
            self.is_on_its_way = False
            return ""
        self.uses, self.used_at = self.uses + 1, max(at, self.used_at or at)
        self.entries.append(record_id)
        if self._is_news(at):
            self.inside_since = at
        return "OVERUSED" if self.is_over else ""

    def _is_news(self, at: datetime) -> bool:
        """What was seen later than this stands."""
        return self.row["seen_at"] is None or at >= self.row["seen_at"]

    def _was_counted_inside(self, at: datetime) -> bool:
        """An entry whose use a door inside has taken already: that visit began here."""
        inside = next((each for each in self.alone if at - SKEW <= each <= at + WALK), None)
        if inside is None:
            return False
        self.alone.remove(inside)
        if self.inside_since is not None:
            self.inside_since = min(at, self.inside_since)
        return True


def _row(
    door: GateDoor,
    event: Told,
    whose: Mapping[UUID, asyncpg.Record],
    tallies: Mapping[UUID, Tally],
    now: datetime,
) -> tuple[object, ...]:
    id, direction = uuid7(), door.direction_of(event.direction)
    at = event.at if now - OLDEST <= event.at <= now + SKEW else now
    found = whose.get(event.shown) if event.shown else None
    row: dict[str, Any] = dict(found or {})  # Any: columns
    pass_id = row["id"] if event.kind is Kind.VISITOR and row else None
    reason = "" if event.opened else str(event.reason)
    if event.shown and not row:
        reason = "UNKNOWN_PASS" if event.kind is Kind.VISITOR else "CODE_UNKNOWN"
    elif event.opened and pass_id:
        reason = tallies[pass_id].pass_through(direction, at, id)
    known = (row.get(name) for name in ("house_id", "person_id", "account_id"))
    result = "opened" if event.opened else "refused"
    return (
        id, *known, pass_id, row.get("who", ""), row.get("plate", ""), at, event.at, direction, result, reason, event.key
    )  # fmt: skip


async def _count(door: GateDoor, tallies: Sequence[Tally], now: datetime) -> None:
    """The passes' uses; who invited learns of every entry, and of a pass that was used too often."""
    await database.execute(
        sql.USE, [tally.row["id"] for tally in tallies], [len(tally.entries) for tally in tallies],
        [tally.used_at for tally in tallies], [tally.inside_since for tally in tallies], now, None,
    )  # fmt: skip
    for tally in tallies:
        pass_id, house_id = tally.row["id"], tally.row["house_id"]
        if tally.is_to_list:
            await uses.put_on_list(door.compound_id, pass_id, tally.row["ends_at"])
        if tally.has_left:
            await outbox.record(VisitorLeft(pass_id, door.compound_id, house_id))
        for record_id in tally.entries:
            await outbox.record(VisitorAdmitted(pass_id, door.compound_id, house_id, record_id))
        if tally.entries and tally.is_over:
            await outbox.record(PassOverused(pass_id, door.compound_id, house_id, tally.uses))
    await live.wake([f"pass:{tally.row['id']}" for tally in tallies])
