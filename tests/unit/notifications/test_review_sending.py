"""Sending, by who wishes it ill: answers that poison, nights, floods of several channels, names that hang."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
import pytest

from domains.kernel import clock, database
from domains.platforms.calling import NotSent
from domains.residents import notices
from notifications import addresses
from notifications.channels.alipay import _outcome
from notifications.channels.outside import Outside
from notifications.channels.port import Aftermath, Outcome, Parcel, Refused, Sent, TryAgain
from notifications.channels.webhook import body
from notifications.deliveries.claiming import claim
from notifications.deliveries.courier import Courier
from notifications.deliveries.settling import Attempt, settle
from notifications.kinds import Channel
from tests.factories import sending
from tests.factories.parcels import parcel
from tests.factories.sending import (
    CHATTY,
    FIRE,
    PLAIN,
    Scripted,
    consent,
    person,
    send_all,
    set_up,
    states,
    tell,
)

pytestmark = pytest.mark.usefixtures("instance")

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 21, 16, tzinfo=UTC)
SEVEN = datetime(2026, 11, 21, 23, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def rows(instance: object) -> AsyncIterator[None]:
    async with sending.cleared():
        yield


async def sleeper(*channels: Channel) -> UUID:
    """A person with quiet hours from 22:00 to 07:00."""
    account = await person(*channels)
    await database.execute(
        "UPDATE recipient SET is_quiet_at_night = true, quiet_from = 1320, quiet_until = 420 WHERE account_id = $1",
        account,
    )
    return account


async def test_what_a_receiver_says_neither_poisons_the_log_nor_moves_its_readers_screen() -> None:
    said = "a\x00b\x1b[2Jc\r\nd\u202ee"
    set_up(Scripted(Channel.SMS, answers=[Refused("4\x0010", said)]))
    await tell(await person(Channel.SMS))
    await Courier().deliver()
    assert (await states(), await sending.tries()) == (["dead:410"], ["1:refused:410"])
    assert await database.fetchval("SELECT detail FROM delivery_attempt") == "ab[2Jc de"


async def test_the_log_does_not_say_where_somebody_is_reached() -> None:
    fault = Refused("isv.X", "13800000001 is not ours (+8613800000001)", Aftermath.OUR_FAULT)
    set_up(Scripted(Channel.SMS, answers=[fault]))
    await tell(await person(Channel.SMS))
    await send_all()
    details = (
        await database.fetchval("SELECT detail FROM delivery_attempt"),
        await database.fetchval("SELECT payload->>'detail' FROM outbox_message WHERE event = 'MessageFault'"),
    )
    assert details == ("*** is not ours (+86***)",) * 2


class _Slow(Scripted):
    """Takes a moment, as platforms do."""

    async def send(self, parcel: Parcel) -> Outcome:
        await asyncio.sleep(0.05)
        return await super().send(parcel)


async def test_several_busy_channels_do_not_wait_for_each_other() -> None:
    channels = Channel.SMS, Channel.WEB_PUSH, Channel.WECHAT
    set_up(*(_Slow(each) for each in channels))
    account = await person(*channels)
    for _ in range(70):
        await tell(account)
    stop, woken, began = asyncio.Event(), asyncio.Event(), time.monotonic()
    task = asyncio.create_task(Courier(poll_s=5).run(stop, woken))
    async with asyncio.timeout(30):
        while set(await states()) != {"sent"}:
            await asyncio.sleep(0.02)
    stop.set()
    woken.set()
    await task
    assert time.monotonic() - began < 5, "nobody polls for what is due"


async def test_two_platforms_that_hang_do_not_hold_up_the_third() -> None:
    wechat, push = [Scripted(each, gate=asyncio.Event()) for each in (Channel.WECHAT, Channel.WEB_PUSH)]
    set_up(wechat, push, Scripted(Channel.SMS))
    for stuck in (await person(Channel.WECHAT), await person(Channel.WEB_PUSH)):
        for _ in range(80):
            await tell(stuck)
    await tell(account := await person(Channel.SMS))
    stop, woken = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(Courier(poll_s=0.05).run(stop, woken))
    async with asyncio.timeout(5):
        while await states(account) != ["sent"]:
            await asyncio.sleep(0.02)
    stop.set()
    for each in (wechat, push):
        assert each.gate is not None and len(each.parcels) <= 32
        each.gate.set()
    await task


async def test_an_answer_that_comes_after_its_worker_was_taken_for_dead_is_not_lost() -> None:
    set_up(Scripted(Channel.SMS))
    await tell(await person(Channel.SMS))
    [held] = (await claim(urgent=False, limit=8, lease_s=0.05)).ready
    await asyncio.sleep(0.1)
    await Courier().deliver()
    assert await states() == ["uncertain:WORKER_DIED"]
    assert not await settle(held, Attempt(TryAgain("x")))
    assert await states() == ["uncertain:WORKER_DIED"], "who lost the lease decides nothing"
    assert not await settle(held, Attempt(Sent("m1")))
    assert await states() == ["sent:ANSWERED_LATE"]
    assert (await sending.rows())[0]["platform_id"] == "m1"


async def test_what_is_tried_again_at_night_waits_for_the_morning() -> None:
    sms = Scripted(Channel.SMS, answers=[TryAgain("isv.DAY_LIMIT_CONTROL", "", 12 * 3600.0)])
    set_up(sms)
    fixed = clock.FixedClock(NOON)
    with clock.use(fixed):
        account = await sleeper(Channel.SMS)
        await tell(account)
        await send_all()
        fixed.advance(MIDNIGHT - NOON)
        await send_all()
        assert (len(sms.parcels), await states()) == (1, ["pending:QUIET_HOURS"])
        assert (await sending.rows())[0]["due_at"] == SEVEN
        fixed.advance(SEVEN - MIDNIGHT)
        await send_all()
    assert (len(sms.parcels), await states()) == (2, ["sent"])


async def test_what_is_no_news_in_the_morning_is_not_sent() -> None:
    set_up(sms := Scripted(Channel.SMS))
    fixed = clock.FixedClock(NOON)
    with clock.use(fixed):
        await tell(await sleeper(Channel.SMS))
        await database.execute("UPDATE delivery SET expires_at = $1", SEVEN)
        fixed.advance(MIDNIGHT - NOON)
        await send_all()
    assert (sms.parcels, await states()) == ([], ["suppressed:QUIET_HOURS"])


async def test_an_alarm_that_nothing_could_carry_climbs_at_once() -> None:
    wechat, sms = Scripted(Channel.WECHAT, needs_consent=True), Scripted(Channel.SMS)
    set_up(wechat, sms, Scripted(Channel.VOICE))
    with clock.use(clock.FixedClock(NOON)):
        await tell(account := await person(Channel.WECHAT, Channel.SMS), kind=FIRE)
        await send_all(Courier(urgent=True))
    assert (wechat.parcels, len(sms.parcels)) == ([], 1)
    assert sorted(await states(account)) == ["sent", "sent", "suppressed:NO_CONSENT"]


@pytest.mark.parametrize("_", range(5))
async def test_an_alarm_that_every_platform_refused_climbs_at_once(_: int) -> None:
    wechat = Scripted(Channel.WECHAT, answers=[Refused("47003")])
    push = Scripted(Channel.WEB_PUSH, answers=[Refused("HTTP_410", aftermath=Aftermath.DEAD_ADDRESS)])
    set_up(wechat, push, sms := Scripted(Channel.SMS), Scripted(Channel.VOICE))
    with clock.use(clock.FixedClock(NOON)):
        account = await person(Channel.WECHAT, Channel.WEB_PUSH, Channel.SMS)
        await tell(account, kind=FIRE)
        await send_all(Courier(urgent=True))
    assert len(sms.parcels) == 1


async def test_an_alarm_that_one_platform_took_waits_to_be_read() -> None:
    wechat = Scripted(Channel.WECHAT, answers=[Refused("47003")])
    set_up(wechat, Scripted(Channel.WEB_PUSH), sms := Scripted(Channel.SMS), Scripted(Channel.VOICE))
    with clock.use(clock.FixedClock(NOON)):
        await tell(await person(Channel.WECHAT, Channel.WEB_PUSH, Channel.SMS), kind=FIRE)
        await send_all(Courier(urgent=True))
    assert sms.parcels == []


async def test_a_consent_in_a_dead_workers_hand_is_spent_though_the_channel_is_gone() -> None:
    set_up(Scripted(Channel.WECHAT, needs_consent=True))
    account = await person(Channel.WECHAT)
    await consent(account, PLAIN)
    await tell(account)
    await claim(urgent=False, limit=8, lease_s=0.05)
    await asyncio.sleep(0.1)
    set_up()
    await Courier().deliver()
    assert await states() == ["uncertain:WORKER_DIED"]
    assert await database.fetchval("SELECT state FROM message_consent") == "spent"


async def test_of_two_joined_digests_the_kept_one_tells_of_everything() -> None:
    set_up(sms := Scripted(Channel.SMS))
    fixed = clock.FixedClock(NOON)
    with clock.use(fixed):
        kept, closed = [await person(Channel.SMS) for _ in range(2)]
        await tell(closed, kind=CHATTY, house="1")
        fixed.advance(timedelta(minutes=5))
        await tell(kept, kind=CHATTY, house="2")
        async with database.transaction():
            await addresses.join(kept, closed)
        fixed.advance(timedelta(hours=6))
        await send_all()
    assert [parcel.written.title for parcel in sms.parcels] == ["测试: 2 条新消息"]


@pytest.mark.parametrize("host", ["a" * 64 + ".example.cn", "a..example.cn", "." + "b" * 300])
async def test_a_name_that_is_none_was_not_called(host: str) -> None:
    calls = Outside(reaches_private=False)
    with pytest.raises(NotSent):
        await calls.post(f"https://{host}/", {}, b"{}")
    await calls.aclose()


async def test_receivers_that_hang_do_not_keep_others_from_being_called() -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if b"/quick" in await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await reader.read()
        writer.close()

    calls = Outside(reaches_private=True)
    async with await asyncio.start_server(hang, "127.0.0.1", 0, backlog=200) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        hanging = [asyncio.create_task(calls.post(url, {}, b"{}")) for _ in range(64)]
        await asyncio.sleep(0.5)
        assert (await calls.post(f"{url}/quick", {}, b"{}")).status == 204
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
        await calls.aclose()


async def test_names_that_hang_do_not_keep_the_platforms_from_being_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = socket.getaddrinfo

    def resolve(host: str, *args: object, **more: object) -> object:
        if str(host).endswith(".hangs.cn"):
            time.sleep(1)
        return real("127.0.0.1", *args, **more)  # type: ignore[arg-type]  # passed on as they are

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
    calls = Outside(reaches_private=False)
    hanging = [asyncio.create_task(calls.post(f"https://{n}.hangs.cn/", {}, b"")) for n in range(4)]
    await asyncio.sleep(0.1)
    began = time.monotonic()
    await asyncio.get_running_loop().getaddrinfo("platform.cn", 443)
    assert time.monotonic() - began < 0.5
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)
    await calls.aclose()


async def test_a_limit_of_alipays_is_tried_again() -> None:
    limited = {"code": "40005", "msg": "Call Limited", "sub_code": "isv.app-call-limited", "sub_msg": "超限"}
    assert _outcome(limited) == TryAgain("isv.app-call-limited", "超限")


def test_other_systems_are_told_nothing_of_persons() -> None:
    made = sending.kind("test.who", personal=frozenset({"house"}))
    assert orjson.loads(body(parcel(kind=made, data={"house": "3-1-101"})))["data"] == {}
    told = {each.name: set(each.fields) - each.personal for each in notices.KINDS}
    assert all(fields <= {"compound", "house", "at", "until"} for fields in told.values()), told


def test_a_kind_names_its_own_fields_as_personal() -> None:
    with pytest.raises(ValueError, match="no such fields"):
        sending.kind("test.who", personal=frozenset({"name"}))
