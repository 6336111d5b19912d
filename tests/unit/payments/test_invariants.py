"""The twelve promises of payments. What another test shows is named here and not shown twice; each states the books."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest

from domains.billing.service.bill_payments import Way, pay_bills
from domains.kernel import clock, database
from domains.kernel.actor import Actor, Grant
from domains.kernel.clock import FixedClock
from domains.kernel.errors import Conflict
from domains.kernel.ids import uuid7
from domains.platforms.calling import OutcomeUnknown
from payments import permissions
from payments.service import asking, events, intake, orders, payables, refund_sending
from payments.service.orders import NewItem, NewOrder
from payments.service.refund_requests import RefundPart, decide_refund, request_refund
from tests.factories import bills, residents
from tests.factories.channel import ScriptedChannel, channel_of
from tests.factories.ledger import check_books, payable, trial_balance
from tests.factories.payments import BILL, Scene, begun

pytestmark = pytest.mark.usefixtures("instance")

TESTS: Final = Path(__file__).parents[2]
ELSEWHERE: Final[Mapping[str, Sequence[str]]] = {
    "1 journals sum to zero and are never changed": (
        "unit/payments/test_ledger.py::test_the_database_itself_refuses_what_does_not_balance",
        "unit/payments/test_ledger.py::test_what_was_posted_is_never_changed",
    ),
    "2 one success credits once": (
        "unit/payments/test_payments.py::test_a_payment_is_credited_once_though_two_hundred_notifications_come_at_once",
    ),
    "3 the same key gives the same answer": (
        "unit/billing/test_bill_payments.py::test_of_twenty_taps_at_once_one_payment_is_begun",
    ),
    "4 no success is undone, and an early refund is held": (
        "unit/payments/test_refunds.py::test_a_refund_made_at_the_platform_before_its_payment_is_booked_is_held",
    ),
    "5 what is not genuine credits nothing": (
        "unit/payments/test_channels.py::test_what_is_not_genuine_credits_nothing_and_what_is_comes_again",
        "unit/payments/test_notices_alipay.py::test_what_is_not_believed",
        "unit/payments/test_notices_wechat.py::test_what_is_signed_and_all_the_same_not_believed",
    ),
    "6 too little pays nothing, too much goes back": (
        "unit/payments/test_payments.py::test_too_little_pays_nothing_and_waits_for_a_person",
        "unit/payments/test_payments.py::test_too_much_pays_the_bill_and_the_rest_goes_back",
    ),
    "7 of two payments the second goes back, once": (
        "unit/payments/test_payments.py::test_two_channels_at_once_the_second_goes_back_by_itself_once",
    ),
    "8 closing while somebody pays, and a late success": (
        "unit/billing/test_bill_payments.py::test_who_gives_up_while_paying_has_paid",
        "unit/payments/test_channels.py::test_giving_up_while_the_payer_pays_ends_one_way",
        "unit/payments/test_payments.py::test_a_late_success_on_an_expired_payment_is_not_lost",
    ),
    "9 success is answered once it is committed": (
        "faults/test_payments.py::test_whoever_takes_a_notification_dies_at_every_commit",
        "faults/test_payments.py::test_whoever_asks_a_channel_dies_at_every_commit",
    ),
    "10 refunds stay within what was paid": (
        "unit/payments/test_refunds.py::test_refunds_asked_for_at_once_never_exceed_what_was_paid",
        "unit/payments/test_refunds.py::test_an_unknown_outcome_is_sent_again_under_the_same_number",
        "faults/test_payments.py::test_whoever_sends_a_refund_dies_at_every_commit",
    ),
    "11 clearing is the channel's own book": ("faults/test_payment_walk.py::test_our_books_are_the_platforms_own",),
    "12 whoever asks does not approve": (
        "unit/payments/test_refunds.py::test_whoever_asked_does_not_decide_and_a_rejection_leaves_room",
        "unit/billing/test_correction_by_two.py::test_nobody_decides_their_own",
    ),
}  # fmt: skip


@pytest.mark.parametrize("named", [each for group in ELSEWHERE.values() for each in group])
def test_what_is_shown_elsewhere_is_there(named: str) -> None:
    path, _, name = named.partition("::")
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, functions)}


@pytest.fixture
def other() -> ScriptedChannel:
    return ScriptedChannel(channel="wechat", payee="1600000001")


@pytest.fixture
def channel(other: ScriptedChannel) -> Iterator[ScriptedChannel]:
    with channel_of(ScriptedChannel(), other) as made:
        yield made


async def told(compound: UUID) -> list[str]:
    """What waits for a person, by kind."""
    rows = await database.fetch(
        "SELECT kind FROM payment_exception WHERE compound_id = $1 ORDER BY id", compound
    )
    return [row["kind"] for row in rows]


ALARMS: Final = """
SELECT count(*) FROM outbox_message WHERE event = 'PaymentTroubled' AND payload::jsonb ->> 'compound_id' = $1
"""


async def alarms(compound: UUID) -> int:
    """How often somebody was told of it."""
    return int(await database.fetchval(ALARMS, str(compound)))


def staff(compound: UUID) -> Actor:
    held = (permissions.REFUNDS_REQUEST, permissions.REFUNDS_DECIDE)
    grants = tuple(Grant(each, compound) for each in held)
    return Actor(kind="staff", account_id=uuid4(), name="员工", grants=grants)


async def asked_back(scene: Scene, fen: int) -> UUID:
    item = await database.fetchval("SELECT id FROM payment_item WHERE order_id = $1", scene.order)
    parts = [RefundPart(item, fen)]
    return await request_refund(staff(scene.compound), payment_id=scene.order, parts=parts, reason="重复缴费")


async def given_back(scene: Scene, fen: int) -> None:
    await decide_refund(staff(scene.compound), refund_id=await asked_back(scene, fen), approve=True)


async def anew(scene: Scene, by: ScriptedChannel, fen: int = BILL) -> Scene:
    """Another payment of the same bill, as it is begun once the first one's time is over."""
    order = uuid7()
    async with database.transaction():
        await payables.hold([scene.payable], orders.held_until(), order)
        items = [NewItem(fen, scene.payable)]
        await orders.open_order(NewOrder(order, scene.compound, scene.house, "物业缴费", items, uuid4()))
        attempt = await orders.try_by(order, fen, by, "mini_program", "buyer")
    await asking.prepare(attempt)
    return Scene(scene.compound, scene.house, scene.payable, order, attempt)


@pytest.mark.parametrize("change", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
async def test_1_what_a_channel_said_is_never_changed(channel: ScriptedChannel, change: str) -> None:
    scene = await begun(channel)
    await intake.take_notification(channel, {}, channel.pay(await scene.number()))
    before = await database.fetch("SELECT * FROM gateway_event ORDER BY id")
    with pytest.raises(asyncpg.PostgresError):
        await database.execute(change.format("gateway_event"))
    assert [dict(row) for row in await database.fetch("SELECT * FROM gateway_event ORDER BY id")] == [
        dict(row) for row in before
    ]
    assert await trial_balance(scene.compound) == {"clearing": BILL, "income": -BILL}
    await check_books()


async def test_2_notifications_queries_and_the_poller_at_once_credit_once(channel: ScriptedChannel) -> None:
    scenes = [await begun(channel, BILL + n) for n in range(5)]
    notices = [channel.pay(await scene.number()) for scene in scenes]
    await database.execute("UPDATE payment_attempt SET next_query_at = now() WHERE next_query_at IS NOT NULL")
    await asyncio.gather(
        *(intake.take_notification(channel, {}, notice) for notice in notices for _ in range(8)),
        *(asking.ask(scene.attempt) for scene in scenes for _ in range(4)),
        *(asking.ask_due() for _ in range(4)),
    )
    for n, scene in enumerate(scenes):
        assert await scene.states() == ("paid", "succeeded")
        assert await trial_balance(scene.compound) == {"clearing": BILL + n, "income": -BILL - n}
        paid = "SELECT count(*) FROM outbox_message WHERE event = 'PaymentSucceeded' AND payload::jsonb ->> 'order_id' = $1"
        assert await database.fetchval(paid, str(scene.order)) == 1
    await check_books()


async def test_2_a_number_of_the_channels_is_credited_for_one_payment_alone(channel: ScriptedChannel) -> None:
    first, second = await begun(channel), await begun(channel)
    said = channel.pay(await first.number())
    await intake.take_notification(channel, {}, said)
    fields = orjson.loads(said) | {"id": "another", "out_trade_no": await second.number()}
    for _ in range(2):
        taken = await intake.take_notification(channel, {}, orjson.dumps(fields))
        assert (taken.verdict, taken.reply.body) == ("reused_number", b"success")
    assert (await told(second.compound), await alarms(second.compound)) == (["reused_number"], 1)
    assert await second.states() == ("open", "prepared")
    assert await trial_balance(second.compound) == {"receivable": BILL, "income": -BILL}
    await check_books()


async def test_3_the_same_key_is_the_same_payment_and_another_body_reaches_no_channel(
    channel: ScriptedChannel,
) -> None:
    scene, key = await residents.scene(), uuid4()
    who = await residents.caller(scene, "owner")
    one, two = [
        await bills.bill(scene.house_id, fen, month=clock.today().replace(day=1)) for fen in (300, 500)
    ]
    h5 = Way("alipay", "h5")
    first = await pay_bills(who, bill_ids=[one], way=h5, idempotency_key=key)
    assert await pay_bills(who, bill_ids=[one], way=h5, idempotency_key=key) == first
    before = channel.calls.copy()
    with pytest.raises(Conflict, match="IDEMPOTENCY"):
        await pay_bills(who, bill_ids=[two], way=h5, idempotency_key=key)
    assert (channel.calls, len(channel.trades)) == (before, 1)
    (fen,) = [trade.amount_fen for trade in channel.trades.values()]
    assert fen == 300
    assert await trial_balance(scene.compound_id) == {"receivable": 800, "income": -800}
    await check_books()


async def test_4_what_is_said_late_undoes_no_success(channel: ScriptedChannel) -> None:
    scene = await begun(channel)
    number = await scene.number()
    said = channel.pay(number)
    await intake.take_notification(channel, {}, said)
    attempt = await database.fetchrow("SELECT * FROM payment_attempt WHERE id = $1", scene.attempt)
    states: tuple[Literal["closed", "waiting"], ...] = ("closed", "waiting")
    for state in states:
        stale = orjson.dumps(orjson.loads(said) | {"id": state, "state": state})
        assert (await intake.take_notification(channel, {}, stale)).reply.body == b"success"
        channel.trades[number] = replace(channel.trades[number], state=state)
        await asking.ask(scene.attempt)
        await asking.ask(scene.attempt, give_up=True)
    assert attempt == await database.fetchrow("SELECT * FROM payment_attempt WHERE id = $1", scene.attempt)
    assert await trial_balance(scene.compound) == {"clearing": BILL, "income": -BILL}
    await check_books()


async def test_5_what_is_not_genuine_is_an_alarm_once_however_often_it_comes(
    channel: ScriptedChannel,
) -> None:
    scene = await begun(channel)
    forged = channel.pay(await scene.number()).replace(b"genuine", b"forged!")
    taken = await asyncio.gather(*(intake.take_notification(channel, {}, forged) for _ in range(20)))
    assert {each.reply.body for each in taken} == {b"failure"}
    kept = "SELECT count(*) FROM gateway_event WHERE attempt_id = $1 AND verdict = 'signature'"
    assert await database.fetchval(kept, scene.attempt) == 1
    assert (await told(scene.compound), await alarms(scene.compound)) == (["refused"], 1)
    assert await scene.states() == ("open", "prepared")
    assert await trial_balance(scene.compound) == {"receivable": BILL, "income": -BILL}
    await check_books()


async def test_6_too_little_is_booked_once_and_the_bill_can_be_paid_anew(channel: ScriptedChannel) -> None:
    scene = await begun(channel)
    said = channel.pay(await scene.number(), 45)
    await asyncio.gather(
        *(intake.take_notification(channel, {}, said) for _ in range(10)),
        *(asking.ask(scene.attempt) for _ in range(10)),
    )
    assert (await told(scene.compound), await alarms(scene.compound)) == (["underpaid"], 1)
    assert (await scene.states(), await scene.settled()) == (("closed", "succeeded"), 0)
    again = await anew(scene, channel)
    await intake.take_notification(channel, {}, channel.pay(await again.number()))
    assert await trial_balance(scene.compound) == {"clearing": BILL + 45, "suspense": -45, "income": -BILL}
    await check_books()


async def test_7_two_payments_of_one_bill_at_once_pay_it_once(
    channel: ScriptedChannel, other: ScriptedChannel
) -> None:
    for _ in range(4):
        first = await begun(channel)
        second = await anew(first, other)
        said = channel.pay(await first.number()), other.pay(await second.number())
        await asyncio.gather(
            *(intake.take_notification(channel, {}, said[0]) for _ in range(5)),
            *(intake.take_notification(other, {}, said[1]) for _ in range(5)),
        )
        assert await trial_balance(first.compound) == {
            "clearing": 2 * BILL, "refund_due": -BILL, "income": -BILL,
        }  # fmt: skip
        await asyncio.gather(*(refund_sending.see_to_due() for _ in range(4)))
        assert await trial_balance(first.compound) == {"clearing": BILL, "income": -BILL}
        assert await first.settled() == BILL
    assert channel.calls["refund"] + other.calls["refund"] == 4
    await check_books()


async def test_8_a_channel_that_does_not_answer_keeps_a_payment_open_for_ever_and_loses_none(
    channel: ScriptedChannel,
) -> None:
    scene = await begun(channel)
    channel.fails["query"] = OutcomeUnknown("alipay", "ReadTimeout")
    with clock.use(FixedClock(clock.now() + timedelta(hours=25))):
        await asking.ask(scene.attempt, give_up=True)
        assert await scene.states() == ("open", "prepared")
        assert await told(scene.compound) == ["stuck"]
        channel.pay(await scene.number())
        channel.fails.clear()
        await asking.ask(scene.attempt, give_up=True)
    assert await scene.states() == ("paid", "succeeded")
    assert await trial_balance(scene.compound) == {"clearing": BILL, "income": -BILL}
    await check_books()


async def test_9_what_is_not_committed_is_not_answered_and_comes_again(
    channel: ScriptedChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = await begun(channel)
    said = channel.pay(await scene.number())

    async def full(*_: object, **__: object) -> bool:
        raise asyncpg.DiskFullError("no space left")

    with monkeypatch.context() as broken, pytest.raises(asyncpg.DiskFullError):
        broken.setattr(events, "keep", full)
        await intake.take_notification(channel, {}, said)
    assert await scene.states() == ("open", "prepared")
    assert await trial_balance(scene.compound) == {"receivable": BILL, "income": -BILL}
    for _ in range(2):
        assert (await intake.take_notification(channel, {}, said)).reply.body == b"success"
    assert await trial_balance(scene.compound) == {"clearing": BILL, "income": -BILL}
    await check_books()


async def test_10_what_goes_back_by_itself_leaves_no_room_for_more(channel: ScriptedChannel) -> None:
    scene = await begun(channel)
    await intake.take_notification(channel, {}, channel.pay(await scene.number(), BILL + 55))
    with pytest.raises(Conflict, match="REFUND_TOO_MUCH"):
        await asked_back(scene, BILL + 1)
    assert channel.calls["refund"] == 0
    await given_back(scene, BILL)
    await asyncio.gather(*(refund_sending.see_to_due() for _ in range(4)))
    assert sorted(each.amount_fen for each in channel.refunds.values()) == [55, BILL]
    assert channel.calls["refund"] == 2
    assert await trial_balance(scene.compound) == {"receivable": BILL, "income": -BILL}
    await check_books()


async def test_11_clearing_is_the_channels_own_book_and_what_is_on_its_way(
    channel: ScriptedChannel, other: ScriptedChannel
) -> None:
    compound = uuid4()
    for n, by in enumerate((channel, other, channel, other)):
        house = uuid4()
        owed = await payable(compound, house, 1_000 + n)
        scene = await anew(Scene(compound, house, owed, uuid7(), uuid7()), by, 1_000 + n)
        await intake.take_notification(by, {}, by.pay(await scene.number(), 1_000 + n + n % 3))
        await given_back(scene, 100 * (n + 1))
    on_its_way = "SELECT coalesce(sum(amount_fen), 0)::bigint FROM refund WHERE compound_id = $1 AND state <> 'succeeded'"
    assert await database.fetchval(on_its_way, compound) == 1_003
    assert await trial_balance(compound) == {
        "clearing": 4_009, "receivable": 1_000, "refund_due": -1_003, "income": -4_006,
    }  # fmt: skip
    await refund_sending.see_to_due()
    held = """
SELECT a.purpose, sum(e.amount_fen)::bigint AS fen FROM entry e JOIN ledger_account a ON a.id = e.account_id
WHERE a.compound_id = $1 AND a.code = 'clearing' GROUP BY 1
"""
    ours = {row["purpose"]: row["fen"] for row in await database.fetch(held, compound)}
    assert ours == {each.channel: net(each) for each in (channel, other)}
    assert await trial_balance(compound) == {"clearing": 3_006, "receivable": 1_000, "income": -4_006}
    await check_books()


def net(channel: ScriptedChannel) -> int:
    """What the channel has of ours, by its own book."""
    paid = sum(each.amount_fen for each in channel.trades.values() if each.state == "paid")
    return paid - sum(each.amount_fen for each in channel.refunds.values())


async def test_12_the_database_itself_wants_two_people(channel: ScriptedChannel) -> None:
    scene = await begun(channel)
    await intake.take_notification(channel, {}, channel.pay(await scene.number()))
    refund = await asked_back(scene, 1)
    with pytest.raises(asyncpg.CheckViolationError, match="refund_two_people"):
        await database.execute("UPDATE refund SET decided_by = requested_by WHERE id = $1", refund)
    assert await trial_balance(scene.compound) == {"clearing": BILL, "income": -BILL}
    await check_books()
