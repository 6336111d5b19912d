"""What people do about payments that went wrong (支付异常处理): one of the ways that fit, by one or by two of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from domains.kernel import clock, database, text, waking
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from payments import exception_sql as sql
from payments import order_sql, refund_sql
from payments.exception_rules import NEEDS_NOTE, Trouble, fitting, permission_for, takes_two
from payments.part_payment import allows_part
from payments.service import exceptions, orders, refund_requests, refunding, results, suspense
from payments.service.exceptions import Decision
from payments.service.ledger import Posting


@dataclass(frozen=True, slots=True)
class Case:
    """An exception that nobody else settles meanwhile, with what it is about."""

    row: asyncpg.Record
    order: asyncpg.Record | None
    attempt: asyncpg.Record | None
    refund: asyncpg.Record | None
    decision: Decision

    @property
    def posting(self) -> Posting:
        """Where its money goes is one journal."""
        row, decision = self.row, self.decision
        kind = "write_off" if decision.action == "write_off" else "suspense"
        key = f"exception:{row['id']}"
        return Posting(row["compound_id"], kind, key, clock.today(), memo=decision.note, actor_id=decision.by)


@command("payment_exception.settle", caller="staff")
async def settle_payment_exception(
    actor: Actor, *, exception_id: UUID, action: str, note: str = "", idempotency_key: UUID | None = None
) -> UUID:
    """Do one of the things that fit it; its id. It stays open where it is asked for only: a refund that another decides,
    what a second person has to confirm, a question to the channel.

    Raises NotFound EXCEPTION_NOT_FOUND; Forbidden EXCEPTION_OWN; Invalid EXCEPTION_ACTION, TEXT_EMPTY; Conflict
    EXCEPTION_SETTLED, EXCEPTION_WAITS, EXCEPTION_BLOCKED, EXCEPTION_NOTHING_OWED, PAYABLE_HELD, REFUND_TOO_MUCH,
    BALANCE_TOO_LOW.
    """
    row, order = await _locked(actor, exception_id, action)
    await _require_fitting(row, action)
    needs = 1 if action in NEEDS_NOTE else 0
    written = text.clean(note, max_length=200, min_length=needs, multiline=True, field="note")
    if takes_two(row["kind"], action) and not _is_confirmed(actor, row, action):
        await database.execute(sql.ASK, exception_id, action, actor.id, clock.now(), written)
        return exception_id
    attempt, refund = await _about(row)
    case = Case(row, order, attempt, refund, Decision(actor.id, action, written))
    if await _WAYS[action](case):
        await exceptions.close(exception_id, case.decision)
    return exception_id


async def _locked(
    actor: Actor, exception_id: UUID, action: str
) -> tuple[asyncpg.Record, asyncpg.Record | None]:
    """The exception and its payment. Whoever hears of a payment locks it, its attempt and its refund in this order, and
    then what was wrong with them."""
    found = await database.fetchrow(sql.ONE, exception_id)
    if found is None:
        raise NotFound("EXCEPTION_NOT_FOUND", "没有找到这项支付异常,请刷新后重试")
    concerns(
        "PaymentException", exception_id, found["compound_id"],
        kind=found["kind"], action=action, fen=found["amount_fen"],
    )  # fmt: skip
    _require(actor, found, action)
    order = await orders.lock_order(found["order_id"]) if found["order_id"] else None
    if found["attempt_id"] is not None:
        await database.fetchrow(order_sql.LOCK_ATTEMPT, found["attempt_id"])
    if found["refund_id"] is not None:
        await refunding.lock_refund(found["refund_id"])
    await database.fetchrow(sql.LOCK, exception_id)
    row = await database.fetchrow(sql.ONE, exception_id)
    assert row is not None, "exceptions are kept"
    # Whoever is the second one by now decides.
    _require(actor, row, action)
    if row["closed_at"] is not None:
        raise Conflict("EXCEPTION_SETTLED", "这项异常已经处理过,请刷新后查看结果")
    return row, order


def _require(actor: Actor, row: asyncpg.Record, action: str) -> None:
    if row["compound_id"] is None:
        actor.require_operator()
    else:
        actor.require_whole(permission_for(_trouble(row), action), row["compound_id"])


def _trouble(row: asyncpg.Record, *, allows: bool = False) -> Trouble:
    return Trouble(
        row["kind"], row["refund_id"] is not None, row["pays_debts"], allows, row["is_asked_back"],
        row["asked_action"],
    )  # fmt: skip


async def _require_fitting(row: asyncpg.Record, action: str) -> None:
    if row["is_asked_back"]:
        raise Conflict("EXCEPTION_WAITS", "这笔款项已申请退回付款人,请先在退款页面审批或驳回")
    allows = action == "apply" and await allows_part()(row["compound_id"])
    if action not in fitting(_trouble(row, allows=allows)):
        raise Invalid("EXCEPTION_ACTION", "这项异常不能这样处理,请刷新后选择其他办法", "action")


def _is_confirmed(actor: Actor, row: asyncpg.Record, action: str) -> bool:
    """Whether this is the second person who says so. Forbidden EXCEPTION_OWN for the first one again."""
    if row["asked_action"] != action:
        return False
    if row["asked_by"] == actor.id:
        raise Forbidden("EXCEPTION_OWN", "不能确认自己提出的处理,请由其他有权限的同事确认")
    return True


async def _about(row: asyncpg.Record) -> tuple[asyncpg.Record | None, asyncpg.Record | None]:
    """The attempt and the refund that it is about."""
    return (
        await database.fetchrow(order_sql.ATTEMPT_BY_ID, row["attempt_id"]),
        await database.fetchrow(refund_sql.REFUND_BY_ID, row["refund_id"]),
    )


async def _refund(case: Case) -> bool:
    assert case.attempt is not None, "of what was paid"
    await suspense.ask_back(case.row, case.attempt, case.decision)
    return False


async def _prepay(case: Case) -> bool:
    assert case.order is not None, "of a payment"
    if case.attempt is not None:
        await suspense.to_prepayment(case.posting, case.row, case.order)
        return True
    assert case.refund is not None, "else of a refund"
    await refunding.keep(case.refund, case.decision)
    return False


async def _apply(case: Case) -> bool:
    assert case.order is not None and case.attempt is not None, "of what was paid"
    await suspense.to_debts(case.posting, case.row, case.order, case.attempt)
    return True


async def _book(case: Case) -> bool:
    assert case.order is not None, "of a payment"
    if case.attempt is not None:
        await suspense.out_of_what_it_paid(case.posting, case.row, case.order, case.attempt, case.decision)
        return True
    assert case.refund is not None, "else of a refund that nobody answers for"
    await exceptions.close_of_refund(case.refund["id"], case.decision)
    funds = refunding.funds_of(case.refund)
    await refunding.paid_out(case.refund, case.refund["state"], case.refund["out_refund_no"], funds)
    return False


async def _write_off(case: Case) -> bool:
    assert case.attempt is not None, "of what was paid"
    await suspense.write_off(case.posting, case.row, case.attempt, case.decision)
    return True


async def _ask(case: Case) -> bool:
    now = clock.now()
    if case.attempt is not None:
        await database.execute(order_sql.ASK_NOW, case.attempt["id"], now)
    if case.refund is not None:
        await database.execute(refund_sql.ASK_AGAIN_AT, case.refund["id"], now)
    waking.after_commit(results.LANE)
    return False


async def _retry(case: Case) -> bool:
    assert case.refund is not None, "of a refund"
    await exceptions.close_of_refund(case.refund["id"], case.decision)
    await refund_requests.approve_from(case.refund, "abnormal")
    return False


async def _give_up(case: Case) -> bool:
    assert case.attempt is not None, "of what is not known to be paid"
    await exceptions.close(case.row["id"], case.decision)
    await orders.end_attempt(case.attempt, "closed", "GIVEN_UP")
    return False


async def _note(_: Case) -> bool:
    return True


_WAYS: Mapping[str, Callable[[Case], Awaitable[bool]]] = {
    "refund": _refund, "prepay": _prepay, "apply": _apply, "book": _book, "write_off": _write_off, "ask": _ask,
    "retry": _retry, "give_up": _give_up, "note": _note,
}  # fmt: skip
"""Each says whether it is left to close it: one that is only asked for stays open, and some are closed on the way."""
