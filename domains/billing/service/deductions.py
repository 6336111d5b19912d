"""Bills paid from the house's own money by themselves (预存自动抵扣)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from domains.billing import bill_sql as sql
from domains.billing.paying import Owed, Payment, parts_of, pay
from domains.billing.service.assessing import assess, follow
from domains.billing.standing import standing
from domains.kernel import clock, database
from domains.kernel.actor import SYSTEM, Actor
from domains.kernel.command import command
from payments.service import payables
from payments.service.ledger import Account, Posting


async def deduct(house_id: UUID) -> int:
    """Pay what the house's prepayments cover, the oldest bill first; the number of bills that were paid.

    Nothing where the compound does not deduct by itself. Bills of the developer, void ones, and those somebody is
    paying at this moment are passed over. What runs at once for one house comes one after the other.
    """
    row = await database.fetchrow(sql.DEDUCTS, house_id)
    if row is None or not row["deducts"]:
        return 0
    return await _deduct(SYSTEM, row["compound_id"], house_id)


@command("bill.deduct", caller="system", audited=False)
async def _deduct(actor: Actor, compound_id: UUID, house_id: UUID) -> int:
    await database.execute(sql.LOCK_OPEN_OF_HOUSE, house_id)
    bills = await _owed(house_id)
    money = await database.fetch(sql.LOCK_BALANCES, compound_id, house_id)
    balances = {row["purpose"]: row["balance_fen"] for row in money}
    paid = pay([each.owed for each in bills.values()], balances)
    for payment in paid:
        await _settle(compound_id, house_id, bills[payment.bill.bill_id], payment)
    return len(paid)


@dataclass(frozen=True, slots=True)
class _Bill:
    """What is owed of a bill, and how often anything was settled of it."""

    owed: Owed
    settlements: int
    is_held: bool


async def _owed(house_id: UUID) -> dict[UUID, _Bill]:
    rows = await database.fetch(sql.OPEN_OF_HOUSE, house_id)
    bills = {row["id"]: _bill(row) for row in rows}
    return {id: bill for id, bill in bills.items() if not bill.is_held and bill.owed.total_fen > 0}


def _bill(row: asyncpg.Record) -> _Bill:
    stands, categories = standing(row, clock.today()), frozenset(row["categories"] or ())
    principal, late = stands.principal_outstanding_fen, stands.late_fee_outstanding_fen
    owed = Owed(row["id"], row["due_on"], row["number"], principal, late, categories)
    return _Bill(owed, row["settlements"], stands.is_held)


async def _settle(compound_id: UUID, house_id: UUID, bill: _Bill, payment: Payment) -> None:
    bill_id, today = bill.owed.bill_id, clock.today()
    await assess([bill_id], today)
    rows = await database.fetch(sql.TO_PAY, [bill_id], clock.now())
    for purpose, amounts in parts_of([(row["id"], row["fen"]) for row in rows], payment.parts):
        # Counting what was settled before: a deduction that was taken back may come again.
        key = f"deduction:{bill_id}:{bill.settlements}:{purpose}"
        posting = Posting(compound_id, "deduction", key, today)
        await payables.settle(posting, Account("prepayment", house_id, purpose), amounts, today)
    await follow(bill_id)


async def deduct_everywhere() -> dict[str, int]:
    """Every house that has both money and debts, each in a transaction of its own; what was found and paid."""
    houses = await database.fetch(sql.WITH_MONEY_AND_DEBTS)
    return {"houses": len(houses), "bills": sum([await deduct(row["house_id"]) for row in houses])}
