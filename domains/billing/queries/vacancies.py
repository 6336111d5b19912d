"""Reads of houses that stand empty (空置): by their people, and by staff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from domains.billing import permissions
from domains.kernel import database
from domains.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Vacancy:
    """A house stands empty."""

    id: UUID
    compound_id: UUID
    house_id: UUID
    house_number: str
    from_on: date
    until_on: date
    state: str
    note: str
    reason: str
    requested_at: datetime
    decided_at: datetime | None


_ROW = """v.id, v.compound_id, v.house_id, h.number AS house_number, v.from_on, v.until_on, v.state, v.note, v.reason,
    v.requested_at, v.decided_at"""

# What was said of a house before somebody owned it is none of theirs.
OWN = f"""
SELECT {_ROW} FROM vacancy v JOIN house h ON h.id = v.house_id
WHERE v.house_id = ANY($1::uuid[]) AND ($3::uuid[] IS NULL OR v.id = ANY($3::uuid[]))
  AND v.requested_at >= (SELECT min(o.recorded_at) FROM occupancy o JOIN person p ON p.id = o.person_id
    WHERE p.account_id = $2 AND o.house_id = v.house_id AND o.capacity = 'owner' AND o.ended_at IS NULL)
ORDER BY v.requested_at DESC, v.id DESC LIMIT 100
"""

_NARROWED = """v.compound_id = $1 AND ($2::uuid[] IS NULL OR h.building_id = ANY($2::uuid[]))
  AND ($3::text IS NULL OR v.state = $3) AND ($4::uuid IS NULL OR v.house_id = $4)"""

FOR_STAFF = f"""
SELECT {_ROW} FROM vacancy v JOIN house h ON h.id = v.house_id
WHERE {_NARROWED} AND ($5::timestamptz IS NULL OR (v.requested_at, v.id) < ($5, $6::uuid))
ORDER BY v.requested_at DESC, v.id DESC LIMIT $7
"""

COUNT = f"SELECT count(*) FROM vacancy v JOIN house h ON h.id = v.house_id WHERE {_NARROWED}"

BY_ID = f"""
SELECT {_ROW} FROM vacancy v JOIN house h ON h.id = v.house_id
WHERE v.id = ANY($1::uuid[]) AND (h.compound_id = ANY($2::uuid[]) OR h.building_id = ANY($3::uuid[]))
"""


async def own(actor: Actor) -> list[Vacancy]:
    """Of the houses that the caller owns, the last one first; at most 100."""
    return list((await _own(actor, None)).values())


async def for_staff(
    actor: Actor,
    compound_id: UUID,
    *,
    state: str | None,
    after: tuple[object, ...] | None,
    limit: int,
    house_id: UUID | None = None,
) -> list[Vacancy]:
    """A page of a compound's vacancies, or of one of its houses, the last one first."""
    arguments = _arguments(actor, compound_id, state, house_id)
    rows = await database.fetch(FOR_STAFF, *arguments, *(after or (None, None)), limit)
    return [Vacancy(**row) for row in rows]


async def count_for_staff(
    actor: Actor, compound_id: UUID, state: str | None, house_id: UUID | None = None
) -> int:
    """How many there are over all pages."""
    return int(await database.fetchval(COUNT, *_arguments(actor, compound_id, state, house_id)))


async def by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Vacancy]:
    """Those the caller may see: of houses that they own, or by permission."""
    if actor.kind == "resident":
        return await _own(actor, ids)
    held = [actor.reach(permission) for permission in (permissions.FEES_READ, permissions.FEES_WRITE)]
    compounds, buildings = (
        [id for each in held for id in each.compounds],
        [id for each in held for id in each.buildings],
    )
    return {row["id"]: Vacancy(**row) for row in await database.fetch(BY_ID, ids, compounds, buildings)}


async def _own(actor: Actor, ids: Sequence[UUID] | None) -> Mapping[UUID, Vacancy]:
    houses = [tie.house_id for tie in actor.houses if tie.capacity == "owner"]
    if not houses:
        return {}
    return {row["id"]: Vacancy(**row) for row in await database.fetch(OWN, houses, actor.account_id, ids)}


def _arguments(
    actor: Actor, compound_id: UUID, state: str | None, house_id: UUID | None
) -> tuple[object, ...]:
    permission = permissions.FEES_READ
    actor.require(permission, compound_id)
    reached = None if actor.kind == "system" else actor.buildings(permission, compound_id)
    return compound_id, None if reached is None else list(reached), state, house_id
