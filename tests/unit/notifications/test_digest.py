"""Digest (摘要): one message for all of a chatty kind that is unread, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domains.kernel import clock, database
from notifications.channels.port import TryAgain
from notifications.deliveries.courier import Courier
from notifications.kinds import Channel
from tests.factories import sending
from tests.factories.sending import CHATTY, Scripted, person, read_all, send_all, set_up, states, tell

pytestmark = pytest.mark.usefixtures("instance")

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)
EVENING = NOON + timedelta(hours=6)


@pytest.fixture(autouse=True)
async def rows(instance: object) -> AsyncIterator[None]:
    async with sending.cleared():
        yield


async def chat(account: UUID, *houses: str) -> None:
    for minutes, house in enumerate(houses):
        with clock.use(clock.FixedClock(NOON + timedelta(minutes=minutes))):
            await tell(account, kind=CHATTY, house=house)


async def send_at(moment: datetime) -> None:
    with clock.use(clock.FixedClock(moment)):
        await send_all()


async def test_several_are_one_message_in_the_persons_language() -> None:
    sms = Scripted(Channel.SMS)
    set_up(sms)
    chinese, english = await person(Channel.SMS), await person(Channel.SMS, language="en")
    for account in (chinese, english):
        await chat(account, "1", "2", "3")
    await send_at(EVENING - timedelta(seconds=1))
    assert sms.parcels == []
    await send_at(EVENING)
    words = {parcel.language: parcel.written for parcel in sms.parcels}
    assert (words["zh"].title, words["zh"].body, words["zh"].link) == ("测试: 3 条新消息", "3 有新消息", "")
    assert (words["en"].title, words["en"].body) == ("Test: 3 new messages", "News of 3")
    assert await states() == ["sent", "sent"]


async def test_one_that_is_left_unread_is_told_as_itself() -> None:
    sms = Scripted(Channel.SMS)
    set_up(sms)
    account = await person(Channel.SMS)
    await chat(account, "1", "2", "3")
    await database.execute(
        "UPDATE notification n SET read_at = now() FROM notice o WHERE o.id = n.notice_id AND o.data->>'house' <> '2'"
    )
    await send_at(EVENING)
    [parcel] = sms.parcels
    assert (parcel.written.title, parcel.written.link, parcel.data) == (
        "2 有新消息",
        "/pages/2",
        {"house": "2"},
    )


async def test_nothing_unread_is_no_message() -> None:
    sms = Scripted(Channel.SMS)
    set_up(sms)
    account = await person(Channel.SMS)
    await chat(account, "1", "2")
    await read_all(account)
    await send_at(EVENING)
    assert (sms.parcels, await states()) == ([], ["suppressed:READ"])


async def test_the_next_digest_does_not_tell_again() -> None:
    sms = Scripted(Channel.SMS)
    set_up(sms)
    account = await person(Channel.SMS)
    await chat(account, "1", "2")
    await send_at(EVENING)
    with clock.use(clock.FixedClock(EVENING + timedelta(hours=1))):
        await tell(account, kind=CHATTY, house="3")
    await send_at(EVENING + timedelta(days=1))
    assert [parcel.written.title for parcel in sms.parcels] == ["测试: 2 条新消息", "3 有新消息"]


async def test_one_that_fails_gives_way_to_the_one_that_came_to_wait() -> None:
    sms = Scripted(Channel.SMS, answers=[TryAgain("500")], gate=asyncio.Event())
    set_up(sms)
    account = await person(Channel.SMS)
    await chat(account, "1", "2")
    with clock.use(clock.FixedClock(EVENING)):
        going = asyncio.create_task(send_all())
        async with asyncio.timeout(5):
            while not sms.parcels:
                await asyncio.sleep(0.01)
        await tell(account, kind=CHATTY, house="3")
        assert sms.gate is not None
        sms.gate.set()
        await going
    assert sorted(await states()) == ["pending", "suppressed:MERGED"]
    await send_at(EVENING + timedelta(days=1))
    assert sms.parcels[-1].written.title == "测试: 3 条新消息"


async def test_told_while_it_is_sent_nothing_is_lost() -> None:
    """Writers and senders race: every notice is in a message that was written after it."""
    sms = Scripted(Channel.SMS)
    set_up(sms)
    account = await person(Channel.SMS)
    stop = asyncio.Event()

    async def write() -> None:
        for _ in range(15):
            await tell(account, kind=CHATTY)
            await asyncio.sleep(0)

    async def deliver() -> None:
        while not stop.is_set():
            await database.execute(
                "UPDATE delivery SET due_at = now() - interval '1 second' WHERE state = 'pending'"
            )
            await Courier().deliver()

    senders = [asyncio.create_task(deliver()) for _ in range(2)]
    await asyncio.gather(*(write() for _ in range(4)))
    stop.set()
    await asyncio.gather(*senders)
    await sending.hurry()
    await send_all()
    told = sum(_number(parcel.written.title) for parcel in sms.parcels)
    assert told >= 60, "each of 60 was counted in some message"
    assert set(await states()) == {"sent"}


def _number(title: str) -> int:
    return int(title.split()[1]) if title.startswith("测试") else 1


async def test_a_notice_that_began_before_the_digest_that_waits_is_in_it() -> None:
    """The writer that is slower and began first finds the digest of the faster one."""
    sms = Scripted(Channel.SMS)
    set_up(sms)
    account = await person(Channel.SMS)
    with clock.use(clock.FixedClock(NOON + timedelta(seconds=1))):
        await tell(account, kind=CHATTY, house="fast")
    with clock.use(clock.FixedClock(NOON)):
        await tell(account, kind=CHATTY, house="slow")
    await send_at(EVENING)
    assert [parcel.written.title for parcel in sms.parcels] == ["测试: 2 条新消息"]
