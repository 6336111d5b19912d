"""Reads of alarms (告警), for who may see or handle them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import product
from uuid import UUID

import asyncpg

from domains.devices import permissions
from domains.devices.kinds import ALARM_KINDS
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.errors import Invalid

LONGEST_PERIOD = timedelta(days=366)
USUAL_PERIOD = timedelta(days=30)
FIRST = datetime(2000, 1, 1, tzinfo=UTC)
"""There was no alarm before; the calendar of a machine has a beginning."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm, with the device's name and place, and the names of who saw to it."""

    id: UUID
    compound_id: UUID
    building_id: UUID | None
    device_id: UUID
    device_name: str
    device_code: str
    place: str
    kind: str
    level: str
    state: str
    detail: str
    opened_at: datetime
    said_at: datetime | None
    reported_at: datetime
    reports: int
    flaps: int
    calm_since: datetime | None
    shelved_until: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    cleared_at: datetime | None
    cleared_by: str | None
    is_false: bool
    note: str


@dataclass(frozen=True, slots=True)
class AlarmFilter:
    """What the alarms of a compound are narrowed to; opened `since` then, included, and before `until`."""

    states: Sequence[str] | None = None
    kind: str | None = None
    level: str | None = None
    building_id: UUID | None = None
    device_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AlarmCount:
    """Alarms of one kind, level or day, or all; times are means in minutes, null where there are none."""

    kind: str | None
    level: str | None
    on_day: date | None
    alarms: int
    open: int
    false_alarms: int
    minutes_to_acknowledge: float | None
    minutes_to_clear: float | None


@dataclass(frozen=True, slots=True)
class AlarmStatistics:
    """Alarms that were opened within a period, counted."""

    since: datetime
    until: datetime
    total: AlarmCount
    by_kind: list[AlarmCount]
    by_level: list[AlarmCount]
    by_day: list[AlarmCount]


_ROW = """
SELECT a.id, a.compound_id, a.building_id, a.device_id, d.name AS device_name, d.code AS device_code, d.place, a.kind,
    a.level, a.state, a.detail, a.opened_at, a.said_at, a.reported_at, a.reports, a.flaps, a.calm_since, a.shelved_until,
    a.acknowledged_at, seen.name AS acknowledged_by, a.cleared_at, found.name AS cleared_by, a.is_false, a.note
FROM alarm a JOIN device d ON d.id = a.device_id LEFT JOIN account seen ON seen.id = a.acknowledged_by
LEFT JOIN account found ON found.id = a.cleared_by
"""

# An alarm of no building is everybody's who may see some building of the compound.
_REACHED = """(a.compound_id = ANY($2::uuid[]) OR a.building_id = ANY($3::uuid[])
    OR (a.building_id IS NULL AND a.compound_id = ANY($4::uuid[])))"""
_OF_COMPOUND = """a.compound_id = $1
    AND ($2::uuid[] IS NULL OR a.building_id IS NULL OR a.building_id = ANY($2::uuid[]))"""
_NARROWED = f"""{_OF_COMPOUND} AND ($3::text[] IS NULL OR a.state = ANY($3::text[]))
    AND ($5::text IS NULL OR a.level = $5) AND ($6::uuid IS NULL OR a.building_id = $6)
    AND ($7::timestamptz IS NULL OR a.opened_at >= $7) AND ($8::timestamptz IS NULL OR a.opened_at < $8)"""
_PLACED = "($10::timestamptz IS NULL OR (a.opened_at, a.id) < ($10, $11::uuid))"
_LAST_FIRST = "ORDER BY a.opened_at DESC, a.id DESC LIMIT $12"

# Statements of their own: a condition that hangs on a parameter keeps the indexes of what is open, of a kind
# and of a device out of use.
_OPEN = ("true", "a.state <> 'cleared'")
_OF_KINDS = ("$4::text[] IS NULL", "a.kind = ANY($4::text[])")
_OF_DEVICE = ("$9::uuid IS NULL", "a.device_id = $9")
_CONDITIONS = {
    way: " AND ".join((_NARROWED, _OPEN[way[0]], _OF_KINDS[way[1]], _OF_DEVICE[way[2]]))
    for way in product((False, True), repeat=3)
}
ALARMS = {
    way: f"{_ROW} WHERE {conditions} AND {_PLACED} {_LAST_FIRST}" for way, conditions in _CONDITIONS.items()
}
COUNT_ALARMS = {
    way: f"SELECT count(*) FROM alarm a WHERE {conditions}" for way, conditions in _CONDITIONS.items()
}

BY_ID = f"{_ROW} WHERE a.id = ANY($1::uuid[]) AND {_REACHED}"

OPEN_OF_DEVICES = f"""
{_ROW} WHERE a.device_id = ANY($1::uuid[]) AND a.state <> 'cleared' AND {_REACHED} ORDER BY a.opened_at DESC, a.id DESC
"""

STATISTICS = f"""
SELECT grouping(a.kind, a.level, day.on_day) AS grouped, a.kind, a.level, day.on_day, count(*) AS alarms,
    count(*) FILTER (WHERE a.state <> 'cleared') AS open, count(*) FILTER (WHERE a.is_false) AS false_alarms,
    avg(extract(epoch FROM a.acknowledged_at - a.opened_at) / 60)::float8 AS minutes_to_acknowledge,
    avg(extract(epoch FROM a.cleared_at - a.opened_at) / 60)::float8 AS minutes_to_clear
FROM alarm a CROSS JOIN LATERAL (SELECT (a.opened_at AT TIME ZONE 'Asia/Shanghai')::date AS on_day) AS day
WHERE {_OF_COMPOUND} AND ($3::uuid IS NULL OR a.building_id = $3) AND a.opened_at >= $4 AND a.opened_at < $5
GROUP BY GROUPING SETS ((), (a.kind), (a.level), (day.on_day))
ORDER BY alarms DESC, a.kind, a.level, day.on_day
"""
_TOTAL, _KIND, _LEVEL, _DAY = 0b111, 0b011, 0b101, 0b110


async def alarms(
    actor: Actor, compound_id: UUID, narrowed: AlarmFilter, *, after: tuple[object, ...] | None, limit: int
) -> list[Alarm]:
    """A page of a compound's alarms, the last opened first. Raises FORBIDDEN, PERIOD_REVERSED."""
    reached = _reached(actor, compound_id)
    _require_order(narrowed.since, narrowed.until)
    statement = ALARMS[_way(narrowed)]
    rows = await database.fetch(
        statement, compound_id, reached, *_values(narrowed), *(after or (None, None)), limit
    )
    return [Alarm(**row) for row in rows]


async def count_alarms(actor: Actor, compound_id: UUID, narrowed: AlarmFilter) -> int:
    """How many there are over all pages."""
    statement, reached = COUNT_ALARMS[_way(narrowed)], _reached(actor, compound_id)
    return int(await database.fetchval(statement, compound_id, reached, *_values(narrowed)))


async def by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Alarm]:
    """Those the caller may see or handle."""
    rows = await database.fetch(BY_ID, ids, *_reach(actor))
    return {row["id"]: Alarm(**row) for row in rows}


async def open_of_devices(actor: Actor, device_ids: Sequence[UUID]) -> Mapping[UUID, list[Alarm]]:
    """By device the alarms that are not cleared, the last opened first; those the caller may see or handle."""
    found: defaultdict[UUID, list[Alarm]] = defaultdict(list)
    for row in await database.fetch(OPEN_OF_DEVICES, device_ids, *_reach(actor)):
        found[row["device_id"]].append(Alarm(**row))
    return found


async def alarm_statistics(
    actor: Actor,
    compound_id: UUID,
    *,
    building_id: UUID | None,
    since: datetime | None,
    until: datetime | None,
) -> AlarmStatistics:
    """What was opened in a compound within a period of up to 366 days, counted; by default the last 30 days.
    Raises FORBIDDEN, PERIOD_REVERSED, PERIOD_TOO_LONG."""
    reached = _reached(actor, compound_id)
    end = until or clock.now()
    begin = since or max(end, FIRST) - USUAL_PERIOD
    _require_order(begin, end)
    if end - begin > LONGEST_PERIOD:
        raise Invalid("PERIOD_TOO_LONG", "统计时段最长 366 天,请缩短后重试", "from")
    rows = await database.fetch(STATISTICS, compound_id, reached, building_id, begin, end)
    [total] = _counts(rows, _TOTAL)
    days = sorted(_counts(rows, _DAY), key=lambda each: each.on_day or date.min)
    return AlarmStatistics(begin, end, total, _counts(rows, _KIND), _counts(rows, _LEVEL), days)


def _counts(rows: Sequence[asyncpg.Record], grouped: int) -> list[AlarmCount]:
    return [
        AlarmCount(**{name: row[name] for name in AlarmCount.__slots__})
        for row in rows if row["grouped"] == grouped
    ]  # fmt: skip


def _way(narrowed: AlarmFilter) -> tuple[bool, bool, bool]:
    """Whether only open ones, some kinds, one device are asked for."""
    is_open = narrowed.states is not None and "cleared" not in narrowed.states
    return is_open, _kinds(narrowed) is not None, narrowed.device_id is not None


def _kinds(narrowed: AlarmFilter) -> list[str] | None:
    """The kinds that are asked for, by name or by level: there is an index of kinds, and none of levels."""
    if narrowed.kind is not None:
        return [narrowed.kind]
    if narrowed.level is None:
        return None
    return [name for name, kind in ALARM_KINDS.items() if kind.level == narrowed.level]


def _values(narrowed: AlarmFilter) -> tuple[object, ...]:
    return (
        narrowed.states, _kinds(narrowed), narrowed.level, narrowed.building_id, narrowed.since, narrowed.until,
        narrowed.device_id,
    )  # fmt: skip


def _reached(actor: Actor, compound_id: UUID) -> list[UUID] | None:
    """The buildings the caller may see; None means all."""
    actor.require(permissions.ALARMS_READ, compound_id)
    buildings = actor.buildings(permissions.ALARMS_READ, compound_id)
    # A system caller holds no grants and is refused nothing.
    return None if buildings is None or actor.kind == "system" else list(buildings)


def _reach(actor: Actor) -> tuple[list[UUID], list[UUID], list[UUID]]:
    """Whole compounds, buildings, and compounds of which at least a building is reached."""
    both = [actor.reach(each) for each in (permissions.ALARMS_READ, permissions.ALARMS_HANDLE)]
    parts = actor.compounds(permissions.ALARMS_READ) | actor.compounds(permissions.ALARMS_HANDLE)
    return (
        [id for reach in both for id in reach.compounds], [id for reach in both for id in reach.buildings], list(parts),
    )  # fmt: skip


def _require_order(since: datetime | None, until: datetime | None) -> None:
    if since and until and until <= since:
        raise Invalid("PERIOD_REVERSED", "结束时间须晚于开始时间", "until")
