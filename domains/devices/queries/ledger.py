"""Reads of the asset ledger (资产台账)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from domains.devices import permissions
from domains.kernel import clock, database
from domains.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class AssetEntry:
    """A line of a device's life; `recorded_by` is a name, null where the system wrote it."""

    id: UUID
    kind: str
    on_day: date
    note: str
    vendor: str
    cost_fen: int | None
    recorded_at: datetime
    recorded_by: str | None


@dataclass(frozen=True, slots=True)
class ExportedLine:
    """A line for a file, with the name of the device's building; of a device without lines one that tells nothing."""

    device_id: UUID
    building: str | None
    kind: str | None
    on_day: date | None
    note: str | None
    vendor: str | None
    cost_fen: int | None
    recorded_at: datetime | None
    recorded_by: str | None


@dataclass(frozen=True, slots=True)
class AssetCount:
    """How many devices there are of a kind in a state."""

    kind: str
    state: str
    count: int
    bought_fen: int
    spent_fen: int


@dataclass(frozen=True, slots=True)
class AssetAge:
    """Devices that are not retired by whole years since they were installed; null where that is not recorded."""

    years: int | None
    count: int
    bought_fen: int
    spent_fen: int


@dataclass(frozen=True, slots=True)
class AssetStatistics:
    """A compound's devices, counted."""

    by_kind: Sequence[AssetCount]
    by_age: Sequence[AssetAge]


OF_DEVICES = """
SELECT d.id AS device_id, e.* FROM device d CROSS JOIN LATERAL (
    SELECT e.id, e.kind, e.on_day, e.note, e.vendor, e.cost_fen, e.recorded_at, a.name AS recorded_by
    FROM asset_entry e LEFT JOIN account a ON a.id = e.recorded_by
    WHERE e.device_id = d.id AND ($5::timestamptz IS NULL OR (e.recorded_at, e.id) < ($5, $6::uuid))
    ORDER BY e.recorded_at DESC, e.id DESC LIMIT $4) AS e
WHERE d.id = ANY($1::uuid[]) AND (d.compound_id = ANY($2::uuid[]) OR d.building_id = ANY($3::uuid[]))
ORDER BY e.recorded_at DESC, e.id DESC
"""

TO_EXPORT = """
SELECT d.id AS device_id, b.name AS building, e.kind, e.on_day, e.note, e.vendor, e.cost_fen, e.recorded_at,
    a.name AS recorded_by
FROM device d LEFT JOIN building b ON b.id = d.building_id LEFT JOIN asset_entry e ON e.device_id = d.id
LEFT JOIN account a ON a.id = e.recorded_by
WHERE d.id = ANY($1::uuid[]) AND (d.compound_id = ANY($2::uuid[]) OR d.building_id = ANY($3::uuid[]))
ORDER BY d.code, d.id, e.recorded_at, e.id
"""

STATISTICS = """
WITH counted AS (
    SELECT d.kind, d.state, d.state = 'retired' AS is_retired, cost.*,
        extract(year FROM age($3::date, d.installed_on))::int AS years
    FROM device d LEFT JOIN LATERAL (
        SELECT sum(cost_fen) FILTER (WHERE kind = 'registered') AS bought,
            sum(cost_fen) FILTER (WHERE kind <> 'registered') AS spent
        FROM asset_entry WHERE device_id = d.id) AS cost ON true
    WHERE d.compound_id = $1 AND ($2::uuid[] IS NULL OR d.building_id = ANY($2::uuid[])))
SELECT kind, state, years, grouping(kind) = 1 AS is_age, count(*) AS count,
    coalesce(sum(bought), 0)::bigint AS bought_fen, coalesce(sum(spent), 0)::bigint AS spent_fen
FROM counted GROUP BY GROUPING SETS ((kind, state), (is_retired, years))
HAVING grouping(kind) = 0 OR NOT is_retired ORDER BY kind, state, years
"""


async def of_devices(
    actor: Actor, device_ids: Sequence[UUID], *, after: tuple[object, ...] | None, limit: int
) -> Mapping[UUID, list[AssetEntry]]:
    """A page of the ledger of each of those devices the caller may see, the last line first."""
    reach = actor.reach(permissions.READ)
    rows = await database.fetch(
        OF_DEVICES, device_ids, reach.compounds, reach.buildings, limit, *(after or (None, None))
    )
    found: defaultdict[UUID, list[AssetEntry]] = defaultdict(list)
    for row in rows:
        found[row["device_id"]].append(AssetEntry(*list(row.values())[1:]))
    return found


async def to_export(actor: Actor, device_ids: Sequence[UUID]) -> list[ExportedLine]:
    """The whole ledger of those devices the caller may see, by code, each in the order in which it was written."""
    reach = actor.reach(permissions.READ)
    rows = await database.fetch(TO_EXPORT, device_ids, reach.compounds, reach.buildings)
    return [ExportedLine(**row) for row in rows]


async def statistics(actor: Actor, compound_id: UUID) -> AssetStatistics:
    """How many devices of each kind in each state and of each age, and what they cost, in fen: those the
    caller may see."""
    actor.require(permissions.READ, compound_id)
    reached = actor.buildings(permissions.READ, compound_id)
    within = None if reached is None else list(reached)
    rows = await database.fetch(STATISTICS, compound_id, within, clock.today())
    sums = [(row, (row["count"], row["bought_fen"], row["spent_fen"])) for row in rows]
    return AssetStatistics(
        [AssetCount(row["kind"], row["state"], *sum) for row, sum in sums if not row["is_age"]],
        [AssetAge(row["years"], *sum) for row, sum in sums if row["is_age"]],
    )
