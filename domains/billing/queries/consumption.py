"""What was used in a month (用量): from the last reading of the month before to the last one of the month.

A month without a reading has no figure; what was used in it is in that of the next one that has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from domains.billing import permissions
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.errors import Invalid

MOST_MONTHS = 13

# Since when the caller ($5) belongs to the meter's house: what those used who lived there before is none of theirs.
SINCE = """(SELECT min(coalesce(o.since_on, (o.recorded_at AT TIME ZONE 'Asia/Shanghai')::date))
    FROM occupancy o JOIN person p ON p.id = o.person_id
    WHERE p.account_id = $5 AND o.house_id = m.house_id AND o.ended_at IS NULL)"""

# One look into the index for each month, and one for the month before.
_CLOSINGS = """
CROSS JOIN generate_series({first}::date - interval '1 month', {last}::date, interval '1 month') AS g (month)
LEFT JOIN LATERAL (
    SELECT r.total, r.read_on FROM meter_reading r
    WHERE r.meter_id = m.id AND r.state = 'accepted' AND r.read_on < g.month + interval '1 month'
    ORDER BY r.read_on DESC, r.read_at DESC LIMIT 1) closing ON true"""

_UNITS = """closing.read_on >= g.month AS is_read,
    closing.total - coalesce(lag(closing.total) OVER (PARTITION BY m.id ORDER BY g.month), 0) AS units"""

OF_METERS = f"""
SELECT id, month, units FROM (
    SELECT m.id, m.since, g.month::date AS month, {_UNITS}
    FROM (SELECT m.id, CASE WHEN m.compound_id = ANY($2::uuid[]) OR m.building_id = ANY($3::uuid[]) THEN '-infinity'
            WHEN m.house_id = ANY($4::uuid[]) THEN {SINCE} END AS since
          FROM meter m WHERE m.id = ANY($1::uuid[])) m {_CLOSINGS.format(first="$6", last="$7")}) AS used
WHERE month >= since AND month >= $6 AND is_read ORDER BY id, month
"""

REPORT = f"""
SELECT u.building_id, b.name AS building_name, u.kind, u.is_shared, u.month, sum(u.units) FILTER (WHERE u.is_read) AS units,
    count(*) AS meters, count(*) FILTER (WHERE u.is_read IS NOT TRUE) AS unread
FROM (
    SELECT m.building_id, m.kind, m.house_id IS NULL AS is_shared, g.month::date AS month, m.installed_on, m.removed_on,
        {_UNITS}
    FROM meter m {_CLOSINGS.format(first="$5", last="$6")}
    WHERE m.compound_id = $1 AND ($2::uuid[] IS NULL OR m.building_id = ANY($2::uuid[]))
      AND ($3::text IS NULL OR m.kind = $3) AND ($4::uuid IS NULL OR m.building_id = $4)
      AND m.installed_on < $6::date + interval '1 month') u
LEFT JOIN building b ON b.id = u.building_id
WHERE u.month >= $5 AND u.installed_on < u.month + interval '1 month' AND (u.removed_on IS NULL OR u.removed_on >= u.month)
GROUP BY u.building_id, b.name, b.sort, u.kind, u.is_shared, u.month
ORDER BY u.month, b.sort NULLS FIRST, u.building_id, u.kind, u.is_shared
"""


@dataclass(frozen=True, slots=True)
class MonthlyUse:
    """What a meter's readings of a month say was used, in its units."""

    month: date
    units: Decimal


@dataclass(frozen=True, slots=True)
class Consumption:
    """What the meters of a building used in a month, or the compound's own where there is no building; `is_shared`
    are meters of no house. `units` is None while none was read; `unread` have no reading of the month."""

    building_id: UUID | None
    building_name: str | None
    kind: str
    is_shared: bool
    month: date
    units: Decimal | None
    meters: int
    unread: int


async def of_meters(actor: Actor, ids: Sequence[UUID], months: int) -> Mapping[UUID, list[MonthlyUse]]:
    """The last months of meters, the first one first, those with a reading: by permission, or of one's own houses
    since one lives there. Invalid TOO_MANY_MONTHS beyond 13."""
    if not 1 <= months <= MOST_MONTHS:
        raise _too_many()
    until, reach = first_of_month(clock.today()), actor.reach(permissions.METERS_READ)
    found: defaultdict[UUID, list[MonthlyUse]] = defaultdict(list)
    for row in await database.fetch(
        OF_METERS, ids, reach.compounds, reach.buildings, reach.houses, actor.account_id,
        _months_before(until, months - 1), until,
    ):  # fmt: skip
        found[row["id"]].append(MonthlyUse(row["month"], row["units"]))
    return found


async def report(
    actor: Actor,
    compound_id: UUID,
    *,
    from_month: date,
    until_month: date,
    kind: str | None = None,
    building_id: UUID | None = None,
) -> list[Consumption]:
    """What was used by month, building and kind of meter, of the buildings the caller may see; at most 13 months.

    Raises TOO_MANY_MONTHS, also for months the wrong way round.
    """
    actor.require(permissions.METERS_READ, compound_id)
    reached = actor.buildings(permissions.METERS_READ, compound_id)
    first, last = first_of_month(from_month), first_of_month(until_month)
    if not 0 <= (last.year - first.year) * 12 + last.month - first.month < MOST_MONTHS:
        raise _too_many()
    rows = await database.fetch(
        REPORT, compound_id, None if reached is None else list(reached), kind, building_id, first, last
    )
    return [Consumption(**row) for row in rows]


def first_of_month(day: date) -> date:
    """The first day of its month."""
    return day.replace(day=1)


def _months_before(month: date, count: int) -> date:
    years, place = divmod(month.year * 12 + month.month - 1 - count, 12)
    return date(years, place + 1, 1)


def _too_many() -> Invalid:
    return Invalid("TOO_MANY_MONTHS", f"一次最多查询 {MOST_MONTHS} 个月,请缩短范围", "months")
