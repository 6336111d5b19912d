"""Refunds that staff ask for and others decide (退款申请与审批)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict
from uuid import UUID

import asyncpg

from domains.kernel import clock, database, outbox, text, waking
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from payments import order_sql, permissions
from payments import refund_sql as sql
from payments.events import RefundApproved, RefundRequested
from payments.order_rules import ONLINE
from payments.service import exceptions, orders, payables, refunding, results
from payments.service.exceptions import Decision
from payments.service.ledger import Account, Posting

MOST_PARTS = 100


@dataclass(frozen=True, slots=True)
class RefundPart:
    """So much of what one part of a payment paid."""

    item_id: UUID
    fen: int


class Chosen(TypedDict):
    """A refund, and the key under which a command on it is given once."""

    refund_id: UUID
    idempotency_key: UUID


@command("refund.request", caller="staff", permission=permissions.REFUNDS_REQUEST)
async def request_refund(
    actor: Actor,
    *,
    payment_id: UUID,
    parts: Sequence[RefundPart],
    reason: str,
    idempotency_key: UUID | None = None,
) -> UUID:
    """Ask that so much of a payment goes back the way it came; the refund's id. It takes effect once another approves
    it. What it paid stands again as a debt then.

    Raises NotFound PAYMENT_NOT_FOUND; Forbidden; Invalid REFUND_PARTS, TEXT_EMPTY; Conflict PAYMENT_NOT_PAID,
    REFUND_TOO_MUCH.
    """
    order = await orders.lock_order(payment_id)
    concerns("Payment", payment_id, order["compound_id"], fen=sum(part.fen for part in parts))
    actor.require_whole(permissions.REFUNDS_REQUEST, order["compound_id"])
    _check(parts)
    attempt = await _paid_by(order)
    written = text.clean(reason, max_length=200, multiline=True, field="reason")
    new = refunding.NewRefund(
        attempt, sum(part.fen for part in parts), "staff", "request", "requested", written, actor.id
    )
    refund_id = await refunding.make(new)
    columns = [part.item_id for part in parts], [part.fen for part in parts]
    if await database.execute(sql.RESERVE_ITEMS, payment_id, *columns) != len(parts):
        raise refunding.too_much()
    await database.execute(sql.NEW_ITEMS, refund_id, columns[0], [None] * len(parts), columns[1])
    await outbox.record(RefundRequested(refund_id, order["compound_id"]))
    await orders.changed(payment_id)
    return refund_id


def _check(parts: Sequence[RefundPart]) -> None:
    several = len({part.item_id for part in parts}) != len(parts)
    if not 1 <= len(parts) <= MOST_PARTS or several or any(part.fen <= 0 for part in parts):
        raise Invalid("REFUND_PARTS", "请选择要退的款项,并填写大于零的金额", "parts")


async def _paid_by(order: asyncpg.Record) -> asyncpg.Record:
    row = await database.fetchrow(order_sql.PAID_ATTEMPT, order["id"]) if order["state"] == "paid" else None
    if row is None:
        raise Conflict("PAYMENT_NOT_PAID", "这笔支付尚未成功,无需退款")
    return row


@command("refund.decide", caller="staff", permission=permissions.REFUNDS_DECIDE)
async def decide_refund(
    actor: Actor,
    *,
    refund_id: UUID,
    approve: bool,
    note: str = "",
    idempotency_key: UUID | None = None,
) -> UUID:
    """Approve a refund, which sets its money aside and sends it, or reject it; its id. Nobody decides their own request.

    Raises NotFound REFUND_NOT_FOUND; Forbidden REFUND_OWN; Invalid TEXT_EMPTY for a rejection without a note; Conflict
    REFUND_DECIDED, BALANCE_TOO_LOW where the money was used meanwhile.
    """
    refund = await _locked(actor, refund_id, permissions.REFUNDS_DECIDE)
    if refund["requested_by"] == actor.id:
        raise Forbidden("REFUND_OWN", "不能审批自己申请的退款,请由其他有权限的同事处理")
    if refund["state"] != "requested":
        raise Conflict("REFUND_DECIDED", "这笔退款已经处理过,请刷新后查看结果")
    written = text.clean(note, max_length=200, min_length=0 if approve else 1, multiline=True, field="note")
    decided = {"decided_by": actor.id, "decided_at": clock.now(), "decision_note": written}
    items = await database.fetch(sql.ITEMS, refund_id)
    if not approve:
        await refunding.let_go(refund, items)
        await refunding.move(refund, "requested", "rejected", **decided)
        return refund_id
    await _set_aside(refund, items)
    if not items:
        await exceptions.close_of_suspense(refund["attempt_id"], Decision(actor.id, "refund", written))
    await approve_from(refund, "requested", **decided)
    return refund_id


async def _set_aside(refund: asyncpg.Record, items: Sequence[asyncpg.Record]) -> None:
    """The money leaves what it paid, or where it waits, so that it cannot be spent while it is on its way."""
    again, others = await refunding.sources(items)
    if not items:
        others[await _waiting(refund)] += refund["amount_fen"]
    posting = Posting(
        refund["compound_id"],
        "refund_hold",
        f"refund_hold:{refund['id']}",
        clock.today(),
        memo=refund["reason"],
    )
    await payables.unsettle(posting, Account("refund_due", refund["id"]), again, posting.posted_on, others)


async def _waiting(refund: asyncpg.Record) -> Account:
    """Where money stands that pays nothing. Conflict BALANCE_TOO_LOW where it went back in another way."""
    if await exceptions.in_suspense(refund["compound_id"], refund["attempt_id"]) < refund["amount_fen"]:
        raise Conflict("BALANCE_TOO_LOW", "账户余额不足,请刷新后重试")
    return Account("suspense", refund["attempt_id"])


async def approve_from(refund: asyncpg.Record, old: str, **values: object) -> None:
    """Let it go, and see to it at once."""
    is_online = refund["channel"] in ONLINE
    await refunding.move(
        refund, old, "approved", next_query_at=clock.now() if is_online else None, problem="", **values
    )
    await outbox.record(RefundApproved(refund["id"], refund["compound_id"]))
    if is_online:
        waking.after_commit(results.LANE)
    elif refund["channel"] == "balance":
        await refunding.paid_out(refund, "approved", refund["out_refund_no"], refunding.funds_of(refund))


@command("refund.retry", caller="staff", permission=permissions.REFUNDS_DECIDE)
async def retry_refund(actor: Actor, *, refund_id: UUID, idempotency_key: UUID | None = None) -> UUID:
    """Send a refund again that did not go through, under the same number; its id.

    Raises NotFound REFUND_NOT_FOUND; Forbidden; Conflict REFUND_NOT_STUCK.
    """
    refund = await _stuck(actor, refund_id)
    await exceptions.close_of_refund(refund_id, Decision(actor.id, "retry"))
    await approve_from(refund, "abnormal")
    return refund_id


@command("refund.keep", caller="staff", permission=permissions.REFUNDS_DECIDE)
async def keep_refund(actor: Actor, *, refund_id: UUID, idempotency_key: UUID | None = None) -> UUID:
    """Give a refund that did not go through to the holder's prepayment instead; its id.

    Raises NotFound REFUND_NOT_FOUND; Forbidden; Conflict REFUND_NOT_STUCK.
    """
    await refunding.keep(await _stuck(actor, refund_id), Decision(actor.id, "prepay"))
    return refund_id


@command("refund.pay_out", caller="staff", permission=permissions.DESK_WRITE)
async def pay_out_refund(actor: Actor, *, refund_id: UUID, idempotency_key: UUID | None = None) -> UUID:
    """Hand an approved refund out at the desk, the way it was paid there: out of the caller's drawer where it was cash;
    its id. Raises NotFound REFUND_NOT_FOUND; Forbidden; Conflict REFUND_NOT_AT_DESK.
    """
    refund = await _locked(actor, refund_id, permissions.DESK_WRITE)
    if refund["state"] != "approved" or refund["channel"] in ONLINE:
        raise Conflict("REFUND_NOT_AT_DESK", "这笔退款不是待柜台支付的退款,请刷新后查看")
    funds = refunding.funds_of(refund, actor.id)
    await refunding.paid_out(refund, "approved", refund["out_refund_no"], funds)
    return refund_id


async def _stuck(actor: Actor, refund_id: UUID) -> asyncpg.Record:
    refund = await _locked(actor, refund_id, permissions.REFUNDS_DECIDE)
    if refund["state"] != "abnormal":
        raise Conflict("REFUND_NOT_STUCK", "这笔退款没有异常,请刷新后查看结果")
    return refund


async def _locked(actor: Actor, refund_id: UUID, permission: str) -> asyncpg.Record:
    """A refund that the caller may deal with, and that nobody else changes meanwhile: its payment first, then itself."""
    found = await database.fetchrow(sql.REFUND_BY_ID, refund_id)
    if found is None:
        raise NotFound("REFUND_NOT_FOUND", "没有找到这笔退款,请刷新后重试")
    concerns("Refund", refund_id, found["compound_id"], fen=found["amount_fen"])
    actor.require_whole(permission, found["compound_id"])
    await orders.lock_order(found["order_id"])
    await refunding.lock_refund(refund_id)
    refund = await database.fetchrow(sql.REFUND_BY_ID, refund_id)
    assert refund is not None, "refunds are kept"
    return refund
