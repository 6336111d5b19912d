"""What a person has to look at (支付异常): opened, and closed once it is seen to. Inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from domains.kernel import clock, database, outbox
from domains.kernel.ids import uuid7
from payments import exception_sql as sql
from payments.events import PaymentTroubled
from payments.exception_rules import EXCEPTIONS, IN_SUSPENSE


@dataclass(frozen=True, slots=True)
class Decision:
    """Who saw to it, how, and what they found out."""

    by: UUID | None
    action: str | None
    note: str = ""


BY_ITSELF = Decision(None, None)
"""It came right without anybody."""


async def open_exception(
    kind: str,
    compound_id: UUID | None,
    *,
    attempt_id: UUID | None = None,
    refund_id: UUID | None = None,
    amount_fen: int = 0,
    number: str = "",
    note: str = "",
) -> None:
    """Note it, one of a kind for an attempt or refund, and tell of it. `number` is the channel's, where one payment may
    have several. ValueError for a kind that is none."""
    if kind not in EXCEPTIONS:
        raise ValueError(f"no exception is of the kind {kind}")
    made = await database.fetchval(
        sql.OPEN,
        uuid7(),
        compound_id,
        kind,
        attempt_id,
        refund_id,
        amount_fen,
        number[:64],
        note[:200],
        clock.now(),
    )
    if made is not None:
        await outbox.record(PaymentTroubled(made, compound_id, kind))


async def is_open(kind: str, note: str) -> bool:
    """Whether somebody has been told the same already, of something that names no payment of ours."""
    return bool(await database.fetchval(sql.IS_OPEN, kind, note[:200]))


async def close(exception_id: UUID, decision: Decision) -> None:
    """Somebody has seen to it."""
    now = clock.now()
    await database.execute(sql.CLOSE, exception_id, now, decision.by, decision.action, decision.note)


async def close_of_attempt(kinds: Collection[str], attempt_id: UUID, decision: Decision = BY_ITSELF) -> None:
    """What was wrong with an attempt is not wrong any more."""
    await _close_of(kinds, attempt_id, None, decision)


async def close_of_refund(refund_id: UUID, decision: Decision = BY_ITSELF) -> None:
    """A refund goes on, or has ended."""
    await _close_of(("refund_abnormal", "refund_stuck"), None, refund_id, decision)


async def _close_of(
    kinds: Collection[str], attempt_id: UUID | None, refund_id: UUID | None, decision: Decision
) -> None:
    await database.execute(
        sql.CLOSE_OF,
        list(kinds),
        attempt_id,
        refund_id,
        clock.now(),
        decision.by,
        decision.action,
        decision.note,
    )


async def close_of_suspense(attempt_id: UUID, decision: Decision) -> None:
    """Money that waited in suspense has gone where it belongs."""
    await close_of_attempt(IN_SUSPENSE, attempt_id, decision)


async def in_suspense(compound_id: UUID, attempt_id: UUID) -> int:
    """What of an attempt's money waits for a person, in fen; below zero where more went than came."""
    return int(await database.fetchval(sql.SUSPENSE, compound_id, attempt_id))


async def less_waits(attempt_id: UUID, fen: int) -> None:
    """So much of the money that waited went back by itself."""
    await database.execute(sql.LESS_WAITS, attempt_id, fen, clock.now())


async def unbooked_is_booked(attempt_id: UUID, number: str) -> None:
    """What a channel gave back beyond what there was room for is in the books now; `number` as it was opened with."""
    await database.execute(sql.UNBOOKED_IS_BOOKED, attempt_id, number[:64], clock.now())
