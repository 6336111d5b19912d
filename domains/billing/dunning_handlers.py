"""Who is reminded of bills."""

from __future__ import annotations

from uuid import UUID

from domains.billing import dunning_notices as notices
from domains.billing import dunning_sql as sql
from domains.billing.events import DunningDue
from domains.billing.service.dunning import recipients
from domains.billing.standing import standing
from domains.kernel import clock, database
from domains.kernel.events import Event
from notifications.kinds import Value
from notifications.notifying import notify


async def tell_of_dunning(event: Event, event_id: UUID) -> None:
    """Whoever pays the bills, with what is owed of them at this moment: what was paid in between is left out."""
    assert isinstance(event, DunningDue)
    today = clock.today()
    rows = await database.fetch(sql.TOLD, list(event.bill_ids))
    owed = [(row, standing(row, today)) for row in rows]
    owed = [(row, stands) for row, stands in owed if stands.outstanding_fen > 0 and row["state"] != "void"]
    if not owed:
        return
    oldest = owed[0][0]
    data: dict[str, Value] = {
        "compound": oldest["compound"], "house": oldest["house"], "bills": len(owed), "due": oldest["due_on"],
        "fen": sum(stands.outstanding_fen for _, stands in owed),
        "late": sum(stands.late_fee_outstanding_fen for _, stands in owed),
    }  # fmt: skip
    kind = notices.OVERDUE if event.days > 0 else notices.DUE
    await notify(
        await recipients([row for row, _ in owed]), kind, data, dedupe_key=str(event_id),
        compound_id=event.compound_id, subject=("Bill", oldest["id"]),
    )  # fmt: skip
