"""Reads of doors and of the orders to them (门禁点位、开门指令): who may open what is one rule, in SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domains.access import permissions
from domains.estate.queries import contains
from domains.kernel import clock, database
from domains.kernel.actor import Actor

MOST_OWN, MOST_RECENT = 200, 10
REMEMBERED = timedelta(days=30)
"""For so long a door that was used stands before the others."""


@dataclass(frozen=True, slots=True)
class Door:
    """A door, with what is known of it now."""

    id: UUID
    compound_id: UUID
    building_id: UUID | None
    unit_id: UUID | None
    device_id: UUID
    number: int
    name: str
    kind: str
    direction: str
    methods: list[str]
    is_for_visitors: bool
    needs_screen: bool
    mode: str
    is_released: bool
    position: str
    position_at: datetime | None
    is_online: bool | None
    last_seen_at: datetime | None
    list_sequence: int | None
    listed_at: datetime | None
    recorded_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class DoorCommand:
    """An order to a door, and what became of it."""

    id: UUID
    compound_id: UUID
    door_id: UUID
    account_id: UUID | None
    house_id: UUID | None
    action: str
    state: str
    reason: str
    requested_at: datetime
    expires_at: datetime
    sent_at: datetime | None
    settled_at: datetime | None
    acted_at: datetime | None
    moved_at: datetime | None


# What counts at this moment, as in residents: the business date is a parameter.
LIVES = """p.account_id = {account} AND o.ended_at IS NULL
    AND (o.lease_until_on IS NULL OR o.lease_until_on >= {today}::date)"""

# The rule for who lives there: the compound's doors, the building's, and those of the own staircase.
LEADS_HOME = """h.compound_id = d.compound_id AND (d.building_id IS NULL OR d.building_id = h.building_id)
    AND (d.unit_id IS NULL OR d.unit_id = h.unit_id)"""

# The rule for staff: whole compounds, or the doors of some buildings and no others.
IN_REACH = "(d.compound_id = ANY({compounds}::uuid[]) OR d.building_id = ANY({buildings}::uuid[]))"

_HOMES = f"""
SELECT h.id, h.compound_id, h.building_id, h.unit_id
FROM person p JOIN occupancy o ON o.person_id = p.id JOIN house h ON h.id = o.house_id
WHERE {LIVES.format(account="$1", today="$2")}"""

_ROW = """d.id, d.compound_id, d.building_id, d.unit_id, d.device_id, d.number, d.name, d.kind, d.direction, d.methods,
    d.is_for_visitors, d.needs_screen, d.mode, d.released_by_id IS NOT NULL AS is_released, d.position, d.position_at,
    v.is_online, v.last_seen_at, d.list_sequence, d.listed_at, d.recorded_at"""

# A home's doors are looked up by their compound, home by home: OFFSET 0 keeps the planner from joining otherwise.
OPENABLE = f"""
WITH homes AS MATERIALIZED ({_HOMES} AND ($3::uuid IS NULL OR h.id = $3)),
used AS (
    SELECT door_id, max(requested_at) AS at FROM door_command
    WHERE account_id = $1 AND requested_at > $4 AND action = 'open' AND state = 'opened' GROUP BY door_id)
SELECT {_ROW}, used.at AS last_used_at
FROM (SELECT DISTINCT way.id FROM homes h CROSS JOIN LATERAL (
    SELECT d.id FROM door d WHERE {LEADS_HOME} AND d.removed_at IS NULL OFFSET 0) way) own
JOIN door d ON d.id = own.id JOIN device v ON v.id = d.device_id LEFT JOIN used ON used.door_id = d.id
ORDER BY used.at DESC NULLS LAST, d.number, d.id LIMIT $5
"""

BY_ID = f"""
SELECT {_ROW}, NULL::timestamptz AS last_used_at FROM door d JOIN device v ON v.id = d.device_id
WHERE d.id = ANY($3::uuid[]) AND d.removed_at IS NULL AND ({IN_REACH.format(compounds="$4", buildings="$5")}
    OR EXISTS (SELECT FROM ({_HOMES}) h WHERE {LEADS_HOME}))
"""

_NARROWED = """d.compound_id = $1 AND d.removed_at IS NULL AND ($2::uuid[] IS NULL OR d.building_id = ANY($2))
  AND ($3::uuid IS NULL OR d.building_id = $3) AND ($4::text IS NULL OR d.kind = $4)
  AND ($5::text IS NULL OR d.name LIKE $5)"""

DOORS = f"""
SELECT {_ROW}, NULL::timestamptz AS last_used_at FROM door d JOIN device v ON v.id = d.device_id
WHERE {_NARROWED} AND ($6::int IS NULL OR (d.number, d.id) > ($6, $7::uuid)) ORDER BY d.number, d.id LIMIT $8
"""

COUNT_DOORS = f"SELECT count(*) FROM door d WHERE {_NARROWED}"

_COMMAND = """c.id, c.compound_id, c.door_id, c.account_id, c.house_id, c.action, c.state, c.reason, c.requested_at,
    c.expires_at, c.sent_at, c.settled_at, c.acted_at, c.moved_at"""

COMMANDS_BY_ID = f"""
SELECT {_COMMAND} FROM door_command c JOIN door d ON d.id = c.door_id
WHERE c.id = ANY($1::uuid[])
  AND (c.account_id = $2 OR {IN_REACH.format(compounds="$3", buildings="$4")})
"""

# By the index of each door.
RECENT_COMMANDS = f"""
SELECT {_COMMAND} FROM door d CROSS JOIN LATERAL (
    SELECT * FROM door_command WHERE door_id = d.id ORDER BY requested_at DESC, id DESC LIMIT $4) c
WHERE d.id = ANY($1::uuid[]) AND {IN_REACH.format(compounds="$2", buildings="$3")}
ORDER BY c.requested_at DESC, c.id DESC
"""


@dataclass(frozen=True, slots=True)
class DoorFilter:
    """What a list of doors is narrowed to; `search` is a part of the name."""

    building_id: UUID | None = None
    kind: str | None = None
    search: str | None = None


async def openable(actor: Actor, house_id: UUID | None = None) -> list[Door]:
    """The doors that the caller opens as somebody who lives there, the last used first; one statement."""
    now = clock.now()
    rows = await database.fetch(OPENABLE, actor.id, clock.today(), house_id, now - REMEMBERED, MOST_OWN)
    return [Door(**row) for row in rows]


async def by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Door]:
    """Those the caller may see: by permission, or because they lead home."""
    reach = actor.reach(permissions.DOORS_READ)
    rows = await database.fetch(
        BY_ID, actor.account_id, clock.today(), ids, reach.compounds, reach.buildings
    )  # fmt: skip
    return {row["id"]: Door(**row) for row in rows}


async def doors(
    actor: Actor, compound_id: UUID, wanted: DoorFilter, *, after: tuple[object, ...] | None, limit: int
) -> list[Door]:
    """A page of a compound's doors by number, those that the permission reaches."""
    arguments = _arguments(actor, compound_id, wanted)
    rows = await database.fetch(DOORS, *arguments, *(after or (None, None)), limit)
    return [Door(**row) for row in rows]


async def count_doors(actor: Actor, compound_id: UUID, wanted: DoorFilter) -> int:
    """How many there are over all pages."""
    return int(await database.fetchval(COUNT_DOORS, *_arguments(actor, compound_id, wanted)))


def _arguments(actor: Actor, compound_id: UUID, wanted: DoorFilter) -> tuple[object, ...]:
    actor.require(permissions.DOORS_READ, compound_id)
    reached = actor.buildings(permissions.DOORS_READ, compound_id)
    within = None if reached is None else list(reached)
    return compound_id, within, wanted.building_id, wanted.kind, contains(wanted.search)


async def commands_by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, DoorCommand]:
    """Orders of the caller's own, or of doors that staff may see."""
    reach = actor.reach(permissions.DOORS_READ)
    rows = await database.fetch(COMMANDS_BY_ID, ids, actor.account_id, reach.compounds, reach.buildings)
    return {row["id"]: DoorCommand(**row) for row in rows}


async def recent_commands(actor: Actor, door_ids: Sequence[UUID]) -> Mapping[UUID, list[DoorCommand]]:
    """The last ten orders to each of those doors that staff may see, the last one first."""
    reach = actor.reach(permissions.DOORS_READ)
    rows = await database.fetch(RECENT_COMMANDS, door_ids, reach.compounds, reach.buildings, MOST_RECENT)
    found: defaultdict[UUID, list[DoorCommand]] = defaultdict(list)
    for row in rows:
        found[row["door_id"]].append(DoorCommand(**row))
    return found
