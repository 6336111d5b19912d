"""Refunds: within what was paid, asked by one and approved by another, sent once; each test states the books."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from uuid import UUID, uuid4

import orjson
import pytest

from domains.kernel import clock, database
from domains.kernel.actor import Actor, Grant
from domains.kernel.errors import Conflict, Forbidden
from domains.kernel.ids import uuid7
from domains.platforms.calling import OutcomeUnknown
from payments import permissions
from payments.gateways import Declined, RefundSighting
from payments.service import intake, payables, refund_requests, refund_results, refund_sending
from payments.service.ledger import Account, balance
from payments.service.orders import NewItem, NewOrder
from payments.service.refund_requests import RefundPart, decide_refund, request_refund
from payments.service.wallet import pay_from_balance
from tests.factories.channel import ScriptedChannel, channel_of
from tests.factories.ledger import check_books, payable, posting, prepay, trial_balance
from tests.factories.payments import BILL, Scene, begun

pytestmark = pytest.mark.usefixtures("instance")

STATES = "SELECT array_agg(state ORDER BY id) FROM refund WHERE order_id = $1"


@pytest.fixture
def channel() -> Iterator[ScriptedChannel]:
    with channel_of(ScriptedChannel()) as made:
        yield made


def clerk(compound: UUID, *held: str) -> Actor:
    grants = tuple(
        Grant(each, compound) for each in held or (permissions.REFUNDS_REQUEST, permissions.REFUNDS_DECIDE)
    )
    return Actor(kind="staff", account_id=uuid4(), name="员工", grants=grants)


async def paid(channel: ScriptedChannel) -> Scene:
    scene = await begun(channel)
    await intake.take_notification(channel, {}, channel.pay(await scene.number()))
    return scene


async def item_of(scene: Scene) -> UUID:
    id: UUID = await database.fetchval("SELECT id FROM payment_item WHERE order_id = $1", scene.order)
    return id


async def asked(scene: Scene, fen: int, who: Actor | None = None) -> UUID:
    return await request_refund(
        who or clerk(scene.compound),
        payment_id=scene.order,
        parts=[RefundPart(await item_of(scene), fen)],
        reason="重复缴费",
    )


async def test_a_refund_goes_back_and_the_debt_stands_again(channel: ScriptedChannel) -> None:
    scene = await paid(channel)
    refund = await asked(scene, 345)
    assert await trial_balance(scene.compound) == {"clearing": BILL, "income": -BILL}
    await decide_refund(clerk(scene.compound), refund_id=refund, approve=True)
    assert await trial_balance(scene.compound) == {
        "clearing": BILL, "income": -BILL, "receivable": 345, "refund_due": -345,
    }  # fmt: skip
    await refund_sending.see_to_due()
    assert await trial_balance(scene.compound) == {"clearing": BILL - 345, "income": -BILL, "receivable": 345}
    assert await database.fetchval(STATES, scene.order) == ["succeeded"]
    assert channel.calls["refund"] == 1
    await check_books()


async def test_whoever_asked_does_not_decide_and_a_rejection_leaves_room(channel: ScriptedChannel) -> None:
    scene = await paid(channel)
    who = clerk(scene.compound)
    refund = await asked(scene, BILL, who)
    with pytest.raises(Forbidden, match="REFUND_OWN"):
        await decide_refund(who, refund_id=refund, approve=True)
    with pytest.raises(Conflict, match="REFUND_TOO_MUCH"):
        await asked(scene, 1)
    await decide_refund(clerk(scene.compound), refund_id=refund, approve=False, note="无需退款")
    await asked(scene, BILL)
    assert await database.fetchval(STATES, scene.order) == ["rejected", "requested"]
    assert await trial_balance(scene.compound) == {"clearing": BILL, "income": -BILL}
    assert channel.calls["refund"] == 0


async def test_refunds_asked_for_at_once_never_exceed_what_was_paid(channel: ScriptedChannel) -> None:
    scene = await paid(channel)
    made = await asyncio.gather(*(asked(scene, BILL // 3) for _ in range(12)), return_exceptions=True)
    assert sum(isinstance(each, UUID) for each in made) == 3
    assert {each.code for each in made if isinstance(each, Conflict)} == {"REFUND_TOO_MUCH"}
    await asyncio.gather(
        *(
            decide_refund(clerk(scene.compound), refund_id=each, approve=True)
            for each in made
            if isinstance(each, UUID)
        )
    )
    await asyncio.gather(*(refund_sending.see_to_due() for _ in range(4)))
    assert channel.calls["refund"] == 3
    left = BILL - 3 * (BILL // 3)
    assert (await trial_balance(scene.compound)).get("clearing", 0) == left
    await check_books()


async def test_an_unknown_outcome_is_sent_again_under_the_same_number(channel: ScriptedChannel) -> None:
    scene = await paid(channel)
    refund = await asked(scene, 500)
    await decide_refund(clerk(scene.compound), refund_id=refund, approve=True)
    channel.loses["refund"] = OutcomeUnknown("alipay", "ReadTimeout")
    await refund_sending.see_to(refund)
    assert await database.fetchval(STATES, scene.order) == ["approved"]
    await refund_sending.see_to(refund)
    assert (len(channel.refunds), await database.fetchval(STATES, scene.order)) == (1, ["succeeded"])
    assert (await trial_balance(scene.compound))["clearing"] == BILL - 500


async def test_a_refund_that_does_not_go_through_waits_for_a_person_who_keeps_it(
    channel: ScriptedChannel,
) -> None:
    scene = await paid(channel)
    refund = await asked(scene, 500)
    await decide_refund(clerk(scene.compound), refund_id=refund, approve=True)
    channel.fails["refund"] = Declined("ACQ.SELLER_BALANCE_NOT_ENOUGH")
    await refund_sending.see_to(refund)
    assert await database.fetchval(STATES, scene.order) == ["abnormal"]
    with pytest.raises(Conflict, match="REFUND_DECIDED"):
        await decide_refund(clerk(scene.compound), refund_id=refund, approve=True)
    await refund_requests.keep_refund(clerk(scene.compound), refund_id=refund)
    assert await balance(scene.compound, Account("prepayment", scene.house)) == 500
    assert await database.fetchval(STATES, scene.order) == ["closed"]
    late = RefundSighting(await scene.number(), refund.hex, "succeeded", 500, "R1")
    assert await refund_results.take_result(refund, late) == "closed"
    await check_books()


async def test_what_a_debt_gave_back_comes_out_of_the_prepayment(channel: ScriptedChannel) -> None:
    scene = await paid(channel)
    async with database.transaction():
        prepayment, income = Account("prepayment", scene.house), Account("income", scene.compound)
        await payables.give_back(posting(scene.compound, "void"), scene.payable, BILL, prepayment, income)
    refund = await asked(scene, 700)
    await decide_refund(clerk(scene.compound), refund_id=refund, approve=True)
    await refund_sending.see_to_due()
    assert await trial_balance(scene.compound) == {"clearing": BILL - 700, "prepayment": 700 - BILL}
    await check_books()


async def test_a_refund_made_at_the_platform_before_its_payment_is_booked_is_held(
    channel: ScriptedChannel,
) -> None:
    scene = await begun(channel)
    number = await scene.number()
    payment = channel.pay(number)
    notice = orjson.dumps(
        {
            "id": "r1",
            "sign": "genuine",
            "out_trade_no": number,
            "refund_no": "X1",
            "state": "processing",
            "fen": 400,
        }
    )
    assert (await intake.take_notification(channel, {}, notice)).verdict == "held"
    assert await trial_balance(scene.compound) == {"receivable": BILL, "income": -BILL}
    await intake.take_notification(channel, {}, payment)
    await intake.take_notification(channel, {}, notice)
    assert await trial_balance(scene.compound) == {"clearing": BILL - 400, "suspense": 400, "income": -BILL}
    kinds = "SELECT array_agg(kind) FROM payment_exception WHERE compound_id = $1"
    assert await database.fetchval(kinds, scene.compound) == ["channel_refund"]
    await check_books()


async def test_a_clerk_without_the_permission_asks_for_nothing(channel: ScriptedChannel) -> None:
    scene = await paid(channel)
    for who in (clerk(uuid4()), clerk(scene.compound, permissions.PAYMENTS_READ), Actor()):
        with pytest.raises(Exception, match=r"FORBIDDEN|UNAUTHENTICATED"):
            await asked(scene, 1, who)
    assert await database.fetchval("SELECT count(*) FROM refund WHERE order_id = $1", scene.order) == 0


async def test_what_the_prepayment_paid_goes_back_into_it(channel: ScriptedChannel) -> None:
    compound, house = uuid4(), uuid4()
    await prepay(compound, house, 1_000, "parking")
    owed, order = await payable(compound, house, 600), uuid7()
    async with database.transaction():
        await pay_from_balance(
            NewOrder(order, compound, house, "预存抵扣", [NewItem(600, owed)]), "parking", clock.today()
        )
    assert await trial_balance(compound) == {"opening": 1_000, "prepayment": -400, "income": -600}
    item = await database.fetchval("SELECT id FROM payment_item WHERE order_id = $1", order)
    refund = await request_refund(
        clerk(compound), payment_id=order, parts=[RefundPart(item, 250)], reason="误扣"
    )
    await decide_refund(clerk(compound), refund_id=refund, approve=True)
    assert await trial_balance(compound) == {
        "opening": 1_000,
        "prepayment": -650,
        "income": -600,
        "receivable": 250,
    }
    assert await balance(compound, Account("prepayment", house, "parking")) == 650
    assert (await database.fetchval(STATES, order), channel.calls.total()) == (["succeeded"], 0)
    await check_books()
