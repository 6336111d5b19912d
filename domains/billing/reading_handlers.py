"""Who is told of readings: reviewers of what waits, a resident of what became of theirs."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from domains.billing import meter_sql as sql
from domains.billing import permissions
from domains.billing import reading_notices as notices
from domains.billing.events import ReadingHeld, ReadingReviewed
from domains.billing.rules import METER_KINDS, READING_PROBLEMS
from domains.identity import queries as identity
from domains.kernel import database
from domains.kernel.events import Event
from notifications import viewer_events
from notifications.kinds import Value
from notifications.notifying import notify

READING_CHANGED = "meter_reading.changed"


async def tell_reviewers(event: Event, _: UUID) -> None:
    """The staff who may review a reading of that building, while it waits."""
    assert isinstance(event, ReadingHeld)
    row = await _told(event.reading_id)
    if row["state"] != "held":
        return
    # A meter of no building is for who has the whole compound: no building has the compound's id.
    within = row["building_id"] or event.compound_id
    reviewers = await identity.holders(permissions.METERS_WRITE, event.compound_id, within)
    await notify(
        reviewers, notices.HELD, {**_meter(row), "problem": READING_PROBLEMS[event.problem]},
        dedupe_key=str(event.reading_id), compound_id=event.compound_id,
        subject=("MeterReading", event.reading_id),
    )  # fmt: skip


async def tell_reader(event: Event, _: UUID) -> None:
    """The resident who sent it."""
    assert isinstance(event, ReadingReviewed)
    row = await _told(event.reading_id)
    if row["source"] != "resident" or row["account_id"] is None:
        return
    outcome: dict[str, Value] = {"value": f"{row['value'].normalize():f}"}
    if not event.is_accepted:
        outcome = {"reason": row["note"]}
    await notify(
        [row["account_id"]], notices.ACCEPTED if event.is_accepted else notices.REJECTED,
        {**_meter(row), **outcome, "at": row["reviewed_at"]}, dedupe_key=str(event.reading_id),
        compound_id=event.compound_id, subject=("MeterReading", event.reading_id),
    )  # fmt: skip
    await viewer_events.tell(
        [row["account_id"]], READING_CHANGED, subject_type="MeterReading", subject_id=event.reading_id
    )


def _meter(row: asyncpg.Record) -> dict[str, Value]:
    return {"compound": row["compound"], "place": row["place"], "meter": METER_KINDS[row["kind"]]}


async def _told(reading_id: UUID) -> asyncpg.Record:
    row = await database.fetchrow(sql.TOLD, reading_id)
    assert row is not None, "readings are kept"
    return row
