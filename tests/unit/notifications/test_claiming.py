"""Taking up: in one hand only, what is urgent by itself, and what must not be sent is settled instead."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from domains.kernel import clock, database
from notifications.channels.port import TryAgain
from notifications.deliveries.claiming import claim
from notifications.deliveries.courier import Courier
from notifications.kinds import Channel, Registry, registry
from notifications.notifying import templates
from notifications.rules import MOST_ATTEMPTS
from tests.factories import sending
from tests.factories.sending import ALARM, PLAIN, Scripted, consent, person, send_all, set_up, states, tell

pytestmark = pytest.mark.usefixtures("instance")

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def rows(instance: object) -> AsyncIterator[None]:
    async with sending.cleared():
        yield


async def test_many_workers_at_once_take_each_delivery_once() -> None:
    sms = Scripted(Channel.SMS)
    set_up(sms)
    people = [await person(Channel.SMS) for _ in range(60)]
    await tell(*people)
    workers = [Courier(slots=8, share=8) for _ in range(6)]
    await asyncio.gather(*(send_all(each) for each in workers))
    assert Counter(parcel.delivery_id for parcel in sms.parcels) == {
        row["id"]: 1 for row in await sending.rows()
    }
    assert set(await states()) == {"sent"} and len(sms.parcels) == 60


async def test_what_is_urgent_has_a_lane_of_its_own() -> None:
    sms = Scripted(Channel.SMS)
    set_up(sms)
    account = await person(Channel.SMS)
    await tell(account)
    await tell(account, kind=ALARM)
    assert await send_all(Courier(urgent=True)) == 1
    assert [parcel.kind for parcel in sms.parcels] == [ALARM]
    assert await send_all() == 1


async def test_what_is_due_later_waits() -> None:
    sms = Scripted(Channel.SMS)
    set_up(sms)
    await tell(await person(Channel.SMS))
    await database.execute("UPDATE delivery SET due_at = $1", clock.now() + timedelta(seconds=5))
    assert await send_all() == 0
    with clock.use(clock.FixedClock(clock.now() + timedelta(seconds=6))):
        assert await send_all() == 1


async def test_a_parcel_has_all_that_a_channel_needs() -> None:
    wechat, push = Scripted(Channel.WECHAT), Scripted(Channel.WEB_PUSH)
    set_up(wechat, push)
    account = await person(Channel.WECHAT, Channel.WEB_PUSH, language="en")
    await tell(account, house="8-1-202")
    await send_all()
    [sent], [pushed] = wechat.parcels, push.parcels
    assert (sent.written.title, sent.written.link) == ("News of 8-1-202", "/pages/8-1-202")
    assert (sent.keywords, sent.template_id) == ({"thing1": "8-1-202"}, "wechat:test.plain")
    assert (sent.address.to, sent.address.app_id) == ("13800000001", "wx1")
    assert pushed.address.to.startswith("https://push/") and pushed.address.keys == "{}"
    assert (pushed.language, pushed.data, pushed.keywords) == ("en", {"house": "8-1-202"}, {})
    assert sent.notice_id == pushed.notice_id and sent.delivery_id != pushed.delivery_id


async def _expire(account: object) -> None:
    await database.execute("UPDATE delivery SET expires_at = $1", clock.now())


async def _close(account: object) -> None:
    await database.execute("UPDATE recipient SET closed_at = now()")


async def _turn_off(account: object) -> None:
    await database.execute(
        "INSERT INTO notification_preference (id, account_id, kind, channel, is_on, updated_at) "
        "VALUES ($1, $2, $3, 'sms', false, now())", uuid4(), account, PLAIN.name,
    )  # fmt: skip


async def _drop_number(account: object) -> None:
    await database.execute("DELETE FROM contact")


async def _close_channel(account: object) -> None:
    set_up(Scripted(Channel.WECHAT))


async def _lose_template(account: object) -> None:
    templates.fill({Channel.SMS: {}})


async def _damage(account: object) -> None:
    await database.execute("UPDATE contact SET address_sealed = $1", b"\x01nonsense")


HINDRANCES = {
    "expired:EXPIRED": _expire,
    "suppressed:ACCOUNT_CLOSED": _close,
    "suppressed:TURNED_OFF": _turn_off,
    "suppressed:NO_ADDRESS": _drop_number,
    "dead:CHANNEL_NOT_SET_UP": _close_channel,
    "dead:TEMPLATE_NOT_SET": _lose_template,
    "dead:UNREADABLE": _damage,
}


@pytest.mark.parametrize("state", HINDRANCES)
async def test_what_must_not_be_sent_is_settled_without_an_attempt(state: str) -> None:
    sms = Scripted(Channel.SMS)
    set_up(sms)
    account = await person(Channel.SMS)
    await tell(account)
    await HINDRANCES[state](account)
    await send_all()
    [row] = await sending.rows()
    assert await states() == [state]
    assert (sms.parcels, await sending.tries(), row["attempts"], row["settled_at"] is None) == (
        [],
        [],
        0,
        False,
    )
    assert await database.fetchval("SELECT count(*) FROM notification") == 1, "the inbox has it all the same"


async def test_what_is_urgent_goes_past_preferences() -> None:
    sms = Scripted(Channel.SMS)
    set_up(sms)
    account = await person(Channel.SMS)
    await tell(account, kind=ALARM)
    await database.execute(
        "INSERT INTO notification_preference (id, account_id, kind, channel, is_on, updated_at) "
        "VALUES ($1, $2, $3, 'sms', false, now())", uuid4(), account, ALARM.name,
    )  # fmt: skip
    await send_all(Courier(urgent=True))
    assert await states() == ["sent"]


async def test_a_damaged_row_does_not_hold_up_the_others() -> None:
    sms = Scripted(Channel.SMS)
    set_up(sms)
    broken, fine = await person(Channel.SMS), await person(Channel.SMS)
    await tell(broken, fine)
    await database.execute("UPDATE contact SET address_sealed = '\\x01' WHERE account_id = $1", broken)
    await send_all()
    assert (await states(broken), await states(fine)) == (["dead:UNREADABLE"], ["sent"])


async def test_a_kind_that_this_program_does_not_know_waits_for_a_newer_one() -> None:
    sms = Scripted(Channel.SMS)
    set_up(sms)
    account = await person(Channel.SMS)
    await tell(account)
    registry.fill(Registry([ALARM]))
    await send_all()
    [row] = await sending.rows()
    assert (row["state"], row["reason"], row["attempts"]) == ("pending", "UNKNOWN_KIND", 0)
    set_up(sms)
    await sending.hurry()
    await send_all()
    assert await states() == ["sent"]


async def test_a_browser_that_has_another_owner_now_gets_nothing() -> None:
    push = Scripted(Channel.WEB_PUSH)
    set_up(push)
    account = await person(Channel.WEB_PUSH)
    await tell(account)
    await database.execute("UPDATE push_subscription SET account_id = $1", uuid4())
    await send_all()
    assert (push.parcels, await states()) == ([], ["suppressed:NO_ADDRESS"])


async def test_a_webhook_is_told_once_and_a_closed_one_nothing() -> None:
    hook, compound = Scripted(Channel.WEBHOOK, is_repeatable=True), uuid4()
    set_up(hook)
    await sending.endpoint(compound, "https://open.example")
    closed = await sending.endpoint(compound, "https://closed.example")
    await tell(await person(), await person(), compound_id=compound)
    await database.execute("UPDATE webhook_endpoint SET disabled_at = now() WHERE id = $1", closed)
    await send_all()
    assert [(each.address.to, each.address.keys) for each in hook.parcels] == [
        ("https://open.example", "whsec_x")
    ]
    assert sorted(await states()) == ["sent", "suppressed:NO_ADDRESS"]


async def test_consents_are_spent_one_by_one_and_without_one_nothing_goes() -> None:
    wechat = Scripted(Channel.WECHAT, needs_consent=True)
    set_up(wechat)
    account = await person(Channel.WECHAT)
    await consent(account, PLAIN, 5)
    for _ in range(20):
        await tell(account)
    await asyncio.gather(*(send_all(Courier(slots=4, share=4)) for _ in range(4)))
    assert Counter(await states()) == {"sent": 5, "suppressed:NO_CONSENT": 15}
    assert len(wechat.parcels) == 5
    assert await database.fetchval("SELECT count(*) FROM message_consent WHERE state = 'spent'") == 5


async def test_a_consent_is_given_back_while_it_is_tried_again() -> None:
    wechat = Scripted(Channel.WECHAT, needs_consent=True, answers=[TryAgain("45009")])
    set_up(wechat)
    account = await person(Channel.WECHAT)
    await consent(account, PLAIN)
    await tell(account)
    await send_all()
    assert await database.fetchval("SELECT state FROM message_consent") == "free"
    await sending.hurry()
    await send_all()
    assert (await states(), await database.fetchval("SELECT state FROM message_consent")) == (
        ["sent"],
        "spent",
    )


async def test_a_channel_that_hangs_does_not_hold_up_the_others() -> None:
    wechat, sms = Scripted(Channel.WECHAT, gate=asyncio.Event()), Scripted(Channel.SMS)
    set_up(wechat, sms)
    slow = [await person(Channel.WECHAT) for _ in range(20)]
    await tell(*slow)
    quick = await person(Channel.SMS)
    await tell(quick)
    stop, woken = asyncio.Event(), asyncio.Event()
    courier = Courier(slots=8, share=4, poll_s=0.02)
    running = asyncio.create_task(courier.run(stop, woken))
    async with asyncio.timeout(5):
        while not sms.parcels:
            await asyncio.sleep(0.01)
    assert len(wechat.parcels) == 4
    assert wechat.gate is not None
    wechat.gate.set()
    async with asyncio.timeout(5):
        while "pending" in await states() or "sending" in await states():
            await asyncio.sleep(0.02)
    stop.set()
    woken.set()
    await running
    assert Counter(await states()) == {"sent": 21} and len(wechat.parcels) == 20


async def test_what_has_been_tried_too_often_is_not_taken_up_for_ever() -> None:
    sms = Scripted(Channel.SMS, answers=[TryAgain("busy")] * 50)
    set_up(sms)
    await tell(await person(Channel.SMS))
    for _ in range(MOST_ATTEMPTS + 3):
        await sending.hurry()
        await send_all()
    assert (await states(), len(sms.parcels)) == (["dead:busy"], MOST_ATTEMPTS)


async def test_a_claim_costs_the_same_however_many_it_takes() -> None:
    set_up(Scripted(Channel.SMS))
    costs = []
    for number in (1, 30):
        await tell(*[await person(Channel.SMS) for _ in range(number)])
        async with database.counted() as cost:
            taken = await claim(urgent=False, limit=32, lease_s=60)
        assert len(taken.ready) == number
        costs.append(cost.count)
    assert costs == [2, 2]
