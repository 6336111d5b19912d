"""Where trouble with a payment might be booked twice, closed while money waits, or confirmed by one for another sum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID, uuid4

import orjson
import pytest

from domains.kernel import database
from payments import order_sql, permissions
from payments.gateways import Declined, RefundAsk, RefundSighting
from payments.part_payment import allows_part
from payments.queries.orders import by_id as payments_by_id
from payments.service import intake, orders, refund_sending
from payments.service.refund_requests import decide_refund
from tests.factories.channel import ScriptedChannel, channel_of
from tests.factories.exceptions import (
    always,
    asked_back,
    clerk,
    how,
    only,
    open_of,
    paid,
    require,
    settle,
)
from tests.factories.payments import BILL, Scene, begun

pytestmark = pytest.mark.usefixtures("instance")

ASKED = "SELECT asked_note FROM payment_exception WHERE id = $1"


class TwoTransactions(ScriptedChannel):
    """A channel that has taken two transactions for one number, and knows them by its own numbers alone."""

    second = ""

    async def refund(self, ask: RefundAsk) -> RefundSighting:
        known = {trade.channel_no: trade.out_trade_no for trade in self.trades.values()}
        number = known.get(ask.channel_no) or (ask.channel_no == self.second and next(iter(known.values())))
        if not number:
            raise Declined("TRADE_NOT_EXIST")
        return replace(await super().refund(ask), out_trade_no=number, channel_no=ask.channel_no)


@pytest.fixture(params=["wechat", "alipay"])
def channel(request: pytest.FixtureRequest) -> Iterator[TwoTransactions]:
    with channel_of(made := TwoTransactions(request.param)):
        yield made


@pytest.fixture(autouse=True)
def parts() -> None:
    """A part of a bill may be paid everywhere."""
    allows_part.fill(always)


async def tell(channel: ScriptedChannel, scene: Scene, refund_no: str, fen: int, **more: object) -> str:
    """The channel tells of a refund, of one alone unless `given_back` says how much all of them are; never under the
    same id."""
    said = {
        "id": uuid4().hex, "sign": "genuine", "out_trade_no": await scene.number(), "refund_no": refund_no,
        "state": "processing" if more.get("given_back") else "succeeded", "fen": fen,
    }  # fmt: skip
    return (await intake.take_notification(channel, {}, orjson.dumps(said | more))).verdict


async def paid_twice(channel: TwoTransactions) -> tuple[Scene, UUID]:
    """A payment that two transactions paid, and what is open about the second."""
    scene = await begun(channel)
    first = channel.pay(await scene.number())
    channel.second = f"T{uuid4().hex}"
    second = orjson.dumps(orjson.loads(first) | {"id": "other", "channel_no": channel.second})
    for each in (first, second):
        await intake.take_notification(channel, {}, each)
    return scene, await only(scene, "second_success", BILL)


async def waiting(scene: Scene) -> UUID:
    """The refund that waits for a decision."""
    id: UUID = await database.fetchval(
        "SELECT id FROM refund WHERE order_id = $1 AND state = 'requested'", scene.order
    )
    return id


async def test_a_second_transaction_goes_back_under_the_channels_own_number_and_is_booked_once(
    channel: TwoTransactions,
) -> None:
    scene, id = await paid_twice(channel)
    await settle(scene, id, "refund")
    refund = await waiting(scene)
    await decide_refund(clerk(scene.compound), refund_id=refund, approve=True)
    channel.refund_state = "processing"
    await refund_sending.see_to_due()
    # It names our number of the first transaction, for the channel knows no other of ours.
    if channel.channel == "alipay":
        channel.refunds[refund.hex] = replace(channel.refunds[refund.hex], state="succeeded")
        await tell(channel, scene, refund.hex, 0, given_back=BILL, channel_no=channel.second)
        await refund_sending.see_to_due()
    else:
        await tell(channel, scene, refund.hex, BILL, channel_no=channel.second)
    assert await open_of(scene) == []
    await require(scene, {"clearing": BILL, "income": -BILL})


async def test_what_the_platform_gave_back_of_a_second_transaction_is_not_of_the_first(
    channel: TwoTransactions,
) -> None:
    scene, id = await paid_twice(channel)
    by_sum = {"given_back": BILL} if channel.channel == "alipay" else {}
    await tell(channel, scene, "X1", 0 if by_sum else BILL, channel_no=channel.second, **by_sum)
    assert (await how(id), await open_of(scene)) == ((None, True, False), [])
    await require(scene, {"clearing": BILL, "income": -BILL})
    reader = clerk(scene.compound, permissions.PAYMENTS_READ)
    shown = (await payments_by_id(reader, [scene.order]))[scene.order]
    assert shown.refunded_fen == 0 and shown.receipt_id is not None


@pytest.mark.parametrize("is_sum", [False, True])
async def test_what_had_no_room_and_is_booked_when_told_again_does_not_wait_as_well(
    channel: TwoTransactions, is_sum: bool
) -> None:
    scene = await paid(channel)
    refund = await asked_back(scene, BILL)
    how_much = {"fen": 0, "given_back": 300} if is_sum else {"fen": 300}
    await tell(channel, scene, "X1", **how_much)
    first = await only(scene, "channel_refund", 300)
    await decide_refund(clerk(scene.compound), refund_id=refund, approve=False, note="平台已退")
    await tell(channel, scene, "X1", **how_much)
    assert await how(first) == (None, True, False)
    await settle(scene, await only(scene, "channel_refund", 300), "book")
    assert await open_of(scene) == []
    await require(scene, {"clearing": BILL - 300, "receivable": 300, "income": -BILL})


async def test_nobody_confirms_more_than_the_first_of_two_asked_for(channel: TwoTransactions) -> None:
    scene = await paid(channel)
    refund = await asked_back(scene, BILL)
    await tell(channel, scene, "X1", 0, given_back=300)
    id = await only(scene, "channel_refund", 300)
    await settle(scene, id, "write_off", note="住户已搬走")
    assert await database.fetchval(ASKED, id) == "住户已搬走"
    await tell(channel, scene, "X2", 0, given_back=9_300)
    assert await database.fetchval(ASKED, id) == ""
    await decide_refund(clerk(scene.compound), refund_id=refund, approve=False, note="平台已退")
    await settle(scene, id, "write_off")
    assert await how(id) == (None, False, False)
    await require(scene, {"clearing": BILL, "income": -BILL})
    await settle(scene, id, "write_off", note="同意")
    assert await database.fetchval(ASKED, id) == "已核对"
    await require(scene, {"clearing": BILL - 9_300, "write_off": 9_300, "income": -BILL})


@pytest.mark.parametrize("is_sum", [False, True])
async def test_what_was_given_up_and_is_told_of_by_its_refund_alone_is_booked(
    channel: TwoTransactions, is_sum: bool
) -> None:
    scene = await begun(channel)
    attempt = await database.fetchrow(order_sql.ATTEMPT_BY_ID, scene.attempt)
    assert attempt is not None
    await orders.end_attempt(attempt, "closed", "GIVEN_UP")
    channel.pay(await scene.number())
    how_much = {"fen": 0, "given_back": 300} if is_sum else {"fen": 300}
    assert await tell(channel, scene, "X1", **how_much) == "held"
    await only(scene, "channel_refund", 300)
    await require(scene, {"clearing": BILL - 300, "suspense": 300, "income": -BILL})
