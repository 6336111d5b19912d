"""Reads of the register of devices (设备台账)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from domains.devices import permissions
from domains.estate.queries import contains
from domains.kernel import clock, database
from domains.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Device:
    """A device. `is_online` is null until it is first heard, and false once it is silent for too long."""

    id: UUID
    compound_id: UUID
    building_id: UUID | None
    code: str
    name: str
    kind: str
    maker: str
    model: str
    serial: str
    place: str
    latitude: Decimal | None
    longitude: Decimal | None
    owner: str
    maintainer: str
    maintainer_phone: str
    installed_on: date | None
    state: str
    is_online: bool | None
    last_seen_at: datetime | None
    offline_since: datetime | None
    silent_after_s: int | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class DeviceFilter:
    """What a list of devices is narrowed to; `search` is a part of code, name, serial number or place."""

    kind: str | None = None
    state: str | None = None
    building_id: UUID | None = None
    is_online: bool | None = None
    search: str | None = None

    @property
    def used(self) -> list[str]:
        """What it is narrowed by, without the words: those are nobody's business in the audit."""
        return [each.name for each in fields(self) if getattr(self, each.name) not in (None, "")]


# A device that is silent says no goodbye: $1 is now.
_IS_ONLINE = """CASE WHEN d.last_seen_at < $1::timestamptz - make_interval(secs => d.silent_after_s) THEN false
    ELSE d.is_online END"""

_ROW = f"""d.id, d.compound_id, d.building_id, d.code, d.name, d.kind, d.maker, d.model, d.serial, d.place, d.latitude,
    d.longitude, d.owner, d.maintainer, d.maintainer_phone, d.installed_on, d.state, {_IS_ONLINE} AS is_online,
    d.last_seen_at, d.offline_since, d.silent_after_s, d.recorded_at"""

BY_ID = f"""
SELECT {_ROW} FROM device d
WHERE d.id = ANY($2::uuid[]) AND (d.compound_id = ANY($3::uuid[]) OR d.building_id = ANY($4::uuid[]))
"""

Condition = tuple[str, object]
Statement = tuple[str, Sequence[object]]


async def by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Device]:
    """Those the caller may see."""
    reach = actor.reach(permissions.READ)
    rows = await database.fetch(BY_ID, clock.now(), ids, reach.compounds, reach.buildings)
    return {row["id"]: Device(**row) for row in rows}


async def devices(
    actor: Actor, compound_id: UUID, narrowed: DeviceFilter, *, after: tuple[object, ...] | None, limit: int
) -> list[Device]:
    """A page of a compound's devices by code, of those the caller may see."""
    text, values = page_statement(actor, compound_id, narrowed, after=after, limit=limit)
    return [Device(**row) for row in await database.fetch(text, *values)]


async def count_devices(actor: Actor, compound_id: UUID, narrowed: DeviceFilter) -> int:
    """How many there are over all pages."""
    where, values = _where(actor, compound_id, narrowed)
    # $1 is in it only where it is asked who is online.
    text = f"SELECT count(*) FROM device d WHERE $1::timestamptz IS NOT NULL AND {where}"
    return int(await database.fetchval(text, *values))


async def count_ledger_lines(actor: Actor, compound_id: UUID, narrowed: DeviceFilter) -> int:
    """How many rows the asset ledger of those devices has, one for a device without a line."""
    where, values = _where(actor, compound_id, narrowed)
    text = f"""SELECT count(*) FROM device d LEFT JOIN asset_entry e ON e.device_id = d.id
        WHERE $1::timestamptz IS NOT NULL AND {where}"""
    return int(await database.fetchval(text, *values))


def page_statement(
    actor: Actor, compound_id: UUID, narrowed: DeviceFilter, *, after: tuple[object, ...] | None, limit: int
) -> Statement:
    """The statement of a page with its values."""
    where, values = _where(actor, compound_id, narrowed)
    if after is not None:
        where += f" AND (d.code, d.id) > (${len(values) + 1}, ${len(values) + 2})"
        values = [*values, *after]
    text = f"SELECT {_ROW} FROM device d WHERE {where} ORDER BY d.code, d.id LIMIT ${len(values) + 1}"
    return text, [*values, limit]


def _where(actor: Actor, compound_id: UUID, narrowed: DeviceFilter) -> Statement:
    conditions = list(_conditions(actor, compound_id, narrowed))
    text = " AND ".join(text.format(f"${place}") for place, (text, _) in enumerate(conditions, start=2))
    return text, [clock.now(), *(value for _, value in conditions)]


def _conditions(actor: Actor, compound_id: UUID, narrowed: DeviceFilter) -> Iterator[Condition]:
    actor.require(permissions.READ, compound_id)
    reached = actor.buildings(permissions.READ, compound_id)
    yield "d.compound_id = {}", compound_id
    for text, value in (
        ("d.building_id = ANY({}::uuid[])", None if reached is None else list(reached)),
        ("d.building_id = {}", narrowed.building_id),
        ("d.kind = {}", narrowed.kind),
        ("d.state = {}", narrowed.state),
        (f"({_IS_ONLINE}) = {{}}", narrowed.is_online),
        (
            "(d.code ILIKE {0} OR d.name ILIKE {0} OR d.serial ILIKE {0} OR d.place ILIKE {0})",
            contains(narrowed.search),
        ),
    ):
        if value is not None:
            yield text, value
