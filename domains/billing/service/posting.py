"""Posting a run (出账): houses in their order, a part in one transaction, from where the one before it ended.

A part is posted as it was previewed and approved, or not at all.
"""

from __future__ import annotations

from uuid import UUID

import asyncpg
import orjson

from domains.billing.charges.formulas import formulas_of
from domains.billing.charges.posting import posting
from domains.billing.charges.statement import BEFORE_ALL, FOR_LARGE_STATEMENTS
from domains.billing.events import BillingRunPosted, BillsIssued
from domains.billing.run_parts import Part, parts_of
from domains.billing.service.beginning import charging_of
from domains.billing.service.returning import send_back
from domains.billing.turns import take_turn
from domains.kernel import clock, database, outbox
from domains.kernel.actor import Actor
from domains.kernel.command import command
from domains.kernel.errors import Conflict
from payments.service import payables
from payments.service.ledger import Account, Posting
from payments.service.payables import NewPayable

COMPOUND_OF = "SELECT compound_id FROM billing_run WHERE id = $1"

APPROVED = "SELECT * FROM billing_run WHERE id = $1 AND state = 'approved' FOR UPDATE"

NUMBERING = "SELECT last_bill_number FROM billing_rules WHERE compound_id = $1 FOR UPDATE"

NUMBERED = "UPDATE billing_rules SET last_bill_number = last_bill_number + $2 WHERE compound_id = $1"

PROGRESS = """
UPDATE billing_run SET houses_done = houses_done + $2, parts_done = parts_done + 1, cursor = coalesce($3, cursor),
    cursor_house_id = coalesce($4, cursor_house_id), bills = bills + $5, lines = lines + $6, posted_fen = posted_fen + $7,
    exceptions = exceptions + $8, state = CASE WHEN $9 THEN 'posted' ELSE state END,
    ended_at = CASE WHEN $9 THEN $10::timestamptz END
WHERE id = $1 RETURNING bills, posted_fen, exceptions
"""


class ChargesChanged(Conflict):
    """What would be posted is not what was previewed and approved."""

    def __init__(self) -> None:
        super().__init__("CHARGES_CHANGED", "费用数据刚刚有变化,请刷新后重试")


async def post(actor: Actor, run_id: UUID) -> None:
    """Post an approved run to its end, until somebody cancels it, or up to what is not as it was approved: from there
    on it is previewed and approved again. Any number of processes may do so at once."""
    try:
        while await post_part(actor, run_id):
            pass
    except ChargesChanged:
        await send_back(actor, run_id)


@command("billing_run.post", caller="system", audited=False)
async def post_part(actor: Actor, run_id: UUID) -> bool:
    """Post the next houses of an approved run; whether there may be more. Raises ChargesChanged, and nothing is posted
    of these houses."""
    return await write_part(run_id)


async def write_part(run_id: UUID) -> bool:
    """The same, in the open transaction of a command that bills at once."""
    await take_turn(await database.fetchval(COMPOUND_OF, run_id))
    run = await database.fetchrow(APPROVED, run_id)
    if run is None:
        return False
    approved = parts_of(run["parts"])[run["parts_done"] :]
    if not approved:  # approved before there were parts
        raise ChargesChanged
    written = await _write(run, approved[0])
    await _owe(run, written)
    await _progress(run, written, is_last=len(approved) == 1)
    return len(approved) > 1


async def _write(run: asyncpg.Record, approved: Part) -> asyncpg.Record:
    number = await database.fetchval(NUMBERING, run["compound_id"])
    charging = charging_of(run)
    text = posting(await formulas_of(run["compound_id"]), of_one_house=charging.house_id is not None)
    after = BEFORE_ALL if run["cursor"] is None else (run["cursor"], run["cursor_house_id"])
    # What is paid ahead is a bill of the month in which it is asked for.
    this_month = run["issued_on"].replace(day=1)
    month = run["month"] if run["house_id"] is None else min(run["month"], this_month)
    await database.execute(FOR_LARGE_STATEMENTS)
    written = await database.fetchrow(
        text, *charging.arguments(after, approved.houses), run["id"], run["issued_on"], run["due_on"], month, clock.now(),
        number, run["late_fee_rule_id"],
    )  # fmt: skip
    assert written is not None, "one row says what was done"
    # The digest is of the very rows that were written: nothing can change between a look and the writing.
    if Part.of(written) != approved:
        raise ChargesChanged
    await database.execute(NUMBERED, run["compound_id"], len(written["bill_ids"]))
    return written


async def _owe(run: asyncpg.Record, written: asyncpg.Record) -> None:
    """What the bills of the part say is owed from now on, in one journal."""
    if not written["owed_ids"]:
        return
    due_on = await database.fetchval("SELECT due_on FROM bill WHERE id = $1", written["owed_ids"][0])
    owed = zip(written["owed_ids"], written["owed_by"], written["owed_fen"], strict=True)
    credits = {
        Account("deposit_due" if is_deposit else "income", UUID(subject)): int(fen)
        for subject, is_deposit, fen in orjson.loads(written["credits"])
    }
    journal = Posting(
        run["compound_id"], "bills", f"run:{run['id']}:{run['bills']}", run["issued_on"], actor_id=run["approved_by"]
    )  # fmt: skip
    await payables.open_many(journal, "bill", [NewPayable(*each, due_on) for each in owed], credits)


async def _progress(run: asyncpg.Record, written: asyncpg.Record, *, is_last: bool) -> None:
    done = await database.fetchrow(
        PROGRESS, run["id"], written["houses"], written["last_sort"], written["last_id"], len(written["bill_ids"]),
        written["lines"], written["fen"], written["exceptions"], is_last, clock.now(),
    )  # fmt: skip
    assert done is not None, "its row is locked"
    if written["bill_ids"]:
        await outbox.record(BillsIssued(run["id"], run["compound_id"], tuple(written["bill_ids"])))
    if is_last:
        await outbox.record(BillingRunPosted(run["id"], run["compound_id"], run["month"], *done.values()))
