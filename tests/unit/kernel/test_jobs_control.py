"""Jobs by hand: run now once however often it is pressed, pause without a cut, resume with one run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from api import delivering
from api.instance import Addresses
from domains.kernel import clock, database, jobs, waking
from domains.kernel.actor import SYSTEM
from domains.kernel.errors import Conflict, Invalid, NotFound
from domains.kernel.jobs import Job, Scheduler, cron
from tests.factories.jobs import NAME, Work, forget, operator, runs, shanghai
from tests.factories.kernel import audit_rows

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture(autouse=True)
async def no_runs(instance: object) -> AsyncIterator[None]:
    """Every test begins without runs and pauses."""
    yield
    await forget()


def work_of(work: Work) -> Job:
    """The job of this work, as the one job there is."""
    job = work.job()
    jobs.catalogue.fill((job,))
    return job


async def attempt(job: str = NAME, key: UUID | None = None) -> UUID | str:
    """The id of the run that was requested, or the code of the refusal."""
    try:
        return await jobs.run_job(operator(), job=job, idempotency_key=key)
    except Conflict as refusal:
        return refusal.code


@asynccontextmanager
async def leading(addresses: Addresses, *listed: Job, stand_by_s: float = 0.2) -> AsyncIterator[Scheduler]:
    stop, one = asyncio.Event(), Scheduler(addresses.app_url, listed, stand_by_s=stand_by_s)
    task = asyncio.create_task(one.run(stop))
    try:
        yield one
    finally:
        stop.set()
        await asyncio.wait_for(task, 5)


async def until(happened: Callable[[], object], limit_s: float = 5.0) -> None:
    end = asyncio.get_running_loop().time() + limit_s
    while not happened():
        assert asyncio.get_running_loop().time() < end, "it did not happen in time"
        await asyncio.sleep(0.02)


async def test_of_many_who_press_at_once_one_run_comes() -> None:
    work = Work()
    job = work_of(work)
    answers = await asyncio.gather(*(attempt() for _ in range(8)))
    assert answers.count("JOB_UNDER_WAY") == 7
    (row,) = await runs()
    assert (row["state"], row["attempts"], row["is_requested"], row["requested_by_name"]) == (
        "requested", 0, True, "赵运维",
    )  # fmt: skip
    assert row["id"] in answers
    await jobs.catch_up(job, row["due_at"] - timedelta(hours=23))
    assert [each for each in work.dues if each == row["due_at"]] == [row["due_at"]]
    assert [(each["outcome"], each["details"]) for each in await audit_rows("job.run")] == [
        ("done", '{"job": "test.job"}')
    ]


async def test_the_same_key_answers_the_same_before_and_after_it_ran() -> None:
    work, key, actor = Work(), uuid4(), operator()
    job = work_of(work)
    pressed = [jobs.run_job(actor, job=NAME, idempotency_key=key) for _ in range(5)]
    first, *others = await asyncio.gather(*pressed)
    assert set(others) == {first}
    with clock.use(clock.FixedClock(shanghai("2026-03-02T01:00"))):
        await jobs.run_due(job, (await runs())[0]["due_at"])
    assert await jobs.run_job(actor, job=NAME, idempotency_key=key) == first
    assert [row["state"] for row in await runs()] == ["succeeded"]
    assert len(work.dues) == 1


async def test_while_it_runs_by_schedule_nothing_more_is_requested() -> None:
    work = Work(pause_s=0.3)
    job = work_of(work)
    running = asyncio.create_task(jobs.run_due(job, shanghai("2026-03-02T02:00")))
    await until(lambda: work.running)
    assert await attempt() == "JOB_UNDER_WAY"
    await running
    assert len(await runs()) == 1
    assert isinstance(await attempt(), UUID)


async def test_a_run_whose_process_died_stands_in_nobodys_way() -> None:
    job = work_of(Work())
    await jobs.run_due(job, shanghai("2026-03-02T02:00"))
    await database.execute("UPDATE job_run SET state = 'running', lease_until = now() + interval '1 minute'")
    assert await attempt() == "JOB_UNDER_WAY"
    await database.execute("UPDATE job_run SET lease_until = now() - interval '1 second'")
    assert isinstance(await attempt(), UUID)


async def test_pressed_while_the_leader_works_it_never_runs_beside_itself(addresses: Addresses) -> None:
    work = Work(pause_s=0.15)
    job = Job(NAME, cron("* * * * *"), work, zh="测试任务")
    jobs.catalogue.fill((job,))
    fixed = clock.FixedClock(shanghai("2026-03-02T02:00:30"))
    with clock.use(fixed):
        async with leading(addresses, job) as leader:
            answers = []
            for _ in range(12):
                fixed.advance(timedelta(seconds=31))
                leader.woken.set()
                answers.append(await attempt())
                leader.woken.set()
                await asyncio.sleep(0.08)
            await asyncio.sleep(1)
    accepted = [each for each in answers if isinstance(each, UUID)]
    assert 0 < len(accepted) < 12
    found = await runs()
    assert {row["state"] for row in found} == {"succeeded"}
    assert {row["id"] for row in found if row["is_requested"]} == set(accepted)
    assert work.most == 1
    assert len(work.dues) == len(set(work.dues)) == len(found)


async def test_what_runs_by_hand_takes_nothing_from_the_schedule() -> None:
    work = Work()
    job, fixed = work_of(work), clock.FixedClock(shanghai("2026-03-02T01:00"))
    with clock.use(fixed):
        assert await jobs.catch_up(job, fixed.now()) == 1
        fixed.advance(timedelta(hours=9))  # 02:00 was missed, and at 10:00 somebody presses
        await attempt()
        assert await jobs.catch_up(job, fixed.now()) == 2
    assert [due.astimezone(clock.SHANGHAI).strftime("%d %H:%M") for due in work.dues] == [
        "01 02:00", "02 10:00", "02 02:00",
    ]  # fmt: skip
    await database.execute("UPDATE job_run SET finished_at = now() - interval '100 days'")
    assert await jobs.purge(datetime.now(UTC) - timedelta(days=90)) == 2
    (kept,) = await runs()
    assert (kept["is_requested"], kept["due_at"]) == (False, shanghai("2026-03-02T02:00"))


async def test_a_paused_job_waits_runs_by_hand_and_catches_up_once() -> None:
    work = Work()
    job, fixed = work_of(work), clock.FixedClock(shanghai("2026-03-02T01:00"))
    with clock.use(fixed):
        assert await jobs.catch_up(job, fixed.now()) == 1
        await jobs.pause_job(operator(), job=NAME, reason=" 打印机维修 ")
        for _ in range(3):
            fixed.advance(timedelta(days=1))
            assert await jobs.catch_up(job, fixed.now()) == 0
        await attempt()
        assert await jobs.catch_up(job, fixed.now()) == 1
        await jobs.resume_job(operator(), job=NAME)
        assert await jobs.catch_up(job, fixed.now()) == 1
        assert await jobs.catch_up(job, fixed.now()) == 0
    days = [due.astimezone(clock.SHANGHAI).strftime("%d %H") for due in work.dues]
    assert days == ["01 02", "05 01", "04 02"]
    paused, resumed = [(await audit_rows(f"job.{verb}"))[-1] for verb in ("pause", "resume")]
    assert paused["details"] == '{"job": "test.job", "reason": "打印机维修"}'
    assert resumed["details"] == '{"job": "test.job"}'


async def test_a_pause_does_not_cut_what_runs_and_holds_back_its_retry() -> None:
    work = Work(failures=1, pause_s=0.2)
    job, due = work_of(work), shanghai("2026-03-02T02:00")
    running = asyncio.create_task(jobs.run_due(job, due))
    await until(lambda: work.running)
    await jobs.pause_job(operator(), job=NAME, reason="维修")
    assert await running is True
    assert await jobs.catch_up(job, due) == 0
    assert [(row["state"], row["attempts"]) for row in await runs()] == [("failed", 1)]
    await jobs.resume_job(operator(), job=NAME)
    assert await jobs.catch_up(job, due) == 1
    assert [(row["state"], row["attempts"]) for row in await runs()] == [("succeeded", 2)]


async def test_a_requested_run_that_fails_is_tried_again_though_the_job_is_paused() -> None:
    work = Work(failures=1)
    job = work_of(work)
    await jobs.pause_job(operator(), job=NAME, reason="维修")
    await attempt()
    assert [await jobs.catch_up(job, clock.now()) for _ in range(3)] == [1, 1, 0]
    assert [(row["state"], row["attempts"]) for row in await runs()] == [("succeeded", 2)]


async def test_of_many_who_pause_the_first_gives_the_reason() -> None:
    work_of(Work())

    async def pause(reason: str) -> str:
        try:
            await jobs.pause_job(operator(), job=NAME, reason=reason)
        except Conflict as refusal:
            return refusal.code
        return reason

    answers = await asyncio.gather(*(pause(f"原因{number}") for number in range(6)))
    assert answers.count("JOB_PAUSED") == 5
    kept = await database.fetchval("SELECT reason FROM job_pause")
    assert kept == next(each for each in answers if each != "JOB_PAUSED")
    assert [each["details"] for each in (await audit_rows("job.pause"))[-1:]] == [
        f'{{"job": "test.job", "reason": "{kept}"}}'
    ]
    await jobs.resume_job(operator(), job=NAME)
    with pytest.raises(Conflict) as refusal:
        await jobs.resume_job(operator(), job=NAME)
    assert refusal.value.code == "JOB_NOT_PAUSED"


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("", "TEXT_EMPTY"), ("  \n", "TEXT_EMPTY"), ("长" * 201, "TEXT_TOO_LONG"),
        ("\u202e反过来", "TEXT_INVISIBLE_CHARACTER"),
    ],
)  # fmt: skip
async def test_a_pause_says_why(reason: str, code: str) -> None:
    work_of(Work())
    with pytest.raises(Invalid) as refusal:
        await jobs.pause_job(operator(), job=NAME, reason=reason)
    assert (refusal.value.code, refusal.value.field) == (code, "reason")
    assert await database.fetchval("SELECT count(*) FROM job_pause") == 0


@pytest.mark.parametrize("name", ["", "no.such", "TEST.JOB", "test.job ", "x" * 2000])
async def test_a_job_that_is_none_is_not_found_and_leaves_nothing(name: str) -> None:
    work_of(Work())
    before = await database.fetchval("SELECT count(*) FROM audit_entry")
    with pytest.raises(NotFound):
        await jobs.run_job(SYSTEM, job=name)
    with pytest.raises(NotFound):
        await jobs.pause_job(SYSTEM, job=name, reason="维修")
    with pytest.raises(NotFound):
        await jobs.resume_job(SYSTEM, job=name)
    assert await runs(name) == []
    assert await database.fetchval("SELECT count(*) FROM audit_entry") == before


async def test_the_leader_is_woken_over_the_cache(
    addresses: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work()
    job = work.job(trigger=cron("0 0 29 2 *"))
    jobs.catalogue.fill((job,))
    monkeypatch.setattr(delivering, "JOBS", (job,))
    stop = asyncio.Event()
    scheduling = asyncio.create_task(delivering.schedule(addresses, stop))
    try:
        await asyncio.sleep(0.6)  # it leads, listens, and looks again in five seconds
        requested = asyncio.get_running_loop().time()
        await attempt()
        await until(lambda: work.dues)
        assert asyncio.get_running_loop().time() - requested < 1.5
    finally:
        stop.set()
        await asyncio.wait_for(scheduling, 5)
    assert [row["state"] for row in await runs()] == ["succeeded"]


async def test_a_cache_that_is_away_holds_up_nobody(
    addresses: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work()
    job = work.job(trigger=cron("0 0 29 2 *"))
    jobs.catalogue.fill((job,))

    async def away() -> None:
        raise ConnectionError("no cache")

    monkeypatch.setitem(waking._wakers, jobs.LEADER, away)
    async with leading(addresses, job):
        assert isinstance(await attempt(), UUID)
        await until(lambda: work.dues)
