"""Reads of corrections (减免、调整、作废) by staff."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from domains.billing import permissions
from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.command import concerns, sensitive_read
from domains.residents.queries.reading import note


@dataclass(frozen=True, slots=True)
class Correction:
    """A waiver, adjustment or void as staff read it."""

    id: UUID
    compound_id: UUID
    bill_id: UUID
    bill_number: int
    month: date
    house_number: str
    fee_item_name: str | None
    kind: str
    concerns: str
    amount_fen: int | None
    reason: str
    state: str
    requested_by_name: str
    requested_at: datetime
    decided_by_name: str | None
    decided_at: datetime | None
    decision_note: str
    effect_fen: int | None
    is_mine: bool


_ROW = """
SELECT c.id, c.compound_id, c.bill_id, b.number AS bill_number, b.month, h.number AS house_number, i.name AS fee_item_name,
    c.kind, c.concerns, c.amount_fen, c.reason, c.state, coalesce(asked.name, '') AS requested_by_name, c.requested_at,
    decided.name AS decided_by_name, c.decided_at, c.decision_note, c.effect_fen, c.requested_by = $1 AS is_mine
FROM correction c JOIN bill b ON b.id = c.bill_id JOIN house h ON h.id = b.house_id
LEFT JOIN bill_line l ON l.id = c.line_id LEFT JOIN fee_item i ON i.id = l.fee_item_id
LEFT JOIN account asked ON asked.id = c.requested_by LEFT JOIN account decided ON decided.id = c.decided_by
"""

_NARROWED = """c.compound_id = $2 AND ($3::uuid[] IS NULL OR b.building_id = ANY($3::uuid[]))
    AND ($4::text[] IS NULL OR c.state = ANY($4::text[])) AND ($1::uuid IS NULL OR true)"""

PAGE = f"""
{_ROW} WHERE {_NARROWED} AND ($5::timestamptz IS NULL OR (c.requested_at, c.id) < ($5, $6::uuid))
ORDER BY c.requested_at DESC, c.id DESC LIMIT $7
"""

COUNT = f"SELECT count(*) FROM correction c JOIN bill b ON b.id = c.bill_id WHERE {_NARROWED}"

BY_ID = f"{_ROW} WHERE c.id = ANY($2::uuid[]) AND (c.compound_id = ANY($3::uuid[]) OR b.building_id = ANY($4::uuid[]))"


@sensitive_read("correction.list", caller="staff", permission=permissions.BILLS_READ)
async def for_staff(
    actor: Actor,
    compound_id: UUID,
    states: Collection[str] | None,
    *,
    after: tuple[object, ...] | None,
    limit: int,
) -> list[Correction]:
    """A page of a compound's corrections, the last one first."""
    concerns("Correction", None, compound_id)
    rows = await database.fetch(
        PAGE, *_arguments(actor, compound_id, states), *(after or (None, None)), limit
    )
    return [Correction(**row) for row in rows]


async def count(actor: Actor, compound_id: UUID, states: Collection[str] | None) -> int:
    """How many there are over all pages."""
    return int(await database.fetchval(COUNT, *_arguments(actor, compound_id, states)))


def _arguments(actor: Actor, compound_id: UUID, states: Collection[str] | None) -> tuple[object, ...]:
    actor.require(permissions.BILLS_READ, compound_id)
    reached = actor.buildings(permissions.BILLS_READ, compound_id)
    wanted = None if states is None else list(states)
    return actor.account_id, compound_id, None if reached is None else list(reached), wanted


async def by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Correction]:
    """Those the caller may see by permission, which leaves its trace."""
    reach = actor.reach(permissions.BILLS_READ)
    async with database.transaction():
        rows = await database.fetch(BY_ID, actor.account_id, ids, reach.compounds, reach.buildings)
        found = {row["id"]: Correction(**row) for row in rows}
        if actor.kind == "staff":
            await note(actor, "correction.read", "Correction", found.values())
    return found
