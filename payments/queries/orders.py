"""Reads of payments (缴费记录): by who paid, and by staff. Whose else they are is known to what they pay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
import orjson

from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.command import concerns, sensitive_read
from payments import permissions


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment, with the way that it was paid or is being paid; fen."""

    id: UUID
    compound_id: UUID
    holder_id: UUID
    title: str
    amount_fen: int
    refunded_fen: int
    state: str
    number: str | None
    created_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    channel: str
    product: str
    attempt_state: str
    client_parameters: Mapping[str, str] | None
    problem: str
    journal_id: UUID | None

    @property
    def receipt_id(self) -> UUID | None:
        """The journal that a receipt is of; None while it paid nothing, and once all of it went back."""
        return self.journal_id if self.state == "paid" and self.refunded_fen < self.amount_fen else None


@dataclass(frozen=True, slots=True)
class PaymentPart:
    """What a payment pays: of a debt, whose subject says what it is for, or into an account; fen."""

    id: UUID
    payment_id: UUID
    subject_type: str | None
    subject_id: UUID | None
    purpose: str | None
    amount_fen: int
    paid_fen: int
    given_back_fen: int


# What went back by rule is of this payment as far as it is not what was paid beyond it, or in another way as well; what
# the platform gave back, unless it is of a second transaction.
_ROW = """
o.id, o.compound_id, o.holder_id, o.title, o.amount_fen, o.state, o.number, o.created_at, o.expires_at, o.paid_at,
a.channel, a.product, a.state AS attempt_state, a.problem, a.client_parameters::text AS client_parameters,
(SELECT coalesce(sum(r.amount_fen) FILTER (WHERE r.cause IN ('request', 'channel')
        AND r.attempt_id = coalesce(o.paid_by, r.attempt_id)), 0) + greatest(0,
    sum(r.amount_fen) FILTER (WHERE r.cause IN ('duplicate', 'excess') AND r.attempt_id = o.paid_by)
        - greatest(0, a.paid_fen - o.amount_fen))
    FROM refund r WHERE r.order_id = o.id AND r.state = 'succeeded')::bigint AS refunded_fen,
(SELECT j.id FROM journal j WHERE j.compound_id = o.compound_id AND j.key = 'payment:' || o.paid_by
    AND EXISTS (SELECT FROM payment_item i WHERE i.order_id = o.id AND i.paid_fen > 0)) AS journal_id
"""

# The attempt that paid it or, while none did, the last one.
_ATTEMPT = """
CROSS JOIN LATERAL (
    SELECT channel, product, state, problem, client_parameters, paid_fen FROM payment_attempt t
    WHERE t.order_id = o.id ORDER BY t.id = o.paid_by DESC NULLS LAST, t.id DESC LIMIT 1) a
"""


def shown(chosen: str) -> str:
    """The statement that reads payments which another chooses, with all columns of theirs, the newest first."""
    return f"SELECT {_ROW} FROM ({chosen}) o {_ATTEMPT} ORDER BY o.id DESC"


BY_ID = shown("""
    SELECT * FROM payment_order WHERE id = ANY($1::uuid[]) AND (payer_id = $2 OR compound_id = ANY($3::uuid[])
        OR cashier_id = $2 AND compound_id = ANY($4::uuid[]))""")

FOR_STAFF = shown("""
    SELECT * FROM payment_order WHERE compound_id = $1 AND ($2::text[] IS NULL OR state = ANY($2))
        AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4""")

PARTS = """
SELECT i.id, i.order_id AS payment_id, p.subject_type, p.subject_id, l.purpose, i.amount_fen, i.paid_fen, i.given_back_fen
FROM payment_item i LEFT JOIN payable p ON p.id = i.payable_id LEFT JOIN ledger_account l ON l.id = i.account_id
WHERE i.order_id = ANY($1::uuid[]) ORDER BY i.order_id, i.position
"""


async def by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Payment]:
    """Those that the caller paid, or took at a desk that they still keep, or may see by payments.read over all of the
    compound."""
    whole, desks = actor.reach(permissions.PAYMENTS_READ).compounds, actor.compounds(permissions.DESK_WRITE)
    rows = await database.fetch(BY_ID, ids, actor.account_id, whole, list(desks))
    return {row["id"]: payment_of(row) for row in rows}


@sensitive_read("payment.list", caller="staff", permission=permissions.PAYMENTS_READ)
async def for_staff(
    actor: Actor,
    compound_id: UUID,
    *,
    states: Sequence[str] | None,
    after: tuple[object, ...] | None,
    limit: int,
) -> list[Payment]:
    """A page of a compound's payments, the newest first; for staff with payments.read over all of it."""
    concerns("Payment", None, compound_id)
    actor.require_whole(permissions.PAYMENTS_READ, compound_id)
    rows = await database.fetch(FOR_STAFF, compound_id, states, after[0] if after else None, limit)
    return [payment_of(row) for row in rows]


async def parts(payment_ids: Sequence[UUID]) -> Mapping[UUID, list[PaymentPart]]:
    """What payments that the caller has read pay, by payment."""
    found: dict[UUID, list[PaymentPart]] = {id: [] for id in payment_ids}
    for row in await database.fetch(PARTS, payment_ids):
        found[row["payment_id"]].append(PaymentPart(**row))
    return found


def payment_of(row: asyncpg.Record) -> Payment:
    """What a statement of `shown` reads; what a client pays with is shown while it can be paid."""
    fields = dict(row)
    kept = fields.pop("client_parameters")
    is_payable = row["state"] == "open" and row["attempt_state"] == "prepared"
    return Payment(**fields, client_parameters=orjson.loads(kept) if kept and is_payable else None)
