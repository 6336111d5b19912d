"""Receipts of money that came too little and was put to a bill by hand: it is the payer's way on them, and they end."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import orjson
import pytest

from domains.billing.documents import issuing
from domains.billing.documents.issuing import Document
from domains.billing.documents.verifying import verify_document
from domains.billing.queries.bills import payments
from domains.billing.service.bill_payments import Way, pay_bills
from domains.kernel import database
from domains.kernel.actor import ANONYMOUS
from domains.kernel.errors import DomainError
from payments.part_payment import allows_part
from payments.service import intake
from payments.service.exception_settling import settle_payment_exception
from tests.factories import bills, residents
from tests.factories.channel import ScriptedChannel, channel_of
from tests.factories.exceptions import always, clerk
from tests.factories.ledger import check_books, trial_balance
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

NUMBER = "SELECT max(out_trade_no) FROM payment_attempt WHERE order_id = $1"
OPEN = "SELECT id FROM payment_exception WHERE compound_id = $1 AND kind = $2 AND closed_at IS NULL"


@pytest.fixture
def channel() -> Iterator[ScriptedChannel]:
    allows_part.fill(always)
    with channel_of(ScriptedChannel("wechat")) as made:
        yield made


async def settle(scene: Scene, kind: str, action: str) -> None:
    """Somebody does one of the things that fit what is open."""
    id = await database.fetchval(OPEN, scene.compound_id, kind)
    await settle_payment_exception(clerk(scene.compound_id), exception_id=id, action=action, note="已核对")


async def given_back(channel: ScriptedChannel, payment: UUID, fen: int) -> None:
    """So much of it goes back at the platform itself."""
    said = {
        "id": uuid4().hex, "sign": "genuine", "out_trade_no": await database.fetchval(NUMBER, payment),
        "refund_no": uuid4().hex, "state": "succeeded", "fen": fen,
    }  # fmt: skip
    assert (await intake.take_notification(channel, {}, orjson.dumps(said))).verdict == "taken"


async def said_on(made: Document) -> str:
    return str(await database.fetchval("SELECT content::text FROM document_issue WHERE id = $1", made.id))


async def shown(made: Document) -> tuple[bool, int]:
    """Whether it has ended, and how much of it went back."""
    seen = await verify_document(ANONYMOUS, made.path.rsplit("/", 1)[1])
    return seen.is_taken_back, seen.refunded_fen


async def test_what_was_put_to_a_bill_by_hand_and_goes_back_ends_its_receipt(
    channel: ScriptedChannel,
) -> None:
    scene = await residents.scene()
    owner, bill = await residents.caller(scene, "owner"), await bills.bill(scene.house_id, 10_000)
    payment = await pay_bills(owner, bill_ids=[bill], way=Way("wechat", "h5"))
    await intake.take_notification(channel, {}, channel.pay(await database.fetchval(NUMBER, payment), 5_000))
    await given_back(channel, payment, 1_000)
    await settle(scene, "underpaid", "apply")
    [paid] = (await payments([bill]))[bill]
    made = await issuing.issue_receipt(owner, journal_id=paid.id)
    assert (made.amount_fen, await shown(made)) == (4_000, (False, 0))
    assert "微信支付" in await said_on(made)
    for fen, stands in ((1_500, (False, 1_500)), (2_500, (True, 4_000))):
        await given_back(channel, payment, fen)
        await settle(scene, "channel_refund", "book")
        assert await shown(made) == stands
    with pytest.raises(DomainError, match="RECEIPT_TAKEN_BACK"):
        await issuing.issue_receipt(owner, journal_id=paid.id)
    assert await trial_balance(scene.compound_id) == {"receivable": 10_000, "income": -10_000}
    await check_books()
