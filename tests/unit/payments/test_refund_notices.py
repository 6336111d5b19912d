"""What channels say of refunds: of ours, of those made at the platform itself, and amounts that are not as asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import orjson
import pytest

from domains.kernel import clock, database
from domains.kernel.actor import Actor, Grant
from domains.kernel.clock import FixedClock
from domains.platforms.calling import NotSent, OutcomeUnknown
from payments import permissions
from payments.service import asking, intake, refund_sending
from payments.service.refund_requests import RefundPart, decide_refund, request_refund
from tests.factories.channel import ScriptedChannel, channel_of
from tests.factories.ledger import check_books, trial_balance
from tests.factories.payments import BILL, Scene, begun

pytestmark = pytest.mark.usefixtures("instance")

KINDS = "SELECT array_agg(kind ORDER BY id) FROM payment_exception WHERE compound_id = $1"
SUM = "SELECT coalesce(sum(amount_fen), 0)::bigint FROM refund WHERE order_id = $1 AND origin = 'channel'"


@pytest.fixture
def channel() -> Iterator[ScriptedChannel]:
    with channel_of(ScriptedChannel("wechat")) as made:
        yield made


def notice(
    id: str, number: str, refund_no: str, fen: int, state: str = "succeeded", given_back: int = 0
) -> bytes:
    """A channel says of one refund what became of it, or of all of them how much they are."""
    return orjson.dumps(
        {
            "id": f"{number}:{id}", "sign": "genuine", "out_trade_no": number, "refund_no": refund_no, "state": state,
            "fen": fen, "given_back": given_back,
        }
    )  # fmt: skip


async def paid(channel: ScriptedChannel) -> Scene:
    scene = await begun(channel)
    await intake.take_notification(channel, {}, channel.pay(await scene.number()))
    return scene


async def approved(scene: Scene, fen: int) -> UUID:
    held = (permissions.REFUNDS_REQUEST, permissions.REFUNDS_DECIDE)
    one, other = (
        Actor(kind="staff", account_id=uuid4(), grants=tuple(Grant(each, scene.compound) for each in held))
        for _ in range(2)
    )
    item = await database.fetchval("SELECT id FROM payment_item WHERE order_id = $1", scene.order)
    refund = await request_refund(
        one, payment_id=scene.order, parts=[RefundPart(item, fen)], reason="重复缴费"
    )
    await decide_refund(other, refund_id=refund, approve=True)
    return refund


async def test_refunds_made_at_the_platform_count_each_once(channel: ScriptedChannel) -> None:
    scene = await paid(channel)
    number = await scene.number()
    await refund_sending.see_to(await approved(scene, 5_000))
    for id, refund_no, fen in (("1", "X1", 300), ("1", "X1", 300), ("2", "X1", 300), ("3", "X2", 200)):
        taken = await intake.take_notification(channel, {}, notice(id, number, refund_no, fen))
        assert taken.verdict == "taken"
    assert await database.fetchval(SUM, scene.order) == 500
    assert await trial_balance(scene.compound) == {
        "clearing": BILL - 5_500, "income": -BILL, "receivable": 5_000, "suspense": 500,
    }  # fmt: skip
    assert await database.fetchval(KINDS, scene.compound) == ["channel_refund", "channel_refund"]
    await check_books()


async def test_a_sum_of_all_refunds_tells_what_is_new_of_it(channel: ScriptedChannel) -> None:
    scene = await paid(channel)
    number = await scene.number()
    await refund_sending.see_to(await approved(scene, 5_000))
    for id, total in (("1", 5_300), ("2", 5_300), ("3", 5_500)):
        await intake.take_notification(channel, {}, notice(id, number, "", 0, "processing", total))
    assert await database.fetchval(SUM, scene.order) == 500
    assert (await trial_balance(scene.compound))["clearing"] == BILL - 5_500
    await check_books()


@pytest.mark.parametrize("state", ["abnormal", "closed"])
async def test_what_did_not_go_back_is_not_booked(channel: ScriptedChannel, state: str) -> None:
    scene = await begun(channel)
    number = await scene.number()
    failed = notice("1", number, "X1", 300, state)
    assert (await intake.take_notification(channel, {}, failed)).verdict == "noted"
    await intake.take_notification(channel, {}, channel.pay(number))
    await intake.take_notification(channel, {}, notice("2", number, "X1", 300, state))
    assert await trial_balance(scene.compound) == {"clearing": BILL, "income": -BILL}
    await intake.take_notification(channel, {}, notice("3", number, "X1", 300))
    assert (await trial_balance(scene.compound))["suspense"] == 300


async def test_one_that_was_held_is_not_booked_again_when_it_comes_again(channel: ScriptedChannel) -> None:
    scene = await begun(channel)
    number = await scene.number()
    early = notice("1", number, "X1", 400)
    assert (await intake.take_notification(channel, {}, early)).verdict == "held"
    await intake.take_notification(channel, {}, channel.pay(number))
    for _ in range(2):
        await intake.take_notification(channel, {}, early)
    assert await trial_balance(scene.compound) == {"clearing": BILL - 400, "suspense": 400, "income": -BILL}
    await check_books()


async def test_another_amount_than_was_asked_for_is_for_a_person(channel: ScriptedChannel) -> None:
    scene = await paid(channel)
    channel.refund_state = "processing"
    refund = await approved(scene, 500)
    await refund_sending.see_to(refund)
    await intake.take_notification(channel, {}, notice("1", await scene.number(), refund.hex, 501))
    row = await database.fetchrow("SELECT state, problem FROM refund WHERE id = $1", refund)
    assert row is not None and tuple(row) == ("abnormal", "AMOUNT 501")
    assert await trial_balance(scene.compound) == {
        "clearing": BILL, "income": -BILL, "receivable": 500, "refund_due": -500,
    }  # fmt: skip
    assert await database.fetchval(KINDS, scene.compound) == ["refund_abnormal"]


async def test_a_refund_that_nobody_tells_the_end_of_is_for_a_person(channel: ScriptedChannel) -> None:
    scene = await paid(channel)
    refund = await approved(scene, 500)
    channel.fails["refund"] = channel.fails["query_refund"] = OutcomeUnknown("wechatpay", "ReadTimeout")
    await database.execute("UPDATE refund SET queries = 20 WHERE id = $1", refund)
    await refund_sending.see_to(refund)
    assert await database.fetchval(KINDS, scene.compound) is None
    with clock.use(FixedClock(clock.now() + timedelta(days=3, minutes=1))):
        for _ in range(2):
            await refund_sending.see_to(refund)
    assert await database.fetchval(KINDS, scene.compound) == ["refund_stuck"]
    assert await database.fetchval("SELECT state FROM refund WHERE id = $1", refund) == "approved"


async def test_what_is_not_sent_again_says_nothing_of_what_was_sent_before(channel: ScriptedChannel) -> None:
    channel.loses["create"] = OutcomeUnknown("wechatpay", "ReadTimeout")
    scene = await begun(channel)
    channel.fails["create"] = NotSent("wechatpay", "ConnectError")
    assert await asking.prepare(scene.attempt) == "unknown"
    channel.pay(await scene.number())
    await asking.ask(scene.attempt)
    assert await scene.states() == ("paid", "succeeded")
    await check_books()
