"""Who is told of the accounts."""

from __future__ import annotations

from uuid import UUID

from domains.billing import book_notices as notices
from domains.billing.events import AccountsPublished
from domains.kernel import clock, database
from domains.kernel.events import Event
from notifications.notifying import notify

AT_ONCE = 2_000

RESIDENTS = """
SELECT DISTINCT p.account_id, c.name AS compound FROM compound c JOIN house h ON h.compound_id = c.id
JOIN occupancy o ON o.house_id = h.id JOIN person p ON p.id = o.person_id
WHERE c.id = $1 AND o.ended_at IS NULL AND (o.lease_until_on IS NULL OR o.lease_until_on >= $2)
  AND p.account_id IS NOT NULL ORDER BY p.account_id
"""


async def tell_of_accounts(event: Event, _: UUID) -> None:
    """Everybody who lives in the compound and signs in, of each revision."""
    assert isinstance(event, AccountsPublished)
    rows = await database.fetch(RESIDENTS, event.compound_id, clock.today())
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        await notify(
            [row["account_id"] for row in part], notices.PUBLISHED,
            {"compound": part[0]["compound"], "month": f"{event.month:%Y-%m}"},
            dedupe_key=str(event.publication_id), compound_id=event.compound_id,
            subject=("Compound", event.compound_id),
        )  # fmt: skip
