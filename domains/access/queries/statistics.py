"""How often doors were passed (通行统计): by day, door, method, result and direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import asyncpg

from domains.access import permissions
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.errors import Invalid

MOST_DAYS = 366
_YEARS = range(2000, 2101)

# One pass over the period; of each row exactly one key is there, of the last none.
STATISTICS = """
SELECT s.*, d.name AS door_name FROM (
    SELECT day, door_id, method, result, direction, count(*) AS attempts,
        count(*) FILTER (WHERE result = 'opened') AS opened, count(*) FILTER (WHERE result = 'refused') AS refused
    FROM (SELECT (at AT TIME ZONE 'Asia/Shanghai')::date AS day, door_id, method, result, direction
        FROM access_record WHERE compound_id = $1 AND at >= $2 AND at < $3
            AND ($4::uuid[] IS NULL OR building_id = ANY($4::uuid[]))) AS r
    GROUP BY GROUPING SETS ((day), (door_id), (method), (result), (direction), ())) AS s
LEFT JOIN door d ON d.id = s.door_id
ORDER BY s.day, attempts DESC, s.door_id, s.method, s.result, s.direction
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """Attempts at doors, those of them that opened, and those that were refused; of the rest nobody knows."""

    attempts: int = 0
    opened: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class DayTally:
    """A business day in Asia/Shanghai."""

    day: date
    tally: Tally


@dataclass(frozen=True, slots=True)
class DoorTally:
    """A door."""

    door_id: UUID
    door_name: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class KeyTally:
    """A method, a result or a direction."""

    key: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class AccessStatistics:
    """What happened at the doors in a period; every day of it is there, of the rest what occurred."""

    total: Tally
    by_day: Sequence[DayTally]
    by_door: Sequence[DoorTally]
    by_method: Sequence[KeyTally]
    by_result: Sequence[KeyTally]
    by_direction: Sequence[KeyTally]


async def access_statistics(
    actor: Actor, compound_id: UUID, *, from_on: date, until_on: date
) -> AccessStatistics:
    """Of the doors that the caller may see, both days included.

    Raises Invalid DATE_INVALID, PERIOD_REVERSED, PERIOD_TOO_LONG (over 366 days).
    """
    actor.require(permissions.RECORDS_READ, compound_id)
    _check(from_on, until_on)
    reached = actor.buildings(permissions.RECORDS_READ, compound_id)
    rows = await database.fetch(
        STATISTICS, compound_id, clock.business_day_bounds(from_on)[0], clock.business_day_bounds(until_on)[1],
        None if reached is None else list(reached),
    )  # fmt: skip
    return _put_together(rows, from_on, until_on)


def _check(from_on: date, until_on: date) -> None:
    if from_on.year not in _YEARS or until_on.year not in _YEARS:
        raise Invalid("DATE_INVALID", "日期太早或太晚,请重新选择", "from")
    if until_on < from_on:
        raise Invalid("PERIOD_REVERSED", "结束时间须晚于开始时间,请重新选择", "until")
    if until_on - from_on >= timedelta(days=MOST_DAYS):
        raise Invalid("PERIOD_TOO_LONG", f"一次最多统计 {MOST_DAYS} 天,请缩短时间", "until")


def _put_together(rows: Sequence[asyncpg.Record], from_on: date, until_on: date) -> AccessStatistics:
    days = {row["day"]: _tally(row) for row in rows if row["day"]}
    doors = [DoorTally(row["door_id"], row["door_name"], _tally(row)) for row in rows if row["door_id"]]
    period = (from_on + timedelta(days=n) for n in range((until_on - from_on).days + 1))
    keys = ("day", "door_id", "method", "result", "direction")
    total = next(_tally(row) for row in rows if all(row[key] is None for key in keys))
    return AccessStatistics(
        total, [DayTally(day, days.get(day, Tally())) for day in period], doors,
        *(_by_key(rows, name) for name in ("method", "result", "direction")),
    )  # fmt: skip


def _by_key(rows: Sequence[asyncpg.Record], name: str) -> list[KeyTally]:
    return [KeyTally(row[name], _tally(row)) for row in rows if row[name] is not None]


def _tally(row: asyncpg.Record) -> Tally:
    return Tally(row["attempts"], row["opened"], row["refused"])
