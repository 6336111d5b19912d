"""Who is told what became of a request for a vacant house."""

from __future__ import annotations

from uuid import UUID

from domains.billing import vacancy_notices as notices
from domains.billing.events import VacancyDecided
from domains.kernel import clock, database
from domains.kernel.events import Event
from notifications.kinds import Value
from notifications.notifying import notify

# Whoever asked, while the house is still theirs.
TOLD = """
SELECT c.name AS compound, h.number AS house, v.from_on, v.until_on - 1 AS last_on, v.reason, v.requested_by
FROM vacancy v JOIN house h ON h.id = v.house_id JOIN compound c ON c.id = v.compound_id
WHERE v.id = $1 AND EXISTS (SELECT FROM occupancy o JOIN person p ON p.id = o.person_id
    WHERE o.house_id = v.house_id AND p.account_id = v.requested_by AND o.capacity = 'owner' AND o.ended_at IS NULL
      AND (o.lease_until_on IS NULL OR o.lease_until_on >= $2))
"""


async def tell_of_decision(event: Event, _: UUID) -> None:
    """The owner who asked, with what staff wrote."""
    assert isinstance(event, VacancyDecided)
    row = await database.fetchrow(TOLD, event.vacancy_id, clock.today())
    if row is None:
        return
    data: dict[str, Value] = {
        "compound": row["compound"], "house": row["house"], "days": f"{row['from_on']} – {row['last_on']}",
    }  # fmt: skip
    if not event.is_approved:
        data["reason"] = " ".join(row["reason"].split())
    await notify(
        [row["requested_by"]], notices.APPROVED if event.is_approved else notices.REJECTED, data,
        dedupe_key=str(event.vacancy_id), compound_id=event.compound_id, subject=("Vacancy", event.vacancy_id),
    )  # fmt: skip
