"""Scheduled runs (自动出账): begun on the compound's day, posted once they are approved."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import structlog

from domains.billing.charges.statement import Charging
from domains.billing.events import BillingRunFailed
from domains.billing.proration import months_after
from domains.billing.service.beginning import keep
from domains.billing.service.posting import post
from domains.billing.service.previewing import preview
from domains.billing.service.runs import POSTING, approve
from domains.billing.turns import take_turn
from domains.kernel import clock, database, outbox
from domains.kernel.actor import SYSTEM, Actor
from domains.kernel.command import command, concerns
from domains.kernel.faults import cause_of, place
from domains.kernel.jobs import Result, request_run

APPROVED = (
    "SELECT id FROM billing_run WHERE state = 'approved' AND id <> ALL($1::uuid[]) ORDER BY approved_at, id"
)

# A day that was missed is made up for in the same month.
DUE = """
SELECT r.compound_id FROM billing_rules r
WHERE r.billing_day <= extract(day FROM $1::date) AND NOT EXISTS (
    SELECT FROM billing_run b WHERE b.compound_id = r.compound_id AND b.month = $2 AND b.is_scheduled)
ORDER BY r.compound_id
"""

RULES_OF = """
SELECT r.is_automatic, r.months_back FROM billing_rules r WHERE r.compound_id = $1 AND NOT EXISTS (
    SELECT FROM billing_run b WHERE b.compound_id = r.compound_id AND b.month = $2 AND b.is_scheduled)
"""

log = structlog.get_logger(__name__)


async def post_runs(_: object) -> Result:
    """Post what is approved, one run after the other, what is approved meanwhile as well; one that fails stops no
    other."""
    failed: list[str] = []
    tried: list[UUID] = []
    while runs := await database.fetch(APPROVED, tried):
        for row in runs:
            tried.append(row["id"])
            try:
                await post(SYSTEM, row["id"])
            except Exception as error:  # the others' bills are not late because of this one
                log.error("billing_run.failed", run=str(row["id"]), **place(error))
                failed.append(cause_of(error))
    if failed:
        raise RuntimeError(f"{len(failed)} of {len(tried)} runs failed: {failed[0]}")
    return {"runs": len(tried)}


async def start_runs(_: object) -> Result:
    """Begin the month's run where its day has come and none was begun; a compound that fails stops no other."""
    today = clock.today()
    month, started = today.replace(day=1), 0
    for row in await database.fetch(DUE, today, month):
        try:
            started += await start_scheduled(SYSTEM, row["compound_id"], month)
        except Exception as error:  # staff are told, and tomorrow it is tried again
            log.error("billing_run.not_started", compound=str(row["compound_id"]), **place(error))
            await _tell(SYSTEM, row["compound_id"], month, "RUN_NOT_STARTED")
    return {"started": started}


@command("billing_run.schedule", caller="system")
async def start_scheduled(actor: Actor, compound_id: UUID, month: date) -> bool:
    """Begin a compound's run of the month by its rules, approved where they say so; whether there was none yet."""
    concerns("BillingRun", None, compound_id, month=month)
    await take_turn(compound_id)
    rules = await database.fetchrow(RULES_OF, compound_id, month)
    if rules is None:
        return False
    charging = Charging(compound_id, months_after(month, -rules["months_back"]), month)
    found = await preview(charging)
    run_id = await keep(actor, charging, found, clock.today(), is_scheduled=True)
    concerns("BillingRun", run_id, compound_id, month=month, expected_fen=found.total_fen)
    if rules["is_automatic"]:
        await approve(actor, run_id)
        await request_run(actor, POSTING)
    else:
        await outbox.record(BillingRunFailed(compound_id, month, "APPROVAL_NEEDED"))
    return True


@command("billing_run.tell", caller="system", audited=False)
async def _tell(actor: Actor, compound_id: UUID, month: date, code: str) -> None:
    await outbox.record(BillingRunFailed(compound_id, month, code))
