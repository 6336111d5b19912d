"""Reads of a compound's steps and letters (催缴步骤、催缴函)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from domains.billing import permissions
from domains.billing.dunning import Step
from domains.billing.dunning_sql import STEPS
from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.command import concerns, sensitive_read
from domains.residents.queries.reading import note


@dataclass(frozen=True, slots=True)
class DunningLetter:
    """A letter as staff read it; `is_owed` while one of its bills is not paid."""

    id: UUID
    compound_id: UUID
    house_id: UUID
    house_number: str
    number: str
    made_on: date
    owed_fen: int
    bills: int
    is_owed: bool
    printed_at: datetime | None
    printed_by_name: str | None


_ROW = """
SELECT l.id, l.compound_id, l.house_id, h.number AS house_number, l.number, l.made_on, l.owed_fen, s.bills, s.is_owed,
    l.printed_at, a.name AS printed_by_name
FROM dunning_letter l JOIN house h ON h.id = l.house_id LEFT JOIN account a ON a.id = l.printed_by
CROSS JOIN LATERAL (
    SELECT count(*) AS bills, coalesce(bool_or(b.state IN ('open', 'partly_paid')), false) AS is_owed
    FROM dunning_sent d JOIN bill b ON b.id = d.bill_id WHERE d.letter_id = l.id) s
"""

_NARROWED = """l.compound_id = $1 AND ($2::uuid[] IS NULL OR h.building_id = ANY($2::uuid[]))
    AND ($3::boolean IS NULL OR (l.printed_at IS NOT NULL) = $3)"""

PAGE = f"""
{_ROW} WHERE {_NARROWED} AND ($4::date IS NULL OR (l.made_on, l.id) < ($4, $5::uuid))
ORDER BY l.made_on DESC, l.id DESC LIMIT $6
"""

COUNT = f"SELECT count(*) FROM dunning_letter l JOIN house h ON h.id = l.house_id WHERE {_NARROWED}"

BY_ID = f"{_ROW} WHERE l.id = ANY($1::uuid[]) AND (l.compound_id = ANY($2::uuid[]) OR h.building_id = ANY($3::uuid[]))"


async def dunning_steps(actor: Actor, compound_id: UUID) -> list[Step]:
    """A compound's steps in their order."""
    actor.require(permissions.BILLS_READ, compound_id)
    return [Step(**row) for row in await database.fetch(STEPS, compound_id)]


@sensitive_read("dunning_letter.list", caller="staff", permission=permissions.BILLS_READ)
async def letters(
    actor: Actor,
    compound_id: UUID,
    is_printed: bool | None,
    *,
    after: tuple[object, ...] | None,
    limit: int,
) -> list[DunningLetter]:
    """A page of a compound's letters, the last one first."""
    concerns("DunningLetter", None, compound_id, printed=is_printed)
    rows = await database.fetch(
        PAGE, *_arguments(actor, compound_id, is_printed), *(after or (None, None)), limit
    )
    return [DunningLetter(**row) for row in rows]


async def count_letters(actor: Actor, compound_id: UUID, is_printed: bool | None) -> int:
    """How many there are over all pages."""
    return int(await database.fetchval(COUNT, *_arguments(actor, compound_id, is_printed)))


def _arguments(actor: Actor, compound_id: UUID, is_printed: bool | None) -> tuple[object, ...]:
    actor.require(permissions.BILLS_READ, compound_id)
    reached = actor.buildings(permissions.BILLS_READ, compound_id)
    return compound_id, None if reached is None else list(reached), is_printed


async def letters_by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, DunningLetter]:
    """Those the caller may see by permission, which leaves its trace."""
    reach = actor.reach(permissions.BILLS_READ)
    async with database.transaction():
        rows = await database.fetch(BY_ID, ids, reach.compounds, reach.buildings)
        found = {row["id"]: DunningLetter(**row) for row in rows}
        await note(actor, "dunning_letter.read", "DunningLetter", found.values())
    return found
