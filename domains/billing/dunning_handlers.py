"""Who is reminded of bills."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg

from domains.billing import dunning_notices as notices
from domains.billing import dunning_sql as sql
from domains.billing.events import DunningDue
from domains.billing.payers import accounts_of, together
from domains.billing.standing import Standing, standing
from domains.kernel import clock, database
from domains.kernel.events import Event
from notifications.kinds import Value
from notifications.notifying import notify


async def tell_of_dunning(event: Event, event_id: UUID) -> None:
    """Whoever may open the bills, with what is owed of them at this moment: what was paid in between is left out."""
    assert isinstance(event, DunningDue)
    today = clock.today()
    rows = await database.fetch(sql.TOLD, list(event.bill_ids))
    made_on = rows[0]["due_on"] + timedelta(days=event.days)
    bills = {row["id"]: (row, standing(row, today)) for row in rows if row["state"] != "void"}
    owed = {id: each for id, each in bills.items() if each[1].outstanding_fen > 0}
    for readers in together(await accounts_of(list(owed))):
        oldest, data = _said([owed[id] for id in readers.bill_ids])
        await notify(
            readers.accounts, notices.OVERDUE if oldest["due_on"] < made_on else notices.DUE, data,
            dedupe_key=f"{event_id}:{readers.key}", compound_id=event.compound_id, subject=("Bill", oldest["id"]),
        )  # fmt: skip


def _said(owed: Sequence[tuple[asyncpg.Record, Standing]]) -> tuple[asyncpg.Record, dict[str, Value]]:
    """The oldest of them, and what is said of all."""
    oldest = owed[0][0]
    return oldest, {
        "compound": oldest["compound"], "house": oldest["house"], "bills": len(owed), "due": oldest["due_on"],
        "fen": sum(stands.outstanding_fen for _, stands in owed),
        "late": sum(stands.late_fee_outstanding_fen for _, stands in owed),
    }  # fmt: skip
