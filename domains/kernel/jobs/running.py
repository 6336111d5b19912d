"""Running what is due, once per (job, due): taken by a row, retried, and settled with its event."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import asyncpg
import orjson
import structlog

from domains.kernel import database, outbox
from domains.kernel.faults import cause_of, place
from domains.kernel.ids import uuid7
from domains.kernel.jobs.events import JobFailed
from domains.kernel.jobs.job import Job, latest_due

# A requested run is taken up like one that did not end. A failed one is taken up again, a while after
# each attempt, until its attempts are used; one whose worker died is taken over once its lease is out.
# A paused job runs on request alone; the statement itself looks, for it may be paused at any moment.
TAKE = """
INSERT INTO job_run AS run (id, job, due_at, state, attempts, started_at, lease_until)
SELECT $1::uuid, $2::text, $3::timestamptz, 'running', 1, now(), now() + make_interval(secs => $4)
WHERE NOT EXISTS (SELECT FROM job_pause WHERE job = $2)
    OR EXISTS (SELECT FROM job_run asked WHERE asked.job = $2 AND asked.due_at = $3 AND asked.is_requested)
ON CONFLICT (job, due_at) DO UPDATE SET state = 'running', attempts = run.attempts + 1,
    started_at = now(), lease_until = now() + make_interval(secs => $4), finished_at = NULL, error = NULL
WHERE run.attempts < $5 AND (run.state = 'requested' OR run.state = 'running' AND run.lease_until < now()
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
RETURNING due_at, attempts, error
"""

# What was run by hand says nothing about what was due.
LAST_DUE = "SELECT max(due_at) FROM job_run WHERE job = $1 AND NOT is_requested"

UNFINISHED = """
SELECT due_at FROM job_run
WHERE job = $1 AND attempts < $2 AND (state = 'requested' OR state = 'running' AND lease_until < now()
    OR state = 'failed' AND finished_at + make_interval(secs => $3 * attempts) <= now())
ORDER BY due_at
"""

# The last run of a job's schedule stays, whatever its age: what is missed is counted from there.
PURGE = """
DELETE FROM job_run run WHERE finished_at < $1 AND (run.is_requested OR EXISTS (
    SELECT 1 FROM job_run later WHERE later.job = run.job AND later.due_at > run.due_at AND NOT later.is_requested))
"""

log = structlog.get_logger(__name__)


async def run_due(job: Job, due: datetime) -> bool:
    """Run the job for this due time unless that was done, is being done, or the job is paused; whether
    it ran."""
    due, lease_s = due.astimezone(UTC), job.limit_s + 30
    row = await database.fetchrow(TAKE, uuid7(), job.name, due, lease_s, job.attempts, job.retry_after_s)
    if row is None:
        return False
    started = time.monotonic()
    try:
        result = await asyncio.wait_for(job.run(due), job.limit_s)
    except asyncio.CancelledError:
        await _fail(job, row, due, "interrupted")
        raise
    except Exception as error:  # a job that fails is kept, logged and tried again
        log.error("job.failed", job=job.name, attempt=row["attempts"], **place(error))
        await _fail(job, row, due, cause_of(error))
    else:
        log.info("job.done", job=job.name, seconds=round(time.monotonic() - started, 3))
        text = orjson.dumps(result or {}, default=str).decode()
        await database.execute(FINISH, row["id"], row["attempts"], "succeeded", text, None)
    return True


async def _fail(job: Job, run: asyncpg.Record, due: datetime, error: str) -> None:
    """Settle a failed attempt; with the last one the event, in the same transaction."""
    async with database.transaction():
        settled = await database.execute(FINISH, run["id"], run["attempts"], "failed", None, error)
        if settled and run["attempts"] >= job.attempts:
            await outbox.record(JobFailed(job.name, due, run["attempts"], error))


async def _give_up(job: Job) -> None:
    async with database.transaction():
        for run in await database.fetch(GIVE_UP, job.name, job.attempts):
            await outbox.record(JobFailed(job.name, run["due_at"], run["attempts"], run["error"]))


async def catch_up(job: Job, now: datetime) -> int:
    """Run what was requested, missed or left unfinished; the number of runs. The first time ever a job
    is seen it looks back one day, so that a new installation starts with its daily work."""
    await _give_up(job)
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
