"""Throttle (限频): within its time one message of a kind per person and channel, counted once it was sent."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from domains.kernel import clock, database
from notifications.channels.port import Outcome, Refused, TryAgain, Unknown
from notifications.deliveries.claiming import claim
from notifications.deliveries.courier import Courier
from notifications.kinds import Channel
from tests.factories import sending
from tests.factories.sending import (
    ALARM,
    PLAIN,
    RARE,
    Scripted,
    consent,
    device,
    person,
    send_all,
    set_up,
    states,
    tell,
)

pytestmark = pytest.mark.usefixtures("instance")

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def rows(instance: object) -> AsyncIterator[None]:
    async with sending.cleared():
        yield


async def throttle_row() -> tuple[object, object]:
    row = await database.fetchrow("SELECT sent_at, delivery_id FROM message_throttle")
    assert row is not None
    return row["sent_at"], row["delivery_id"]


async def test_a_second_one_within_the_time_is_not_sent_and_a_later_one_is() -> None:
    set_up(Scripted(Channel.SMS))
    fixed = clock.FixedClock(NOON)
    with clock.use(fixed):
        account, other = await person(Channel.SMS), await person(Channel.SMS)
        await tell(account, kind=RARE)
        await send_all()
        assert await throttle_row() == (NOON, None)
        fixed.advance(timedelta(minutes=59))
        await tell(account, other, kind=RARE)
        await tell(account, kind=PLAIN)
        await send_all()
        assert sorted(await states(account)) == ["sent", "sent", "suppressed:THROTTLED"]
        assert await states(other) == ["sent"], "one person's messages are not another's"
        fixed.advance(timedelta(minutes=1))
        await tell(account, kind=RARE)
        await send_all()
    assert Counter(await states(account)) == {"sent": 3, "suppressed:THROTTLED": 1}


async def test_ten_workers_that_race_send_one() -> None:
    sms = Scripted(Channel.SMS)
    set_up(sms)
    account = await person(Channel.SMS)
    for _ in range(10):
        await tell(account, kind=RARE)
    couriers = [Courier(slots=1, share=1) for _ in range(10)]
    for _ in range(6):
        await asyncio.gather(*(send_all(each) for each in couriers))
        await sending.hurry()
    assert len(sms.parcels) == 1
    assert Counter(await states()) == {"sent": 1, "suppressed:THROTTLED": 9}


async def test_while_one_is_in_flight_the_others_wait_and_follow_when_it_fails() -> None:
    sms = Scripted(Channel.SMS, answers=[Refused("isv.X")], gate=asyncio.Event())
    set_up(sms)
    account = await person(Channel.SMS)
    await tell(account, kind=RARE)
    first = asyncio.create_task(Courier().deliver())
    async with asyncio.timeout(5):
        while not sms.parcels:
            await asyncio.sleep(0.01)
    await tell(account, kind=RARE)
    await send_all()
    assert await states() == ["sending", "pending:THROTTLE_HELD"]
    assert (await sending.rows())[1]["attempts"] == 0
    assert sms.gate is not None
    sms.gate.set()
    await first
    await sending.hurry()
    await send_all()
    assert await states() == ["dead:isv.X", "sent"]


@pytest.mark.parametrize("answer", [Refused("x"), TryAgain("x"), Unknown("x")])
async def test_what_was_not_sent_does_not_count(answer: Outcome) -> None:
    set_up(Scripted(Channel.SMS, answers=[answer]))
    await tell(await person(Channel.SMS), kind=RARE)
    await send_all()
    assert await throttle_row() == (None, None)


async def test_without_consent_it_does_not_count_either() -> None:
    set_up(Scripted(Channel.WECHAT, needs_consent=True))
    account = await person(Channel.WECHAT)
    await tell(account, kind=RARE)
    await send_all()
    assert (await states(), await throttle_row()) == (["suppressed:NO_CONSENT"], (None, None))
    await consent(account, RARE)
    await tell(account, kind=RARE)
    await send_all()
    assert await states() == ["suppressed:NO_CONSENT", "sent"]


async def test_a_worker_that_died_with_it_lets_go_when_its_lease_ends() -> None:
    sms = Scripted(Channel.SMS)
    set_up(sms)
    account = await person(Channel.SMS)
    await tell(account, kind=RARE)
    await claim(urgent=False, limit=1, lease_s=0.3)
    await tell(account, kind=RARE)
    await claim(urgent=False, limit=1, lease_s=0.3)
    assert await states() == ["sending", "pending:THROTTLE_HELD"]
    await asyncio.sleep(0.4)
    await sending.hurry()
    await send_all()
    assert await states() == ["uncertain:WORKER_DIED", "sent"]


async def test_each_device_has_its_own_and_what_is_urgent_has_none() -> None:
    push, sms = Scripted(Channel.WEB_PUSH, is_repeatable=True), Scripted(Channel.SMS)
    set_up(push, sms)
    account = await person(Channel.WEB_PUSH)
    await device(account)
    for _ in range(2):
        await tell(account, kind=RARE)
        await send_all()
    assert Counter(await states()) == {"sent": 2, "suppressed:THROTTLED": 2}
    pressed = await person(Channel.SMS)
    for _ in range(2):
        await tell(pressed, kind=ALARM)
    await send_all(Courier(urgent=True))
    assert await states(pressed) == ["sent", "sent"]
