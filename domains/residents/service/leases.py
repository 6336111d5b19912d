"""Leases that are over (租期届满): they stop to count by themselves, the row is written afterwards."""

from __future__ import annotations

from uuid import UUID

from domains.kernel import clock, database, outbox
from domains.residents import sql
from domains.residents.events import OccupancyEnded

REASON = "租期届满"


async def end_due(*, house_id: UUID | None = None) -> int:
    """Write the end of every lease whose last day is over, in the open transaction; how many."""
    rows = await database.fetch(sql.END_LEASES, clock.today(), REASON, house_id)
    for row in rows:
        await outbox.record(OccupancyEnded(*row))
    return len(rows)
