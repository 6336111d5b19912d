"""Refunds as rows (退款单): made by rule or on request, within what was paid, and ended. Inside the caller's transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from domains.kernel import clock, database, outbox
from domains.kernel.errors import Conflict
from domains.kernel.ids import uuid7
from payments import refund_sql as sql
from payments.events import RefundApproved, RefundEnded
from payments.models import Refund
from payments.order_rules import ONLINE, REFUND
from payments.service import exceptions, ledger, orders, payables
from payments.service.exceptions import Decision
from payments.service.ledger import Account, Line, Posting

UNDER_WAY = ("approved", "sent")
"""States in which the channel is asked what becomes of it."""


@dataclass(frozen=True, slots=True)
class NewRefund:
    """A refund as it is made. What was made at the platform itself has a number already, and has ended."""

    attempt: asyncpg.Record
    amount_fen: int
    origin: str
    cause: str
    state: str
    reason: str = ""
    requested_by: UUID | None = None
    out_refund_no: str = ""


async def give_back_by_rule(attempt: asyncpg.Record, fen: int, cause: str) -> UUID:
    """Let money go back that pays nothing; the refund's id. It stands on the account `refund_due` of that id."""
    refund_id = await make(NewRefund(attempt, fen, "automatic", cause, "approved"))
    await outbox.record(RefundApproved(refund_id, attempt["compound_id"]))
    return refund_id


async def make(new: NewRefund, reserve: str = sql.RESERVE) -> UUID:
    """Write a refund; its id. `reserve` is the statement that finds room for it. Conflict REFUND_TOO_MUCH where all
    refunds would exceed what was paid."""
    attempt, now, id = new.attempt, clock.now(), uuid7()
    if await database.fetchval(reserve, attempt["id"], new.amount_fen) is None:
        raise too_much()
    await Refund.create(
        id=id, compound_id=attempt["compound_id"], order_id=attempt["order_id"], attempt_id=attempt["id"],
        out_refund_no=new.out_refund_no or id.hex, amount_fen=new.amount_fen, origin=new.origin, cause=new.cause,
        reason=new.reason, state=new.state, requested_by=new.requested_by, requested_at=now,
        next_query_at=now if new.state == "approved" and attempt["channel"] in ONLINE else None,
        ended_at=now if new.state == "succeeded" else None,
    )  # fmt: skip
    return id


def too_much() -> Conflict:
    """More than is left of what was paid."""
    return Conflict("REFUND_TOO_MUCH", "退款金额超过可退金额,请核对已退和处理中的退款")


async def lock_refund(refund_id: UUID) -> str:
    """The state of a refund that nobody else changes meanwhile."""
    state: str = await database.fetchval(sql.LOCK_REFUND, refund_id)
    return state


async def move(refund: asyncpg.Record, old: str, new: str, **values: Any) -> None:  # Any: column values
    """Move a refund, and ask no more of the channel once it has ended."""
    if new in ("succeeded", "closed", "rejected"):
        values |= {"next_query_at": None, "ended_at": clock.now()}
        await outbox.record(RefundEnded(refund["id"], refund["compound_id"], refund["order_id"], new))
    if old != "requested":
        await exceptions.close_of_refund(refund["id"])
    await REFUND.move(Refund, refund["id"], old, new, **values)
    await orders.changed(refund["order_id"])


async def let_go(refund: asyncpg.Record, items: Sequence[asyncpg.Record]) -> None:
    """A refund that takes place no more leaves room for another."""
    await database.execute(sql.RESERVE, refund["attempt_id"], -refund["amount_fen"])
    if items:
        parts = [item["item_id"] for item in items], [-item["amount_fen"] for item in items]
        await database.execute(sql.RESERVE_ITEMS, refund["order_id"], *parts)


def funds_of(refund: asyncpg.Record, cashier_id: UUID | None = None) -> Account:
    """Out of which account money goes back: the way it came, cash out of the drawer of who hands it out."""
    if refund["channel"] == "balance":
        return Account("prepayment", refund["holder_id"], refund["purpose"])
    return orders.funds_of(refund["channel"], cashier_id)


async def paid_out(refund: asyncpg.Record, state: str, channel_refund_no: str, funds: Account) -> None:
    """The money went back: one journal, and the refund has ended."""
    day = clock.today()
    posting = Posting(refund["compound_id"], "refund", f"refund:{refund['id']}", day, memo=refund["reason"])
    due = Account("refund_due", refund["id"])
    await ledger.post(posting, [Line(due, refund["amount_fen"]), Line(funds, -refund["amount_fen"])])
    await move(refund, state, "succeeded", channel_refund_no=channel_refund_no[:64], problem="")


async def keep(refund: asyncpg.Record, decision: Decision) -> None:
    """It does not go back, and becomes the holder's prepayment instead."""
    posting = Posting(
        refund["compound_id"], "refund", f"refund:{refund['id']}", clock.today(), memo=refund["reason"],
        actor_id=decision.by,
    )  # fmt: skip
    due, kept = Account("refund_due", refund["id"]), Account("prepayment", refund["holder_id"])
    await ledger.post(posting, [Line(due, refund["amount_fen"]), Line(kept, -refund["amount_fen"])])
    await exceptions.close_of_refund(refund["id"], decision)
    await move(refund, refund["state"], "closed")


async def sources(items: Sequence[asyncpg.Record]) -> tuple[dict[UUID, int], dict[Account, int]]:
    """Debts that stand again as far as they are still paid; what they gave back to prepayments comes out of those."""
    states = await payables.lock({item["payable_id"] for item in items if item["stands_again"]})
    again, others = dict[UUID, int](), defaultdict[Account, int](int)
    for item in items:
        if not item["stands_again"]:
            others[Account(item["code"], item["subject_id"], item["purpose"])] += item["amount_fen"]
            continue
        state = states[item["payable_id"]]
        if taken := min(item["amount_fen"], state.settled_fen):
            again[state.id] = taken
        if rest := item["amount_fen"] - taken:
            others[Account("prepayment", state.holder_id)] += rest
    return again, others
