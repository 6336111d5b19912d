"""What people do about payments that went wrong: each way that fits, by whom, once; each test states the books."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import orjson
import pytest

from domains.kernel import clock, database
from domains.kernel.clock import FixedClock
from domains.kernel.errors import Conflict, Forbidden, Invalid
from domains.platforms.calling import OutcomeUnknown
from payments import permissions
from payments.exception_rules import ACTIONS, EXCEPTIONS, Trouble, fitting, permission_for, taken_from
from payments.part_payment import allows_part
from payments.service import asking, intake, orders, refund_sending
from payments.service.ledger import Account, balance
from payments.service.refund_requests import decide_refund
from tests.factories.channel import ScriptedChannel, channel_of
from tests.factories.exceptions import (
    PAID,
    always,
    clerk,
    how,
    never,
    only,
    open_of,
    require,
    settle,
    short,
)
from tests.factories.ledger import check_books, trial_balance
from tests.factories.payments import BILL, Scene, begun

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture(params=["wechat", "alipay"])
def channel(request: pytest.FixtureRequest) -> Iterator[ScriptedChannel]:
    with channel_of(ScriptedChannel(request.param)) as made:
        yield made


@pytest.fixture(autouse=True)
def parts() -> None:
    """A part of a bill may be paid everywhere."""
    allows_part.fill(always)


def test_something_fits_every_kind_and_every_way_fits_something() -> None:
    every = {kind: fitting(Trouble(kind, pays_debts=True, allows_part=True)) for kind in EXCEPTIONS}
    assert all(every.values()) and {each for found in every.values() for each in found} == set(ACTIONS)
    assert "apply" not in fitting(Trouble("underpaid", pays_debts=True))
    assert "apply" not in fitting(Trouble("underpaid", allows_part=True))
    assert fitting(Trouble("underpaid", is_asked_back=True)) == ()
    assert fitting(Trouble("channel_refund", is_booked=False)) == ("book", "write_off", "note")


def test_who_asks_need_not_be_one_who_decides() -> None:
    for kind in EXCEPTIONS:
        for action in fitting(Trouble(kind, False, True, True)):
            first = permission_for(Trouble(kind), action)
            moves = action not in ("refund", "ask", "note", "write_off") and (kind, action) != (
                "refund_stuck",
                "book",
            )
            assert (first == permissions.REFUNDS_DECIDE) == moves, (kind, action)
    for kind, action in (
        ("channel_refund", "write_off"),
        ("channel_refund", "note"),
        ("refund_stuck", "book"),
    ):
        confirmed = permission_for(Trouble(kind, asked_action=action), action)
        assert confirmed == permissions.REFUNDS_DECIDE


def test_what_was_paid_last_goes_back_first() -> None:
    assert taken_from([300, 200, 100], 250) == [0, 150, 100]
    assert taken_from([300, 200, 100], 700) == [300, 200, 100]
    assert taken_from([], 5) == []


async def test_too_little_goes_back_to_who_paid_it_once_another_approves(channel: ScriptedChannel) -> None:
    scene, id = await short(channel)
    asker = clerk(scene.compound)
    await settle(scene, id, "refund", asker)
    waiting = {"clearing": PAID, "suspense": -PAID, "receivable": BILL, "income": -BILL}
    await require(scene, waiting)
    for action in ("refund", "prepay", "apply"):
        with pytest.raises(Conflict, match="EXCEPTION_WAITS"):
            await settle(scene, id, action)
    refund = await database.fetchval("SELECT id FROM refund WHERE order_id = $1", scene.order)
    with pytest.raises(Forbidden, match="REFUND_OWN"):
        await decide_refund(asker, refund_id=refund, approve=True)
    await require(scene, waiting)
    assert await how(id) == (None, False, False)
    await decide_refund(clerk(scene.compound), refund_id=refund, approve=True)
    assert await how(id) == ("refund", True, True)
    await refund_sending.see_to_due()
    assert channel.calls["refund"] == 1
    await require(scene, {"receivable": BILL, "income": -BILL})


async def test_a_rejected_refund_leaves_the_other_ways_open(channel: ScriptedChannel) -> None:
    scene, id = await short(channel)
    await settle(scene, id, "refund")
    refund = await database.fetchval("SELECT id FROM refund WHERE order_id = $1", scene.order)
    await decide_refund(clerk(scene.compound), refund_id=refund, approve=False, note="住户要求转预存")
    assert await only(scene, "underpaid", PAID) == id
    await settle(scene, id, "prepay")
    assert await balance(scene.compound, Account("prepayment", scene.house)) == PAID
    assert (await how(id), await open_of(scene)) == (("prepay", True, True), [])
    await require(scene, {"clearing": PAID, "prepayment": -PAID, "receivable": BILL, "income": -BILL})


async def test_too_little_pays_a_part_of_the_bill_where_that_is_allowed(channel: ScriptedChannel) -> None:
    scene, id = await short(channel)
    allows_part.fill(never)
    with pytest.raises(Invalid, match="EXCEPTION_ACTION"):
        await settle(scene, id, "apply")
    await require(scene, {"clearing": PAID, "suspense": -PAID, "receivable": BILL, "income": -BILL})
    allows_part.fill(always)
    await settle(scene, id, "apply")
    assert await scene.settled() == PAID
    assert await scene.states() == ("closed", "succeeded")
    await require(scene, {"clearing": PAID, "receivable": BILL - PAID, "income": -BILL})


async def test_what_is_paid_meanwhile_is_not_paid_again(channel: ScriptedChannel) -> None:
    scene, id = await short(channel)
    await database.execute(
        "UPDATE payable SET held_until = now() + interval '1 hour', held_by = $2 WHERE id = $1",
        scene.payable,
        uuid4(),
    )
    with pytest.raises(Conflict, match="PAYABLE_HELD"):
        await settle(scene, id, "apply")
    await database.execute(
        "UPDATE payable SET held_until = NULL, held_by = NULL WHERE id = $1", scene.payable
    )
    await pay_anew(channel, scene)
    with pytest.raises(Conflict, match="EXCEPTION_NOTHING_OWED"):
        await settle(scene, id, "apply")
    await settle(scene, id, "prepay")
    await require(scene, {"clearing": BILL + PAID, "prepayment": -PAID, "income": -BILL})


async def pay_anew(channel: ScriptedChannel, scene: Scene) -> None:
    """The same payment in another way, though it is closed."""
    async with database.transaction():
        attempt = await orders.try_by(scene.order, BILL, channel, "qr")
    await asking.prepare(attempt)
    await intake.take_notification(channel, {}, channel.pay(await scene.number(attempt)))


async def test_two_settle_at_once_and_one_does(channel: ScriptedChannel) -> None:
    for actions in (("prepay", "prepay"), ("prepay", "apply"), ("refund", "prepay"), ("refund", "refund")):
        scene, id = await short(channel)
        done = await asyncio.gather(
            *(settle(scene, id, each) for each in actions * 3), return_exceptions=True
        )
        assert sum(isinstance(each, UUID) for each in done) == 1, done
        assert {each.code for each in done if isinstance(each, Conflict)} <= {
            "EXCEPTION_SETTLED",
            "EXCEPTION_WAITS",
        }
        books = await trial_balance(scene.compound)
        moved = {code: fen for code, fen in books.items() if code in ("suspense", "prepayment", "receivable")}
        assert moved in (
            {"suspense": -PAID, "receivable": BILL}, {"prepayment": -PAID, "receivable": BILL},
            {"receivable": BILL - PAID},
        )  # fmt: skip
    await check_books()


async def test_a_second_success_is_in_the_books_and_goes_back(channel: ScriptedChannel) -> None:
    scene = await begun(channel)
    said = channel.pay(await scene.number())
    other = orjson.dumps(orjson.loads(said) | {"id": "other", "channel_no": f"T{uuid4().hex}"})
    await asyncio.gather(*(intake.take_notification(channel, {}, each) for each in (said, other) * 5))
    id = await only(scene, "second_success", BILL)
    await require(scene, {"clearing": 2 * BILL, "suspense": -BILL, "income": -BILL})
    await settle(scene, id, "refund")
    refund = await database.fetchval("SELECT id FROM refund WHERE order_id = $1", scene.order)
    await decide_refund(clerk(scene.compound), refund_id=refund, approve=True)
    await refund_sending.see_to_due()
    await require(scene, {"clearing": BILL, "income": -BILL})
    assert await how(id) == ("refund", True, True)


async def silent(channel: ScriptedChannel) -> tuple[Scene, UUID]:
    """A payment that nobody has answered for a day, and its exception."""
    scene = await begun(channel)
    channel.fails["query"] = OutcomeUnknown(channel.channel, "ReadTimeout")
    with clock.use(FixedClock(clock.now() + timedelta(hours=25))):
        await asking.ask(scene.attempt)
    return scene, await only(scene, "stuck", BILL)


async def test_what_nobody_answered_is_asked_again_and_closes_by_itself(channel: ScriptedChannel) -> None:
    scene, id = await silent(channel)
    channel.fails.clear()
    channel.pay(await scene.number())
    later = "SELECT next_query_at > now() FROM payment_attempt WHERE id = $1"
    assert await database.fetchval(later, scene.attempt)
    await settle(scene, id, "ask", note="")
    assert await how(id) == (None, False, False)
    await asking.ask_due()
    assert (await how(id), await scene.states()) == ((None, True, False), ("paid", "succeeded"))
    await require(scene, {"clearing": BILL, "income": -BILL})


async def test_a_late_success_while_somebody_gives_it_up_is_booked_once(channel: ScriptedChannel) -> None:
    for _ in range(6):
        scene, id = await silent(channel)
        channel.fails.clear()
        said = channel.pay(await scene.number())
        done = await asyncio.gather(
            *(settle(scene, id, "give_up") for _ in range(2)),
            *(intake.take_notification(channel, {}, said) for _ in range(3)),
            asking.ask(scene.attempt), return_exceptions=True,
        )  # fmt: skip
        assert all(not isinstance(each, Exception) or isinstance(each, Conflict) for each in done), done
        assert await scene.states() == ("paid", "succeeded")
        assert await open_of(scene) == []
        await require(scene, {"clearing": BILL, "income": -BILL})


async def test_what_was_never_paid_is_closed_and_asked_about_no_more(channel: ScriptedChannel) -> None:
    scene, id = await silent(channel)
    await settle(scene, id, "give_up", note="商户平台查无此单")
    assert (await scene.states(), await how(id)) == (("closed", "closed"), ("give_up", True, True))
    assert await database.fetchval("SELECT held_by FROM payable WHERE id = $1", scene.payable) is None
    waits = "SELECT next_query_at FROM payment_attempt WHERE id = $1"
    assert await database.fetchval(waits, scene.attempt) is None
    await require(scene, {"receivable": BILL, "income": -BILL})


async def test_a_number_that_has_paid_another_payment_is_kept_and_for_a_person(
    channel: ScriptedChannel,
) -> None:
    first, second = await begun(channel), await begun(channel)
    said = channel.pay(await first.number())
    await intake.take_notification(channel, {}, said)
    again = orjson.dumps(orjson.loads(said) | {"id": uuid4().hex, "out_trade_no": await second.number()})
    for _ in range(2):
        taken = await intake.take_notification(channel, {}, again)
        assert (taken.verdict, taken.reply.body) == ("reused_number", b"success")
    kept = "SELECT body FROM gateway_event WHERE attempt_id = $1 AND verdict = 'reused_number'"
    assert [row["body"] for row in await database.fetch(kept, second.attempt)] == [again]
    id = await only(second, "reused_number", BILL)
    assert await second.states() == ("open", "prepared")
    await settle(second, id, "give_up")
    assert await second.states() == ("closed", "closed")
    await require(second, {"receivable": BILL, "income": -BILL})
    await require(first, {"clearing": BILL, "income": -BILL})


async def test_a_number_that_has_paid_another_payment_is_asked_about_with_growing_gaps(
    channel: ScriptedChannel,
) -> None:
    first, second = await begun(channel), await begun(channel)
    await intake.take_notification(channel, {}, channel.pay(await first.number()))
    channel.pay(await second.number())
    theirs = channel.trades[await first.number()].channel_no
    number = await second.number()
    channel.trades[number] = replace(channel.trades[number], channel_no=theirs)
    with clock.use(FixedClock(clock.now())) as time:
        for _ in range(2):
            await asking.ask(second.attempt)
    await only(second, "reused_number", BILL)
    waits = "SELECT next_query_at FROM payment_attempt WHERE id = $1"
    assert await database.fetchval(waits, second.attempt) == time.now() + timedelta(seconds=4)
    channel.pay(number)
    await asking.ask(second.attempt)
    assert (await open_of(second), await second.states()) == ([], ("paid", "succeeded"))
    await require(second, {"clearing": BILL, "income": -BILL})


async def test_noise_is_noted_and_moves_nothing(channel: ScriptedChannel) -> None:
    scene = await begun(channel)
    await intake.take_notification(
        channel, {}, channel.pay(await scene.number()).replace(b"genuine", b"forged!")
    )
    id = await only(scene, "refused", 0)
    with pytest.raises(Invalid, match="TEXT_EMPTY"):
        await settle(scene, id, "note", note="")
    with pytest.raises(Invalid, match="EXCEPTION_ACTION"):
        await settle(scene, id, "prepay")
    await settle(scene, id, "note")
    with pytest.raises(Conflict, match="EXCEPTION_SETTLED"):
        await settle(scene, id, "note")
    await require(scene, {"receivable": BILL, "income": -BILL})
