"""Reads of readings (读数): what a meter showed, and what waits for review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg

from domains.billing import metering, permissions
from domains.billing.metering import Point, Register
from domains.billing.queries.consumption import SINCE
from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.command import concerns, sensitive_read
from domains.residents.queries.reading import note


@dataclass(frozen=True, slots=True)
class MeterReading:
    """A reading with the accepted one before it, and the units between the two if it is accepted as it stands."""

    id: UUID
    compound_id: UUID
    meter_id: UUID
    kind: str
    number: str
    house_id: UUID | None
    house_number: str | None
    building_name: str | None
    read_at: datetime
    read_on: date
    value: Decimal
    source: str
    read_by: str | None
    photo_key: str | None
    state: str
    problem: str | None
    note: str
    reviewed_at: datetime | None
    received_at: datetime
    previous_value: Decimal | None
    previous_read_at: datetime | None
    units: Decimal | None


_ROW = """r.id, r.compound_id, r.meter_id, m.kind, m.number, m.house_id, h.number AS house_number,
    b.name AS building_name, r.read_at, r.read_on, r.value, r.total, r.source, a.name AS read_by, r.photo_key, r.state,
    nullif(r.problem, '') AS problem, r.note, r.reviewed_at, r.received_at, before.value AS previous_value,
    before.read_at AS previous_read_at, before.total AS previous_total, m.digits, m.multiplier"""

_JOINS = """JOIN meter m ON m.id = r.meter_id LEFT JOIN house h ON h.id = m.house_id
LEFT JOIN building b ON b.id = m.building_id LEFT JOIN account a ON a.id = r.account_id
LEFT JOIN LATERAL (
    SELECT p.value, p.read_at, p.total FROM meter_reading p
    WHERE p.meter_id = r.meter_id AND p.state = 'accepted' AND p.read_on <= r.read_on AND p.read_at < r.read_at
    ORDER BY p.read_on DESC, p.read_at DESC LIMIT 1) before ON true"""

TO_REVIEW = f"""
SELECT {_ROW} FROM meter_reading r {_JOINS}
WHERE r.compound_id = $1 AND r.state = 'held' AND ($2::uuid[] IS NULL OR m.building_id = ANY($2::uuid[]))
  AND ($3::uuid IS NULL OR m.building_id = $3)
  AND ($4::timestamptz IS NULL OR (r.received_at, r.id) > ($4, $5::uuid))
ORDER BY r.received_at, r.id LIMIT $6
"""

COUNT_TO_REVIEW = """
SELECT count(*) FROM meter_reading r JOIN meter m ON m.id = r.meter_id
WHERE r.compound_id = $1 AND r.state = 'held' AND ($2::uuid[] IS NULL OR m.building_id = ANY($2::uuid[]))
  AND ($3::uuid IS NULL OR m.building_id = $3)
"""

# Staff by permission; the people of a house since they came; and whoever brought it.
_SEES = f"""(m.compound_id = ANY($2::uuid[]) OR m.building_id = ANY($3::uuid[])
    OR (m.house_id = ANY($4::uuid[]) AND (r.account_id = $5 OR r.read_on >= {SINCE})))"""

BY_ID = f"SELECT {_ROW} FROM meter_reading r {_JOINS} WHERE r.id = ANY($1::uuid[]) AND {_SEES}"

OF_METER = f"""
SELECT {_ROW} FROM meter_reading r {_JOINS}
WHERE r.meter_id = $1 AND {_SEES} AND ($6::timestamptz IS NULL OR (r.read_at, r.id) < ($6, $7::uuid))
ORDER BY r.read_at DESC, r.id DESC LIMIT $8
"""


@sensitive_read("meter_reading.list_waiting", caller="staff", permission=permissions.METERS_WRITE)
async def to_review(
    actor: Actor, compound_id: UUID, building_id: UUID | None, *, after: tuple[object, ...] | None, limit: int
) -> list[MeterReading]:
    """A page of what waits for review in a compound, the longest waiting first."""
    concerns("MeterReading", None, compound_id)
    rows = await database.fetch(
        TO_REVIEW, *_within(actor, compound_id, building_id), *(after or (None, None)), limit
    )
    return [_reading(row) for row in rows]


async def count_to_review(actor: Actor, compound_id: UUID, building_id: UUID | None) -> int:
    """How many wait over all pages."""
    return int(await database.fetchval(COUNT_TO_REVIEW, *_within(actor, compound_id, building_id)))


def _within(actor: Actor, compound_id: UUID, building_id: UUID | None) -> tuple[object, ...]:
    actor.require(permissions.METERS_WRITE, compound_id)
    reached = actor.buildings(permissions.METERS_WRITE, compound_id)
    return compound_id, None if reached is None else list(reached), building_id


async def of_meter(
    actor: Actor, meter_id: UUID, *, after: tuple[object, ...] | None, limit: int
) -> list[MeterReading]:
    """A page of a meter's readings, the last one first; nothing of a meter that the caller may not see."""
    async with database.transaction():
        rows = await database.fetch(OF_METER, meter_id, *_seen_by(actor), *(after or (None, None)), limit)
        found = [_reading(row) for row in rows]
        if actor.kind == "staff":
            await note(actor, "meter_reading.read", "MeterReading", found)
    return found


async def by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, MeterReading]:
    """Those the caller may see."""
    async with database.transaction():
        rows = await database.fetch(BY_ID, ids, *_seen_by(actor))
        found = {row["id"]: _reading(row) for row in rows}
        if actor.kind == "staff":
            await note(actor, "meter_reading.read", "MeterReading", found.values())
    return found


def _seen_by(actor: Actor) -> tuple[object, ...]:
    read, write = actor.reach(permissions.METERS_READ), actor.reach(permissions.METERS_WRITE)
    return (
        [*read.compounds, *write.compounds], [*read.buildings, *write.buildings], read.houses, actor.account_id
    )  # fmt: skip


def _reading(row: asyncpg.Record) -> MeterReading:
    values: dict[str, Any] = dict(row)  # Any: columns by name
    total, before = values.pop("total"), values.pop("previous_total")
    register = Register(row["kind"], values.pop("digits"), values.pop("multiplier"), None)
    units = None
    if before is not None:
        if total is None:
            last = Point(row["previous_read_at"], row["previous_value"], before)
            total = metering.total_of(register, last, row["value"])
        units = total - before
    return MeterReading(units=units, **values)
