"""Debts paid out of their holder's prepayment (预存抵扣): a payment of its own, refunded into the prepayment."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from domains.kernel import clock, database
from domains.kernel.ids import uuid7
from payments import order_sql as sql
from payments.service import orders, payables
from payments.service.ledger import Account, Posting
from payments.service.orders import NewOrder


async def pay_from_balance(new: NewOrder, purpose: str, day: date) -> UUID:
    """Pay debts out of the holder's prepayment for a purpose; the payment's id. Inside the caller's transaction.

    Raises Conflict PAYABLE_SETTLED where more would be paid than is outstanding, BALANCE_TOO_LOW; NotFound
    PAYABLE_NOT_FOUND. ValueError for money that goes into an account.
    """
    amounts = {item.payable_id: item.amount_fen for item in new.items if item.payable_id}
    if len(amounts) != len(new.items):
        raise ValueError("a prepayment pays debts, each once")
    attempt_id = uuid7()
    posting = Posting(new.compound_id, "deduction", orders.journal_key(attempt_id), day, memo=new.title)
    await payables.settle(posting, Account("prepayment", new.holder_id, purpose), amounts, day)
    number = await orders.next_number(new.compound_id)
    await database.execute(
        sql.PAID_FROM_BALANCE, new.id, new.compound_id, new.holder_id, new.title, new.amount_fen, clock.now(), number,
        attempt_id, attempt_id.hex, purpose, list(amounts), list(amounts.values()),
    )  # fmt: skip
    return new.id
