"""What a person has to look at (支付异常). Inside the caller's transaction."""

from __future__ import annotations

from uuid import UUID

from domains.kernel import clock, database, outbox
from domains.kernel.ids import uuid7
from payments import order_sql as sql
from payments.events import PaymentTroubled
from payments.order_rules import EXCEPTIONS


async def open_exception(
    kind: str,
    compound_id: UUID | None,
    *,
    attempt_id: UUID | None = None,
    refund_id: UUID | None = None,
    amount_fen: int = 0,
    note: str = "",
) -> None:
    """Note it, once for an attempt or refund, and tell of it. ValueError for a kind that is none."""
    if kind not in EXCEPTIONS:
        raise ValueError(f"no exception is of the kind {kind}")
    made = await database.fetchval(
        sql.OPEN_EXCEPTION,
        uuid7(),
        compound_id,
        kind,
        attempt_id,
        refund_id,
        amount_fen,
        note[:200],
        clock.now(),
    )
    if made is not None:
        await outbox.record(PaymentTroubled(made, compound_id, kind))
