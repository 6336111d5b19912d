"""What an operator does with scheduled work (系统运维): run now, pause, resume."""

from __future__ import annotations

from uuid import UUID

from domains.kernel import clock, database, text, waking
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, NotFound
from domains.kernel.ids import uuid7
from domains.kernel.jobs.job import Job, catalogue

REASON_MAX = 200

# Whoever presses takes turns per job: the statement after it sees what the one before has requested.
TURN = "SELECT pg_advisory_xact_lock(hashtextextended('job:' || $1::text, 0))"

REQUEST = """
INSERT INTO job_run (id, job, due_at, state, attempts, is_requested, requested_by, requested_by_name)
SELECT $1::uuid, $2::text, $3::timestamptz, 'requested', 0, true, $4::uuid, $5::text
WHERE NOT EXISTS (SELECT FROM job_run
    WHERE job = $2 AND (state = 'requested' OR state = 'running' AND lease_until >= now()))
ON CONFLICT (job, due_at) DO NOTHING RETURNING id
"""

IS_PAUSED = "SELECT EXISTS (SELECT FROM job_pause WHERE job = $1)"

PAUSE = """
INSERT INTO job_pause (job, paused_at, paused_by, paused_by_name, reason) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (job) DO NOTHING
"""

RESUME = "DELETE FROM job_pause WHERE job = $1"

LEADER = "jobs"
"""The leader's name, for waking it."""


@command("job.run", caller="staff")
async def run_job(actor: Actor, *, job: str, idempotency_key: UUID | None = None) -> UUID:
    """Request a run of a job at once (立即运行), also of a paused one; the id of the run, which the leader
    takes up. Raises Forbidden, NotFound JOB_NOT_FOUND, and Conflict JOB_UNDER_WAY while one is requested
    or running, whoever caused it."""
    found = _operated(actor, job)
    await database.execute(TURN, found.name)
    run_id: UUID | None = await database.fetchval(
        REQUEST, uuid7(), found.name, clock.now(), actor.account_id, actor.name[:60]
    )
    if run_id is None:
        raise Conflict("JOB_UNDER_WAY", "这个任务正在等待运行或正在运行,请等它结束后再试", "job")
    waking.after_commit(LEADER)
    return run_id


async def request_run(actor: Actor, job: str) -> None:
    """Have a job run once the open transaction is committed, which has left it something to do that should not wait
    for the schedule. Nothing while it is paused, requested or running: a run that is under way looks again."""
    await database.execute(TURN, job)
    if not await database.fetchval(IS_PAUSED, job):
        await database.fetchval(REQUEST, uuid7(), job, clock.now(), actor.account_id, actor.name[:60])
        waking.after_commit(LEADER)


@command("job.pause", caller="staff")
async def pause_job(actor: Actor, *, job: str, reason: str) -> None:
    """Stop running a job by its schedule (暂停); a run in progress goes on to its end.

    Raises Forbidden, NotFound JOB_NOT_FOUND, Conflict JOB_PAUSED, and InvalidText for the reason, of which
    200 characters at most are kept.
    """
    found = _operated(actor, job)
    why = text.clean(reason, max_length=REASON_MAX, field="reason")
    concerns("Job", None, None, job=found.name, reason=why)
    name = actor.name[:60]
    if not await database.execute(PAUSE, found.name, clock.now(), actor.account_id, name, why):
        raise Conflict("JOB_PAUSED", "这个任务已经暂停,无需重复操作", "job")


@command("job.resume", caller="staff")
async def resume_job(actor: Actor, *, job: str) -> None:
    """Run a job by its schedule again (恢复); what was missed meanwhile is caught up by one run.

    Raises Forbidden, NotFound JOB_NOT_FOUND, Conflict JOB_NOT_PAUSED.
    """
    found = _operated(actor, job)
    if not await database.execute(RESUME, found.name):
        raise Conflict("JOB_NOT_PAUSED", "这个任务没有暂停,无需恢复", "job")
    waking.after_commit(LEADER)


def _operated(actor: Actor, name: str) -> Job:
    """The job that an operator acts on; the audit tells it also of who is refused."""
    concerns("Job", None, None, job=name[:80])
    actor.require_operator()
    found = next((each for each in catalogue() if each.name == name), None)
    if found is None:
        raise NotFound("JOB_NOT_FOUND", "没有这个定时任务,请刷新任务列表后重试", "job")
    return found
