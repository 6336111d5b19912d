"""Scheduled work in the API (定时任务), for who runs the installation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Annotated, cast
from uuid import UUID

import orjson
import strawberry

from domains.kernel import jobs as service
from domains.kernel.jobs import RunsAsked
from schema.context import Info, Loader
from schema.errors import Payload, refusals_as_data
from schema.limits.cost import cost
from schema.permissions import staff_only
from schema.relay import After, Connection, First, Key, connection, encode, page_request

RUNS_SORT = "jobRuns:due:desc"
MOST_FACTS = 100


@strawberry.enum(description="How far a run is (运行状态). New values may appear: keep a default branch.")
class JobRunState(Enum):
    REQUESTED = strawberry.enum_value("requested", description="Waits for the leader (等待运行).")
    RUNNING = strawberry.enum_value("running", description="Is running (运行中).")
    SUCCEEDED = strawberry.enum_value("succeeded", description="Ended well (成功).")
    FAILED = strawberry.enum_value(
        "failed", description="Failed; tried again while attempts are left (失败)."
    )


@strawberry.type(description="A fact that a job reports about a run.")
class JobFact:
    name: str = strawberry.field(description="What it is.")
    value: str = strawberry.field(description="Its value; JSON where it is not plain text.")


def _run_id(root: service.JobRun) -> strawberry.ID:
    return strawberry.ID(encode("JobRun", root.id))


def _account(account_id: UUID | None) -> strawberry.ID | None:
    return strawberry.ID(encode("Staff", account_id)) if account_id else None


def _requester(root: service.JobRun) -> strawberry.ID | None:
    return _account(root.requested_by)


def _facts(root: service.JobRun) -> list[JobFact]:
    return [JobFact(name=name, value=_plain(value)) for name, value in list(root.result.items())[:MOST_FACTS]]


def _plain(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


@strawberry.type(description="A run of a job, by its schedule or on request (运行记录).")
class JobRun:
    id: strawberry.ID = strawberry.field(resolver=_run_id, description="Opaque id.")
    due_at: datetime = strawberry.field(description="When it was due, or requested.")
    is_requested: bool = strawberry.field(description="Requested by hand, not by the schedule.")
    requested_by: strawberry.ID | None = strawberry.field(
        resolver=_requester, description="Id of who requested it; null from the command line."
    )
    requested_by_name: str | None = strawberry.field(description="Name of who requested it, at that time.")
    state: JobRunState = strawberry.field(description="How far it is.")
    attempts: int = strawberry.field(description="Attempts so far.")
    started_at: datetime | None = strawberry.field(description="Start of the last attempt; null before it.")
    finished_at: datetime | None = strawberry.field(description="End of the last attempt; null before it.")
    seconds: float | None = strawberry.field(
        description="How long the last attempt took; null before its end."
    )
    result: list[JobFact] = strawberry.field(
        resolver=_facts,
        description="What the job reports about it, at most 100 facts.",
        metadata=cost(own=0),  # they are in the row
    )
    error: str | None = strawberry.field(description="Kind and place of the last failure; null without one.")


class RunsLoader(Loader[RunsAsked, list[service.JobRun]]):
    """Pages of runs, whichever jobs and pages are asked for."""

    async def fetch(self, keys: list[RunsAsked]) -> Mapping[RunsAsked, list[service.JobRun]]:
        """One statement for all that were asked for."""
        return dict(zip(keys, await service.runs(self.context.actor, keys), strict=True))


def _label(root: service.ScheduledJob, info: Info) -> str:
    return root.job.label(info.context.language)


def _attempts(root: service.ScheduledJob) -> int:
    return root.job.attempts


def _limit_s(root: service.ScheduledJob) -> float:
    return root.job.limit_s


def _pauser(root: service.ScheduledJob) -> strawberry.ID | None:
    return _account(root.paused_by)


def _keys(row: service.JobRun) -> tuple[Key, ...]:
    return row.due_at, row.id


@strawberry.type(description="A job that runs by a schedule (定时任务).")
class ScheduledJob:
    name: str = strawberry.field(description="Its stable name, such as `audit.seal`.")
    label: str = strawberry.field(
        resolver=_label, description="What it does, in the language of Accept-Language."
    )
    schedule: str = strawberry.field(description="Its schedule: a cron expression in Asia/Shanghai.")
    max_attempts: int = strawberry.field(resolver=_attempts, description="Attempts before a run is given up.")
    limit_s: float = strawberry.field(
        resolver=_limit_s, description="Seconds after which an attempt is stopped."
    )
    next_due_at: datetime | None = strawberry.field(
        description="When it is due next; null while it is paused."
    )
    last_run: JobRun | None = strawberry.field(
        description="The run that was due last; null before the first."
    )
    is_late: bool = strawberry.field(
        description="It has not run for longer than twice its period, and nobody has paused it (逾期)."
    )
    paused_at: datetime | None = strawberry.field(description="Since when it is paused (暂停); else null.")
    paused_by: strawberry.ID | None = strawberry.field(
        resolver=_pauser, description="Id of who paused it; null from the command line."
    )
    paused_by_name: str | None = strawberry.field(description="Name of who paused it, at that time.")
    pause_reason: str | None = strawberry.field(description="Why it is paused.")

    @strawberry.field(description="Its runs, the last due first.")
    async def runs(self, info: Info, first: First = 20, after: After = None) -> Connection[JobRun]:
        page = page_request(first, after, RUNS_SORT, datetime, UUID)
        asked = RunsAsked(self.name, cast("tuple[datetime, UUID] | None", page.after), page.limit)
        rows = await info.context.loader(RunsLoader).load(asked)
        return connection(page, rows or [], _keys, lambda row: cast("JobRun", row))


@strawberry.type
class JobsQuery:
    """Root field of scheduled work."""

    @strawberry.field(
        description="Every scheduled job, at most a few dozen; for who runs the installation.",
        extensions=[staff_only],
    )
    async def jobs(
        self,
        info: Info,
        name: Annotated[str | None, strawberry.argument(description="Only the job of this name.")] = None,
    ) -> list[ScheduledJob]:
        return cast("list[ScheduledJob]", await service.scheduled_jobs(info.context.actor, name))


@strawberry.input(description="The job to run now.")
class RunJobInput:
    job: str = strawberry.field(description="Its name.")
    idempotency_key: UUID | None = strawberry.field(
        default=None, description="The same key answers the same: pressed twice, it runs once."
    )


@strawberry.input(description="The job to pause.")
class PauseJobInput:
    job: str = strawberry.field(description="Its name.")
    reason: str = strawberry.field(description="Why, for colleagues; 1 to 200 characters.")


@strawberry.input(description="The job to resume.")
class ResumeJobInput:
    job: str = strawberry.field(description="Its name.")


@strawberry.type(description="Result of running, pausing or resuming a job.")
class JobPayload(Payload):
    job: ScheduledJob | None = strawberry.field(default=None, description="The job as it stands now.")


async def _shown(info: Info, name: str) -> JobPayload:
    found = await service.scheduled_jobs(info.context.actor, name)
    return JobPayload(job=cast("ScheduledJob", found[0]))


@strawberry.type
class JobsMutation:
    """Mutations of scheduled work."""

    @strawberry.mutation(
        description="Run a job at once (立即运行), also a paused one; refused while one is requested or running.",
        extensions=[staff_only],
    )
    @refusals_as_data(JobPayload)
    async def run_job(
        self, info: Info, input: Annotated[RunJobInput, strawberry.argument(description="Which.")]
    ) -> JobPayload:
        await service.run_job(info.context.actor, job=input.job, idempotency_key=input.idempotency_key)
        return await _shown(info, input.job)

    @strawberry.mutation(
        description="Stop running a job by its schedule (暂停); a run in progress goes on to its end.",
        extensions=[staff_only],
    )
    @refusals_as_data(JobPayload)
    async def pause_job(
        self, info: Info, input: Annotated[PauseJobInput, strawberry.argument(description="Which and why.")]
    ) -> JobPayload:
        await service.pause_job(info.context.actor, job=input.job, reason=input.reason)
        return await _shown(info, input.job)

    @strawberry.mutation(
        description="Run a job by its schedule again (恢复); what was missed is caught up by one run.",
        extensions=[staff_only],
    )
    @refusals_as_data(JobPayload)
    async def resume_job(
        self, info: Info, input: Annotated[ResumeJobInput, strawberry.argument(description="Which.")]
    ) -> JobPayload:
        await service.resume_job(info.context.actor, job=input.job)
        return await _shown(info, input.job)
