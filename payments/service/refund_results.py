"""What became of a refund (退款结果), as its channel says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg

from domains.kernel import clock, database
from payments import order_sql, refund_sql
from payments.gateways import RefundSighting
from payments.service import events, exceptions, foreign_refunds, ledger, refunding
from payments.service.ledger import Account, Line, Posting

_OVER = ("succeeded", "closed", "rejected")


async def take_result(refund_id: UUID, seen: RefundSighting) -> str:
    """Let a refund follow what its channel says; its state. A success is never undone."""
    async with database.transaction():
        refund = await database.fetchrow(refund_sql.REFUND_BY_ID, refund_id)
        assert refund is not None, "refunds are kept"
        state = await refunding.lock_refund(refund_id)
        if state in _OVER or state == "requested":
            if state == "closed" and seen.state == "succeeded":
                await _went_all_the_same(refund, seen)
            return state
        if seen.state == "succeeded" and seen.amount_fen != refund["amount_fen"]:
            await _stuck(refund, state, f"AMOUNT {seen.amount_fen}")
        elif seen.state == "succeeded":
            await refunding.paid_out(refund, state, seen.channel_refund_no, refunding.funds_of(refund))
        elif seen.state in ("abnormal", "closed"):
            await _stuck(refund, state, seen.state)
        elif state == "approved":
            await refunding.move(refund, state, "sent")
        await events.keep(
            refund["channel"], "refund_answer", f"{seen.state}:{events.digest(seen.body)}", "taken", seen.body,
            out_trade_no=refund["out_trade_no"], attempt_id=refund["attempt_id"], refund_id=refund_id,
        )  # fmt: skip
        return seen.state


async def _went_all_the_same(refund: asyncpg.Record, seen: RefundSighting) -> None:
    """It was kept as a prepayment, and then somebody at the platform had it go back: a person sees who has it twice."""
    posting = Posting(refund["compound_id"], "refund", f"refund_late:{refund['id']}", clock.today())
    if await database.fetchval(order_sql.JOURNAL, posting.compound_id, posting.key):
        return
    suspense, clearing = (
        Account("suspense", refund["attempt_id"]),
        Account("clearing", purpose=refund["channel"]),
    )
    await ledger.post(posting, [Line(suspense, seen.amount_fen), Line(clearing, -seen.amount_fen)])
    await exceptions.open_exception(
        "channel_refund", refund["compound_id"], attempt_id=refund["attempt_id"], refund_id=refund["id"],
        amount_fen=seen.amount_fen, note=seen.channel_refund_no,
    )  # fmt: skip


async def _stuck(refund: asyncpg.Record, state: str, problem: str) -> None:
    """The money did not arrive, and stays set aside: a person sends it again or gives it back in another way."""
    if state != "abnormal":
        await refunding.move(refund, state, "abnormal", problem=problem[:60], next_query_at=None)
    await exceptions.open_exception(
        "refund_abnormal",
        refund["compound_id"],
        refund_id=refund["id"],
        amount_fen=refund["amount_fen"],
        note=problem,
    )


async def refused(refund_id: UUID, code: str) -> None:
    """The channel will not refund it."""
    async with database.transaction():
        refund = await database.fetchrow(refund_sql.REFUND_BY_ID, refund_id)
        assert refund is not None, "refunds are kept"
        state = await refunding.lock_refund(refund_id)
        if state not in (*_OVER, "requested"):
            await _stuck(refund, state, code)


async def hear(
    attempt: asyncpg.Record, external_id: str, seen: RefundSighting, headers: Mapping[str, str]
) -> str:
    """Take a notification of a refund; the verdict. One of a payment that is not booked yet is held for it."""
    known = await database.fetchrow(refund_sql.REFUND_BY_NUMBER, seen.out_refund_no, attempt["order_id"])
    if known is not None:
        return await _hear_of_ours(known, external_id, seen, headers)
    async with database.transaction():
        await database.fetchrow(order_sql.LOCK_ORDER, attempt["order_id"])
        current = await database.fetchrow(order_sql.LOCK_ATTEMPT, attempt["id"])
        assert current is not None, "attempts are kept"
        moved = seen.state in ("succeeded", "processing")
        verdict = "taken" if current["state"] == "succeeded" else "held" if moved else "noted"
        facts = _facts(seen)
        is_new = await events.keep(
            attempt["channel"], "refund", external_id, verdict, seen.body, out_trade_no=attempt["out_trade_no"],
            attempt_id=attempt["id"], headers=headers, facts=facts,
        )  # fmt: skip
        if is_new and moved and verdict == "taken":
            await foreign_refunds.take(attempt["id"], facts)
        if verdict == "held":
            await database.execute(order_sql.ASK_NOW, attempt["id"], clock.now())
        return verdict


def _facts(seen: RefundSighting) -> dict[str, Any]:  # Any: JSON of ours
    return {"refund_no": seen.out_refund_no, "fen": seen.amount_fen, "given_back": seen.given_back_fen}


async def _hear_of_ours(
    refund: asyncpg.Record, external_id: str, seen: RefundSighting, headers: Mapping[str, str]
) -> str:
    async with database.transaction():
        await database.fetchrow(order_sql.LOCK_ORDER, refund["order_id"])
        await events.keep(
            refund["channel"], "refund", external_id, "taken", seen.body, out_trade_no=refund["out_trade_no"],
            attempt_id=refund["attempt_id"], refund_id=refund["id"], headers=headers,
        )  # fmt: skip
        if seen.state == "processing":
            # It says that something moved and not for certain what: the channel is asked.
            await database.execute(refund_sql.ASK_AGAIN_AT, refund["id"], clock.now())
            if seen.given_back_fen:
                await foreign_refunds.take(refund["attempt_id"], _facts(seen))
        else:
            await take_result(refund["id"], seen)
    return "taken"
