"""Posting a run (出账): houses in their order, a chunk in one transaction, from where the one before it ended."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import asyncpg
import orjson

from domains.billing.charges.formulas import formulas_of
from domains.billing.charges.posting import posting
from domains.billing.charges.statement import BEFORE_ALL, Charging
from domains.billing.events import BillingRunPosted, BillsIssued
from domains.billing.service.settings import MAKE
from domains.billing.turns import take_turn
from domains.kernel import clock, database, outbox
from domains.kernel.actor import Actor
from domains.kernel.command import command
from payments.service import payables
from payments.service.ledger import Account, Posting
from payments.service.payables import NewPayable

CHUNK = 2_000
"""Houses of a transaction: more are no faster, and what waits for them waits longer."""

COMPOUND_OF = "SELECT compound_id FROM billing_run WHERE id = $1"

APPROVED = "SELECT * FROM billing_run WHERE id = $1 AND state = 'approved' FOR UPDATE"

RULES = """
SELECT b.last_bill_number, b.due_days, (SELECT r.id FROM late_fee_rule r
    WHERE r.compound_id = b.compound_id AND r.from_on <= $2 ORDER BY r.from_on DESC LIMIT 1) AS late_fee_rule_id
FROM billing_rules b WHERE b.compound_id = $1 FOR UPDATE
"""

NUMBERED = "UPDATE billing_rules SET last_bill_number = last_bill_number + $2 WHERE compound_id = $1"

# Houses may have been added since the run was begun.
PROGRESS = """
UPDATE billing_run SET houses = greatest(houses, houses_done + $2), houses_done = houses_done + $2,
    cursor = coalesce($3, cursor), cursor_house_id = coalesce($4, cursor_house_id), bills = bills + $5,
    lines = lines + $6, posted_fen = posted_fen + $7,
    exceptions = exceptions + $8, state = CASE WHEN $9 THEN 'posted' ELSE state END,
    ended_at = CASE WHEN $9 THEN $10::timestamptz END
WHERE id = $1 RETURNING bills, posted_fen, exceptions
"""

# Compiling a statement of this size takes longer than running it.
FOR_LARGE_STATEMENTS = "SET LOCAL jit = off"


async def post(actor: Actor, run_id: UUID, chunk: int = CHUNK) -> None:
    """Post an approved run to its end, or until somebody cancels it. Any number of processes may do so at once."""
    while await post_chunk(actor, run_id, chunk):
        pass


@command("billing_run.post", caller="system", audited=False)
async def post_chunk(actor: Actor, run_id: UUID, chunk: int = CHUNK) -> bool:
    """Post the next houses of an approved run; whether there may be more."""
    return await write_chunk(run_id, chunk)


async def write_chunk(run_id: UUID, chunk: int = CHUNK) -> bool:
    """The same, in the open transaction of a command that bills at once."""
    await take_turn(await database.fetchval(COMPOUND_OF, run_id))
    run = await database.fetchrow(APPROVED, run_id)
    if run is None:
        return False
    written = await _write(run, chunk)
    is_last = run["house_id"] is not None or written["houses"] < chunk
    await _owe(run, written)
    await _progress(run, written, is_last=is_last)
    return not is_last


async def _write(run: asyncpg.Record, chunk: int) -> asyncpg.Record:
    await database.execute(MAKE, run["compound_id"])
    rules = await database.fetchrow(RULES, run["compound_id"], run["issued_on"])
    assert rules is not None, "made if it was missing"
    charging = charging_of(run)
    text = posting(await formulas_of(run["compound_id"]), of_one_house=charging.house_id is not None)
    after = BEFORE_ALL if run["cursor"] is None else (run["cursor"], run["cursor_house_id"])
    due_on = run["issued_on"] + timedelta(days=rules["due_days"])
    # What is paid ahead is a bill of the month in which it is asked for.
    this_month = run["issued_on"].replace(day=1)
    month = run["month"] if run["house_id"] is None else min(run["month"], this_month)
    await database.execute(FOR_LARGE_STATEMENTS)
    written = await database.fetchrow(
        text, *charging.arguments(after, chunk), run["id"], run["issued_on"], due_on, month, clock.now(),
        rules["last_bill_number"], rules["late_fee_rule_id"],
    )  # fmt: skip
    assert written is not None, "one row says what was done"
    await database.execute(NUMBERED, run["compound_id"], len(written["bill_ids"]))
    return written


def charging_of(run: asyncpg.Record) -> Charging:
    """What a run's row is to charge."""
    return Charging(
        run["compound_id"], run["from_month"], run["month"], tuple(run["fee_item_ids"]), run["house_id"],
        run["discount_percent"],
    )  # fmt: skip


async def _owe(run: asyncpg.Record, written: asyncpg.Record) -> None:
    """What the bills of the chunk say is owed from now on, in one journal."""
    if not written["owed_ids"]:
        return
    due_on = await database.fetchval("SELECT due_on FROM bill WHERE id = $1", written["owed_ids"][0])
    owed = zip(written["owed_ids"], written["owed_by"], written["owed_fen"], strict=True)
    credits = {
        Account("deposit_due" if is_deposit else "income", UUID(subject)): int(fen)
        for subject, is_deposit, fen in orjson.loads(written["credits"])
    }
    journal = Posting(
        run["compound_id"], "bills", f"run:{run['id']}:{run['houses_done']}", run["issued_on"], actor_id=run["approved_by"]
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
