"""Reads of shared costs and of charges that come once (公摊费用、一次性收费), by staff."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
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
class PooledShare:
    """What a house bears of a cost; the weight is its own, m² or 1. Shares are in the order of the houses."""

    house_id: UUID
    house_number: str
    sort: str
    weight: Decimal
    amount_fen: int


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
    bill_id: UUID | None
    cancelled_at: datetime | None
    recorded_at: datetime


COMPOUND_OF_ITEM = "SELECT compound_id FROM fee_item WHERE id = $1"

_COST = "id, compound_id, fee_item_id, period_from, total_fen, weight, note, recorded_at"

OF_ITEM = f"""
SELECT {_COST} FROM pooled_cost WHERE fee_item_id = $1 AND ($2::date IS NULL OR period_from < $2)
ORDER BY period_from DESC LIMIT $3
"""

# In the order of houses: from the last house shown on, each house is asked for its share.
SHARES = """
SELECT s.* FROM unnest($1::uuid[]) AS c (id) JOIN pooled_cost p ON p.id = c.id CROSS JOIN LATERAL (
    SELECT s.pooled_cost_id, h.id AS house_id, h.number AS house_number, h.sort, s.weight, s.amount_fen
    FROM house h JOIN pool_share s ON s.house_id = h.id AND s.pooled_cost_id = p.id
    WHERE h.compound_id = p.compound_id AND ($2::text IS NULL OR (h.sort, h.id) > ($2, $3::uuid))
    ORDER BY h.sort, h.id LIMIT $4) AS s
ORDER BY s.pooled_cost_id, s.sort, s.house_id
"""

ONE_COST = f"SELECT {_COST} FROM pooled_cost WHERE id = $1 AND compound_id = ANY($2::uuid[])"

_CHARGE = """
SELECT o.id, o.compound_id, o.fee_item_id, i.name AS fee_item_name, o.house_id, h.number AS house_number, o.charged_on,
    o.amount_fen, o.note, o.cancelled_at, o.recorded_at, l.bill_id, l.bill_id IS NOT NULL AS is_billed
FROM one_off_charge o JOIN fee_item i ON i.id = o.fee_item_id JOIN house h ON h.id = o.house_id
LEFT JOIN LATERAL (SELECT bill_id FROM bill_line WHERE house_id = o.house_id AND fee_item_id = o.fee_item_id
    AND period_from = o.charged_on AND kind = 'charge' LIMIT 1) l ON true
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


async def shares_of(
    cost_ids: Sequence[UUID], *, after: tuple[object, ...] | None, limit: int
) -> Mapping[UUID, list[PooledShare]]:
    """A page of each cost's shares, house by house; whoever asks has read the costs."""
    found: defaultdict[UUID, list[PooledShare]] = defaultdict(list)
    for row in await database.fetch(SHARES, cost_ids, *(after or (None, None)), limit):
        values = dict(row)
        found[values.pop("pooled_cost_id")].append(PooledShare(**values))
    return found


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
