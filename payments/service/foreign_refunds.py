"""Refunds that somebody made at the platform itself (渠道侧退款): the money is gone, and a person says what for. Inside the
caller's transaction, with the payment locked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from domains.kernel import clock, database
from domains.kernel.errors import Conflict
from payments import exception_sql, order_sql, refund_sql
from payments.service import exceptions, ledger, refunding
from payments.service.ledger import Account, Line, Posting
from payments.service.refunding import NewRefund


async def take_held(attempt_id: UUID) -> None:
    """Apply what was said of refunds before the payment was booked."""
    for row in await database.fetch(order_sql.HELD, attempt_id):
        await take(attempt_id, orjson.loads(row["facts"]))


async def take_all_back(attempt_id: UUID, given_back_fen: int) -> None:
    """Apply that so much of a payment went back before anybody told that it was paid."""
    await take(attempt_id, {"refund_no": "", "fen": 0, "given_back": given_back_fen})


async def take(attempt_id: UUID, facts: Mapping[str, Any]) -> None:  # Any: JSON of ours
    """Book it as far as what was asked for here leaves room; a person sees to that, and to the rest."""
    attempt = await database.fetchrow(order_sql.ATTEMPT_BY_ID, attempt_id)
    assert attempt is not None, "attempts are kept"
    number, gone = facts["refund_no"], await _new_fen(attempt, facts)
    fen = min(gone, attempt["paid_fen"] - attempt["given_back_fen"])
    # A channel that tells how much all refunds are says it anew each time: what has no room is one sum, not several.
    unbooked = "" if facts["given_back"] else number
    if gone > fen:
        await exceptions.open_exception(
            "channel_refund", attempt["compound_id"], attempt_id=attempt_id, amount_fen=gone - fen, number=unbooked,
            note=number,
        )  # fmt: skip
    elif fen > 0:
        await exceptions.unbooked_is_booked(attempt_id, unbooked)
    if fen > 0:
        refund_id, left = await book(attempt, number, fen, refund_sql.RESERVE)
        await _tell(attempt, refund_id, number, left)


async def _tell(attempt: asyncpg.Record, refund_id: UUID, number: str, fen: int) -> None:
    if fen:
        await exceptions.open_exception(
            "channel_refund", attempt["compound_id"], attempt_id=attempt["id"], refund_id=refund_id, amount_fen=fen,
            number=number, note=number,
        )  # fmt: skip


async def book(attempt: asyncpg.Record, number: str, fen: int, reserve: str) -> tuple[UUID, int]:
    """Book what went back at the platform: the refund's id, and how much of it stands in suspense. Money that waited
    there itself has gone home with it, and nobody needs to see to that any more.

    Raises Conflict REFUND_TOO_MUCH where `reserve` finds no room.
    """
    refund_id = await refunding.make(
        NewRefund(attempt, fen, "channel", "channel", "succeeded", reason=number), reserve
    )
    waits = max(0, await exceptions.in_suspense(attempt["compound_id"], attempt["id"]))
    posting = Posting(attempt["compound_id"], "refund", f"refund:{refund_id}", clock.today())
    suspense, clearing = Account("suspense", attempt["id"]), Account("clearing", purpose=attempt["channel"])
    await ledger.post(posting, [Line(suspense, fen), Line(clearing, -fen)])
    if covered := min(waits, fen):
        await exceptions.less_waits(attempt["id"], covered)
    return refund_id, fen - covered


async def book_unbooked(attempt: asyncpg.Record, number: str, fen: int) -> tuple[UUID, int]:
    """Book what there was no room for when the channel told of it, as `book` does.

    Raises Conflict EXCEPTION_BLOCKED while other refunds of the payment leave none.
    """
    try:
        return await book(attempt, number, fen, exception_sql.RESERVE_BESIDE_KEPT)
    except Conflict as error:
        raise Conflict("EXCEPTION_BLOCKED", "这笔支付还有其他退款未完结,请先驳回或处理那些退款") from error


async def _new_fen(attempt: asyncpg.Record, facts: Mapping[str, Any]) -> int:  # Any: JSON of ours
    """How much of it is not in the books yet: some channels tell of one refund, others how much all of them are. What
    of ours may have gone is taken for gone: told of again, the rest comes to light."""
    if facts["given_back"]:
        ours = await database.fetchval(refund_sql.MAY_HAVE_GONE, attempt["id"])
        return int(min(facts["given_back"], attempt["paid_fen"]) - ours)
    if await database.fetchval(refund_sql.FOREIGN, attempt["id"], facts["refund_no"]):
        return 0
    return int(facts["fen"])
