"""Reads of refunds (退款): by who paid, and by staff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.command import concerns, sensitive_read
from payments import permissions


@dataclass(frozen=True, slots=True)
class Refund:
    """Money on its way back, fen. Who asked and who decided are accounts."""

    id: UUID
    compound_id: UUID
    payment_id: UUID
    payment_title: str
    payment_number: str | None
    channel: str
    amount_fen: int
    origin: str
    cause: str
    reason: str
    state: str
    problem: str
    requested_by: UUID | None
    requested_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    decision_note: str
    ended_at: datetime | None


_ROW = """
r.id, r.compound_id, r.order_id AS payment_id, o.title AS payment_title, o.number AS payment_number, a.channel,
r.amount_fen, r.origin, r.cause, r.reason, r.state, r.problem, r.requested_by, r.requested_at, r.decided_by, r.decided_at,
r.decision_note, r.ended_at
"""

_FROM = "refund r JOIN payment_attempt a ON a.id = r.attempt_id JOIN payment_order o ON o.id = r.order_id"

BY_ID = f"""
SELECT {_ROW} FROM {_FROM} WHERE r.id = ANY($1::uuid[]) AND (o.payer_id = $2 OR r.compound_id = ANY($3::uuid[])
    OR r.requested_by = $2 AND r.compound_id = ANY($4::uuid[]))
"""

OF_PAYMENTS = f"SELECT {_ROW} FROM {_FROM} WHERE r.order_id = ANY($1::uuid[]) ORDER BY r.id"

FOR_STAFF = f"""
SELECT {_ROW} FROM (
    SELECT * FROM refund WHERE compound_id = $1 AND ($2::text[] IS NULL OR state = ANY($2))
        AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4) r
JOIN payment_attempt a ON a.id = r.attempt_id JOIN payment_order o ON o.id = r.order_id ORDER BY r.id DESC
"""


async def by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Refund]:
    """Those of payments that the caller made, those that they asked for and still may, and those that may be seen by
    payments.read over all of the compound."""
    whole, asks = (
        actor.reach(permissions.PAYMENTS_READ).compounds,
        actor.compounds(permissions.REFUNDS_REQUEST),
    )
    rows = await database.fetch(BY_ID, ids, actor.account_id, whole, list(asks))
    return {row["id"]: Refund(**row) for row in rows}


async def of_payments(payment_ids: Sequence[UUID]) -> Mapping[UUID, list[Refund]]:
    """Refunds of payments that the caller has read, by payment, the first one first."""
    found: dict[UUID, list[Refund]] = {id: [] for id in payment_ids}
    for row in await database.fetch(OF_PAYMENTS, payment_ids):
        found[row["payment_id"]].append(Refund(**row))
    return found


@sensitive_read("refund.list", caller="staff", permission=permissions.PAYMENTS_READ)
async def for_staff(
    actor: Actor,
    compound_id: UUID,
    *,
    states: Sequence[str] | None,
    after: tuple[object, ...] | None,
    limit: int,
) -> list[Refund]:
    """A page of a compound's refunds, the newest first; for staff with payments.read over all of it."""
    concerns("Refund", None, compound_id)
    actor.require_whole(permissions.PAYMENTS_READ, compound_id)
    rows = await database.fetch(FOR_STAFF, compound_id, states, after[0] if after else None, limit)
    return [Refund(**row) for row in rows]
