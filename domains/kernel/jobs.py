"""Scheduled work (定时任务): one leader, every due time once, misfires caught up.

What a job does is computed from rows that are due, so that running it twice is nothing; the
unique row per (job, due) keeps it from running twice in the first place.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import asyncpg
import orjson
import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from domains.kernel import clock, database
from domains.kernel.faults import cause_of, place
from domains.kernel.ids import uuid7

LEADER_LOCK = 0x4C4C_4C45_4144

# A failed run is taken up again, a while after each attempt, until its attempts are used; a run
# whose worker died is taken over once its lease is out.
TAKE = """
INSERT INTO job_run AS run (id, job, due_at, state, attempts, started_at, lease_until)
VALUES ($1, $2, $3, 'running', 1, now(), now() + make_interval(secs => $4))
ON CONFLICT (job, due_at) DO UPDATE SET state = 'running', attempts = run.attempts + 1,
    started_at = now(), lease_until = now() + make_interval(secs => $4), finished_at = NULL, error = NULL
WHERE run.attempts < $5 AND (run.state = 'running' AND run.lease_until < now()
    OR run.state = 'failed' AND run.finished_at + make_interval(secs => $6 * run.attempts) <= now())
RETURNING id, attempts
"""

FINISH = """
UPDATE job_run SET state = $3, finished_at = now(), result = $4::jsonb, error = $5
WHERE id = $1 AND attempts = $2 AND state = 'running'
"""

# A run whose worker died in the last attempt fails for good, and is seen to.
GIVE_UP = """
UPDATE job_run SET state = 'failed', finished_at = now(), error = 'the process died'
WHERE job = $1 AND state = 'running' AND attempts >= $2 AND lease_until < now()
"""

LAST_DUE = "SELECT max(due_at) FROM job_run WHERE job = $1"

UNFINISHED = """
SELECT due_at FROM job_run
WHERE job = $1 AND attempts < $2 AND (state = 'running' AND lease_until < now()
    OR state = 'failed' AND finished_at + make_interval(secs => $3 * attempts) <= now())
ORDER BY due_at
"""

# The last run of a job stays, whatever its age: what is missed is counted from there.
PURGE = """
DELETE FROM job_run run WHERE finished_at < $1
    AND EXISTS (SELECT 1 FROM job_run later WHERE later.job = run.job AND later.due_at > run.due_at)
"""

log = structlog.get_logger(__name__)

Result = dict[str, Any] | None  # Any: JSON a job reports about itself


class Trigger(Protocol):
    """When a job is due: one of the scheduler library's triggers, by the one thing that is asked of it."""

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The next due time after `previous_fire_time`, not before `now`."""


@dataclass(frozen=True)
class Job:
    """A scheduled job: `run` gets the due time, in UTC, and reports JSON facts about itself.

    It is stopped after `limit_s` and tried `attempts` times in all, `retry_after_s` after the first
    failure, twice that after the second, and so on.
    """

    name: str
    trigger: Trigger
    run: Callable[[datetime], Awaitable[Result]]
    attempts: int = 3
    limit_s: float = 600.0
    retry_after_s: float = 60.0


def cron(expression: str) -> Trigger:
    """A trigger by a cron expression in Asia/Shanghai."""
    trigger: Trigger = CronTrigger.from_crontab(expression, timezone=clock.SHANGHAI)
    return trigger


_LOOK_BACK = tuple(timedelta(days=days) for days in (1 / 24, 2, 32, 400))


def latest_due(trigger: Trigger, since: datetime, now: datetime) -> datetime | None:
    """The last due time after `since` and not after `now`; several that were missed count as one,
    for a job works off all rows that are due.

    A trigger can only be asked what comes next. To count up from long ago would take its time for a
    job that is due every minute, so the nearest past is asked first.
    """
    starts = [now - span for span in _LOOK_BACK if now - span > since]
    return next((due for start in (*starts, since) if (due := _last_between(trigger, start, now))), None)


def _last_between(trigger: Trigger, since: datetime, now: datetime) -> datetime | None:
    due, moment = None, since + timedelta(microseconds=1)
    while (moment_due := trigger.get_next_fire_time(due, moment)) is not None and moment_due <= now:
        due, moment = moment_due, moment_due + timedelta(microseconds=1)
    return due


async def run_due(job: Job, due: datetime) -> bool:
    """Run the job for this due time unless that was done or is being done; whether it ran."""
    due, lease_s = due.astimezone(UTC), job.limit_s + 30
    row = await database.fetchrow(TAKE, uuid7(), job.name, due, lease_s, job.attempts, job.retry_after_s)
    if row is None:
        return False
    started = time.monotonic()
    try:
        result = await asyncio.wait_for(job.run(due), job.limit_s)
    except asyncio.CancelledError:
        await database.execute(FINISH, row["id"], row["attempts"], "failed", None, "interrupted")
        raise
    except Exception as error:  # a job that fails is kept, logged and tried again
        log.error("job.failed", job=job.name, attempt=row["attempts"], **place(error))
        reason = cause_of(error)
        await database.execute(FINISH, row["id"], row["attempts"], "failed", None, reason)
    else:
        log.info("job.done", job=job.name, seconds=round(time.monotonic() - started, 3))
        text = orjson.dumps(result or {}, default=str).decode()
        await database.execute(FINISH, row["id"], row["attempts"], "succeeded", text, None)
    return True


async def catch_up(job: Job, now: datetime) -> int:
    """Run what was missed or left unfinished; the number of runs. The first time ever a job is
    seen it looks back one day, so that a new installation starts with its daily work."""
    await database.execute(GIVE_UP, job.name, job.attempts)
    since = await database.fetchval(LAST_DUE, job.name) or now - timedelta(days=1)
    unfinished = await database.fetch(UNFINISHED, job.name, job.attempts, job.retry_after_s)
    dues = [row["due_at"] for row in unfinished]
    missed = latest_due(job.trigger, since, now)
    if missed is not None:
        dues.append(missed)
    return sum([await run_due(job, due) for due in dues])


async def purge(before: datetime) -> int:
    """Forget the runs that ended before then; their number."""
    return await database.execute(PURGE, before)


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
            await _pause(stop, self.stand_by_s)

    async def _lead(self, connection: asyncpg.Connection, stop: asyncio.Event) -> None:
        """The library fires a job at its time; what was missed, failed or left is found by looking."""
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
                looking |= {asyncio.create_task(self._fire(job)) for job in self.jobs}
                looking = {task for task in looking if not task.done()}
                await _pause(stop, self.stand_by_s)
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


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
