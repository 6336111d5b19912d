"""Couriers are killed: what may be repeated arrives, what may not goes at most once, the inbox has each once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from api.instance import Addresses
from domains.kernel import database
from notifications.kinds import Channel
from notifications.rules import MOST_ATTEMPTS
from tests.factories import sending
from tests.factories.sending import set_up, tell
from tests.faults.conftest import Nursery, eventually
from tests.faults.messages import HURRY, Receiver, crowd, storm

pytestmark = pytest.mark.usefixtures("instance")

MESSAGES = 300
# A message that dies in a worker's hand this often is not given up yet.
MOST_KILLS = MOST_ATTEMPTS - 2


@pytest.fixture(autouse=True)
async def rows(instance: object) -> AsyncIterator[None]:
    async with sending.cleared():
        set_up()
        yield


async def states() -> Counter[str]:
    found = await database.fetch("SELECT state FROM delivery")
    return Counter(row["state"] for row in found)


async def all_settled() -> bool:
    await database.execute(HURRY)
    return not await database.fetchval("SELECT count(*) FROM delivery WHERE settled_at IS NULL")


@pytest.mark.parametrize("moment", ["claimed", "sent"])
@pytest.mark.parametrize("channel", [Channel.WEB_PUSH, Channel.SMS])
async def test_a_worker_that_dies_at_the_worst_moment(
    addresses: Addresses, nursery: Nursery, channel: Channel, moment: str
) -> None:
    await tell(*await crowd(3, channel))
    async with Receiver().listening() as receiver:
        await nursery.end_of(nursery.spawn("sending", addresses.app_url, receiver.url, moment))
        reached = len(receiver.seen)
        assert (reached > 0) == (moment == "sent") and (await states())["sending"] == 3
        nursery.spawn("sending", addresses.app_url, receiver.url)
        await eventually(all_settled)
        seen = receiver.seen
    if channel is Channel.WEB_PUSH:
        assert await states() == {"sent": 3} and len(seen) == 3
    else:
        assert await states() == {"uncertain": 3} and max(seen.values(), default=1) == 1
    assert await database.fetchval("SELECT count(*) FROM notification") == 3


async def kill_while(addresses: Addresses, nursery: Nursery, receiver: Receiver) -> int:
    """Three workers, of which one is killed and replaced every now and then; the last ones settle what is left."""
    for _ in range(3):
        nursery.spawn("sending", addresses.app_url, receiver.url)
    kills = 0
    while kills < MOST_KILLS and not await all_settled():
        await asyncio.sleep(0.5 + random.random() / 4)
        nursery.kill(random.choice(nursery.living))
        nursery.spawn("sending", addresses.app_url, receiver.url)
        kills += 1
    await eventually(all_settled)
    return kills


async def test_what_may_be_repeated_all_arrives(addresses: Addresses, nursery: Nursery) -> None:
    await tell(*await crowd(MESSAGES))
    async with Receiver(delay_s=0.15).listening() as receiver:
        kills = await kill_while(addresses, nursery, receiver)
    assert kills > 2 and await states() == {"sent": MESSAGES}
    assert set(receiver.seen) == {str(row["id"]) for row in await sending.rows()}
    again = await database.fetchval("SELECT count(*) FROM delivery_attempt WHERE code = 'WORKER_DIED'")
    assert again > 0, "no kill met a message in flight: the test proves nothing"
    assert await database.fetchval("SELECT count(*) FROM notification") == MESSAGES


async def test_what_may_not_be_repeated_never_goes_twice(addresses: Addresses, nursery: Nursery) -> None:
    await tell(*await crowd(MESSAGES, Channel.SMS))
    async with Receiver(delay_s=0.15).listening() as receiver:
        await kill_while(addresses, nursery, receiver)
    found = await states()
    assert set(found) == {"sent", "uncertain"} and found.total() == MESSAGES
    assert set(receiver.seen.values()) == {1}
    by_state = {str(row["id"]): row["state"] for row in await sending.rows()}
    assert all(by_state[id] == "uncertain" for id in by_state if id not in receiver.seen)
    assert {id for id in by_state if by_state[id] == "sent"} <= set(receiver.seen)
    assert await database.fetchval("SELECT count(*) FROM notification") == MESSAGES


async def test_two_workers_beside_each_other_send_nothing_twice(
    addresses: Addresses, nursery: Nursery
) -> None:
    await tell(*await crowd(MESSAGES, Channel.SMS))
    async with Receiver(delay_s=0.01).listening() as receiver:
        for _ in range(2):
            nursery.spawn("sending", addresses.app_url, receiver.url, "never")
        await eventually(all_settled)
    assert await states() == {"sent": MESSAGES}
    assert len(receiver.seen) == MESSAGES and set(receiver.seen.values()) == {1}


async def test_from_the_event_to_the_platform_nothing_is_lost_and_no_inbox_has_it_twice(
    addresses: Addresses, nursery: Nursery
) -> None:
    done = await storm(addresses.app_url, nursery, await crowd(400), most_kills=MOST_KILLS)
    assert (done.inboxes, done.twice, done.states) == (400, 0, Counter(sent=400))
    assert len(done.seen) == 400 and done.kills > 0
