"""Climbing (升级提醒): a further channel if by then nobody has read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domains.kernel import clock
from notifications.deliveries.courier import Courier
from notifications.kinds import Channel
from tests.factories import sending
from tests.factories.sending import FIRE, Scripted, person, read_all, send_all, set_up, tell

pytestmark = pytest.mark.usefixtures("instance")

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def rows(instance: object) -> AsyncIterator[None]:
    async with sending.cleared():
        yield


@pytest.fixture
def fixed() -> clock.FixedClock:
    return clock.FixedClock(NOON)


async def alarm() -> tuple[UUID, UUID, Scripted, Scripted, Scripted]:
    senders = Scripted(Channel.WECHAT), Scripted(Channel.SMS), Scripted(Channel.VOICE)
    set_up(*senders)
    first, second = [await person(Channel.WECHAT, Channel.SMS) for _ in range(2)]
    await tell(first, second, kind=FIRE)
    await send_all(Courier(urgent=True))
    return first, second, *senders


async def states(account: UUID) -> dict[str, str]:
    found = await sending.rows(account)
    return {row["channel"]: ":".join(filter(None, (row["state"], row["reason"]))) for row in found}


async def test_unread_it_climbs_step_by_step(fixed: clock.FixedClock) -> None:
    with clock.use(fixed):
        first, _, wechat, sms, voice = await alarm()
        assert (len(wechat.parcels), sms.parcels, voice.parcels) == (2, [], [])
        fixed.advance(timedelta(minutes=2))
        await send_all(Courier(urgent=True))
        assert (len(sms.parcels), voice.parcels) == (2, [])
        fixed.advance(timedelta(minutes=3))
        await send_all(Courier(urgent=True))
        assert len(voice.parcels) == 2
    assert await states(first) == {"wechat": "sent", "sms": "sent", "voice": "sent"}


async def test_who_has_read_stops_it_for_oneself_and_where_it_says_so_for_all(
    fixed: clock.FixedClock,
) -> None:
    with clock.use(fixed):
        first, second, _, sms, voice = await alarm()
        await read_all(first)
        fixed.advance(timedelta(minutes=5))
        await send_all(Courier(urgent=True))
    assert await states(first) == {"wechat": "sent", "sms": "suppressed:READ", "voice": "suppressed:READ"}
    assert await states(second) == {"wechat": "sent", "sms": "sent", "voice": "suppressed:READ"}
    assert (len(sms.parcels), voice.parcels) == (1, [])


async def test_another_notice_that_was_read_stops_nothing(fixed: clock.FixedClock) -> None:
    with clock.use(fixed):
        first, *_ = await alarm()
        await read_all(first)
        await tell(first, kind=FIRE)
        fixed.advance(timedelta(minutes=2))
        await send_all(Courier(urgent=True))
        newest = (await sending.rows(first))[-1]["notice_id"]
    sent = [
        row["channel"]
        for row in await sending.rows(first)
        if row["notice_id"] == newest and row["state"] == "sent"
    ]
    assert sorted(sent) == ["sms", "wechat"]
