"""Money taken by a cashier (柜台收款): in hand before it is booked, and taken back on its day by a reversal."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from domains.kernel import clock, database, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict
from payments import order_sql as sql
from payments import permissions, refund_sql
from payments.gateways import Sighting
from payments.models import PaymentOrder
from payments.order_rules import AT_DESK, ORDER
from payments.service import orders, payables
from payments.service.crediting import credit
from payments.service.ledger import Posting


async def take_at_desk(order_id: UUID, amount_fen: int, channel: str, reference: str = "") -> None:
    """Book a payment that a cashier has in hand. Inside the caller's transaction. Raises Conflict REFERENCE_USED."""
    if channel not in AT_DESK:
        raise ValueError(f"no cashier takes money by {channel}")
    attempt = await database.fetchrow(
        sql.ATTEMPT_BY_ID, await orders.try_at_desk(order_id, amount_fen, channel, reference)
    )
    assert attempt is not None, "it was made a moment ago"
    number = attempt["out_trade_no"]
    await credit(attempt, Sighting(number, "paid", number, amount_fen, clock.now()))


@command("desk.void", caller="staff", permission=permissions.DESK_WRITE)
async def void_desk_payment(
    actor: Actor, *, payment_id: UUID, reason: str, idempotency_key: UUID | None = None
) -> UUID:
    """Take back what was taken at the desk today by mistake (作废): a journal reverses the first, and what it paid is
    owed again; the payment's id. By who took it, or by who decides refunds.

    Raises NotFound PAYMENT_NOT_FOUND; Forbidden; Conflict NOT_VOIDABLE, BALANCE_TOO_LOW, PAYABLE_NOT_SETTLED.
    """
    order = await orders.lock_order(payment_id)
    concerns("Payment", payment_id, order["compound_id"], fen=order["amount_fen"])
    actor.require(permissions.DESK_WRITE, order["compound_id"])
    written = text.clean(reason, max_length=200, multiline=True, field="reason")
    if order["cashier_id"] != actor.id:
        actor.require_whole(permissions.DESK_WRITE, order["compound_id"])
        actor.require_whole(permissions.REFUNDS_DECIDE, order["compound_id"])
    attempt = await _voidable(order)
    await _leave_nothing_to_refund(attempt)
    journal_id = await database.fetchval(sql.JOURNAL, order["compound_id"], orders.journal_key(attempt["id"]))
    posting = Posting(
        order["compound_id"], "reversal", f"void:{payment_id}", clock.today(), memo=written, actor_id=actor.id
    )
    await payables.take_back(posting, journal_id)
    await ORDER.move(PaymentOrder, payment_id, "paid", "voided", voided_at=clock.now())
    await orders.changed(payment_id)
    return payment_id


async def _voidable(order: asyncpg.Record) -> asyncpg.Record:
    attempt = await database.fetchrow(sql.PAID_ATTEMPT, order["id"]) if order["state"] == "paid" else None
    is_of_today = attempt is not None and clock.business_date(order["paid_at"]) == clock.today()
    if attempt is None or attempt["channel"] not in AT_DESK or attempt["given_back_fen"] or not is_of_today:
        raise Conflict("NOT_VOIDABLE", "只能作废当天在柜台收取且未退款的款项,其他情况请申请退款")
    return attempt


async def _leave_nothing_to_refund(attempt: asyncpg.Record) -> None:
    items = await database.fetch(sql.PAID_ITEMS, attempt["order_id"])
    columns = [item["id"] for item in items], [item["paid_fen"] for item in items]
    await database.fetchval(refund_sql.RESERVE, attempt["id"], attempt["paid_fen"])
    await database.execute(refund_sql.RESERVE_ITEMS, attempt["order_id"], *columns)
