"""Gauges of billing (出账): what is being posted, what waits, what is owed; their truth is in the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from prometheus_client import CollectorRegistry, Gauge

from domains.kernel import clock, database

LATELY = timedelta(days=62)
"""A draft that nobody has approved for longer counts no more."""

# An id begins with the time at which it was made: runs that are not over are at the end of the primary key.
RUNS = """
SELECT count(*) FILTER (WHERE state = 'approved') AS posting, count(*) FILTER (WHERE state = 'draft') AS waiting,
    coalesce(sum(houses - houses_done) FILTER (WHERE state = 'approved'), 0)::int AS houses_left,
    coalesce(sum(lines) FILTER (WHERE ended_at IS NULL OR ended_at >= $2), 0)::int AS lines,
    coalesce(sum(exceptions) FILTER (WHERE ended_at IS NULL OR ended_at >= $2), 0)::int AS exceptions
FROM billing_run WHERE id >= $1
"""
OLDEST = """
SELECT extract(epoch FROM $1::timestamptz - min(last.ended_at))::float8 FROM billing_rules r CROSS JOIN LATERAL (
    SELECT b.ended_at FROM billing_run b
    WHERE b.compound_id = r.compound_id AND b.state = 'posted' AND b.house_id IS NULL
    ORDER BY b.created_at DESC LIMIT 1) AS last
"""
BILLS = "SELECT count(*) FROM bill WHERE state IN ('open', 'partly_paid')"
READINGS = "SELECT count(*) FROM meter_reading WHERE state = 'held'"


@dataclass(slots=True)
class BillGauges:
    """Runs of now and of the last day, open bills, and readings that somebody must look at."""

    registry: CollectorRegistry
    runs: Gauge = field(init=False)
    houses: Gauge = field(init=False)
    lines: Gauge = field(init=False)
    exceptions: Gauge = field(init=False)
    oldest: Gauge = field(init=False)
    bills: Gauge = field(init=False)
    readings: Gauge = field(init=False)

    def __post_init__(self) -> None:
        made = self.registry
        self.runs = Gauge("linli_billing_runs", "Runs that are not over.", ("state",), registry=made)
        self.houses = Gauge(
            "linli_billing_houses_left", "Houses that approved runs have before them.", registry=made
        )
        self.lines = Gauge("linli_billing_lines", "Lines posted by runs of the last 24 hours.", registry=made)
        self.exceptions = Gauge(
            "linli_billing_exceptions", "Lines that runs of the last 24 hours could not make.", registry=made
        )
        self.oldest = Gauge(
            "linli_billing_last_run_seconds", "Age of the last posted run where it is oldest.", registry=made
        )
        self.bills = Gauge("linli_bills_open", "Bills that are not paid.", registry=made)
        self.readings = Gauge("linli_meter_readings_waiting", "Readings that wait for review.", registry=made)

    async def read(self) -> None:
        """Bring them up to date. Raises what the driver raises where the database is away."""
        now = clock.now()
        since = UUID(int=int((now - LATELY).timestamp() * 1000) << 80)
        row = await database.fetchrow(RUNS, since, now - timedelta(days=1))
        assert row is not None, "a sum has a row"
        self.runs.labels("draft").set(row["waiting"])
        self.runs.labels("approved").set(row["posting"])
        self.houses.set(row["houses_left"])
        self.lines.set(row["lines"])
        self.exceptions.set(row["exceptions"])
        self.oldest.set(await database.fetchval(OLDEST, now) or 0)
        self.bills.set(await database.fetchval(BILLS))
        self.readings.set(await database.fetchval(READINGS))
