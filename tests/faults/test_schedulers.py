"""Schedulers as processes: one leads, and when it is killed the other takes over what it left."""

from __future__ import annotations

import asyncio

import pytest

from api.instance import Addresses
from domains.kernel import database, jobs
from domains.kernel.errors import Conflict
from domains.kernel.jobs import Job, cron
from tests.factories.jobs import Work, failures, operator
from tests.faults.conftest import Nursery, effects, eventually

pytestmark = pytest.mark.usefixtures("empty")


async def test_two_schedulers_run_each_due_time_once_also_when_one_is_killed(
    addresses: Addresses, nursery: Nursery
) -> None:
    for _ in range(2):
        nursery.spawn("scheduling", addresses.app_url)
    await eventually(lambda: effects("job"))
    await asyncio.sleep(1.2)
    leader = await database.fetchval("SELECT pid FROM effect WHERE what = 'job' ORDER BY place DESC LIMIT 1")
    nursery.kill(leader)
    before = len(await effects("job"))
    await asyncio.sleep(2.5)
    dues = [number for _, number in await effects("job")]
    assert len(dues) > before
    assert len(set(dues)) == len(dues)
    assert await database.fetchval("SELECT count(DISTINCT pid) FROM effect WHERE what = 'job'") == 2


async def test_a_run_whose_process_was_killed_is_taken_over(addresses: Addresses, nursery: Nursery) -> None:
    leader = nursery.spawn("scheduling", addresses.app_url, "hangs")
    await eventually(lambda: effects("job"))
    nursery.spawn("scheduling", addresses.app_url, "hangs")
    nursery.kill(leader)
    await asyncio.sleep(0.6)
    assert len({due for due, _ in await effects("job")}) == len(await effects("job"))  # its lease still runs
    (due, _), *_ = await effects("job")
    await database.execute("UPDATE job_run SET lease_until = now() - interval '1 second' WHERE attempts = 1")

    async def taken_over() -> bool:
        return [each for each, _ in await effects("job")].count(due) == 2

    await eventually(taken_over, 5)
    found = await database.fetchrow("SELECT attempts, state FROM job_run ORDER BY due_at LIMIT 1")
    assert found is not None
    assert (found["attempts"], found["state"]) == (2, "running")


async def request() -> str:
    """Press "run now"; what comes of it."""
    jobs.catalogue.fill((Job("fault.job", cron("0 0 1 1 *"), Work()),))
    try:
        return str(await jobs.run_job(operator(), job="fault.job"))
    except Conflict as refusal:
        return refusal.code


async def expire_lease() -> None:
    await database.execute("UPDATE job_run SET lease_until = now() - interval '1 second'")


async def test_a_requested_run_outlives_its_leaders_and_is_one_run_to_the_end(
    addresses: Addresses, nursery: Nursery
) -> None:
    run_id = await request()  # nobody leads: it waits
    assert await request() == "JOB_UNDER_WAY"
    for attempt in (1, 2, 3):
        # The one that leads is killed in mid-run while another stands by.
        pids = [nursery.spawn("scheduling", addresses.app_url, "on_request") for _ in range(2)]

        async def taken(attempt: int = attempt) -> bool:
            return len(await effects("job")) == attempt

        await eventually(taken, 5)
        assert await request() == "JOB_UNDER_WAY"
        leader = await database.fetchval("SELECT pid FROM effect ORDER BY place DESC LIMIT 1")
        nursery.kill(leader)
        await asyncio.sleep(0.7)  # the other leads, and leaves the run to its lease
        assert len(await effects("job")) == attempt
        assert await request() == "JOB_UNDER_WAY"
        assert await failures() == []
        nursery.kill(next(pid for pid in pids if pid != leader))
        await expire_lease()
    for _ in range(2):
        nursery.spawn("scheduling", addresses.app_url, "on_request")
    await eventually(failures, 5)
    await asyncio.sleep(0.6)
    (told,) = await failures()
    assert (told["job"], told["attempts"], told["error"]) == ("fault.job", 3, "the process died")
    (run,) = await database.fetch("SELECT id, state, attempts FROM job_run")
    assert (str(run["id"]), run["state"], run["attempts"]) == (run_id, "failed", 3)
    assert len({due for due, _ in await effects("job")}) == 1
    assert len(await effects("job")) == 3


async def test_a_paused_job_stays_paused_under_the_next_leader(
    addresses: Addresses, nursery: Nursery
) -> None:
    leader = nursery.spawn("scheduling", addresses.app_url)
    await eventually(lambda: effects("job"))
    jobs.catalogue.fill((Job("fault.job", cron("0 0 1 1 *"), Work()),))
    await jobs.pause_job(operator(), job="fault.job", reason="维修")
    await asyncio.sleep(0.3)
    before = await effects("job")
    nursery.kill(leader)
    nursery.spawn("scheduling", addresses.app_url)
    await asyncio.sleep(2.2)
    assert await effects("job") == before
    await jobs.resume_job(operator(), job="fault.job")

    async def caught_up() -> bool:
        return len(await effects("job")) > len(before)

    await eventually(caught_up, 3)
    missed = [number for _, number in await effects("job")][len(before)] - before[-1][1]
    assert missed >= 2  # one run for all of what was missed
