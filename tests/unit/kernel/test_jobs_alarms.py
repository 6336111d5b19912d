"""Failures that nobody tries again are told once; what does not run at all is late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from api.wiring import EVENTS, JOBS
from domains.kernel import clock, database, jobs, outbox
from domains.kernel.actor import SYSTEM
from domains.kernel.jobs import Job, JobFailed, RunsAsked, cron
from tests.factories.jobs import NAME, Work, failures, forget, operator, runs, shanghai

pytestmark = pytest.mark.usefixtures("instance")
DUE = shanghai("2026-03-02T02:00")
NOW = shanghai("2026-03-02T03:00")


@pytest.fixture(autouse=True)
async def no_runs(instance: object) -> AsyncIterator[None]:
    """Every test begins without runs, pauses and events."""
    yield
    await forget()


async def test_a_run_that_uses_up_its_attempts_is_told_once() -> None:
    job = Work(failures=9).job(attempts=3)
    for attempt in range(1, 7):
        await jobs.catch_up(job, NOW)
        assert len(await failures()) == (1 if attempt >= 3 else 0)
    (told,) = await failures()
    assert (told["job"], told["attempts"]) == (NAME, 3)
    assert datetime.fromisoformat(told["due"]) == DUE
    assert told["error"].startswith("ValueError at ") and "no paper" not in told["error"]
    assert EVENTS.load("JobFailed", told) == JobFailed(NAME, DUE.astimezone(UTC), 3, told["error"])
    await jobs.catch_up(job, NOW + timedelta(days=1))
    assert [row["state"] for row in await runs()] == ["failed", "failed"]
    assert len(await failures()) == 1


async def test_a_failure_that_passes_is_not_told() -> None:
    job = Work(failures=2).job(attempts=3)
    for _ in range(4):
        await jobs.catch_up(job, NOW)
    assert [row["state"] for row in await runs()] == ["succeeded"]
    assert await failures() == []


async def test_a_requested_run_is_told_as_well() -> None:
    job = Work(failures=9).job(attempts=1)
    jobs.catalogue.fill((job,))
    with clock.use(clock.FixedClock(NOW)):
        await jobs.run_job(operator(), job=NAME)
        await jobs.catch_up(job, shanghai("2026-03-01T01:00"))
    told = [datetime.fromisoformat(each["due"]) for each in await failures()]
    assert told.count(NOW) == 1


async def test_death_in_the_last_attempt_is_told_once_however_many_look() -> None:
    job = Work().job()
    await jobs.run_due(job, DUE)
    await database.execute("UPDATE job_run SET state = 'running', attempts = 3, result = NULL")
    await database.execute("UPDATE job_run SET lease_until = now() + interval '1 minute'")
    await jobs.catch_up(job, NOW)
    assert await failures() == []  # it may still live
    await database.execute("UPDATE job_run SET lease_until = now() - interval '1 second'")
    await asyncio.gather(*(jobs.catch_up(job, NOW) for _ in range(5)))
    assert [(each["attempts"], each["error"]) for each in await failures()] == [(3, "the process died")]
    assert [row["state"] for row in await runs()] == ["failed"]


async def test_an_interruption_of_the_last_attempt_is_told() -> None:
    work = Work(pause_s=60)
    for attempts, told in ((2, 0), (1, 1)):
        running = asyncio.create_task(jobs.run_due(work.job(attempts=attempts), DUE + timedelta(days=told)))
        await asyncio.sleep(0.1)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        assert [each["error"] for each in await failures()] == ["interrupted"] * told


async def test_who_was_believed_dead_and_fails_later_tells_nothing() -> None:
    slow = Work(failures=1, pause_s=0.3)
    first = asyncio.create_task(jobs.run_due(slow.job(attempts=2), DUE))
    await asyncio.sleep(0.1)
    await database.execute("UPDATE job_run SET lease_until = now() - interval '1 second'")
    assert await jobs.run_due(Work().job(attempts=2), DUE) is True
    await first
    assert [(row["state"], row["attempts"]) for row in await runs()] == [("succeeded", 2)]
    assert await failures() == []


async def test_a_run_is_not_settled_without_its_event(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("no outbox")

    monkeypatch.setattr(outbox, "record", broken)
    with pytest.raises(RuntimeError):
        await jobs.run_due(Work(failures=9).job(attempts=1), DUE)
    assert [row["state"] for row in await runs()] == ["running"]
    assert await failures() == []


@pytest.mark.parametrize(
    ("expression", "last", "now", "late"),
    [
        ("0 2 * * *", "2026-03-01T02:00", "2026-03-03T01:59", False),
        ("0 2 * * *", "2026-03-01T02:00", "2026-03-03T02:01", True),
        ("0 2 * * *", "2026-03-01T10:00", "2026-03-03T01:59", False),
        ("*/5 * * * *", "2026-03-01T02:00", "2026-03-01T02:09", False),
        ("*/5 * * * *", "2026-03-01T02:00", "2026-03-01T02:11", True),
        ("0 9 * * mon-fri", "2026-03-06T09:00", "2026-03-09T10:00", False),
        ("0 9 * * mon-fri", "2026-03-06T09:00", "2026-03-10T10:00", True),
        ("0 0 29 2 *", "2024-02-29T00:00", "2026-03-01T00:00", False),
    ],
)
def test_late_is_what_missed_two_due_times(expression: str, last: str, now: str, late: bool) -> None:
    assert jobs.is_late(cron(expression), shanghai(last), shanghai(now)) is late


async def test_a_late_job_shows_as_late_unless_it_is_paused_or_never_ran() -> None:
    job = Work().job()
    jobs.catalogue.fill((job, Job("test.other", cron("0 2 * * *"), Work())))

    async def seen() -> list[tuple[bool, bool]]:
        found = await jobs.scheduled_jobs(SYSTEM)
        return [(each.is_late, each.next_due_at is None) for each in found]

    fixed = clock.FixedClock(NOW)
    with clock.use(fixed):
        await jobs.catch_up(job, NOW)
        assert await seen() == [(False, False), (False, False)]
        fixed.advance(timedelta(days=2))
        assert await seen() == [(True, False), (False, False)]
        await jobs.pause_job(operator(), job=NAME, reason="维修")
        assert await seen() == [(False, True), (False, False)]
        await jobs.resume_job(operator(), job=NAME)
        await jobs.run_job(operator(), job=NAME)
        assert await seen() == [(True, False), (False, False)]  # requested is not run
        await jobs.run_due(job, NOW + timedelta(days=2))
        assert await seen() == [(False, False), (False, False)]


async def test_pages_of_many_jobs_are_one_statement() -> None:
    works = [Work().job(name=f"test.{number}") for number in range(6)]
    jobs.catalogue.fill(works)
    for job in works:
        for day in range(1, 6):
            await jobs.run_due(job, shanghai(f"2026-03-0{day}T02:00"))
    async with database.counted() as statements:
        pages = await jobs.runs(SYSTEM, [RunsAsked(job.name, None, 3) for job in works])
    assert statements.count == 1
    days = [[each.due_at.astimezone(clock.SHANGHAI).day for each in page] for page in pages]
    assert days == [[5, 4, 3]] * 6
    last = pages[0][-1]
    again = await jobs.runs(
        SYSTEM, [RunsAsked(works[0].name, (last.due_at, last.id), 9), RunsAsked(works[0].name, None, 1)]
    )
    assert [[each.due_at.astimezone(clock.SHANGHAI).day for each in page] for page in again] == [[2, 1], [5]]
    async with database.counted() as statements:
        found = await jobs.scheduled_jobs(SYSTEM)
    assert statements.count == 1
    assert [each.last_run.due_at if each.last_run else None for each in found] == [pages[0][0].due_at] * 6


def test_every_job_of_the_program_says_what_it_does_and_when() -> None:
    assert len({job.name for job in JOBS}) == len(JOBS)
    for job in JOBS:
        assert job.zh and job.en, job.name
        assert job.schedule == str(cron(job.schedule)), job.name
        assert (job.label("zh"), job.label("en")) == (job.zh, job.en)
