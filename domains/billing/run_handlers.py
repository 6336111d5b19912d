"""Who is told of runs."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from domains.billing import permissions
from domains.billing import run_notices as notices
from domains.billing.events import BillingRunFailed, BillingRunPosted
from domains.identity import queries as identity
from domains.kernel import database
from domains.kernel.events import Event
from notifications.kinds import Value
from notifications.notifying import notify

COMPOUND = "SELECT name FROM compound WHERE id = $1"

KINDS = {"APPROVAL_NEEDED": notices.WAITING, "CHARGES_CHANGED": notices.RETURNED}

# What was billed at once for one house was seen by who did it.
BEGAN = "SELECT created_by, approved_by FROM billing_run WHERE id = $1 AND house_id IS NULL"


async def tell_approvers(event: Event, event_id: UUID) -> None:
    """The staff who may approve the run: that it waits for them, or waits again; or that it could not be begun."""
    assert isinstance(event, BillingRunFailed)
    kind = KINDS.get(event.code, notices.NOT_STARTED)
    data: dict[str, Value] = {"compound": await _name(event.compound_id), "month": _month(event.month)}
    await notify(
        await identity.holders(permissions.RUNS_APPROVE, event.compound_id), kind, data, dedupe_key=str(event_id),
        compound_id=event.compound_id,
    )  # fmt: skip


async def tell_of_posting(event: Event, _: UUID) -> None:
    """Who began it and who approved it."""
    assert isinstance(event, BillingRunPosted)
    run = await database.fetchrow(BEGAN, event.run_id)
    people = {id for id in run.values() if id is not None} if run else set()
    await notify(
        list(people), notices.POSTED,
        {
            "compound": await _name(event.compound_id), "month": _month(event.month), "bills": event.bills,
            "fen": event.posted_fen, "exceptions": event.exceptions,
        },
        dedupe_key=str(event.run_id), compound_id=event.compound_id, subject=("BillingRun", event.run_id),
    )  # fmt: skip


async def _name(compound_id: UUID) -> str:
    return str(await database.fetchval(COMPOUND, compound_id))


def _month(month: date) -> str:
    return f"{month.year}年{month.month}月"
