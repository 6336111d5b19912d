"""Money that waits for a person (待处理款), on its way to where it belongs. Inside the caller's transaction, with the
payment locked; each way is one journal, keyed by the exception."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from domains.kernel import database, outbox
from domains.kernel.errors import Conflict
from payments import exception_sql as sql
from payments import refund_sql
from payments.events import RefundRequested
from payments.exception_rules import taken_from
from payments.service import crediting, exceptions, foreign_refunds, ledger, orders, payables, refunding
from payments.service.exceptions import Decision
from payments.service.ledger import Account, Line, Posting
from payments.service.refunding import NewRefund

_CAUSES = {"underpaid": "underpaid", "second_success": "duplicate"}


async def ask_back(case: asyncpg.Record, attempt: asyncpg.Record, decision: Decision) -> None:
    """Ask that it goes back to who paid it, the way it came; another decides. Conflict REFUND_TOO_MUCH."""
    fen = await _waiting_fen(case)
    new = NewRefund(
        attempt, fen, "staff", _CAUSES[case["kind"]], "requested", decision.note, requested_by=decision.by
    )
    await outbox.record(RefundRequested(await refunding.make(new), case["compound_id"]))
    await orders.changed(attempt["order_id"])


async def to_prepayment(posting: Posting, case: asyncpg.Record, order: asyncpg.Record) -> None:
    """It becomes a prepayment of the holder's: the one that was to be topped up with it, or that for anything."""
    fen = await _waiting_fen(case)
    purpose = await database.fetchval(sql.TOPPED_UP, order["id"]) or ""
    kept = Account("prepayment", order["holder_id"], purpose)
    await ledger.post(posting, [Line(_suspense(case), fen), Line(kept, -fen)])


async def to_debts(
    posting: Posting, case: asyncpg.Record, order: asyncpg.Record, paid: asyncpg.Record
) -> None:
    """It pays what it was meant for, as far as that is still owed; the rest becomes a prepayment of the holder's.

    Raises Conflict PAYABLE_HELD while another payment is under way, EXCEPTION_NOTHING_OWED where nothing is owed.
    """
    fen = await _waiting_fen(case)
    goes = await crediting.where_it_goes(order["id"], fen)
    states = await payables.lock(goes.payables)
    if any(state.is_held for state in states.values()):
        raise Conflict("PAYABLE_HELD", "这笔款项正在支付中,请稍后再试")
    if not goes.payables:
        raise Conflict("EXCEPTION_NOTHING_OWED", "对应账单已缴清,请转入预存款或申请退回付款人")
    others = await crediting.accounts_of(goes)
    if goes.left_fen:
        kept = Account("prepayment", order["holder_id"])
        others[kept] = others.get(kept, 0) + goes.left_fen
    day = crediting.settled_on(order, paid["succeeded_at"])
    await payables.settle(posting, _suspense(case), goes.payables, day, others)


async def out_of_what_it_paid(
    posting: Posting, case: asyncpg.Record, order: asyncpg.Record, attempt: asyncpg.Record, decision: Decision
) -> None:
    """What went back at the platform leaves what was set aside for a refund that failed here or, where there is none, what
    its money paid: debts stand again, the rest comes out of the holder's prepayment.

    Raises Conflict EXCEPTION_BLOCKED, BALANCE_TOO_LOW where that is spent.
    """
    refund_id, fen = await _brought_in(case, attempt, decision)
    if not fen:
        return
    if (ours := await _done_by_hand(case, attempt)) is not None:
        await _out_of_ours(posting, case, ours, decision)
        return
    again, others = await _lost(order, attempt, refund_id, fen)
    if rest := fen - sum(again.values()) - sum(others.values()):
        kept = Account("prepayment", order["holder_id"])
        others[kept] = others.get(kept, 0) + rest
    await payables.unsettle(posting, _suspense(case), again, posting.posted_on, others)


async def write_off(
    posting: Posting, case: asyncpg.Record, attempt: asyncpg.Record, decision: Decision
) -> None:
    """What went back at the platform is lost to the house. Raises Conflict EXCEPTION_BLOCKED."""
    _, fen = await _brought_in(case, attempt, decision)
    if fen:
        await ledger.post(posting, [Line(Account("write_off"), fen), Line(_suspense(case), -fen)])


def _suspense(case: asyncpg.Record) -> Account:
    return Account("suspense", case["attempt_id"])


async def _waiting_fen(case: asyncpg.Record) -> int:
    """All of it that still waits. Conflict EXCEPTION_SETTLED where nothing does."""
    fen = await exceptions.in_suspense(case["compound_id"], case["attempt_id"])
    if fen <= 0:
        raise Conflict("EXCEPTION_SETTLED", "这项异常已经处理过,请刷新后查看结果")
    return fen


async def _brought_in(
    case: asyncpg.Record, attempt: asyncpg.Record, decision: Decision
) -> tuple[UUID | None, int]:
    """The refund as it is in the books, and how much of it stands in suspense. What was told of while there was no room
    for it comes in now."""
    if case["refund_id"] is not None:
        return case["refund_id"], case["amount_fen"]
    if (refund := await _done_by_hand(case, attempt)) is None:
        return await foreign_refunds.book_unbooked(attempt, case["note"], case["amount_fen"])
    await exceptions.close_of_refund(refund["id"], Decision(decision.by, "book", decision.note))
    number = case["note"] or refund["out_refund_no"]
    await refunding.paid_out(refund, "abnormal", number, refunding.funds_of(refund))
    return None, 0


async def _done_by_hand(case: asyncpg.Record, attempt: asyncpg.Record) -> asyncpg.Record | None:
    """A refund of ours, for as much, that did not go through: somebody made it by hand at the platform."""
    id = await database.fetchval(sql.DONE_BY_HAND, attempt["id"], case["amount_fen"])
    if id is not None:
        await refunding.lock_refund(id)
    return await database.fetchrow(refund_sql.REFUND_BY_ID, id)


async def _out_of_ours(
    posting: Posting, case: asyncpg.Record, ours: asyncpg.Record, decision: Decision
) -> None:
    """What was set aside for a refund of ours went under another number: ours ends, and leaves its room."""
    fen = case["amount_fen"]
    await ledger.post(posting, [Line(Account("refund_due", ours["id"]), fen), Line(_suspense(case), -fen)])
    await database.execute(refund_sql.RESERVE, ours["attempt_id"], -fen)
    await exceptions.close_of_refund(ours["id"], Decision(decision.by, "book", decision.note))
    await refunding.move(ours, "abnormal", "closed")


async def _lost(
    order: asyncpg.Record, attempt: asyncpg.Record, refund_id: UUID | None, fen: int
) -> tuple[dict[UUID, int], dict[Account, int]]:
    """Debts and accounts that its money has paid, and how much of it they lose."""
    refund = await database.fetchrow(refund_sql.REFUND_BY_ID, refund_id)
    assert refund is not None, "refunds are kept"
    if refund["origin"] != "channel":
        # It was kept as a prepayment, and went back all the same.
        return {}, {}
    if order["state"] != "paid" or order["paid_by"] != attempt["id"]:
        return await _unpaid(attempt["id"], fen), {}
    parts = await database.fetch(sql.ITEMS_LEFT, order["id"])
    shares = taken_from([part["left_fen"] for part in parts], fen)
    lost = {part["id"]: share for part, share in zip(parts, shares, strict=True) if share}
    await database.execute(refund_sql.RESERVE_ITEMS, order["id"], list(lost), list(lost.values()))
    await database.execute(
        refund_sql.NEW_ITEMS, refund_id, list(lost), [None] * len(lost), list(lost.values())
    )
    return await refunding.sources(await database.fetch(refund_sql.ITEMS, refund_id))


async def _unpaid(attempt_id: UUID, fen: int) -> dict[UUID, int]:
    """Debts that money of this attempt has paid out of suspense, as far as they are still paid."""
    rows = await database.fetch(sql.PAID_OUT_OF_SUSPENSE, attempt_id)
    states = await payables.lock([row["payable_id"] for row in rows])
    shares = taken_from([min(row["fen"], states[row["payable_id"]].settled_fen) for row in rows], fen)
    return {row["payable_id"]: share for row, share in zip(rows, shares, strict=True) if share}
