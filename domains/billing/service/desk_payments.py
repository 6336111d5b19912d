"""Bills and prepayments paid at the desk (柜台收款): in cash, by card, by transfer, or by a code that is scanned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from domains.billing import payment_sql as sql
from domains.billing.service import bill_payments
from domains.billing.service.assessing import freeze
from domains.kernel import clock, database, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from domains.kernel.ids import uuid7
from payments import permissions
from payments.order_rules import AT_DESK
from payments.service import asking, desk, ledger, orders
from payments.service.ledger import Account
from payments.service.orders import NewItem, NewOrder


@dataclass(frozen=True, slots=True)
class Charge:
    """What somebody pays at the desk: bills of one house or a part of one, and so much ahead."""

    house_id: UUID
    bill_ids: Sequence[UUID] = ()
    part_fen: int | None = None
    top_up_fen: int = 0
    purpose: str = ""
    expected_fen: int | None = None
    """What the cashier was shown, and said, that all of it comes to."""


@command("desk.record", caller="staff", permission=permissions.DESK_WRITE, by_turns=True)
async def record_desk_payment(
    actor: Actor, *, charge: Charge, method: str, reference: str = "", idempotency_key: UUID | None = None
) -> UUID:
    """Book what a cashier has in hand: cash, or what the terminal or bank confirmed under a number; the payment's id.

    Raises NotFound HOUSE_NOT_FOUND, BILL_NOT_FOUND; Forbidden; Invalid CHANNEL_UNAVAILABLE, REFERENCE_REQUIRED,
    NOTHING_TO_PAY, PART_NOT_ALLOWED, PART_INVALID, TOP_UP_AMOUNT, PURPOSE_UNKNOWN; Conflict BILL_PAID, BILL_BEING_PAID,
    AMOUNT_CHANGED, REFERENCE_USED.
    """
    if method not in AT_DESK:
        raise Invalid("CHANNEL_UNAVAILABLE", "请选择现金、刷卡或转账", "method")
    written = text.clean(reference, max_length=64, min_length=0, fold=True, field="reference")
    if method != "cash" and not written:
        raise Invalid("REFERENCE_REQUIRED", "请填写 POS 参考号或转账流水号", "reference")
    new = await _opened(actor, charge)
    await desk.take_at_desk(new.id, new.amount_fen, method, "" if method == "cash" else written)
    return new.id


async def show_code_to_pay(
    actor: Actor, *, charge: Charge, channel: str, idempotency_key: UUID | None = None
) -> UUID:
    """Begin a payment by a code that somebody scans at the desk (扫码收款); the payment's id.

    Raises as record_desk_payment does; Unavailable PAYMENT_NOT_BEGUN.
    """
    begun = await _begin_code(actor, charge=charge, channel=channel, idempotency_key=idempotency_key)
    if await asking.prepare(begun.attempt_id) == "failed":
        raise Unavailable("PAYMENT_NOT_BEGUN", "支付平台暂时没有受理,请稍后重试,或换一种方式支付")
    return begun.payment_id


@command("desk.scan", caller="staff", permission=permissions.DESK_WRITE, by_turns=True)
async def _begin_code(
    actor: Actor, *, charge: Charge, channel: str, idempotency_key: UUID | None
) -> bill_payments.Begun:
    gateway = orders.gateway_for(channel, "qr")
    new = await _opened(actor, charge)
    return bill_payments.Begun(new.id, await orders.try_by(new.id, new.amount_fen, gateway, "qr"))


async def _opened(actor: Actor, charge: Charge) -> NewOrder:
    """The payment, begun, of what the caller may take at that house's desk."""
    house = await database.fetchrow(sql.HOUSE_TO_PAY, charge.house_id)
    if house is None:
        raise NotFound("HOUSE_NOT_FOUND", "没有找到这套房屋,请刷新后重试", "house")
    concerns(
        "House", charge.house_id, house["compound_id"], bills=len(charge.bill_ids), fen=charge.top_up_fen
    )
    actor.require(permissions.DESK_WRITE, house["compound_id"], house["building_id"])
    order_id = uuid7()
    items = await _bill_items(actor, charge, order_id) + await _top_up_items(house["compound_id"], charge)
    title = f"{house['compound']} {house['number']} 物业缴费"
    new = NewOrder(order_id, house["compound_id"], charge.house_id, title, items, cashier_id=actor.id)
    if charge.expected_fen not in (None, new.amount_fen):
        raise Conflict("AMOUNT_CHANGED", "应收金额已经变化,请按新的金额重新收款")
    await orders.open_order(new)
    return new


async def _bill_items(actor: Actor, charge: Charge, order_id: UUID) -> list[NewItem]:
    if not charge.bill_ids:
        return []
    bills = await bill_payments.payable_bills(actor, charge.bill_ids)
    if any(bill.house_id != charge.house_id for bill in bills):
        raise NotFound("BILL_NOT_FOUND", "没有找到这张账单,请刷新后重试", "bills")
    owed = await freeze(charge.bill_ids, clock.today(), orders.held_until(), order_id)
    if not owed:
        raise bill_payments.paid_already()
    return [
        NewItem(fen, payable_id)
        for payable_id, fen in await bill_payments.part_of(bills, owed, charge.part_fen)
    ]


async def _top_up_items(compound_id: UUID, charge: Charge) -> list[NewItem]:
    if not charge.top_up_fen:
        return []
    bill_payments.check_top_up(charge.top_up_fen, charge.purpose)
    account = Account("prepayment", charge.house_id, charge.purpose)
    ids = await ledger.account_ids(compound_id, [account])
    return [NewItem(charge.top_up_fen, account_id=ids[account])]
