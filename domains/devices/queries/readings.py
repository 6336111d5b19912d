"""Reads of what devices measured and of what was refused of them (遥测数据、拒收记录)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from domains.devices import permissions
from domains.kernel import clock, database
from domains.kernel.actor import Actor

MOST_METRICS = 100
MOST_REFUSALS = 100
REFUSALS_SHOWN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Reading:
    """A value as it was measured; `measured_at` by the device's clock, where it could be believed."""

    id: UUID
    metric: str
    value: Decimal
    measured_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class DeviceRefusal:
    """How often something of a device was refused on a day, by reason."""

    on_day: date
    way: str
    code: str
    count: int
    last_at: datetime


_VALUE = "id, metric, trim_scale(value) AS value, measured_at, received_at"
_SEEN = (
    "WHERE d.id = ANY($1::uuid[]) AND (d.compound_id = ANY($2::uuid[]) OR d.building_id = ANY($3::uuid[]))"
)

LATEST = f"""
SELECT d.id AS device_id, l.* FROM device d CROSS JOIN LATERAL (
    SELECT {_VALUE} FROM latest_reading WHERE device_id = d.id ORDER BY metric LIMIT $4) AS l
{_SEEN}
"""

HISTORY = f"""
SELECT d.id AS device_id, r.* FROM device d CROSS JOIN LATERAL (
    SELECT {_VALUE} FROM reading
    WHERE device_id = d.id AND metric = $5 AND ($6::timestamptz IS NULL OR (measured_at, id) < ($6, $7::uuid))
    ORDER BY measured_at DESC, id DESC LIMIT $4) AS r
{_SEEN} ORDER BY r.measured_at DESC, r.id DESC
"""

REFUSALS = f"""
SELECT d.id AS device_id, r.* FROM device d CROSS JOIN LATERAL (
    SELECT on_day, way, code, count, last_at FROM device_refusal WHERE device_id = d.id AND on_day >= $5
    ORDER BY on_day DESC, way, code LIMIT $4) AS r
{_SEEN} ORDER BY r.on_day DESC, r.way, r.code
"""


async def latest(actor: Actor, device_ids: Sequence[UUID]) -> Mapping[UUID, list[Reading]]:
    """The newest value of each metric of those devices the caller may see; at most 100 of each device."""
    return await _readings(LATEST, actor, device_ids, MOST_METRICS)


async def history(
    actor: Actor, device_ids: Sequence[UUID], metric: str, *, after: tuple[object, ...] | None, limit: int
) -> Mapping[UUID, list[Reading]]:
    """A page of the values of a metric, the newest first, of each of those devices the caller may see."""
    return await _readings(HISTORY, actor, device_ids, limit, metric, *(after or (None, None)))


async def refusals(actor: Actor, device_ids: Sequence[UUID]) -> Mapping[UUID, list[DeviceRefusal]]:
    """What was refused in the last 30 days of those devices the caller may see; at most 100 of each device."""
    reach, since = actor.reach(permissions.READ), clock.today() - REFUSALS_SHOWN
    rows = await database.fetch(REFUSALS, device_ids, reach.compounds, reach.buildings, MOST_REFUSALS, since)
    found: defaultdict[UUID, list[DeviceRefusal]] = defaultdict(list)
    for row in rows:
        found[row["device_id"]].append(DeviceRefusal(*list(row.values())[1:]))
    return found


async def _readings(
    statement: str, actor: Actor, device_ids: Sequence[UUID], *more: object
) -> Mapping[UUID, list[Reading]]:
    reach = actor.reach(permissions.READ)
    rows = await database.fetch(statement, device_ids, reach.compounds, reach.buildings, *more)
    found: defaultdict[UUID, list[Reading]] = defaultdict(list)
    for row in rows:
        found[row["device_id"]].append(Reading(*list(row.values())[1:]))
    return found
