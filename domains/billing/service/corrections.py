"""Waivers, adjustments and voids (减免、调整、作废): asked for by one person, decided by another."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import asyncpg

from domains.billing import bill_sql as sql
from domains.billing import permissions
from domains.billing.bill_models import Correction
from domains.billing.events import BillCorrected, CorrectionDecided, CorrectionRequested
from domains.billing.rules import CORRECTION
from domains.billing.service import correcting
from domains.billing.standing import Standing, standing
from domains.kernel import clock, database, money, outbox, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid, NotFound
from domains.kernel.ids import uuid7

Concern = Literal["principal", "late_fee"]


@command("correction.request", caller="staff", permission=permissions.CORRECTIONS_REQUEST)
async def request_waiver(
    actor: Actor, *, bill_id: UUID, concern: Concern, amount_fen: int | None, reason: str
) -> UUID:
    """Ask to waive so much of a bill's principal or late fee (减免), or all that is to be paid of it; its id.

    Raises BILL_NOT_FOUND, BILL_VOID, CORRECTION_WAITING, AMOUNT_INVALID, NOTHING_TO_WAIVE, WAIVER_TOO_MUCH.
    """
    bill = await _bill(actor, sql.BILL_PLACE, bill_id, "BILL_NOT_FOUND", "没有找到这张账单,请刷新后重试")
    if amount_fen is not None and amount_fen <= 0:
        raise Invalid("AMOUNT_INVALID", "减免金额须大于零,请重新填写", "amountFen")
    _check_range(amount_fen)
    stands = await _stands(bill_id)
    is_principal = concern == "principal"
    outstanding = stands.principal_outstanding_fen if is_principal else stands.late_fee_outstanding_fen
    correcting.check_waiver(amount_fen, outstanding, correcting.ASKING)
    return await _request(actor, bill, "waiver", concern=concern, amount_fen=amount_fen, reason=reason)


@command("correction.request", caller="staff", permission=permissions.CORRECTIONS_REQUEST)
async def request_adjustment(actor: Actor, *, line_id: UUID, amount_fen: int, reason: str) -> UUID:
    """Ask to add so much to a line of a bill, or to take it off where it is below zero (调整); its id.

    Raises LINE_NOT_FOUND, BILL_VOID, CORRECTION_WAITING, AMOUNT_INVALID, ADJUSTMENT_TOO_MUCH, PAID_BY_ANOTHER.
    """
    bill = await _bill(actor, sql.LINE_PLACE, line_id, "LINE_NOT_FOUND", "没有找到这条明细,请刷新后重试")
    if amount_fen == 0:
        raise Invalid("AMOUNT_INVALID", "调整金额不能为零,请重新填写", "amountFen")
    _check_range(amount_fen)
    await _check_adjustment(bill["bill_id"], line_id, amount_fen)
    return await _request(actor, bill, "adjustment", amount_fen=amount_fen, reason=reason)


@command("correction.request", caller="staff", permission=permissions.CORRECTIONS_REQUEST)
async def request_void(actor: Actor, *, bill_id: UUID, reason: str) -> UUID:
    """Ask to take a bill back (作废): what was paid of it goes to the house's prepayment. Its periods stay charged
    and come back only by an adjustment of another bill.

    Raises BILL_NOT_FOUND, BILL_VOID, CORRECTION_WAITING, and PAID_BY_ANOTHER where what was paid is not the owner's.
    """
    bill = await _bill(actor, sql.BILL_PLACE, bill_id, "BILL_NOT_FOUND", "没有找到这张账单,请刷新后重试")
    stands = await _stands(bill_id)
    if back := stands.principal_settled_fen + stands.late_fee_settled_fen:
        await correcting.require_house_money(bill_id, back)
    return await _request(actor, bill, "void", reason=reason)


async def _bill(actor: Actor, statement: str, id: UUID, code: str, message: str) -> asyncpg.Record:
    row = await database.fetchrow(statement, id)
    if row is None:
        raise NotFound(code, message)
    concerns("Correction", None, row["compound_id"])
    actor.require(permissions.CORRECTIONS_REQUEST, row["compound_id"], row["building_id"])
    if row["state"] == "void":
        raise correcting.is_void()
    return row


def _check_range(amount_fen: int | None) -> None:
    if amount_fen is not None:
        money.within_range(amount_fen, field="amountFen")


async def _stands(bill_id: UUID) -> Standing:
    """As it is asked for; the decision looks again, with the bill's payables locked."""
    row = await database.fetchrow(sql.STANDING, [bill_id])
    assert row is not None, "bills are kept"
    return standing(row, clock.today())


async def _check_adjustment(bill_id: UUID, line_id: UUID, amount_fen: int) -> None:
    stands, line = await _stands(bill_id), await database.fetchrow(sql.LINE, line_id)
    assert line is not None, "lines are kept"
    correcting.check_adjustment(amount_fen, line["amount_fen"], stands.principal_due_fen, correcting.ASKING)
    if (back := -amount_fen - stands.principal_outstanding_fen) > 0:
        await correcting.require_house_money(bill_id, back)


async def _request(
    actor: Actor,
    bill: asyncpg.Record,
    kind: str,
    *,
    reason: str,
    concern: Concern = "principal",
    amount_fen: int | None = None,
) -> UUID:
    reason = text.clean(reason, max_length=200, multiline=True, field="reason")
    bill_id, line_id = (bill["bill_id"], bill["id"]) if kind == "adjustment" else (bill["id"], None)
    id: UUID | None = await database.fetchval(
        sql.REQUEST, uuid7(), bill["compound_id"], bill_id, line_id, kind, concern, amount_fen, reason, actor.id,
        clock.now(),
    )  # fmt: skip
    if id is None:
        raise Conflict("CORRECTION_WAITING", "这张账单已有一项申请待审批,请先处理")
    concerns("Correction", id, bill["compound_id"], bill=bill_id, kind=kind, concern=concern, fen=amount_fen)
    await outbox.record(CorrectionRequested(id, bill["compound_id"], bill_id))
    return id


@command("correction.decide", caller="staff", permission=permissions.CORRECTIONS_DECIDE)
async def decide_correction(
    actor: Actor, *, correction_id: UUID, approve: bool, note: str = "", kind: str | None = None
) -> UUID:
    """Let another's request take effect, or reject it, which needs a note (审批); `kind` is what it must be.

    Raises CORRECTION_NOT_FOUND, CORRECTION_OWN, CORRECTION_DECIDED, BILL_BEING_PAID, BILL_VOID, and what the correction
    itself refuses: NOTHING_TO_WAIVE, WAIVER_TOO_MUCH, ADJUSTMENT_TOO_MUCH, PAID_BY_ANOTHER, BALANCE_TOO_LOW.
    """
    row = await _locked(correction_id)
    concerns("Correction", correction_id, row["compound_id"], bill=row["bill_id"], approved=approve)
    actor.require(permissions.CORRECTIONS_DECIDE, row["compound_id"], row["building_id"])
    if kind not in (None, row["kind"]):
        raise _unknown()
    if row["requested_by"] == actor.account_id:
        raise Conflict("CORRECTION_OWN", "不能审批自己的申请,请由其他有权限的同事处理")
    _require_waiting(row)
    note = text.clean(note, max_length=200, min_length=0 if approve else 1, multiline=True, field="note")
    await (_approve if approve else _reject)(actor, row, note)
    await outbox.record(CorrectionDecided(correction_id, row["compound_id"], row["bill_id"], approve))
    return correction_id


async def _approve(actor: Actor, row: asyncpg.Record, note: str) -> None:
    effect_fen = await correcting.correct(row, actor.id)
    await CORRECTION.move(
        Correction, row["id"], "requested", "approved", decided_by=actor.id, decided_at=clock.now(),
        decision_note=note, effect_fen=effect_fen,
    )  # fmt: skip
    await correcting.settle_down(row)
    concerns("Correction", row["id"], row["compound_id"], effect_fen=effect_fen)
    await outbox.record(BillCorrected(row["bill_id"], row["compound_id"], row["house_id"], row["id"]))


async def _reject(actor: Actor, row: asyncpg.Record, note: str) -> None:
    decided = {"decided_by": actor.id, "decided_at": clock.now(), "decision_note": note}
    await CORRECTION.move(Correction, row["id"], "requested", "rejected", **decided)


@command("correction.withdraw", caller="staff", permission=permissions.CORRECTIONS_REQUEST)
async def withdraw_correction(actor: Actor, *, correction_id: UUID) -> UUID:
    """Take one's own request back (撤回) while nobody has decided. Raises CORRECTION_NOT_FOUND, CORRECTION_DECIDED."""
    row = await _locked(correction_id)
    concerns("Correction", correction_id, row["compound_id"], bill=row["bill_id"])
    actor.require(permissions.CORRECTIONS_REQUEST, row["compound_id"], row["building_id"])
    if row["requested_by"] != actor.account_id:
        actor.refuse(row["compound_id"])
    _require_waiting(row)
    await CORRECTION.move(Correction, correction_id, "requested", "withdrawn")
    return correction_id


async def _locked(correction_id: UUID) -> asyncpg.Record:
    row = await database.fetchrow(sql.LOCK_CORRECTION, correction_id)
    if row is None:
        raise _unknown()
    return row


def _unknown() -> NotFound:
    return NotFound("CORRECTION_NOT_FOUND", "没有找到这项申请,请刷新后重试", "correction")


def _require_waiting(row: asyncpg.Record) -> None:
    if row["state"] != "requested":
        raise Conflict("CORRECTION_DECIDED", "这项申请已经处理过,请刷新后查看结果")
