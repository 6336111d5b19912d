"""The receipt of money paid ahead, from the payment to the page where anybody checks it."""

from __future__ import annotations

from uuid import UUID

import pytest

from domains.kernel import database
from payments.service import intake, refund_sending
from payments.service.refund_requests import RefundPart, decide_refund, request_refund
from schema.relay import decode, encode
from tests.api.identity.clients import Api
from tests.api.payments.cases import World, key
from tests.api.payments.test_authority import token_of
from tests.factories import residents
from tests.factories.channel import ScriptedChannel, channel_of
from tests.factories.ledger import check_books, trial_balance

pytestmark = pytest.mark.usefixtures("instance")

RECEIPT = "query($p: ID!) { payment(id: $p) { state receipt refundedFen } }"
DOCUMENT = "document { kind number amountFen path }"
VERIFY = "query($c: String!) { verifyDocument(code: $c) { number amountFen isTakenBack refundedFen } }"


async def refunded(world: World, payment: UUID, fen: int) -> None:
    item = await database.fetchval("SELECT id FROM payment_item WHERE order_id = $1", payment)
    asked = await request_refund(
        world.colleague(), payment_id=payment, parts=[RefundPart(item, fen)], reason="退预存"
    )
    await decide_refund(world.colleague(), refund_id=asked, approve=True)
    assert await refund_sending.see_to_due() == 1


async def test_money_paid_ahead_has_a_receipt_until_it_is_all_refunded(api: Api) -> None:
    with channel_of(ScriptedChannel()) as channel:
        world = World(await residents.scene(), channel)
        token = await token_of(world.scene, "owner")
        begun = await api.run(
            "topUpAccount", "TopUpAccountInput", "payment { id receipt }", token,
            house=encode("House", world.scene.house_id), amountFen=8_800, channel="ALIPAY", product="H5",
            idempotencyKey=key(),
        )  # fmt: skip
        payment = begun["payment"]["id"]
        assert begun["payment"]["receipt"] is None
        [number] = channel.trades
        await intake.take_notification(channel, {}, channel.pay(number))
        shown = (await api.ask(RECEIPT, {"p": payment}, token))["data"]["payment"]
        assert shown["state"] == "PAID"
        given = {"payment": shown["receipt"]}
        made = (await api.run("issueReceipt", "IssueReceiptInput", DOCUMENT, token, **given))["document"]
        assert (made["kind"], made["amountFen"]) == ("RECEIPT", 8_800)
        code = {"c": made["path"].rsplit("/", 1)[1]}
        for fen, so_far, words in (
            (800, 800, ("这份单据是真的", "其中已退款", "¥8.00")),
            (8_000, 8_800, ("这份单据是真的，但款项已退回", "¥88.00")),
        ):
            await refunded(world, decode(payment, "Payment", "p"), fen)
            checked = (await api.ask(VERIFY, code))["data"]["verifyDocument"]
            assert checked == {
                "number": made["number"], "amountFen": 8_800, "isTakenBack": so_far == 8_800, "refundedFen": so_far,
            }  # fmt: skip
            page = (await api.http.get(made["path"])).text
            assert all(each in page for each in words), page
        ended = (await api.ask(RECEIPT, {"p": payment}, token))["data"]["payment"]
        assert ended == {"state": "PAID", "receipt": None, "refundedFen": 8_800}
        refused = await api.run("issueReceipt", "IssueReceiptInput", DOCUMENT, token, **given)
        assert [each["code"] for each in refused["errors"]] == ["RECEIPT_TAKEN_BACK"]
        assert await trial_balance(world.scene.compound_id) == {}
        await check_books()
