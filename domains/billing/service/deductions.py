"""Bills paid from the house's own money by themselves (预存自动抵扣)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

import asyncpg
import structlog

from domains.billing import bill_sql as sql
from domains.billing.paying import Owed, Payment, parts_of, pay
from domains.billing.service.assessing import assess, follow
from domains.billing.standing import standing
from domains.kernel import clock, database
from domains.kernel.actor import SYSTEM, Actor
from domains.kernel.command import command
from domains.kernel.faults import cause_of, place
from domains.kernel.ids import uuid7
from payments.service.orders import NewItem, NewOrder
from payments.service.wallet import pay_from_balance

log = structlog.get_logger(__name__)


async def deduct(house_id: UUID) -> int:
    """Pay what the house's prepayments cover, the oldest bill first; the number of bills that were paid.

    Nothing where the compound does not deduct by itself. Bills that are not the owners' of today, void ones, and those
    somebody is paying at this moment are passed over. What runs at once for one house comes one after the other.
    """
    row = await database.fetchrow(sql.DEDUCTS, house_id)
    if row is None or not row["deducts"]:
        return 0
    return await _deduct(SYSTEM, row["compound_id"], house_id)


@command("bill.deduct", caller="system", audited=False)
async def _deduct(actor: Actor, compound_id: UUID, house_id: UUID) -> int:
    # The day may end while this runs: it is asked for once.
    today = clock.today()
    locked = {row["id"] for row in await database.fetch(sql.LOCK_OPEN_OF_HOUSE, house_id)}
    bills = await _owed(house_id, locked, today)
    await database.execute(sql.LOCK_BILLS, list(bills))
    money = await database.fetch(sql.LOCK_BALANCES, compound_id, house_id)
    balances = {row["purpose"]: row["balance_fen"] for row in money}
    paid = pay(bills.values(), balances)
    # All late fees before the first number of a receipt: the desk comes to both in this order too.
    await assess([payment.bill.bill_id for payment in paid], today)
    for payment in paid:
        await _settle(compound_id, house_id, payment, today)
    return len(paid)


async def _owed(house_id: UUID, locked: Collection[UUID], today: date) -> dict[UUID, Owed]:
    """Bills whose payables are locked: one that came since then may be somebody's to pay at this moment."""
    rows = await database.fetch(sql.OPEN_OF_HOUSE, house_id)
    bills = [_owed_of(row, today) for row in rows if row["principal_id"] in locked]
    return {bill.bill_id: bill for bill in bills if bill is not None and bill.total_fen > 0}


def _owed_of(row: asyncpg.Record, today: date) -> Owed | None:
    """None while somebody is paying it."""
    stands, categories = standing(row, today), frozenset(row["categories"] or ())
    if stands.is_held:
        return None
    principal, late = stands.principal_outstanding_fen, stands.late_fee_outstanding_fen
    return Owed(row["id"], row["due_on"], row["number"], principal, late, categories)


async def _settle(compound_id: UUID, house_id: UUID, payment: Payment, today: date) -> None:
    bill_id = payment.bill.bill_id
    rows = await database.fetch(sql.TO_PAY, [bill_id], clock.now())
    title = f"预存抵扣 账单{payment.bill.number}"
    for purpose, amounts in parts_of([(row["id"], row["fen"]) for row in rows], payment.parts):
        items = [NewItem(fen, payable_id) for payable_id, fen in amounts.items()]
        await pay_from_balance(NewOrder(uuid7(), compound_id, house_id, title, items), purpose, today)
    await follow(bill_id)


async def deduct_everywhere() -> dict[str, int]:
    """Every house that has both money and debts, each in a transaction of its own; what was found and paid. One that
    fails stops no other; RuntimeError at the end if any did."""
    houses, failed, bills = await database.fetch(sql.WITH_MONEY_AND_DEBTS), list[str](), 0
    for row in houses:
        try:
            bills += await deduct(row["house_id"])
        except Exception as error:  # the others' bills are paid all the same
            log.error("bill.deduct_failed", house=str(row["house_id"]), **place(error))
            failed.append(cause_of(error))
    if failed:
        raise RuntimeError(f"{len(failed)} of {len(houses)} houses failed: {failed[0]}")
    return {"houses": len(houses), "bills": bills}
