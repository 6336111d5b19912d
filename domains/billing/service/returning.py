"""A run that would not post what was approved (退回审批): it is previewed anew and waits for approval again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg

from domains.billing.events import BillingRunFailed
from domains.billing.models import BillingRun, RunException
from domains.billing.rules import RUN
from domains.billing.service.beginning import charging_of, kept
from domains.billing.service.previewing import preview
from domains.billing.turns import take_turn
from domains.kernel import clock, database, outbox
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns

STOPPED = "SELECT * FROM billing_run WHERE id = $1 AND state = 'approved'"


@command("billing_run.send_back", caller="system")
async def send_back(actor: Actor, run_id: UUID) -> None:
    """Preview what is left of an approved run, for somebody to approve; bills that are there stay, and it begins again
    with the first house. One that the compound's rules approved goes on as it comes out now, for nobody had looked."""
    stopped = await database.fetchrow("SELECT compound_id, month FROM billing_run WHERE id = $1", run_id)
    assert stopped is not None, "runs are never deleted"
    concerns("BillingRun", run_id, stopped["compound_id"], month=stopped["month"])
    await take_turn(stopped["compound_id"])
    run = await database.fetchrow(STOPPED, run_id)
    if run is None:
        return
    again = await _again(run)
    if run["approved_by"] is None:
        await BillingRun.filter(pk=run_id, state="approved").update(**again)
        return
    await RUN.move(
        BillingRun, run_id, "approved", "draft", approved_by=None, approved_at=None, returned_at=clock.now(), **again
    )  # fmt: skip
    await outbox.record(BillingRunFailed(run["compound_id"], run["month"], "CHARGES_CHANGED"))


async def _again(run: asyncpg.Record) -> dict[str, Any]:  # Any: column values
    await RunException.filter(run_id=run["id"]).delete()
    found = await preview(charging_of(run))
    return {
        **await kept(run["compound_id"], run["issued_on"], found), "houses_done": 0, "parts_done": 0, "cursor": None,
        "cursor_house_id": None, "exceptions": 0,
    }  # fmt: skip
