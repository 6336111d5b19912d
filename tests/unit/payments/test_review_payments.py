"""Where money might be counted twice, lost, or moved without anybody being told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx
import orjson
import pytest

from api.app import build_app
from api.settings import Settings
from domains.kernel import clock, database
from domains.kernel.actor import Actor, Grant
from domains.kernel.clock import FixedClock
from domains.kernel.errors import Conflict
from domains.kernel.ids import uuid7
from domains.platforms.calling import OutcomeUnknown
from payments import permissions
from payments.gateways import Ask, Declined
from payments.queries import orders as payment_queries
from payments.service import asking, desk, intake, orders, payables, refund_requests, refund_sending
from payments.service.ledger import Account
from payments.service.orders import NewItem, NewOrder
from payments.service.refund_requests import RefundPart, decide_refund, request_refund
from tests.factories.channel import ScriptedChannel, channel_of
from tests.factories.ledger import check_books, payable, posting, trial_balance
from tests.factories.payments import BILL, Scene, begun
from tests.unit.payments.test_notices_alipay import here

pytestmark = pytest.mark.usefixtures("instance")

KINDS = "SELECT array_agg(kind ORDER BY id) FROM payment_exception WHERE compound_id = $1"
STATES = "SELECT array_agg(state ORDER BY id) FROM refund WHERE order_id = $1"


@pytest.fixture
def channel() -> Iterator[ScriptedChannel]:
    with channel_of(ScriptedChannel("wechat")) as made:
        yield made


def clerk(compound: UUID) -> Actor:
    held = (permissions.REFUNDS_REQUEST, permissions.REFUNDS_DECIDE, permissions.DESK_WRITE)
    grants = tuple(Grant(each, compound) for each in held)
    return Actor(kind="staff", account_id=uuid4(), name="员工", grants=grants)


async def paid(channel: ScriptedChannel) -> Scene:
    scene = await begun(channel)
    await intake.take_notification(channel, {}, channel.pay(await scene.number()))
    return scene


async def asked(compound: UUID, order: UUID, fen: int) -> UUID:
    item = await database.fetchval("SELECT id FROM payment_item WHERE order_id = $1", order)
    return await request_refund(
        clerk(compound), payment_id=order, parts=[RefundPart(item, fen)], reason="重复缴费"
    )


async def approved(scene: Scene, fen: int) -> UUID:
    refund = await asked(scene.compound, scene.order, fen)
    await decide_refund(clerk(scene.compound), refund_id=refund, approve=True)
    return refund


def of_refund(number: str, refund_no: str, *, fen: int = 0, given_back: int = 0, id: str = "1") -> bytes:
    state = "processing" if given_back else "succeeded"
    return orjson.dumps(
        {
            "id": f"{number}:{id}", "sign": "genuine", "out_trade_no": number, "refund_no": refund_no, "state": state,
            "fen": fen, "given_back": given_back,
        }
    )  # fmt: skip


async def test_what_was_kept_and_then_goes_back_all_the_same_is_in_the_books_and_for_a_person(
    channel: ScriptedChannel,
) -> None:
    scene = await paid(channel)
    channel.refund_state = "abnormal"
    refund = await approved(scene, 500)
    await refund_sending.see_to(refund)
    await refund_requests.keep_refund(clerk(scene.compound), refund_id=refund)
    number = await scene.number()
    for id in ("1", "1", "2"):
        await intake.take_notification(channel, {}, of_refund(number, refund.hex, fen=500, id=id))
    assert await database.fetchval(STATES, scene.order) == ["closed"]
    assert await trial_balance(scene.compound) == {
        "clearing": BILL - 500, "income": -BILL, "receivable": 500, "prepayment": -500, "suspense": 500,
    }  # fmt: skip
    assert await database.fetchval(KINDS, scene.compound) == ["refund_abnormal", "channel_refund"]
    await check_books()


async def test_a_retry_sends_again_what_the_channel_says_did_not_arrive(channel: ScriptedChannel) -> None:
    scene = await paid(channel)
    channel.refund_state = "abnormal"
    refund = await approved(scene, 500)
    await refund_sending.see_to_due()
    await refund_requests.retry_refund(clerk(scene.compound), refund_id=refund)
    channel.refund_state, before = "succeeded", channel.calls["refund"]
    await refund_sending.see_to_due()
    assert channel.calls["refund"] == before + 1


async def test_paid_and_given_back_before_it_was_told_is_both_in_the_books(channel: ScriptedChannel) -> None:
    scene = await begun(channel)
    number = await scene.number()
    channel.pay(number)
    channel.trades[number] = replace(channel.trades[number], given_back_fen=BILL)
    await asking.ask(scene.attempt)
    assert await trial_balance(scene.compound) == {"suspense": BILL, "income": -BILL}
    assert await database.fetchval(KINDS, scene.compound) == ["channel_refund"]
    await check_books()


async def test_what_goes_back_beside_a_refund_that_is_not_decided_is_booked(channel: ScriptedChannel) -> None:
    scene = await paid(channel)
    refund = await asked(scene.compound, scene.order, 500)
    number = await scene.number()
    await intake.take_notification(channel, {}, of_refund(number, "X1", given_back=500))
    assert (await trial_balance(scene.compound)).get("suspense") == 500
    assert await database.fetchval(KINDS, scene.compound) == ["channel_refund"]
    await decide_refund(clerk(scene.compound), refund_id=refund, approve=True)
    await refund_sending.see_to_due()
    await intake.take_notification(channel, {}, of_refund(number, "X2", given_back=1_200, id="2"))
    assert (await trial_balance(scene.compound))["clearing"] == BILL - 1_200
    await check_books()


async def test_what_goes_back_though_all_of_it_is_spoken_for_is_told(channel: ScriptedChannel) -> None:
    scene = await paid(channel)
    await asked(scene.compound, scene.order, BILL)
    taken = await intake.take_notification(channel, {}, of_refund(await scene.number(), "X1", given_back=500))
    assert taken.verdict == "taken"
    assert await database.fetchval(KINDS, scene.compound) == ["channel_refund"]


async def test_a_second_number_of_the_channels_for_one_attempt_is_for_a_person(
    channel: ScriptedChannel,
) -> None:
    scene = await paid(channel)
    number = await scene.number()
    second = orjson.loads(channel.pay(number)) | {"id": "other", "channel_no": f"T-{number}"}
    for _ in range(2):
        assert (await intake.take_notification(channel, {}, orjson.dumps(second))).verdict == "again"
    assert await trial_balance(scene.compound) == {"clearing": 2 * BILL, "suspense": -BILL, "income": -BILL}
    assert await database.fetchval(KINDS, scene.compound) == ["second_success"]


async def at_desk(compound: UUID, house: UUID, reference: str) -> UUID:
    owed, order = await payable(compound, house, 600), uuid7()
    async with database.transaction():
        await orders.open_order(
            NewOrder(order, compound, house, "物业缴费", [NewItem(600, owed)], cashier_id=clerk(compound).id)
        )
        await desk.take_at_desk(order, 600, "pos", reference)
    return order


async def test_a_slip_pays_once_while_its_refund_is_not_decided(channel: ScriptedChannel) -> None:
    compound, house = uuid4(), uuid4()
    refund = await asked(compound, await at_desk(compound, house, "1234"), 600)
    with pytest.raises(Conflict, match="REFERENCE_USED"):
        await at_desk(compound, house, "1234")
    await decide_refund(clerk(compound), refund_id=refund, approve=False, note="无需退款")
    await check_books()


async def test_a_refund_by_a_channel_that_is_not_set_up_any_more_is_for_a_person(
    channel: ScriptedChannel,
) -> None:
    scene = await paid(channel)
    refund = await approved(scene, 500)
    await database.execute("UPDATE refund SET queries = 20 WHERE id = $1", refund)
    with (
        channel_of(ScriptedChannel("alipay")),
        clock.use(FixedClock(clock.now() + timedelta(days=3, minutes=1))),
    ):
        await refund_sending.see_to(refund)
    assert await database.fetchval(KINDS, scene.compound) == ["refund_stuck"]


async def test_a_text_that_no_database_keeps_is_refused_like_any_other(channel: ScriptedChannel) -> None:
    for number in ("\x00", "a" * 70_000, "\ud7ff'", ""):
        forged = orjson.dumps(
            {"id": "1", "out_trade_no": number, "state": "paid", "channel_no": "1", "fen": 1}
        )
        assert (await intake.take_notification(channel, {}, forged)).verdict == "refused"


async def test_letting_go_and_holding_at_once_nobody_waits_in_a_circle() -> None:
    compound, house, by = uuid4(), uuid4(), uuid4()
    ids = [await payable(compound, house, 100) for _ in range(40)]

    async def let_go() -> None:
        async with database.transaction():
            await payables.release(ids, by)

    async def hold(some: list[UUID]) -> None:
        async with database.transaction():
            await payables.lock(some)
            await payables.hold(some, orders.held_until(), by)

    for _ in range(30):
        await asyncio.gather(hold(ids[::-1]), let_go(), hold(ids[::2]), let_go(), hold(ids[1::2]))


async def test_what_somebody_else_paid_first_goes_back_and_is_shown_so(channel: ScriptedChannel) -> None:
    scene = await begun(channel)
    notice = channel.pay(await scene.number())
    async with database.transaction():
        await payables.settle(
            posting(scene.compound), Account("suspense"), {scene.payable: BILL - 5_000}, clock.today()
        )
    await intake.take_notification(channel, {}, notice)
    await refund_sending.see_to_due()
    assert await trial_balance(scene.compound) == {
        "clearing": 5_000,
        "suspense": BILL - 5_000,
        "income": -BILL,
    }
    reader = Actor("staff", uuid4(), grants=(Grant(permissions.PAYMENTS_READ, scene.compound),))
    shown = (await payment_queries.by_id(reader, [scene.order]))[scene.order]
    assert (shown.amount_fen, shown.refunded_fen) == (BILL, BILL - 5_000)


async def test_what_was_paid_beyond_it_is_no_refund_of_it(channel: ScriptedChannel) -> None:
    scene = await begun(channel)
    await intake.take_notification(channel, {}, channel.pay(await scene.number(), BILL + 55))
    await refund_sending.see_to(await approved(scene, 100))
    await refund_sending.see_to_due()
    reader = Actor("staff", uuid4(), grants=(Grant(permissions.PAYMENTS_READ, scene.compound),))
    assert (await payment_queries.by_id(reader, [scene.order]))[scene.order].refunded_fen == 100


async def test_a_title_holds_nothing_that_alipay_refuses() -> None:
    ask = Ask(uuid4(), "N12345", 1, "A&B/花园=1 101 物业缴费", clock.now(), "h5")
    url = (await here().create(ask))["url"]
    assert (
        "A＆B／花园＝1 101 物业缴费"
        in orjson.loads(parse_qs(urlsplit(url).query)["biz_content"][0])["subject"]
    )


async def test_forged_notifications_fill_no_database(settings: Settings, channel: ScriptedChannel) -> None:
    count = "SELECT count(*) FROM gateway_event"
    before, transport = await database.fetchval(count), httpx.ASGITransport(build_app(settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://linli") as http:
        codes = [
            (await http.post("/payments/notify/wechat/token", content=orjson.dumps({"n": n}))).status_code
            for n in range(100)
        ]
    assert set(codes) == {400, 429}
    assert await database.fetchval(count) == before + codes.count(400)
    told = "SELECT count(*) FROM payment_exception WHERE compound_id IS NULL AND note = 'wechat: signature'"
    assert await database.fetchval(told) == 1


async def test_a_question_that_is_refused_says_nothing_of_the_refund(channel: ScriptedChannel) -> None:
    scene = await paid(channel)
    refund = await approved(scene, 500)
    channel.loses["refund"] = OutcomeUnknown("wechatpay", "ReadTimeout")
    await refund_sending.see_to(refund)
    await database.execute("UPDATE refund SET queries = 2 WHERE id = $1", refund)
    channel.fails["query_refund"] = Declined("NO_AUTH")
    await refund_sending.see_to(refund)
    assert await database.fetchval(STATES, scene.order) == ["approved"]
    channel.fails.clear()
    await refund_sending.see_to(refund)
    assert await database.fetchval(STATES, scene.order) == ["succeeded"]
    assert await trial_balance(scene.compound) == {
        "clearing": BILL - 500, "income": -BILL, "receivable": 500,
    }  # fmt: skip
