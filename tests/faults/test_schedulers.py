"""Schedulers as processes: one leads, and when it is killed the other takes over what it left."""

from __future__ import annotations

import asyncio

import pytest

from api.instance import Addresses
from domains.kernel import database
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
