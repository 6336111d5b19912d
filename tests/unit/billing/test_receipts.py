"""Receipts of payments: money paid ahead and deposits have one as bills do, and it ends with the money."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date
from uuid import UUID, uuid4

import orjson
import pytest
from pypdf import PdfReader

from domains.billing import permissions as billing
from domains.billing.documents import issuing
from domains.billing.documents.issuing import Document
from domains.billing.documents.verifying import VerifiedDocument, verify_document
from domains.billing.models import DocumentIssue
from domains.billing.queries import house_payments
from domains.billing.service.bill_payments import Way, top_up_account
from domains.billing.service.corrections import decide_correction, request_void
from domains.billing.service.deductions import deduct
from domains.billing.service.desk_payments import Charge, record_desk_payment
from domains.kernel import clock, database
from domains.kernel.actor import ANONYMOUS, Actor
from domains.kernel.errors import DomainError
from domains.kernel.files import audience_of, links, storage
from domains.residents.models import Occupancy
from payments import permissions
from payments.gateways import RefundSighting
from payments.service import desk, intake, refund_results, refund_sending
from payments.service.refund_requests import RefundPart, decide_refund, pay_out_refund, request_refund
from tests.factories import bills, residents
from tests.factories.channel import ScriptedChannel, channel_of
from tests.factories.ledger import check_books, trial_balance
from tests.factories.relaying import deliver
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

EVERYTHING = (*permissions.LABELS, billing.BILLS_READ)
NUMBER = "SELECT max(out_trade_no) FROM payment_attempt WHERE order_id = $1"
RECEIPT = "SELECT j.id FROM journal j JOIN payment_order o ON j.key = 'payment:' || o.paid_by WHERE o.id = $1"
PARTS = "SELECT id, paid_fen FROM payment_item WHERE order_id = $1 ORDER BY position"


@pytest.fixture
def channel() -> Iterator[ScriptedChannel]:
    with channel_of(ScriptedChannel()) as made:
        yield made


@pytest.fixture
async def scene() -> Scene:
    made = await residents.scene()
    await Occupancy.filter(compound_id=made.compound_id).update(since_on=date(2020, 1, 1))
    return made


async def topped_up(scene: Scene, channel: ScriptedChannel, who: str = "owner", purpose: str = "") -> UUID:
    """¥88.00 that somebody of the house paid ahead."""
    payment = await top_up_account(
        await residents.caller(scene, who), house_id=scene.house_id, fen=8_800, purpose=purpose, way=Way("alipay", "h5")
    )  # fmt: skip
    told = channel.pay(await database.fetchval(NUMBER, payment))
    assert (await intake.take_notification(channel, {}, told)).verdict == "taken"
    return payment


async def taken(scene: Scene, *bill_ids: UUID, ahead_fen: int = 0, purpose: str = "") -> UUID:
    """What was taken at the desk in cash."""
    charge = Charge(scene.house_id, bill_ids, top_up_fen=ahead_fen, purpose=purpose)
    return await record_desk_payment(scene.staff(*EVERYTHING), charge=charge, method="cash")


async def receipt_of(payment: UUID, actor: Actor) -> Document:
    seen = (await house_payments.by_id(actor, [payment]))[payment]
    assert seen.receipt_id == await database.fetchval(RECEIPT, payment)
    return await issuing.issue_receipt(actor, journal_id=seen.receipt_id)


async def words(actor: Actor, made: Document) -> str:
    key = links().open(made.address.rsplit("/", 1)[1], clock.now(), audience_of(actor)).key
    body = b"".join([chunk async for chunk in await storage().open(key)])
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages)


async def verified(made: Document) -> VerifiedDocument:
    return await verify_document(ANONYMOUS, made.path.rsplit("/", 1)[1])


async def refunded(scene: Scene, payment: UUID, fen: int | None = None) -> None:
    """One asks, another approves, and it goes: so much of the first part, or all of everything."""
    rows = await database.fetch(PARTS, payment)
    parts = (
        [RefundPart(row["id"], row["paid_fen"]) for row in rows]
        if fen is None
        else [RefundPart(rows[0]["id"], fen)]
    )
    asked = await request_refund(scene.staff(*EVERYTHING), payment_id=payment, parts=parts, reason="退预存")
    await decide_refund(scene.staff(*EVERYTHING), refund_id=asked, approve=True)
    if await database.fetchval("SELECT next_query_at IS NULL FROM refund WHERE id = $1", asked):
        await pay_out_refund(scene.staff(*EVERYTHING), refund_id=asked)
    await refund_sending.see_to_due()


async def refusal(actor: Actor, payment: UUID) -> str:
    with pytest.raises(DomainError) as refused:
        await issuing.issue_receipt(actor, journal_id=await database.fetchval(RECEIPT, payment))
    return refused.value.code


async def test_money_paid_ahead_by_phone_has_a_receipt(scene: Scene, channel: ScriptedChannel) -> None:
    payment = await topped_up(scene, channel, purpose="property")
    owner = await residents.caller(scene, "owner")
    made = await receipt_of(payment, owner)
    assert (made.kind, made.amount_fen, made.number) == ("receipt", 8_800, f"SJ{clock.today().year}000001")
    text = await words(owner, made)
    for said in (
        "收据",
        "1号楼1单元101",
        "张建国",
        "支付宝支付",
        "预存款（物业费）",
        "88.00",
        "捌拾捌元整",
        "预存账户",
    ):
        assert said in text, said
    shown = await verified(made)
    assert (shown.amount_fen, shown.is_taken_back, shown.refunded_fen) == (8_800, False, 0)
    assert await trial_balance(scene.compound_id) == {"clearing": 8_800, "prepayment": -8_800}


async def test_it_is_made_out_to_who_paid_and_at_the_desk_to_the_owners_of_the_day(
    scene: Scene, channel: ScriptedChannel
) -> None:
    by_phone, at_desk = await topped_up(scene, channel, "tenant"), await taken(scene, ahead_fen=500)
    tenant, clerk = await residents.caller(scene, "tenant"), scene.staff(*EVERYTHING)
    assert "交款人：赵租客" in await words(tenant, await receipt_of(by_phone, tenant))
    text = await words(clerk, await receipt_of(at_desk, clerk))
    assert "交款人：张建国" in text and "现金缴费" in text


async def test_a_payment_of_bills_and_of_money_ahead_has_one_receipt_that_names_both(scene: Scene) -> None:
    item = await bills.item(scene.compound_id, name="物业费一期")
    bill = await bills.bill(scene.house_id, {item: 12_345})
    payment = await taken(scene, bill, ahead_fen=655)
    owner, clerk = await residents.caller(scene, "owner"), scene.staff(*EVERYTHING)
    made = await receipt_of(payment, owner)
    text = await words(owner, made)
    for said in ("物业费一期", "123.45", "预存款", "6.55", "¥130.00", "壹佰叁拾元整"):
        assert said in text, said
    again = await receipt_of(payment, clerk)
    assert (again.id, again.number) == (made.id, made.number)
    assert await DocumentIssue.filter(compound_id=scene.compound_id).count() == 1
    assert await trial_balance(scene.compound_id) == {"drawer": 13_000, "prepayment": -655, "income": -12_345}
    await check_books()


async def test_a_deposit_has_one_until_it_is_given_back(scene: Scene) -> None:
    item = await bills.item(scene.compound_id, "deposit", name="装修押金")
    bill = await bills.bill(scene.house_id, {item: 200_000})
    payment = await taken(scene, bill)
    await deliver()
    assert await trial_balance(scene.compound_id) == {"drawer": 200_000, "deposit": -200_000}
    owner = await residents.caller(scene, "owner")
    made = await receipt_of(payment, owner)
    text = await words(owner, made)
    for said in ("装修押金", "2,000.00", "贰仟元整", "押金在退还条件满足后退还"):
        assert said in text, said
    await refunded(scene, payment)
    shown = await verified(made)
    assert (shown.is_taken_back, shown.refunded_fen) == (True, 200_000)
    await deliver()
    assert await trial_balance(scene.compound_id) == {"receivable": 200_000, "deposit_due": -200_000}
    # What was given back is asked for no more.
    void = await request_void(scene.staff(billing.CORRECTIONS_REQUEST), bill_id=bill, reason="装修验收合格")
    await decide_correction(
        scene.staff(billing.CORRECTIONS_DECIDE), correction_id=void, approve=True, note=""
    )
    await deliver()
    assert await trial_balance(scene.compound_id) == {}
    await check_books()


async def test_receipts_of_all_kinds_are_numbered_in_one_series(
    scene: Scene, channel: ScriptedChannel
) -> None:
    clerk = scene.staff(*EVERYTHING)
    payments = [
        await topped_up(scene, channel),
        await taken(scene, await bills.bill(scene.house_id, 100)),
        await taken(scene, ahead_fen=100),
    ]
    numbers = [(await receipt_of(payment, clerk)).number for payment in payments]
    assert numbers == [f"SJ{clock.today().year}{count:06}" for count in (1, 2, 3)]


async def test_what_the_house_itself_paid_has_a_receipt_of_the_bill_alone(
    scene: Scene, channel: ScriptedChannel
) -> None:
    await topped_up(scene, channel)
    await bills.bill(scene.house_id, 3_000)
    assert await deduct(scene.house_id) == 1
    deduction = await database.fetchval(
        "SELECT order_id FROM payment_attempt WHERE compound_id = $1 AND channel = 'balance'",
        scene.compound_id,
    )
    owner = await residents.caller(scene, "owner")
    made = await receipt_of(deduction, owner)
    assert made.amount_fen == 3_000
    text = await words(owner, made)
    assert "预存抵扣" in text and "预存款" not in text


async def test_it_ends_when_the_payment_is_voided(scene: Scene) -> None:
    payment = await taken(scene, ahead_fen=655)
    owner, clerk = await residents.caller(scene, "owner"), scene.staff(*EVERYTHING)
    made = await receipt_of(payment, owner)
    await desk.void_desk_payment(clerk, payment_id=payment, reason="收错了户")
    assert (await verified(made)).is_taken_back
    assert (await house_payments.by_id(owner, [payment]))[payment].receipt_id is None
    assert await refusal(owner, payment) == "RECEIPT_TAKEN_BACK"
    assert await trial_balance(scene.compound_id) == {}
    await check_books()


async def test_it_ends_with_the_last_fen_that_is_refunded(scene: Scene, channel: ScriptedChannel) -> None:
    payment, owner = await topped_up(scene, channel), await residents.caller(scene, "owner")
    made = await receipt_of(payment, owner)
    await refunded(scene, payment, 8_799)
    shown = await verified(made)
    assert (shown.is_taken_back, shown.refunded_fen) == (False, 8_799)
    assert (await receipt_of(payment, owner)).id == made.id
    await refunded(scene, payment, 1)
    shown = await verified(made)
    assert (shown.is_taken_back, shown.refunded_fen) == (True, 8_800)
    assert (await house_payments.by_id(owner, [payment]))[payment].receipt_id is None
    assert await refusal(owner, payment) == "RECEIPT_TAKEN_BACK"
    assert await trial_balance(scene.compound_id) == {}
    await check_books()


async def test_what_is_only_asked_for_or_on_its_way_ends_nothing(
    scene: Scene, channel: ScriptedChannel
) -> None:
    channel.refund_state = "processing"
    payment, owner = await topped_up(scene, channel), await residents.caller(scene, "owner")
    made = await receipt_of(payment, owner)
    await refunded(scene, payment)
    assert not (await verified(made)).is_taken_back
    refund = await database.fetchval("SELECT id FROM refund WHERE order_id = $1", payment)
    number = await database.fetchval("SELECT out_refund_no FROM refund WHERE id = $1", refund)
    await refund_results.take_result(refund, RefundSighting("", number, "succeeded", 8_800, "R1"))
    assert (await verified(made)).is_taken_back


async def test_what_came_too_much_is_on_no_receipt(scene: Scene, channel: ScriptedChannel) -> None:
    owner = await residents.caller(scene, "owner")
    payment = await top_up_account(
        owner, house_id=scene.house_id, fen=8_800, purpose="", way=Way("alipay", "h5")
    )
    told = channel.pay(await database.fetchval(NUMBER, payment), 9_900)
    await intake.take_notification(channel, {}, told)
    made = await receipt_of(payment, owner)
    await refund_sending.see_to_due()
    shown = await verified(made)
    assert (made.amount_fen, shown.is_taken_back, shown.refunded_fen) == (8_800, False, 0)
    assert await trial_balance(scene.compound_id) == {"clearing": 8_800, "prepayment": -8_800}


async def test_a_second_transaction_of_a_payment_has_none(scene: Scene, channel: ScriptedChannel) -> None:
    payment, clerk = await topped_up(scene, channel), scene.staff(*EVERYTHING)
    told = orjson.loads(channel.pay(await database.fetchval(NUMBER, payment)))
    second = orjson.dumps(told | {"id": "another", "channel_no": f"U{told['out_trade_no']}"})
    await intake.take_notification(channel, {}, second)
    first = await database.fetchval(RECEIPT, payment)
    journals = await database.fetch("SELECT id FROM journal WHERE compound_id = $1", scene.compound_id)
    assert len(journals) == 2
    for journal in (row["id"] for row in journals if row["id"] != first):
        with pytest.raises(DomainError, match="PAYMENT_NOT_FOUND"):
            await issuing.issue_receipt(clerk, journal_id=journal)
    assert (await issuing.issue_receipt(clerk, journal_id=first)).amount_fen == 8_800
    assert await trial_balance(scene.compound_id) == {
        "clearing": 17_600, "prepayment": -8_800, "suspense": -8_800,
    }  # fmt: skip


@pytest.mark.parametrize("kind", residents.CALLERS)
async def test_the_receipt_of_money_ahead_is_its_payers_the_owners_and_the_staffs(
    scene: Scene, channel: ScriptedChannel, kind: str
) -> None:
    actor = await residents.caller(scene, kind, billing.BILLS_READ)
    by_phone, at_desk = await topped_up(scene, channel), await taken(scene, ahead_fen=500)
    both = await taken(scene, await bills.bill(scene.house_id, 100), ahead_fen=500)
    may = {
        by_phone: ("owner", "staff"),
        at_desk: ("owner", "family", "staff"),
        both: ("owner", "family", "staff"),
    }
    for payment, allowed in may.items():
        if kind in allowed:
            journal = await database.fetchval(RECEIPT, payment)
            assert (await issuing.issue_receipt(actor, journal_id=journal)).address
        else:
            assert await refusal(actor, payment) in ("PAYMENT_NOT_FOUND", "UNAUTHENTICATED", "FORBIDDEN")
    issued = await DocumentIssue.filter(compound_id=scene.compound_id).count()
    assert issued == sum(kind in allowed for allowed in may.values())


async def test_a_cashier_hands_out_what_they_took_and_nothing_else(scene: Scene) -> None:
    def keeper() -> Actor:
        return residents.staff(
            permissions.DESK_WRITE, compound_id=scene.compound_id, building_id=scene.building_id
        )

    cashier = keeper()
    payment = await record_desk_payment(cashier, charge=Charge(scene.house_id, top_up_fen=500), method="cash")
    assert await refusal(keeper(), payment) == "PAYMENT_NOT_FOUND"
    assert (await receipt_of(payment, cashier)).amount_fen == 500


async def test_a_tenant_has_no_receipt_that_names_the_owners_money(scene: Scene) -> None:
    bill = await bills.bill(scene.house_id, 4_200, payer="tenant")
    alone = await taken(scene, bill)
    tenant = await residents.caller(scene, "tenant")
    assert (await receipt_of(alone, tenant)).amount_fen == 4_200
    other = await bills.bill(scene.house_id, 4_300, payer="tenant", month=date(2026, 4, 1))
    mixed = await taken(scene, other, ahead_fen=1)
    assert await refusal(tenant, mixed) == "PAYMENT_NOT_FOUND"


async def test_a_journal_that_is_no_payment_has_no_receipt(scene: Scene, channel: ScriptedChannel) -> None:
    payment, clerk = await topped_up(scene, channel), scene.staff(*EVERYTHING)
    await refunded(scene, payment)
    journals = await database.fetch(
        "SELECT id FROM journal WHERE compound_id = $1 AND key NOT LIKE 'payment:%'", scene.compound_id
    )
    assert len(journals) == 2
    for journal in (*(row["id"] for row in journals), uuid4()):
        with pytest.raises(DomainError, match="PAYMENT_NOT_FOUND"):
            await issuing.issue_receipt(clerk, journal_id=journal)
    assert await DocumentIssue.filter(compound_id=scene.compound_id).count() == 0
