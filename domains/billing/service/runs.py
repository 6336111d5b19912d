"""Runs (出账批次): started with a preview, approved as previewed, posted by whoever works them off, cancelled."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from uuid import UUID

import asyncpg

from domains.billing import permissions
from domains.billing.charges.statement import Charging
from domains.billing.fee_terms import FIRST_DAY
from domains.billing.models import BillingRun
from domains.billing.proration import month_number
from domains.billing.rules import RUN
from domains.billing.service.beginning import charging_of, differs, keep
from domains.billing.service.previewing import Preview, preview
from domains.billing.turns import take_turn
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid, NotFound
from domains.kernel.jobs import request_run

MOST_MONTHS, MOST_MONTHS_AHEAD, MOST_DAYS_OFF = 24, 12, 60

POSTING = "billing.post_runs"
"""The job that posts what is approved."""

KNOWN_ITEMS = "SELECT count(*) FROM fee_item WHERE compound_id = $1 AND id = ANY($2::uuid[])"

RUN_ROW = "SELECT * FROM billing_run WHERE id = $1"


async def preview_billing_run(
    actor: Actor,
    *,
    compound_id: UUID,
    month: date,
    from_month: date | None = None,
    fee_item_ids: Collection[UUID] = (),
    issued_on: date | None = None,
) -> Preview:
    """What a run for a month would come to, and what it could not charge; nothing is written.

    For staff with billing.start in the whole compound. Raises RUN_INVALID, FEE_ITEM_NOT_FOUND.
    """
    actor.require_whole(permissions.RUNS_START, compound_id)
    charging = await _checked(compound_id, month, from_month, fee_item_ids, issued_on)
    return await preview(charging)


@command("billing_run.start", caller="staff", permission=permissions.RUNS_START)
async def start_billing_run(
    actor: Actor,
    *,
    compound_id: UUID,
    month: date,
    from_month: date | None = None,
    fee_item_ids: Collection[UUID] = (),
    issued_on: date | None = None,
    idempotency_key: UUID | None = None,
) -> UUID:
    """Keep a run as a draft with its preview, for somebody to approve; its id.

    `month` and `from_month` are first days; bills are issued today unless told. Raises RUN_INVALID, FEE_ITEM_NOT_FOUND.
    """
    concerns("BillingRun", None, compound_id, month=month)
    actor.require_whole(permissions.RUNS_START, compound_id)
    charging = await _checked(compound_id, month, from_month, fee_item_ids, issued_on)
    found = await preview(charging)
    id = await keep(actor, charging, found, issued_on or clock.today())
    concerns("BillingRun", id, compound_id, month=month, expected_fen=found.total_fen, lines=found.lines)
    return id


async def _checked(
    compound_id: UUID,
    month: date,
    from_month: date | None,
    fee_item_ids: Collection[UUID],
    issued_on: date | None,
) -> Charging:
    first = month if from_month is None else from_month
    if month.day != 1 or first.day != 1:
        raise Invalid("RUN_INVALID", "账期须填写当月的第一天", "month")
    if first < FIRST_DAY:
        raise Invalid("RUN_INVALID", "账期不能早于 2000 年,请重新选择", "month")
    if month_number(month) > month_number(clock.today()) + MOST_MONTHS_AHEAD:
        raise Invalid("RUN_INVALID", f"最多提前 {MOST_MONTHS_AHEAD} 个月出账,请重新选择账期", "month")
    if not 0 <= month_number(month) - month_number(first) < MOST_MONTHS:
        raise Invalid("RUN_INVALID", f"补出的账期最多 {MOST_MONTHS} 个月,且不晚于本期", "from_month")
    if issued_on is not None and abs(issued_on - clock.today()) > timedelta(days=MOST_DAYS_OFF):
        raise Invalid("RUN_INVALID", f"出账日期须在今天前后 {MOST_DAYS_OFF} 天以内", "issued_on")
    ids = tuple(dict.fromkeys(fee_item_ids))
    if await database.fetchval(KNOWN_ITEMS, compound_id, ids) != len(ids):
        raise NotFound("FEE_ITEM_NOT_FOUND", "没有找到这个收费项目,请刷新后重试", "fee_items")
    return Charging(compound_id, first, month, ids)


async def run_to_change(actor: Actor, run_id: UUID, *permitted: str) -> asyncpg.Record:
    """A run, for staff with one of these permissions in its whole compound. Raises RUN_NOT_FOUND."""
    run = await database.fetchrow(RUN_ROW, run_id)
    if run is None:
        raise NotFound("RUN_NOT_FOUND", "没有找到这个出账批次,请刷新后重试", "run")
    concerns("BillingRun", run_id, run["compound_id"], month=run["month"])
    held = [each for each in permitted if actor.may(each, run["compound_id"])]
    actor.require_whole(held[0] if held else permitted[0], run["compound_id"])
    return run


@command("billing_run.approve", caller="staff", permission=permissions.RUNS_APPROVE)
async def approve_billing_run(actor: Actor, *, run_id: UUID, expected_fen: int) -> UUID:
    """Let a draft be posted at once, as it was previewed: `expected_fen` is the total that the approver saw.

    Raises RUN_NOT_FOUND, STATE_CONFLICT, and PREVIEW_CHANGED where the same preview comes out differently now.
    """
    run = await run_to_change(actor, run_id, permissions.RUNS_APPROVE)
    await take_turn(run["compound_id"])
    if run["state"] == "draft":
        found = await preview(charging_of(run))
        if expected_fen != run["expected_fen"] or await differs(run, found):
            raise Conflict(
                "PREVIEW_CHANGED", "费用数据在预览之后有变化,请取消本批次,重新预览后再审批", "expected_fen"
            )
    await approve(actor, run_id)
    await request_run(actor, POSTING)
    concerns("BillingRun", run_id, run["compound_id"], month=run["month"], expected_fen=expected_fen)
    return run_id


async def approve(actor: Actor, run_id: UUID) -> None:
    """The move itself, in the open transaction. Raises STATE_CONFLICT."""
    await RUN.move(
        BillingRun, run_id, "draft", "approved", approved_by=actor.account_id, approved_at=clock.now()
    )


@command("billing_run.cancel", caller="staff")
async def cancel_billing_run(actor: Actor, *, run_id: UUID) -> UUID:
    """Give up a draft, or stop a run that is being posted: the chunk that is under way is finished, and the bills
    that are there stay. A draft may be given up by who may start one, too. Raises RUN_NOT_FOUND, STATE_CONFLICT."""
    run = await run_to_change(actor, run_id, permissions.RUNS_APPROVE, permissions.RUNS_START)
    # Whoever posts holds the turn, and with it the state that was read.
    await take_turn(run["compound_id"])
    state = await database.fetchval("SELECT state FROM billing_run WHERE id = $1", run_id)
    if state != "draft":
        actor.require_whole(permissions.RUNS_APPROVE, run["compound_id"])
    await RUN.move(BillingRun, run_id, state, "cancelled", ended_at=clock.now())
    return run_id
