"""Bills paid online and at the desk: whose they are, what they cost on the day, and what the books say after it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from domains.billing import permissions as billing
from domains.billing.models import BillingRules
from domains.billing.service.bill_payments import Way, pay_bills, top_up_account
from domains.billing.service.corrections import request_waiver
from domains.billing.service.desk_payments import Charge, record_desk_payment
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.clock import FixedClock
from domains.kernel.errors import Conflict, DomainError, Invalid
from domains.platforms.calling import NotSent
from domains.residents.models import Occupancy
from payments import permissions
from payments.service import asking, desk, intake
from payments.service.ledger import Account, balance
from payments.service.watching import cancel_payment
from tests.factories import bills as factory
from tests.factories import residents
from tests.factories.channel import ScriptedChannel, channel_of
from tests.factories.ledger import check_books, trial_balance
from tests.factories.relaying import deliver
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

H5 = Way("alipay", "h5")
QR = Way("alipay", "qr")


@pytest.fixture
def channel() -> Iterator[ScriptedChannel]:
    with channel_of(ScriptedChannel()) as made:
        yield made


@pytest.fixture
async def scene() -> Scene:
    made = await residents.scene()
    await Occupancy.filter(compound_id=made.compound_id).update(since_on=date(2020, 1, 1))
    return made


async def owner(scene: Scene) -> Actor:
    return await residents.caller(scene, "owner")


async def number_of(payment: UUID) -> str:
    return str(
        await database.fetchval("SELECT max(out_trade_no) FROM payment_attempt WHERE order_id = $1", payment)
    )


async def state_of(bill: UUID) -> str:
    return str(await database.fetchval("SELECT state FROM bill WHERE id = $1", bill))


async def test_the_channel_is_told_where_the_payer_is_and_nobody_keeps_it(
    channel: ScriptedChannel, scene: Scene
) -> None:
    who = await owner(scene)
    payment = await pay_bills(who, bill_ids=[await factory.bill(scene.house_id, 100)], way=H5)
    assert [each.client_ip for each in channel.asks] == [who.origin.ip] != [""]
    kept = "SELECT row_to_json(a)::text FROM payment_attempt a WHERE order_id = $1"
    assert who.origin.ip not in str(await database.fetchval(kept, payment))


async def test_bills_are_paid_with_the_late_fee_of_the_day(channel: ScriptedChannel, scene: Scene) -> None:
    rule = await factory.late_fee_rule(scene.compound_id)
    with clock.use(FixedClock(clock.now().replace(year=2026, month=3, day=20, hour=4))) as now:
        bills = [await factory.bill(scene.house_id, fen, late_fee_rule_id=rule) for fen in (10_000, 20_050)]
        payment = await pay_bills(await owner(scene), bill_ids=bills, way=H5)
        asked = channel.trades[await number_of(payment)].amount_fen
        assert asked > 30_050
        now.advance(timedelta(minutes=3))
        await intake.take_notification(channel, {}, channel.pay(await number_of(payment)))
        await deliver()
    assert [await state_of(bill) for bill in bills] == ["paid", "paid"]
    assert await trial_balance(scene.compound_id) == {
        "clearing": asked, "income": -30_050, "late_fee_income": 30_050 - asked,
    }  # fmt: skip
    await check_books()


@pytest.mark.parametrize("kind", ["tenant", "neighbour", "stranger", "nobody", "staff", "staff elsewhere"])
async def test_nobody_pays_what_is_not_theirs_to_see(
    channel: ScriptedChannel, scene: Scene, kind: str
) -> None:
    bill = await factory.bill(scene.house_id, 100)
    with pytest.raises(DomainError, match=r"BILL_NOT_FOUND|FORBIDDEN|UNAUTHENTICATED"):
        await pay_bills(await residents.caller(scene, kind, billing.BILLS_READ), bill_ids=[bill], way=H5)
    assert channel.calls.total() == 0
    assert (
        await database.fetchval("SELECT count(*) FROM payment_order WHERE holder_id = $1", scene.house_id)
        == 0
    )


async def test_asked_again_it_is_the_same_payment_and_another_way_is_another_attempt(
    channel: ScriptedChannel, scene: Scene
) -> None:
    bill, who = await factory.bill(scene.house_id, 100), await owner(scene)
    first = await pay_bills(who, bill_ids=[bill], way=H5)
    assert await pay_bills(who, bill_ids=[bill], way=H5) == first
    channel.products = frozenset({"h5", "qr"})
    assert await pay_bills(who, bill_ids=[bill], way=QR) == first
    assert channel.calls["create"] == 2
    family = await residents.caller(scene, "family")
    with pytest.raises(Conflict, match="BILL_BEING_PAID"):
        await pay_bills(family, bill_ids=[bill], way=H5)


async def test_what_is_being_paid_is_neither_corrected_nor_taken_at_the_desk_until_it_is_given_up(
    channel: ScriptedChannel, scene: Scene
) -> None:
    bill, who = await factory.bill(scene.house_id, 100), await owner(scene)
    payment = await pay_bills(who, bill_ids=[bill], way=H5)
    clerk = scene.staff(permissions.DESK_WRITE, billing.BILLS_READ, billing.CORRECTIONS_REQUEST)
    charge = Charge(scene.house_id, [bill])
    with pytest.raises(Conflict, match="BILL_BEING_PAID"):
        await record_desk_payment(clerk, charge=charge, method="cash")
    await cancel_payment(who, payment_id=payment)
    taken = await record_desk_payment(clerk, charge=charge, method="cash")
    await deliver()
    assert await state_of(bill) == "paid"
    assert await trial_balance(scene.compound_id) == {"drawer": 100, "income": -100}
    await desk.void_desk_payment(clerk, payment_id=taken, reason="收错了户")
    await deliver()
    assert await state_of(bill) == "open"
    assert await trial_balance(scene.compound_id) == {"receivable": 100, "income": -100}
    with pytest.raises(Conflict, match="NOT_VOIDABLE"):
        await desk.void_desk_payment(clerk, payment_id=taken, reason="再作废")
    await request_waiver(clerk, bill_id=bill, concern="principal", amount_fen=5, reason="漏水")
    await check_books()


async def test_a_part_is_paid_only_where_the_compound_allows_it(
    channel: ScriptedChannel, scene: Scene
) -> None:
    bill, who = await factory.bill(scene.house_id, 100), await owner(scene)
    with pytest.raises(Invalid, match="PART_NOT_ALLOWED"):
        await pay_bills(who, bill_ids=[bill], way=H5, part_fen=40)
    await BillingRules.filter(compound_id=scene.compound_id).update(allows_part_payment=True)
    if not await BillingRules.exists(compound_id=scene.compound_id):
        await BillingRules.create(compound_id=scene.compound_id, allows_part_payment=True)
    for wrong in (0, -1, 101):
        with pytest.raises(Invalid, match="PART_INVALID"):
            await pay_bills(who, bill_ids=[bill], way=H5, part_fen=wrong)
    payment = await pay_bills(who, bill_ids=[bill], way=H5, part_fen=40)
    await intake.take_notification(channel, {}, channel.pay(await number_of(payment)))
    await deliver()
    assert await state_of(bill) == "partly_paid"
    assert await trial_balance(scene.compound_id) == {"clearing": 40, "receivable": 60, "income": -100}


async def test_a_top_up_arrives_and_pays_what_is_open(channel: ScriptedChannel, scene: Scene) -> None:
    bill, who = await factory.bill(scene.house_id, 70), await owner(scene)
    payment = await top_up_account(who, house_id=scene.house_id, fen=100, purpose="", way=H5)
    await intake.take_notification(channel, {}, channel.pay(await number_of(payment)))
    await deliver()
    assert await state_of(bill) == "paid"
    assert await balance(scene.compound_id, Account("prepayment", scene.house_id)) == 30
    await check_books()


@pytest.mark.parametrize(
    ("fen", "purpose", "code"),
    [(0, "", "TOP_UP_AMOUNT"), (5, "deposit", "PURPOSE_UNKNOWN"), (5, "lottery", "PURPOSE_UNKNOWN")],
)
async def test_a_top_up_for_nothing_is_not_begun(
    channel: ScriptedChannel, scene: Scene, fen: int, purpose: str, code: str
) -> None:
    who = await owner(scene)
    with pytest.raises(DomainError, match=code):
        await top_up_account(who, house_id=scene.house_id, fen=fen, purpose=purpose, way=H5)
    assert (
        await database.fetchval(
            "SELECT count(*) FROM payment_order WHERE compound_id = $1", scene.compound_id
        )
        == 0
    )


async def test_a_platform_that_is_away_lets_the_bill_go_at_once(
    channel: ScriptedChannel, scene: Scene
) -> None:
    bill, who = await factory.bill(scene.house_id, 100), await owner(scene)
    channel.fails["create"] = NotSent("alipay", "ConnectError")
    with pytest.raises(DomainError, match="PAYMENT_NOT_BEGUN"):
        await pay_bills(who, bill_ids=[bill], way=H5)
    channel.fails.clear()
    await pay_bills(who, bill_ids=[bill], way=H5)


async def test_of_twenty_taps_at_once_one_payment_is_begun(channel: ScriptedChannel, scene: Scene) -> None:
    bill, who, key = await factory.bill(scene.house_id, 100), await owner(scene), uuid4()
    made = await asyncio.gather(
        *(pay_bills(who, bill_ids=[bill], way=H5, idempotency_key=key) for _ in range(10)),
        *(pay_bills(who, bill_ids=[bill], way=H5, idempotency_key=uuid4()) for _ in range(10)),
    )
    assert len(set(made)) == 1
    assert await database.fetchval("SELECT count(*) FROM payment_attempt WHERE order_id = $1", made[0]) == 1


async def test_who_gives_up_while_paying_has_paid(channel: ScriptedChannel, scene: Scene) -> None:
    bill, who = await factory.bill(scene.house_id, 100), await owner(scene)
    payment = await pay_bills(who, bill_ids=[bill], way=H5)
    channel.pay(await number_of(payment))
    await cancel_payment(who, payment_id=payment)
    await deliver()
    assert await state_of(bill) == "paid"
    await asking.ask_due()
    assert await trial_balance(scene.compound_id) == {"clearing": 100, "income": -100}
