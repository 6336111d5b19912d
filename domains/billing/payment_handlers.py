"""Who is told of payments and refunds; what a bill's payment means is told by the bill."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from domains.billing import payment_notices as notices
from domains.billing import payment_sql as sql
from domains.identity import queries as identity
from domains.kernel import database
from domains.kernel.events import Event
from notifications.kinds import Value
from notifications.notifying import notify
from payments import permissions
from payments.events import PaymentSucceeded, PaymentTroubled, RefundEnded, RefundRequested
from payments.exception_rules import EXCEPTIONS


async def tell_of_top_up(event: Event, _: UUID) -> None:
    """Who paid ahead."""
    assert isinstance(event, PaymentSucceeded)
    row = await database.fetchrow(sql.TOPPED_UP, event.order_id)
    if row is None or event.payer_id is None:
        return
    await notify(
        [event.payer_id], notices.TOPPED_UP, {"house": row["house"], "fen": row["fen"]},
        dedupe_key=str(event.order_id), compound_id=event.compound_id, subject=("Payment", event.order_id),
    )  # fmt: skip


async def tell_deciders(event: Event, _: UUID) -> None:
    """The staff who may decide refunds there, but for the one who asks."""
    assert isinstance(event, RefundRequested)
    row = await _refund(event.refund_id)
    holders = await identity.holders(permissions.REFUNDS_DECIDE, event.compound_id)
    data: dict[str, Value] = {**_place(row), "reason": " ".join(row["reason"].split())}
    await notify(
        [each for each in holders if each != row["requested_by"]], notices.REFUND_REQUESTED, data,
        dedupe_key=str(event.refund_id), compound_id=event.compound_id, subject=("Refund", event.refund_id),
    )  # fmt: skip


async def tell_of_refund(event: Event, _: UUID) -> None:
    """Who paid, once the money went back."""
    assert isinstance(event, RefundEnded)
    row = await _refund(event.refund_id)
    if event.state != "succeeded" or row["payer_id"] is None:
        return
    await notify(
        [row["payer_id"]], notices.REFUNDED, _place(row), dedupe_key=str(event.refund_id),
        compound_id=event.compound_id, subject=("Refund", event.refund_id),
    )  # fmt: skip


async def tell_of_trouble(event: Event, _: UUID) -> None:
    """The staff who see the compound's payments; what names nothing of ours, those who run the installation."""
    assert isinstance(event, PaymentTroubled)
    row = await database.fetchrow(sql.TROUBLE, event.exception_id)
    assert row is not None, "exceptions are kept"
    if event.compound_id is None:
        people = await identity.operators()
    else:
        people = await identity.holders(permissions.PAYMENTS_READ, event.compound_id)
    what, what_en = EXCEPTIONS[event.kind]
    compound = row["compound"] or "未知小区"
    await notify(
        people, notices.TROUBLE, {"what": what, "what_en": what_en, "fen": row["fen"], "compound": compound},
        dedupe_key=str(event.exception_id), compound_id=event.compound_id,
    )  # fmt: skip


async def _refund(refund_id: UUID) -> asyncpg.Record:
    row = await database.fetchrow(sql.REFUND_TOLD, refund_id)
    assert row is not None, "refunds are kept"
    return row


def _place(row: asyncpg.Record) -> dict[str, Value]:
    return {"compound": row["compound"], "house": row["house"], "fen": row["fen"]}
