"""Who is told of a request for a vacant house, and what became of it."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from domains.billing import permissions
from domains.billing import vacancy_notices as notices
from domains.billing.events import VacancyDecided, VacancyRequested
from domains.identity import queries as identity
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


REQUEST_TOLD = """
SELECT c.name AS compound, h.number AS house, h.building_id, v.from_on, v.until_on - 1 AS last_on, v.state
FROM vacancy v JOIN house h ON h.id = v.house_id JOIN compound c ON c.id = v.compound_id WHERE v.id = $1
"""


async def tell_deciders(event: Event, _: UUID) -> None:
    """The staff who may decide there, while the request waits."""
    assert isinstance(event, VacancyRequested)
    row = await database.fetchrow(REQUEST_TOLD, event.vacancy_id)
    if row is None or row["state"] != "requested":
        return
    holders = await identity.holders(permissions.FEES_WRITE, event.compound_id, row["building_id"])
    await notify(
        holders, notices.REQUESTED, _said(row), dedupe_key=str(event.vacancy_id),
        compound_id=event.compound_id, subject=("Vacancy", event.vacancy_id),
    )  # fmt: skip


def _said(row: asyncpg.Record) -> dict[str, Value]:
    return {
        "compound": row["compound"], "house": row["house"], "days": f"{row['from_on']} – {row['last_on']}",
    }  # fmt: skip


async def tell_of_decision(event: Event, _: UUID) -> None:
    """The owner who asked, with what staff wrote."""
    assert isinstance(event, VacancyDecided)
    row = await database.fetchrow(TOLD, event.vacancy_id, clock.today())
    if row is None:
        return
    data = _said(row)
    if not event.is_approved:
        data["reason"] = " ".join(row["reason"].split())
    await notify(
        [row["requested_by"]], notices.APPROVED if event.is_approved else notices.REJECTED, data,
        dedupe_key=str(event.vacancy_id), compound_id=event.compound_id, subject=("Vacancy", event.vacancy_id),
    )  # fmt: skip
