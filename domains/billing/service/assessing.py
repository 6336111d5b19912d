"""Late fees written down (计滞纳金), amounts held still while they are paid, and the states that follow."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

import asyncpg

from domains.billing import bill_sql as sql
from domains.billing.bill_models import Bill
from domains.billing.events import BillPaid, BillPartlyPaid
from domains.billing.paying import state_of
from domains.billing.rules import BILL
from domains.billing.standing import Standing, standing
from domains.kernel import clock, database, outbox
from domains.kernel.errors import Conflict
from payments.service import ledger, payables
from payments.service.ledger import Account, Line, Posting
from payments.service.payables import NewPayable


async def assess(bill_ids: Collection[UUID], as_of: date) -> None:
    """Write what the bills bear for being late up to a day: the difference to what was written before, if there is one.

    A bill whose payment is under way, or that is void, stays as it is. Inside the caller's transaction, which keeps the
    bills' payables locked.
    """
    await database.execute(sql.LOCK_PAYABLES, bill_ids)
    for row in await database.fetch(sql.STANDING, bill_ids):
        stands = standing(row, as_of)
        if stands.late_fee_fen != stands.late_fee_posted_fen:
            await _write(row, stands, as_of)


async def _write(row: asyncpg.Record, stands: Standing, as_of: date) -> None:
    delta, income = stands.late_fee_fen - stands.late_fee_posted_fen, Account("late_fee_income")
    # Counting the moves so far: a correction may bring the same amount of the same day back.
    key = f"late:{row['id']}:{as_of}:{row['late_fee_moves']}"
    posting = Posting(row["compound_id"], "late_fee", key, clock.today())
    if stands.late_fee_id is None:
        opened = NewPayable(row["id"], row["house_id"], delta, row["due_on"])
        await payables.open_many(posting, "late_fee", [opened], {income: delta})
    else:
        await payables.change(posting, stands.late_fee_id, delta, income)


async def freeze(
    bill_ids: Collection[UUID], as_of: date, until: datetime, by: UUID
) -> list[tuple[UUID, int]]:
    """Hold what is to be paid of the bills on a day, late fee included, still until then for a payment (锁定应缴金额):
    payables and their fen; a bill with nothing to pay has none. Inside the caller's transaction.

    Raises Conflict BILL_BEING_PAID where somebody is paying one of them already.
    """
    await assess(bill_ids, as_of)
    rows = await database.fetch(sql.TO_PAY, bill_ids, clock.now())
    if any(row["is_held"] for row in rows):
        raise being_paid()
    await payables.hold([row["id"] for row in rows], until, by)
    return [(row["id"], row["fen"]) for row in rows]


def being_paid() -> Conflict:
    """Somebody is paying the bill at this moment."""
    return Conflict("BILL_BEING_PAID", "这张账单正在支付中,请等支付结束后再操作")


async def follow(bill_id: UUID) -> None:
    """Let a bill's state follow its payables (账单状态), and the house's deposit (押金) what was paid of it; a void bill
    stays void. Inside the caller's transaction. Raises BALANCE_TOO_LOW where a deposit is not there any more."""
    bill = await database.fetchrow(sql.LOCK_BILL, bill_id)
    assert bill is not None, "bills are kept"
    await _keep_deposit(bill)
    sums = await database.fetchrow(sql.SETTLED, bill_id)
    assert sums is not None, "an aggregate has a row"
    state = state_of(sums["outstanding_fen"], sums["settled_fen"])
    if bill["state"] in ("void", state):
        return
    paid_at = clock.now() if state == "paid" else None
    await BILL.move(Bill, bill_id, bill["state"], state, paid_at=paid_at)
    event = BillPaid if state == "paid" else BillPartlyPaid
    await outbox.record(event(bill_id, bill["compound_id"], bill["house_id"]))


async def _keep_deposit(bill: asyncpg.Record) -> None:
    """A deposit is kept from when it is paid: until then it is only billed."""
    found = await database.fetchrow(sql.DEPOSIT, bill["id"])
    if found is None or found["to_keep_fen"] == found["kept_fen"]:
        return
    fen = found["to_keep_fen"] - found["kept_fen"]
    posting = Posting(bill["compound_id"], "deposit", f"deposit:{bill['id']}:{found['moves']}", clock.today())
    billed, kept = Account("deposit_due", bill["id"]), Account("deposit", bill["house_id"])
    await ledger.post(posting, [Line(billed, fen), Line(kept, -fen)])
