"""Who is told what happened to visitors, and what ends with an occupancy."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from domains.access import notices, pass_sql, permissions
from domains.access.community import rules_of
from domains.access.events import (
    PassOverused,
    VisitorAdmitted,
    VisitorLeft,
    VisitorPassIssued,
    VisitorPassRejected,
    VisitorPassRequested,
    VisitorPassRevoked,
    VisitorRefused,
)
from domains.access.rules import PURPOSES
from domains.access.service.ending import end_hosting
from domains.identity import queries as identity
from domains.kernel import clock, database
from domains.kernel.events import Event
from domains.residents.events import AccountUnlinked, OccupancyEnded
from notifications import viewer_events
from notifications.kinds import Kind, Value
from notifications.notifying import notify

VISIT_CHANGED = "visitor_pass.changed"
PassEvent = (
    VisitorPassRequested | VisitorPassIssued | VisitorPassRejected | VisitorPassRevoked | VisitorAdmitted
    | VisitorLeft | VisitorRefused | PassOverused
)  # fmt: skip
NO_REASON = "请联系门岗了解原因"


async def show_pass(event: Event, _: UUID) -> None:
    """Open screens of the house's people and of the guards follow."""
    assert isinstance(event, PassEvent)
    row = await _told(event.pass_id)
    people = [*await _occupants(event.house_id), *await _guards(event.compound_id, row)]
    await viewer_events.tell(
        people, VISIT_CHANGED, subject_type="VisitorPass", subject_id=event.pass_id
    )  # fmt: skip


async def tell_of_request(event: Event, _: UUID) -> None:
    """Whoever lives there; the guards where nobody there signs in, or where they decide alone."""
    assert isinstance(event, VisitorPassRequested)
    row, rules = await _told(event.pass_id), await rules_of(event.compound_id)
    if row["state"] != "requested":
        return
    people = [] if rules.approver == "guard" else await _occupants(event.house_id)
    kind = notices.REQUESTED if people else notices.WAITING
    data: dict[str, Value] = {**_visit(row), "purpose": PURPOSES[row["purpose"]]}
    await notify(
        people or await _guards(event.compound_id, row), kind, data, dedupe_key=str(event.pass_id),
        compound_id=event.compound_id, subject=("VisitorPass", event.pass_id),
    )  # fmt: skip


async def tell_of_admission(event: Event, _: UUID) -> None:
    """The host, or the house where a guard answers, once for a visit and day however many doors are on the way."""
    assert isinstance(event, VisitorAdmitted)
    row = await _told(event.pass_id)
    key = f"{event.pass_id}:{row['inside_since']}:{clock.today()}"
    await _tell_host(event, row, notices.ARRIVED, key, {})


async def tell_of_refusal(event: Event, _: UUID) -> None:
    """The host, with what the guard wrote."""
    assert isinstance(event, VisitorRefused)
    row, record = await _told(event.pass_id), await _record(event.record_id)
    reason = " ".join(record["note"].split()) or NO_REASON
    await _tell_host(event, row, notices.REFUSED, str(event.record_id), {"reason": reason})


async def tell_of_overuse(event: Event, _: UUID) -> None:
    """The host, or the house where a guard answers, of every use too many."""
    assert isinstance(event, PassOverused)
    row = await _told(event.pass_id)
    people = [row["host_id"]] if row["host_id"] else await _occupants(event.house_id)
    data: dict[str, Value] = {**_visit(row), "uses": event.uses, "allowed": row["uses_allowed"]}
    await notify(
        people, notices.OVERUSED, data, dedupe_key=f"{event.pass_id}:{event.uses}", compound_id=event.compound_id,
        subject=("VisitorPass", event.pass_id),
    )  # fmt: skip


async def end_passes_of_unlinked(event: Event, _: UUID) -> None:
    """What an account was host of as somebody who it is not any more."""
    assert isinstance(event, AccountUnlinked)
    for row in await database.fetch(pass_sql.HOUSES_OF, event.person_id):
        await end_hosting(event.account_id, row["house_id"])


async def end_passes(event: Event, _: UUID) -> None:
    """What the one who left was host of in that house."""
    assert isinstance(event, OccupancyEnded)
    if event.account_id is not None:
        await end_hosting(event.account_id, event.house_id)


async def _tell_host(
    event: VisitorAdmitted | VisitorRefused, row: asyncpg.Record, kind: Kind, key: str, more: dict[str, Value]
) -> None:  # fmt: skip
    people = [row["host_id"]] if row["host_id"] else []
    if not people and isinstance(event, VisitorAdmitted):
        people = await _occupants(event.house_id)
    record = await _record(event.record_id)
    data: dict[str, Value] = {**_visit(row), "door": record["door"], "at": record["at"], **more}
    await notify(
        people, kind, data, dedupe_key=key, compound_id=event.compound_id,
        subject=("VisitorPass", event.pass_id),
    )  # fmt: skip


def _visit(row: asyncpg.Record) -> dict[str, Value]:
    return {"compound": row["compound"], "house": row["house"], "name": row["guest_name"]}


async def _told(pass_id: UUID) -> asyncpg.Record:
    row = await database.fetchrow(pass_sql.VISIT_TOLD, pass_id)
    assert row is not None, "passes are kept"
    return row


async def _record(record_id: UUID) -> asyncpg.Record:
    row = await database.fetchrow(pass_sql.RECORD_TOLD, record_id)
    assert row is not None, "records are kept longer than events"
    return row


async def _occupants(house_id: UUID) -> list[UUID]:
    rows = await database.fetch(pass_sql.OCCUPANTS, house_id, clock.today())
    return [row["account_id"] for row in rows]


async def _guards(compound_id: UUID, row: asyncpg.Record) -> list[UUID]:
    return await identity.holders(permissions.VISITORS_ADMIT, compound_id, row["building_id"])
