"""Relays are killed: nothing is lost, nothing happens twice, order is kept."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict

import pytest

from api.instance import Addresses
from domains.kernel import database, outbox
from tests.factories.kernel import NotePosted
from tests.faults.conftest import Nursery, effects, eventually

pytestmark = pytest.mark.usefixtures("empty")

SUBJECTS, EACH = 40, 8


async def post(subject: str, number: int = 0) -> None:
    async with database.transaction():
        await outbox.record(NotePosted(subject, number))


async def all_done() -> bool:
    return bool(await database.fetchval("SELECT count(*) = 0 FROM outbox_message WHERE state <> 'done'"))


async def test_an_event_whose_recorder_died_after_the_commit_is_delivered(
    addresses: Addresses, nursery: Nursery
) -> None:
    await nursery.end_of(nursery.spawn("recording", addresses.app_url, "orphan"))
    nursery.spawn("relaying", addresses.app_url)
    await eventually(lambda: effects("second"))
    assert await effects("cause") == [("orphan", 0)]
    assert await effects("first") == await effects("second") == [("orphan", 0)]


async def test_an_event_whose_recorder_died_before_the_commit_never_was(
    addresses: Addresses, nursery: Nursery
) -> None:
    await nursery.end_of(nursery.spawn("uncommitted", addresses.app_url, "never"))
    await post("never", 1)
    nursery.spawn("relaying", addresses.app_url)
    await eventually(lambda: effects("second"))
    assert await effects("cause") == []
    assert await effects("first") == [("never", 1)]


@pytest.mark.parametrize("moment", ["claimed", "handling", "handled"])
async def test_a_relay_that_dies_at_the_worst_moment_is_followed_by_another(
    addresses: Addresses, nursery: Nursery, moment: str
) -> None:
    for number in range(3):
        await post("one", number)
    await nursery.end_of(nursery.spawn("relaying", addresses.app_url, moment))
    assert not await all_done()
    nursery.spawn("relaying", addresses.app_url)
    await eventually(all_done)
    for handler in ("first", "second"):
        assert await effects(handler) == [("one", 0), ("one", 1), ("one", 2)]


async def record_all() -> None:
    """Writers beside each other; each subject's events are numbered in the order of their commits."""

    async def write(subject: str) -> None:
        for number in range(EACH):
            await post(subject, number)
            await asyncio.sleep(random.random() / 10)

    await asyncio.gather(*(write(f"subject{number}") for number in range(SUBJECTS)))


async def kill_again_and_again(addresses: Addresses, nursery: Nursery, times: int) -> int:
    killed = 0
    while killed < times:
        await asyncio.sleep(0.05 + random.random() / 8)
        nursery.kill(random.choice(nursery.living))
        nursery.spawn("relaying", addresses.app_url)
        killed += 1
    return killed


async def test_workers_killed_at_random_again_and_again_lose_and_double_nothing(
    addresses: Addresses, nursery: Nursery
) -> None:
    for _ in range(3):
        nursery.spawn("relaying", addresses.app_url)
    _, killed = await asyncio.gather(record_all(), kill_again_and_again(addresses, nursery, 40))
    await eventually(all_done, 30)
    assert killed == 40
    for handler in ("first", "second"):
        by_subject = defaultdict(list)
        for subject, number in await effects(handler):
            by_subject[subject].append(number)
        assert by_subject == {f"subject{number}": list(range(EACH)) for number in range(SUBJECTS)}
    again = await database.fetchval("SELECT count(*) FROM outbox_message WHERE attempts > 1")
    assert again > 0, "no kill met a message that was claimed: the test proves nothing"
    assert await database.fetchval("SELECT count(*) FROM handled_event") == 2 * SUBJECTS * EACH
