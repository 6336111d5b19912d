"""Paying bills where it is tight: at midnight, in parts, and at the desk of somebody who has gone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from domains.billing import permissions as billing
from domains.billing.models import BillingRules
from domains.billing.service.assessing import freeze
from domains.billing.service.bill_payments import Way, pay_bills
from domains.billing.service.deductions import deduct
from domains.billing.service.desk_payments import Charge, record_desk_payment, show_code_to_pay
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.clock import FixedClock
from domains.kernel.errors import Conflict, NotFound
from domains.kernel.ids import uuid7
from domains.residents.models import Occupancy
from payments import permissions
from payments.queries import orders as payment_queries
from payments.service import desk, intake, orders
from payments.service.orders import NewItem, NewOrder
from payments.service.watching import cancel_payment
from tests.factories import bills as factory
from tests.factories import residents
from tests.factories.channel import ScriptedChannel, channel_of
from tests.factories.ledger import check_books, prepay, trial_balance
from tests.factories.relaying import deliver
from tests.factories.residents import Scene
from tests.unit.billing.test_money_races import meanwhile

pytestmark = pytest.mark.usefixtures("instance")

H5 = Way("alipay", "h5")
NIGHT = datetime(2026, 3, 20, 15, 55, tzinfo=UTC)  # five minutes before midnight in Shanghai


@pytest.fixture
def channel() -> Iterator[ScriptedChannel]:
    with channel_of(ScriptedChannel()) as made:
        yield made


@pytest.fixture
async def scene() -> Scene:
    made = await residents.scene()
    await Occupancy.filter(compound_id=made.compound_id).update(since_on=date(2020, 1, 1))
    return made


async def number_of(payment: UUID) -> str:
    return str(
        await database.fetchval("SELECT max(out_trade_no) FROM payment_attempt WHERE order_id = $1", payment)
    )


async def allow_parts(scene: Scene) -> None:
    if not await BillingRules.filter(compound_id=scene.compound_id).update(allows_part_payment=True):
        await BillingRules.create(compound_id=scene.compound_id, allows_part_payment=True)


@pytest.mark.parametrize(
    ("paid_after", "told_after"), [(timedelta(minutes=4, seconds=59), timedelta(minutes=5, seconds=5)),
                                   (timedelta(minutes=9), timedelta(minutes=9, seconds=1)),
                                   (timedelta(minutes=16), timedelta(hours=3))],
)  # fmt: skip
async def test_what_was_asked_for_before_midnight_pays_the_bill_after_it(
    channel: ScriptedChannel, scene: Scene, paid_after: timedelta, told_after: timedelta
) -> None:
    rule = await factory.late_fee_rule(scene.compound_id)
    who = await residents.caller(scene, "owner")
    with clock.use(FixedClock(NIGHT)) as now:
        bill = await factory.bill(scene.house_id, 100_000, late_fee_rule_id=rule)
        payment = await pay_bills(who, bill_ids=[bill], way=H5)
        now.advance(paid_after)
        notice = channel.pay(await number_of(payment))
        now.advance(told_after - paid_after)
        await intake.take_notification(channel, {}, notice)
        await deliver()
        assert await factory.state_of(bill) == ("paid", 100_000, 100_000, 500, 500)
    day = "SELECT posted_on FROM journal WHERE kind = 'pay_alipay' AND compound_id = $1"
    paid_on = date(2026, 3, 20 if paid_after < timedelta(minutes=5) else 21)
    assert await database.fetchval(day, scene.compound_id) == paid_on
    await check_books()


async def test_what_is_paid_long_after_the_amount_stood_still_is_late(
    channel: ScriptedChannel, scene: Scene
) -> None:
    rule = await factory.late_fee_rule(scene.compound_id)
    who = await residents.caller(scene, "owner")
    with clock.use(FixedClock(NIGHT)) as now:
        bill = await factory.bill(scene.house_id, 100_000, late_fee_rule_id=rule)
        payment = await pay_bills(who, bill_ids=[bill], way=H5)
        now.advance(timedelta(hours=30))
        await intake.take_notification(channel, {}, channel.pay(await number_of(payment)))
        await deliver()
        assert await factory.state_of(bill) == ("partly_paid", 100_000, 100_000, 700, 500)
    await check_books()


async def test_a_part_lets_the_rest_go(channel: ScriptedChannel, scene: Scene) -> None:
    await allow_parts(scene)
    rule = await factory.late_fee_rule(scene.compound_id)
    clerk = scene.staff(permissions.DESK_WRITE, billing.BILLS_READ)
    with clock.use(FixedClock(NIGHT)):
        bill = await factory.bill(scene.house_id, 100_000, late_fee_rule_id=rule)
        for part in (40_000, 60_000, 500):
            await record_desk_payment(
                clerk, charge=Charge(scene.house_id, [bill], part_fen=part), method="cash"
            )
        await deliver()
        assert await factory.state_of(bill) == ("paid", 100_000, 100_000, 500, 500)
    await check_books()


async def test_another_part_is_another_payment(channel: ScriptedChannel, scene: Scene) -> None:
    await allow_parts(scene)
    bill, who = await factory.bill(scene.house_id, 100), await residents.caller(scene, "owner")
    first = await pay_bills(who, bill_ids=[bill], way=H5, part_fen=40)
    assert await pay_bills(who, bill_ids=[bill], way=H5, part_fen=40) == first
    for other in (60, None):
        with pytest.raises(Conflict, match="BILL_BEING_PAID"):
            await pay_bills(who, bill_ids=[bill], way=H5, part_fen=other)
    await cancel_payment(who, payment_id=first)
    whole = await pay_bills(who, bill_ids=[bill], way=H5)
    assert whole != first
    for again in (None, 100):
        assert await pay_bills(who, bill_ids=[bill], way=H5, part_fen=again) == whole


async def test_who_kept_the_desk_once_sees_and_ends_nothing_there(
    channel: ScriptedChannel, scene: Scene
) -> None:
    clerk = scene.staff(permissions.DESK_WRITE, billing.BILLS_READ)
    charge = Charge(scene.house_id, [await factory.bill(scene.house_id, 100)])
    payment = await show_code_to_pay(clerk, charge=charge, channel="alipay")
    assert payment in await payment_queries.by_id(clerk, [payment])
    elsewhere = residents.staff(permissions.DESK_WRITE, compound_id=scene.other_compound_id)
    for gone in (
        replace(clerk, grants=()), replace(clerk, grants=elsewhere.grants),
        Actor("resident", clerk.account_id, clerk.session_id),
    ):  # fmt: skip
        assert not await payment_queries.by_id(gone, [payment])
        with pytest.raises(NotFound, match="PAYMENT_NOT_FOUND"):
            await cancel_payment(gone, payment_id=payment)
    assert channel.calls["close"] == 0
    await cancel_payment(clerk, payment_id=payment)
    assert await trial_balance(scene.compound_id) == {"receivable": 100, "income": -100}


async def test_the_first_late_fee_of_a_compound_and_numbers_of_receipts_are_not_waited_for_in_a_circle(
    channel: ScriptedChannel, scene: Scene
) -> None:
    """The desk opens the account of late fees and then takes a number, while a deduction wants both."""
    rule = await factory.late_fee_rule(scene.compound_id)
    with clock.use(FixedClock(NIGHT)):
        await factory.bill(scene.house_id, 100, month=date(2026, 2, 1))
        await factory.bill(scene.house_id, 100_000, late_fee_rule_id=rule)
        await prepay(scene.compound_id, scene.house_id, 200_000)
        bill = await factory.bill(scene.next_door_id, 100_000, late_fee_rule_id=rule)
        order = uuid7()

        async def at_desk(locked: asyncio.Event, going: asyncio.Event) -> None:
            async with database.transaction():
                owed = await freeze([bill], clock.today(), orders.held_until(), order)
                locked.set()
                await going.wait()
                items = [NewItem(fen, id) for id, fen in owed]
                new = NewOrder(
                    order, scene.compound_id, scene.next_door_id, "物业缴费", items, cashier_id=uuid7()
                )
                await orders.open_order(new)
                await desk.take_at_desk(order, new.amount_fen, "cash")

        assert await meanwhile(at_desk, lambda: deduct(scene.house_id)) == 2
    await check_books()


async def test_money_ahead_is_not_taken_for_bills_that_are_paid(
    channel: ScriptedChannel, scene: Scene
) -> None:
    bill = await factory.bill(scene.house_id, 100)
    await factory.pay(bill, 100)
    clerk, charge = (
        scene.staff(permissions.DESK_WRITE, billing.BILLS_READ),
        Charge(scene.house_id, [bill], None, 50),
    )
    with pytest.raises(Conflict, match="BILL_PAID"):
        await record_desk_payment(clerk, charge=charge, method="cash")
    assert await trial_balance(scene.compound_id) == {"suspense": 100, "income": -100}
