"""The process that leads runs the jobs; the others stand by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from domains.kernel import clock
from domains.kernel.faults import place
from domains.kernel.jobs.job import Job
from domains.kernel.jobs.running import catch_up

LEADER_LOCK = 0x4C4C_4C45_4144

log = structlog.get_logger(__name__)


@asynccontextmanager
async def leadership(url: str) -> AsyncIterator[asyncpg.Connection | None]:
    """Lead if nobody does: a session lock on a connection of its own, gone when the process is.
    Yields the connection to watch, or None where somebody else leads."""
    connection = await asyncpg.connect(url)
    try:
        leads = await connection.fetchval("SELECT pg_try_advisory_lock($1)", LEADER_LOCK)
        yield connection if leads else None
    finally:
        await connection.close()


@dataclass
class Scheduler:
    """Runs the jobs in the process that leads. `woken` makes the leader look at once."""

    url: str
    jobs: Sequence[Job]
    stand_by_s: float = 5.0
    woken: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _busy: set[str] = field(default_factory=set, init=False)

    async def run(self, stop: asyncio.Event) -> None:
        """Lead or stand by until `stop`."""
        while not stop.is_set():
            try:
                async with leadership(self.url) as connection:
                    if connection is not None:
                        await self._lead(connection, stop)
            except Exception as error:  # the database is away, and with it the lead
                log.error("scheduler.lost_lead", **place(error))
            await _first_of(self.stand_by_s, stop)

    async def _lead(self, connection: asyncpg.Connection, stop: asyncio.Event) -> None:
        """The library fires a job at its time; what was requested, missed, failed or left is found by
        looking."""
        log.info("scheduler.leads", jobs=len(self.jobs))
        library = AsyncIOScheduler(timezone=clock.SHANGHAI)
        for job in self.jobs:
            library.add_job(
                self._fire, job.trigger, args=[job], id=job.name,
                coalesce=True, misfire_grace_time=None, max_instances=1,
            )  # fmt: skip
        library.start()
        looking: set[asyncio.Task[None]] = set()
        try:
            while not stop.is_set():
                self.woken.clear()
                looking |= {asyncio.create_task(self._fire(job)) for job in self.jobs}
                looking = {task for task in looking if not task.done()}
                await _first_of(self.stand_by_s, stop, self.woken)
                # Raises when the session, and with it the lock, is gone.
                await connection.execute("SELECT 1", timeout=self.stand_by_s)
        finally:
            library.shutdown(wait=False)
            for task in looking:
                task.cancel()
            await asyncio.gather(*looking, return_exceptions=True)

    async def _fire(self, job: Job) -> None:
        """Catch up a job; one that fails, or takes long, stops nobody else."""
        if job.name in self._busy:
            return
        self._busy.add(job.name)
        try:
            await catch_up(job, clock.now())
        except Exception as error:
            log.error("job.unreachable", job=job.name, **place(error))
        finally:
            self._busy.discard(job.name)


async def _first_of(limit_s: float, *events: asyncio.Event) -> None:
    """Wait until one of the events is set, or that long."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
