"""Jobs: every due time once, by one leader, caught up after an outage; failures are tried again and stay seen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from time import perf_counter

import asyncpg
import pytest
from apscheduler.triggers.cron import CronTrigger

from api.instance import Addresses
from domains.kernel import clock, database, jobs
from domains.kernel.clock import SHANGHAI
from domains.kernel.jobs import Job, Result, Scheduler, cron, latest_due

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture(autouse=True)
async def no_runs(instance: object) -> AsyncIterator[None]:
    """Every test begins without runs."""
    yield
    await database.execute("DELETE FROM job_run")


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


class Work:
    """What a job does: notes when it was due, fails as often as it is told."""

    def __init__(self, *, failures: int = 0, pause_s: float = 0.0) -> None:
        self.dues: list[datetime] = []
        self.failures = failures
        self.pause_s = pause_s

    async def __call__(self, due: datetime) -> Result:
        self.dues.append(due)
        await asyncio.sleep(self.pause_s)
        if len(self.dues) <= self.failures:
            raise ValueError("no paper")
        return {"runs": len(self.dues)}

    def job(self, *, attempts: int = 3, limit_s: float = 600.0, retry_after_s: float = 0.0) -> Job:
        return Job("test.job", cron("0 2 * * *"), self, attempts, limit_s, retry_after_s)


async def run() -> asyncpg.Record:
    row = await database.fetchrow("SELECT * FROM job_run")
    assert row is not None
    return row


@pytest.mark.parametrize(
    ("expression", "since", "now", "due"),
    [
        ("0 2 * * *", "2026-03-01T02:00", "2026-03-02T01:59", None),
        ("0 2 * * *", "2026-03-01T02:00", "2026-03-02T02:00", "2026-03-02T02:00"),
        ("0 2 * * *", "2026-03-01T02:00", "2026-03-09T12:00", "2026-03-09T02:00"),
        ("0 0 * * *", "2026-02-27T12:00", "2026-02-28T23:59", "2026-02-28T00:00"),
        ("0 0 * * *", "2026-02-28T00:00", "2026-03-01T00:00", "2026-03-01T00:00"),
        ("0 0 1 * *", "2025-12-31T23:59", "2026-01-01T00:00", "2026-01-01T00:00"),
        ("0 0 1 * *", "2025-11-02T00:00", "2026-03-15T00:00", "2026-03-01T00:00"),
        ("0 3 29 2 *", "2024-01-01T00:00", "2026-03-15T00:00", "2024-02-29T03:00"),
        ("*/5 * * * *", "2026-03-01T00:00", "2026-03-01T00:04", None),
        ("*/5 * * * *", "2020-01-01T00:00", "2026-03-01T00:04", "2026-03-01T00:00"),
    ],
)
def test_the_latest_due_time_in_shanghai(expression: str, since: str, now: str, due: str | None) -> None:
    found = latest_due(cron(expression), shanghai(since), shanghai(now))
    assert found == (shanghai(due) if due else None)
    utc = latest_due(cron(expression), shanghai(since).astimezone(UTC), shanghai(now).astimezone(UTC))
    assert utc == found


def test_years_of_an_outage_are_looked_over_in_no_time() -> None:
    began = perf_counter()
    assert (
        latest_due(cron("* * * * *"), shanghai("2016-01-01T00:00"), shanghai("2026-01-01T00:00")) is not None
    )
    assert perf_counter() - began < 0.5


async def test_the_first_time_it_looks_back_one_day_and_then_from_run_to_run() -> None:
    work = Work()
    assert await jobs.catch_up(work.job(), shanghai("2026-03-02T01:00")) == 1
    assert await jobs.catch_up(work.job(), shanghai("2026-03-02T01:59")) == 0
    assert await jobs.catch_up(work.job(), shanghai("2026-03-02T02:00")) == 1
    assert await jobs.catch_up(work.job(), shanghai("2026-03-09T12:00")) == 1  # a week was missed
    days = [due.astimezone(SHANGHAI).day for due in work.dues]
    assert days == [1, 2, 9]
    assert all(due.tzinfo is UTC for due in work.dues)


async def test_of_many_that_run_one_due_time_one_does() -> None:
    work = Work(pause_s=0.05)
    ran = await asyncio.gather(*(jobs.run_due(work.job(), shanghai("2026-03-02T02:00")) for _ in range(12)))
    assert sorted(ran) == [False] * 11 + [True]
    row = await run()
    assert (row["state"], row["attempts"], row["result"]) == ("succeeded", 1, '{"runs": 1}')
    assert await jobs.run_due(work.job(), shanghai("2026-03-02T02:00")) is False


async def test_what_fails_is_tried_again_and_in_the_end_stays_failed_and_seen() -> None:
    work, now = Work(failures=9), shanghai("2026-03-02T03:00")
    for _ in range(6):
        await jobs.catch_up(work.job(attempts=3), now)
    row = await run()
    assert (len(work.dues), row["state"], row["attempts"]) == (3, "failed", 3)
    assert row["error"].startswith("ValueError at ")
    assert "no paper" not in row["error"]
    assert len(set(work.dues)) == 1
    assert await jobs.catch_up(work.job(attempts=3), now + timedelta(days=1)) == 1


async def test_a_failure_that_passes_ends_well() -> None:
    work, now = Work(failures=1), shanghai("2026-03-02T03:00")
    await jobs.catch_up(work.job(), now)
    await jobs.catch_up(work.job(), now)
    row = await run()
    assert (row["state"], row["attempts"], row["error"]) == ("succeeded", 2, None)


async def test_between_attempts_some_time_passes() -> None:
    work, now = Work(failures=1), shanghai("2026-03-02T03:00")
    job = work.job(retry_after_s=60)
    assert await jobs.catch_up(job, now) == 1
    assert await jobs.catch_up(job, now) == 0
    await database.execute("UPDATE job_run SET finished_at = now() - interval '61 seconds'")
    assert await jobs.catch_up(job, now) == 1
    assert (await run())["state"] == "succeeded"


async def test_a_job_beyond_its_limit_is_stopped_and_has_failed() -> None:
    await jobs.run_due(Work(pause_s=60).job(limit_s=0.05), shanghai("2026-03-02T02:00"))
    row = await run()
    assert (row["state"], row["error"].split(" at ")[0]) == ("failed", "TimeoutError")


async def test_a_run_that_is_interrupted_says_so_and_is_taken_up_again() -> None:
    work = Work(pause_s=60)
    running = asyncio.create_task(jobs.run_due(work.job(), shanghai("2026-03-02T02:00")))
    await asyncio.sleep(0.1)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert ((await run())["state"], (await run())["error"]) == ("failed", "interrupted")
    work.pause_s = 0
    assert await jobs.catch_up(work.job(), shanghai("2026-03-02T03:00")) == 1
    assert (await run())["state"] == "succeeded"


async def test_a_run_whose_worker_died_is_taken_over_when_its_lease_is_out() -> None:
    work, now = Work(), shanghai("2026-03-02T03:00")
    await jobs.run_due(work.job(), shanghai("2026-03-02T02:00"))
    await database.execute("UPDATE job_run SET state = 'running', lease_until = now() + interval '1 minute'")
    assert await jobs.catch_up(work.job(), now) == 0
    await database.execute("UPDATE job_run SET lease_until = now() - interval '1 second'")
    assert await jobs.catch_up(work.job(), now) == 1
    assert ((await run())["state"], (await run())["attempts"]) == ("succeeded", 2)


async def test_a_worker_that_was_believed_dead_does_not_overwrite_the_one_that_took_over() -> None:
    slow, now = Work(pause_s=0.3), shanghai("2026-03-02T02:00")
    first = asyncio.create_task(jobs.run_due(slow.job(), now))
    await asyncio.sleep(0.1)
    await database.execute("UPDATE job_run SET lease_until = now() - interval '1 second'")
    failing = Work(failures=1)
    assert await jobs.run_due(failing.job(), now) is True
    await first
    assert ((await run())["state"], (await run())["attempts"]) == ("failed", 2)


async def test_a_run_that_died_in_its_last_attempt_is_seen_as_failed() -> None:
    work, now = Work(), shanghai("2026-03-02T03:00")
    await jobs.run_due(work.job(), shanghai("2026-03-02T02:00"))
    await database.execute(
        "UPDATE job_run SET state = 'running', attempts = 3, lease_until = now() - interval '1 s'"
    )
    assert await jobs.catch_up(work.job(), now) == 0
    assert ((await run())["state"], (await run())["error"]) == ("failed", "the process died")


async def test_old_runs_are_forgotten_but_the_last_of_each_job() -> None:
    work = Work()
    for day in ("2026-03-01", "2026-03-02", "2026-03-03"):
        await jobs.run_due(work.job(), shanghai(f"{day}T02:00"))
    await database.execute("UPDATE job_run SET finished_at = now() - interval '100 days'")
    assert await jobs.purge(datetime.now(UTC) - timedelta(days=90)) == 2
    assert (await run())["due_at"] == shanghai("2026-03-03T02:00")


@asynccontextmanager
async def scheduling(*schedulers: Scheduler) -> AsyncIterator[list[asyncio.Task[None]]]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(each.run(stop)) for each in schedulers]
    try:
        yield tasks
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 5)


def scheduler(addresses: Addresses, *works: Job) -> Scheduler:
    return Scheduler(addresses.app_url, works, stand_by_s=0.2)


async def test_two_schedulers_side_by_side_run_each_due_time_once(addresses: Addresses) -> None:
    one, two = Work(), Work()
    first = Job("test.job", cron("* * * * *"), one)
    second = Job("test.job", cron("* * * * *"), two)
    fixed = clock.FixedClock(shanghai("2026-03-02T02:00:30"))
    with clock.use(fixed):
        async with scheduling(scheduler(addresses, first), scheduler(addresses, second)):
            for _ in range(4):
                await asyncio.sleep(0.3)
                fixed.advance(timedelta(minutes=1))
    dues = one.dues + two.dues
    assert len(dues) >= 3
    assert len(set(dues)) == len(dues)
    assert not one.dues or not two.dues  # one leads


async def test_when_the_leader_loses_its_session_another_leads_and_it_comes_back(
    addresses: Addresses,
) -> None:
    work = Work()
    schedulers = [scheduler(addresses, Job("test.job", cron("* * * * *"), work)) for _ in range(2)]
    fixed = clock.FixedClock(shanghai("2026-03-02T02:00:30"))
    with clock.use(fixed):
        async with scheduling(*schedulers) as tasks:
            for _ in range(3):
                await asyncio.sleep(0.3)
                killed = await kill_leader(addresses)
                fixed.advance(timedelta(minutes=5))
                await asyncio.sleep(0.7)
                assert killed == 1
            assert not any(task.done() for task in tasks)
    minutes = [due.astimezone(SHANGHAI).minute for due in work.dues]
    assert minutes == [0, 5, 10, 15]


async def kill_leader(addresses: Addresses) -> int:
    connection = await asyncpg.connect(addresses.owner_url)
    try:
        rows = await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
            "WHERE locktype = 'advisory' AND datname = current_database() AND objid = $1 AND classid = $2",
            jobs.LEADER_LOCK & 0xFFFF_FFFF, jobs.LEADER_LOCK >> 32,
        )  # fmt: skip
        return len(rows)
    finally:
        await connection.close()


async def test_a_job_that_takes_long_holds_up_no_other_and_does_not_run_beside_itself(
    addresses: Addresses,
) -> None:
    slow, quick = Work(pause_s=0.9), Work()
    works = [Job("slow", cron("* * * * *"), slow), Job("quick", cron("* * * * *"), quick)]
    fixed = clock.FixedClock(shanghai("2026-03-02T02:00:30"))
    with clock.use(fixed):
        async with scheduling(scheduler(addresses, *works)):
            for _ in range(3):
                await asyncio.sleep(0.25)
                fixed.advance(timedelta(minutes=1))
    assert (len(slow.dues), len(quick.dues)) == (1, 3)


async def test_a_job_that_cannot_be_reached_stops_no_other(addresses: Addresses) -> None:
    class Broken(CronTrigger):  # type: ignore[misc]  # the library has no types
        def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
            if now.year == 2016:
                raise ValueError("no calendar")
            return None

    work = Work()
    broken, good = Job("broken", Broken(), work), Job("good", cron("* * * * *"), work)
    with clock.use(clock.FixedClock(shanghai("2016-03-02T02:00:30"))):
        async with scheduling(scheduler(addresses, broken, good)):
            await asyncio.sleep(0.4)
    assert len(work.dues) == 1


async def test_a_job_is_fired_at_its_time_and_not_only_when_somebody_looks(addresses: Addresses) -> None:
    work = Work()
    one = Scheduler(addresses.app_url, [Job("exact", CronTrigger(second="*"), work)], stand_by_s=30)
    async with scheduling(one):
        await asyncio.sleep(2.6)
    seconds = [due for due in work.dues if due > datetime.now(UTC) - timedelta(seconds=3)]
    assert len(seconds) >= 2
