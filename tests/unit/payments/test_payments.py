"""Payments: one success is one credit, whoever says it, how often and in whatever order; each test states the books."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from domains.kernel import clock, database
from domains.kernel.clock import FixedClock
from domains.platforms.calling import NotSent, OutcomeUnknown
from payments import order_sql
from payments.service import asking, intake, orders, refund_sending
from tests.factories.channel import ScriptedChannel, channel_of
from tests.factories.ledger import check_books, trial_balance
from tests.factories.payments import BILL, begun

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
def channel() -> Iterator[ScriptedChannel]:
    with channel_of(ScriptedChannel(), ScriptedChannel(channel="wechat", payee="1600000001")) as made:
        yield made


async def test_a_payment_is_credited_once_though_two_hundred_notifications_come_at_once(
    channel: ScriptedChannel,
) -> None:
    scene = await begun(channel)
    notice = channel.pay(await scene.number())
    told = await asyncio.gather(*(intake.take_notification(channel, {}, notice) for _ in range(200)))
    assert {each.reply.body for each in told} == {b"success"}
    assert [each.verdict for each in told].count("taken") == 1
    assert await scene.states() == ("paid", "succeeded")
    assert await trial_balance(scene.compound) == {"clearing": BILL, "income": -BILL}
    assert await database.fetchval("SELECT held_by FROM payable WHERE id = $1", scene.payable) is None
    await check_books()


async def test_a_lost_answer_is_asked_about_and_credited(channel: ScriptedChannel) -> None:
    channel.loses["create"] = OutcomeUnknown("alipay", "ReadTimeout")
    scene = await begun(channel)
    assert await scene.states() == ("open", "unknown")
    channel.pay(await scene.number())
    await asking.ask(scene.attempt)
    assert await scene.states() == ("paid", "succeeded")
    assert await scene.settled() == BILL
    await check_books()


async def test_what_was_never_sent_ends_at_once_and_lets_the_debt_go(channel: ScriptedChannel) -> None:
    channel.fails["create"] = NotSent("alipay", "ConnectError")
    scene = await begun(channel)
    assert await scene.states() == ("closed", "failed")
    assert await database.fetchval("SELECT held_by FROM payable WHERE id = $1", scene.payable) is None
    assert await trial_balance(scene.compound) == {"receivable": BILL, "income": -BILL}


async def test_a_late_success_on_an_expired_payment_is_not_lost(channel: ScriptedChannel) -> None:
    scene = await begun(channel)
    with clock.use(FixedClock(clock.now() + timedelta(minutes=20))):
        await asking.ask(scene.attempt)
        assert await scene.states() == ("closed", "closed")
        notice = channel.pay(await scene.number())
        assert (await intake.take_notification(channel, {}, notice)).verdict == "taken"
    assert await scene.states() == ("paid", "succeeded")
    assert await trial_balance(scene.compound) == {"clearing": BILL, "income": -BILL}


async def test_two_channels_at_once_the_second_goes_back_by_itself_once(channel: ScriptedChannel) -> None:
    scene = await begun(channel)
    async with database.transaction():
        second = await orders.try_by(scene.order, BILL, channel, "qr")
    await asking.prepare(second)
    notices = [channel.pay(await scene.number()), channel.pay(await scene.number(second))]
    await asyncio.gather(
        *(intake.take_notification(channel, {}, notice) for notice in notices for _ in range(5))
    )
    assert await trial_balance(scene.compound) == {"clearing": 2 * BILL, "income": -BILL, "refund_due": -BILL}
    await asyncio.gather(*(refund_sending.see_to_due() for _ in range(4)))
    assert channel.calls["refund"] == 1
    assert await trial_balance(scene.compound) == {"clearing": BILL, "income": -BILL}
    assert await database.fetchval(
        "SELECT array_agg(state) FROM refund WHERE order_id = $1", scene.order
    ) == ["succeeded"]
    await check_books()


async def test_whoever_waits_for_a_payment_does_not_stand_in_the_way_of_its_booking(
    channel: ScriptedChannel,
) -> None:
    """What is paid is booked with its own attempt in hand, and then the others are asked about at once: whoever has
    those in hand meanwhile must not wait for the first."""
    scene = await begun(channel)
    async with database.transaction():
        newer = await orders.try_by(scene.order, BILL, channel, "qr")
    booking = asyncio.Event()
    watcher = asyncio.create_task(_ask_when(booking, scene.order))
    async with database.transaction():
        await orders.lock_order(scene.order)
        await database.fetchrow(order_sql.LOCK_ATTEMPT, newer)
        booking.set()
        await asyncio.wait_for(asyncio.shield(watcher), 10)
        assert await database.execute(order_sql.ASK_NOW, scene.attempt, clock.now()) == 1
    assert channel.calls["query"] == 1


async def test_what_was_asked_about_a_moment_ago_is_given_up_all_the_same(channel: ScriptedChannel) -> None:
    scene = await begun(channel)
    await asking.ask_at_once(scene.order)
    await asking.ask_at_once(scene.order)
    assert channel.calls["query"] == 1
    await asking.ask_at_once(scene.order, give_up=True)
    assert await scene.states() == ("closed", "closed")
    assert await database.fetchval("SELECT held_by FROM payable WHERE id = $1", scene.payable) is None


async def _ask_when(event: asyncio.Event, order: UUID) -> None:
    await event.wait()
    await asking.ask_at_once(order)


async def test_too_little_pays_nothing_and_waits_for_a_person(channel: ScriptedChannel) -> None:
    scene = await begun(channel)
    await intake.take_notification(channel, {}, channel.pay(await scene.number(), BILL - 1))
    assert await scene.states() == ("closed", "succeeded")
    assert await scene.settled() == 0
    assert await trial_balance(scene.compound) == {
        "clearing": BILL - 1, "suspense": 1 - BILL, "receivable": BILL, "income": -BILL,
    }  # fmt: skip
    kinds = "SELECT array_agg(kind) FROM payment_exception WHERE compound_id = $1"
    assert await database.fetchval(kinds, scene.compound) == ["underpaid"]


async def test_too_much_pays_the_bill_and_the_rest_goes_back(channel: ScriptedChannel) -> None:
    scene = await begun(channel)
    await intake.take_notification(channel, {}, channel.pay(await scene.number(), BILL + 55))
    await refund_sending.see_to_due()
    assert await scene.settled() == BILL
    assert await trial_balance(scene.compound) == {"clearing": BILL, "income": -BILL}


async def test_what_is_not_genuine_is_kept_and_credits_nothing(channel: ScriptedChannel) -> None:
    scene = await begun(channel)
    forged = channel.pay(await scene.number()).replace(b"genuine", b"forged!")
    taken = await intake.take_notification(channel, {}, forged)
    assert (taken.verdict, taken.reply.body) == ("refused", b"failure")
    assert await scene.states() == ("open", "prepared")
    row = await database.fetchrow(
        "SELECT verdict, body FROM gateway_event WHERE attempt_id = $1", scene.attempt
    )
    assert row is not None and (row["verdict"], row["body"]) == ("signature", forged)
