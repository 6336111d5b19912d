"""Reads of shared costs and of charges that come once (公摊费用、一次性收费), by staff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from domains.billing import permissions
from domains.billing.queries.fee_items import READERS
from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class PooledCost:
    """A cost that the houses of a fee item share; the weight is theirs together, m² or houses."""

    id: UUID
    compound_id: UUID
    fee_item_id: UUID
    period_from: date
    total_fen: int
    weight: Decimal
    note: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class OneOffCharge:
    """A charge that comes once."""

    id: UUID
    compound_id: UUID
    fee_item_id: UUID
    fee_item_name: str
    house_id: UUID
    house_number: str
    charged_on: date
    amount_fen: int
    note: str
    is_billed: bool
    cancelled_at: datetime | None
    recorded_at: datetime


COMPOUND_OF_ITEM = "SELECT compound_id FROM fee_item WHERE id = $1"

_COST = "id, compound_id, fee_item_id, period_from, total_fen, weight, note, recorded_at"

OF_ITEM = f"""
SELECT {_COST} FROM pooled_cost WHERE fee_item_id = $1 AND ($2::date IS NULL OR period_from < $2)
ORDER BY period_from DESC LIMIT $3
"""

ONE_COST = f"SELECT {_COST} FROM pooled_cost WHERE id = $1 AND compound_id = ANY($2::uuid[])"

_CHARGE = """
SELECT o.id, o.compound_id, o.fee_item_id, i.name AS fee_item_name, o.house_id, h.number AS house_number, o.charged_on,
    o.amount_fen, o.note, o.cancelled_at, o.recorded_at,
    EXISTS (SELECT FROM bill_line l WHERE l.house_id = o.house_id AND l.fee_item_id = o.fee_item_id
        AND l.period_from = o.charged_on AND l.kind = 'charge') AS is_billed
FROM one_off_charge o JOIN fee_item i ON i.id = o.fee_item_id JOIN house h ON h.id = o.house_id
"""

CHARGES = f"""
{_CHARGE} WHERE o.compound_id = $1 AND ($2::uuid[] IS NULL OR h.building_id = ANY($2::uuid[]))
  AND ($3::uuid IS NULL OR o.house_id = $3) AND ($4::date IS NULL OR (o.charged_on, o.id) < ($4, $5::uuid))
ORDER BY o.charged_on DESC, o.id DESC LIMIT $6
"""

CHARGES_BY_ID = f"{_CHARGE} WHERE o.id = ANY($1::uuid[]) ORDER BY h.sort, o.id"


async def of_item(
    actor: Actor, fee_item_id: UUID, *, after: tuple[object, ...] | None, limit: int
) -> list[PooledCost]:
    """A page of what was shared out for a fee item, the last period first. Raises FEE_ITEM_NOT_FOUND."""
    compound_id = await database.fetchval(COMPOUND_OF_ITEM, fee_item_id)
    if compound_id is None:
        raise NotFound("FEE_ITEM_NOT_FOUND", "没有找到这个收费项目,请刷新后重试", "fee_item")
    if not any(actor.may(permission, compound_id) for permission in READERS):
        actor.refuse(compound_id)
    rows = await database.fetch(OF_ITEM, fee_item_id, after[0] if after else None, limit)
    return [PooledCost(**row) for row in rows]


async def cost(actor: Actor, id: UUID) -> PooledCost | None:
    """One of them, where the caller may see it."""
    compounds = list(set().union(*(actor.compounds(permission) for permission in READERS)))
    row = await database.fetchrow(ONE_COST, id, compounds)
    return None if row is None else PooledCost(**row)


async def one_off_charges(
    actor: Actor, compound_id: UUID, house_id: UUID | None, *, after: tuple[object, ...] | None, limit: int
) -> list[OneOffCharge]:
    """A page of a compound's charges that come once, or of a house's, the last one first."""
    actor.require(permissions.FEES_READ, compound_id)
    reached = None if actor.kind == "system" else actor.buildings(permissions.FEES_READ, compound_id)
    within = None if reached is None else list(reached)
    rows = await database.fetch(CHARGES, compound_id, within, house_id, *(after or (None, None)), limit)
    return [OneOffCharge(**row) for row in rows]


async def charges_made(ids: list[UUID]) -> list[OneOffCharge]:
    """Those that the caller has just added or cancelled, by house."""
    return [OneOffCharge(**row) for row in await database.fetch(CHARGES_BY_ID, ids)]
