"""What operators read of scheduled work: every job as it stands, and its runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.jobs.job import Job, catalogue, is_late, next_due

_RUN = """
id, job, due_at, is_requested, requested_by, requested_by_name, state, attempts, started_at, finished_at,
    result::text AS result, error
"""

# One step into the index per job, in one statement for all of them.
STANDING = f"""
SELECT p.paused_at, p.paused_by, p.paused_by_name, p.reason AS pause_reason, run.*,
    (SELECT max(due_at) FROM job_run WHERE job = asked.name AND state <> 'requested') AS taken_due_at
FROM unnest($1::text[]) WITH ORDINALITY AS asked (name, place)
LEFT JOIN job_pause p ON p.job = asked.name
LEFT JOIN LATERAL (
    SELECT {_RUN} FROM job_run WHERE job = asked.name ORDER BY due_at DESC LIMIT 1) AS run ON true
ORDER BY asked.place
"""  # noqa: S608  # put together from constants

RUNS = f"""
SELECT asked.place, run.*
FROM unnest($1::text[], $2::timestamptz[], $3::uuid[], $4::int[])
    WITH ORDINALITY AS asked (name, after_due, after_id, most, place)
CROSS JOIN LATERAL (
    SELECT {_RUN} FROM job_run
    WHERE job = asked.name AND (asked.after_due IS NULL OR (due_at, id) < (asked.after_due, asked.after_id))
    ORDER BY due_at DESC, id DESC LIMIT asked.most) AS run
ORDER BY asked.place, run.due_at DESC, run.id DESC
"""  # noqa: S608  # put together from constants


@dataclass(frozen=True, slots=True)
class JobRun:
    """A run of a job, by its schedule or on request (运行记录)."""

    id: UUID
    job: str
    due_at: datetime
    is_requested: bool
    requested_by: UUID | None
    requested_by_name: str | None
    state: str
    attempts: int
    started_at: datetime | None
    finished_at: datetime | None
    result: dict[str, Any]  # Any: JSON a job reports about itself
    error: str | None

    @property
    def seconds(self) -> float | None:
        """How long the last attempt took; None while it has not ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """A job as it stands now (定时任务)."""

    job: Job
    last_run: JobRun | None
    next_due_at: datetime | None
    is_late: bool
    paused_at: datetime | None
    paused_by: UUID | None
    paused_by_name: str | None
    pause_reason: str | None

    @property
    def name(self) -> str:
        """Its stable name."""
        return self.job.name

    @property
    def schedule(self) -> str:
        """Its schedule as text."""
        return self.job.schedule


async def scheduled_jobs(actor: Actor, name: str | None = None) -> list[ScheduledJob]:
    """Every job in the order of the catalogue, or the one of that name; for operators."""
    actor.require_operator()
    jobs = [job for job in catalogue() if name in (None, job.name)]
    rows = await database.fetch(STANDING, [job.name for job in jobs])
    now = clock.now()
    return [_standing(job, row, now) for job, row in zip(jobs, rows, strict=True)]


def _standing(job: Job, row: asyncpg.Record, now: datetime) -> ScheduledJob:
    is_paused, taken = row["paused_at"] is not None, row["taken_due_at"]
    return ScheduledJob(
        job=job,
        last_run=None if row["id"] is None else _run(row),
        next_due_at=None if is_paused else next_due(job.trigger, now),
        # What somebody paused is waited for by nobody; what never ran has no time to count from.
        is_late=not is_paused and taken is not None and is_late(job.trigger, taken, now),
        paused_at=row["paused_at"],
        paused_by=row["paused_by"],
        paused_by_name=row["paused_by_name"],
        pause_reason=row["pause_reason"],
    )


def _run(row: asyncpg.Record) -> JobRun:
    columns = {field.name: row[field.name] for field in fields(JobRun)}
    return JobRun(**{**columns, "result": orjson.loads(row["result"] or "{}")})


@dataclass(frozen=True, slots=True)
class RunsAsked:
    """A page of runs that is asked for: of a job, after a run's due time and id, so many at most."""

    job: str
    after: tuple[datetime, UUID] | None
    limit: int


async def runs(actor: Actor, asked: Sequence[RunsAsked]) -> list[list[JobRun]]:
    """The pages that are asked for, the latest due first, in one statement; for operators."""
    actor.require_operator()
    after = [each.after or (None, None) for each in asked]
    rows = await database.fetch(
        RUNS, [each.job for each in asked], [due for due, _ in after], [id for _, id in after],
        [each.limit for each in asked],
    )  # fmt: skip
    pages: list[list[JobRun]] = [[] for _ in asked]
    for row in rows:
        pages[row["place"] - 1].append(_run(row))
    return pages
