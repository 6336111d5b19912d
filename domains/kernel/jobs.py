"""Scheduled work (定时任务): one leader, every due time once, misfires caught up.

What a job does is computed from rows that are due, so that running it twice is nothing; the
unique row per (job, due) keeps it from running twice in the first place.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import asyncpg
import orjson
import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from domains.kernel import clock, database
from domains.kernel.ids import uuid7

LEADER_LOCK = 0x4C4C_4C45_4144

# A failed run is taken up again until its attempts are used; a run whose worker died is taken
# over once its lease is out.
TAKE = """
INSERT INTO job_run (id, job, due_at, state, attempts, started_at, lease_until)
VALUES ($1, $2, $3, 'running', 1, now(), now() + make_interval(secs => $4))
ON CONFLICT (job, due_at) DO UPDATE SET state = 'running', attempts = job_run.attempts + 1,
    started_at = now(), lease_until = now() + make_interval(secs => $4), error = NULL
WHERE (job_run.state = 'failed' OR (job_run.state = 'running' AND job_run.lease_until < now()))
    AND job_run.attempts < $5
RETURNING id, attempts
"""

FINISH = """
UPDATE job_run SET state = $3, finished_at = now(), result = $4::jsonb, error = $5
WHERE id = $1 AND attempts = $2
"""

LAST_DUE = "SELECT max(due_at) FROM job_run WHERE job = $1"

UNFINISHED = """
SELECT due_at FROM job_run WHERE job = $1 AND attempts < $2
    AND (state = 'failed' OR (state = 'running' AND lease_until < now())) ORDER BY due_at
"""

log = structlog.get_logger(__name__)

Result = dict[str, Any] | None  # Any: JSON a job reports about itself


class Trigger(Protocol):
    """When a job is due; the scheduler library's triggers fit."""

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The next due time after `previous_fire_time`, not before `now`."""


@dataclass(frozen=True)
class Job:
    """A scheduled job: `run` gets the due time and reports JSON facts about itself."""

    name: str
    trigger: Trigger
    run: Callable[[datetime], Awaitable[Result]]
    attempts: int = 3
    limit_s: float = 600.0


def cron(expression: str) -> Trigger:
    """A trigger by a cron expression in Asia/Shanghai."""
    trigger: Trigger = CronTrigger.from_crontab(expression, timezone=clock.SHANGHAI)
    return trigger


def latest_due(trigger: Trigger, since: datetime, now: datetime) -> datetime | None:
    """The last due time after `since` and not after `now`; several that were missed count as one,
    for a job works off all rows that are due."""
    due, moment = None, since + timedelta(microseconds=1)
    while (moment_due := trigger.get_next_fire_time(due, moment)) is not None and moment_due <= now:
        due, moment = moment_due, moment_due + timedelta(microseconds=1)
    return due


async def run_due(job: Job, due: datetime) -> bool:
    """Run the job for this due time unless that was done or is being done; whether it ran."""
    row = await database.fetchrow(
        TAKE, uuid7(), job.name, due.astimezone(UTC), job.limit_s + 30, job.attempts
    )
    if row is None:
        return False
    started = time.monotonic()
    try:
        result = await asyncio.wait_for(job.run(due), job.limit_s)
    except Exception as error:  # a job that fails is kept, logged and tried again
        log.exception("job.failed", job=job.name, attempt=row["attempts"])
        reason = f"{type(error).__name__}: {error}"[:1000]
        await database.execute(FINISH, row["id"], row["attempts"], "failed", None, reason)
    else:
        log.info("job.done", job=job.name, seconds=round(time.monotonic() - started, 3))
        text = orjson.dumps(result or {}, default=str).decode()
        await database.execute(FINISH, row["id"], row["attempts"], "succeeded", text, None)
    return True


async def catch_up(job: Job, now: datetime) -> int:
    """Run what was missed or left unfinished; the number of runs. The first time ever a job is
    seen it looks back one day, so that a new installation starts with its daily work."""
    since = await database.fetchval(LAST_DUE, job.name) or now - timedelta(days=1)
    dues = [row["due_at"] for row in await database.fetch(UNFINISHED, job.name, job.attempts)]
    missed = latest_due(job.trigger, since, now)
    if missed is not None:
        dues.append(missed)
    return sum([await run_due(job, due) for due in dues])


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
    """Runs the jobs in the process that leads; the others stand by."""

    url: str
    jobs: Sequence[Job]
    stand_by_s: float = 5.0

    async def run(self, stop: asyncio.Event) -> None:
        """Lead or stand by until `stop`."""
        while not stop.is_set():
            try:
                async with leadership(self.url) as connection:
                    if connection is not None:
                        await self._lead(connection, stop)
            except (OSError, asyncpg.PostgresError):
                log.exception("scheduler.database_away")
            await _pause(stop, self.stand_by_s)

    async def _lead(self, connection: asyncpg.Connection, stop: asyncio.Event) -> None:
        log.info("scheduler.leads", jobs=len(self.jobs))
        library = AsyncIOScheduler(timezone=clock.SHANGHAI)
        for job in self.jobs:
            library.add_job(
                self._fire, job.trigger, args=[job], id=job.name,
                coalesce=True, misfire_grace_time=None, max_instances=1,
            )  # fmt: skip
        library.start()
        try:
            await self.tick()
            while not stop.is_set():
                await _pause(stop, self.stand_by_s)
                await connection.execute("SELECT 1")  # raises when the session, and with it the lock, is gone
                await self.tick()
        finally:
            library.shutdown(wait=False)

    async def tick(self) -> None:
        """Catch up every job; each on its own, so that one that fails stops nobody."""
        for job in self.jobs:
            await self._fire(job)

    async def _fire(self, job: Job) -> None:
        try:
            await catch_up(job, clock.now())
        except Exception:
            log.exception("job.unreachable", job=job.name)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
