"""Gauges whose truth is in the database, read when somebody asks, whichever process answers."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import asyncpg
from prometheus_client import CollectorRegistry, Gauge

from api.observability.bills import BillGauges
from api.observability.doors import DoorGauges
from api.observability.payments import PaymentGauges
from api.observability.sending import SendingGauges
from domains.kernel import clock, database, jobs, outbox
from domains.kernel.actor import SYSTEM

JOB_RUNS = """
SELECT job, state, count(*) AS runs FROM job_run WHERE started_at > now() - interval '1 day' GROUP BY job, state
"""
LAST_SUCCESS = """
SELECT job, extract(epoch FROM max(finished_at))::float8 AS at FROM job_run WHERE state = 'succeeded' GROUP BY job
"""
FRESH_S = 5.0


@dataclass(slots=True)
class Gauges:
    """Outbox, jobs, messages, doors, bills, payments and the pool of connections."""

    registry: CollectorRegistry
    up: Gauge = field(init=False)
    outbox: Gauge = field(init=False)
    oldest: Gauge = field(init=False)
    jobs: Gauge = field(init=False)
    succeeded: Gauge = field(init=False)
    since_success: Gauge = field(init=False)
    late: Gauge = field(init=False)
    paused: Gauge = field(init=False)
    pool: Gauge = field(init=False)
    sending: SendingGauges = field(init=False)
    doors: DoorGauges = field(init=False)
    bills: BillGauges = field(init=False)
    payments: PaymentGauges = field(init=False)
    read_at: float = field(default=-FRESH_S, init=False)

    def __post_init__(self) -> None:
        made = self.registry
        self.up = Gauge("linli_database_up", "Whether the database answered just now.", registry=made)
        self.outbox = Gauge("linli_outbox_messages", "Undelivered events.", ("state",), registry=made)
        self.oldest = Gauge("linli_outbox_oldest_seconds", "How long the oldest waits.", registry=made)
        self.jobs = Gauge("linli_job_runs", "Runs of the last 24 hours.", ("job", "outcome"), registry=made)
        self.succeeded = Gauge("linli_job_last_success_seconds", "Unix time.", ("job",), registry=made)
        self.since_success = Gauge(
            "linli_job_since_success_seconds", "Seconds since the last success.", ("job",), registry=made
        )
        self.late = Gauge("linli_job_late", "1 when two due times were missed.", ("job",), registry=made)
        self.paused = Gauge("linli_job_paused", "1 while somebody has paused it.", ("job",), registry=made)
        self.pool = Gauge("linli_database_pool", "Connections of this process.", ("state",), registry=made)
        self.sending = SendingGauges(made)
        self.doors = DoorGauges(made)
        self.bills = BillGauges(made)
        self.payments = PaymentGauges(made)

    async def read(self) -> None:
        """Bring the gauges up to date; without the database they keep what they had and `up` says 0."""
        if time.monotonic() - self.read_at < FRESH_S:
            return
        self.read_at = time.monotonic()
        use = database.pool_use()
        self.pool.labels("used").set(use.size - use.idle)
        self.pool.labels("idle").set(use.idle)
        self.pool.labels("most").set(use.most)
        try:
            await self._read_rows()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self.up.set(0)
        else:
            self.up.set(1)

    async def _read_rows(self) -> None:
        backlog = await outbox.backlog()
        self.outbox.labels("pending").set(backlog.pending)
        self.outbox.labels("parked").set(backlog.parked)
        self.oldest.set(backlog.oldest_s)
        await self._read_jobs()
        await self.sending.read()
        await self.doors.read()
        await self.bills.read()
        await self.payments.read()

    async def _read_jobs(self) -> None:
        self.jobs.clear()
        for row in await database.fetch(JOB_RUNS):
            self.jobs.labels(row["job"], row["state"]).set(row["runs"])
        for row in await database.fetch(LAST_SUCCESS):
            self.succeeded.labels(row["job"]).set(row["at"])
            self.since_success.labels(row["job"]).set(clock.now().timestamp() - row["at"])
        for each in await jobs.scheduled_jobs(SYSTEM):
            self.late.labels(each.name).set(each.is_late)
            self.paused.labels(each.name).set(each.paused_at is not None)
