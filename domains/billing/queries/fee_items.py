"""Reads of fee items with their prices (收费项目与标准), by staff."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import asyncpg
import orjson

from domains.billing import formula, permissions
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.errors import NotFound

READERS = (permissions.FEES_READ, permissions.FEES_WRITE)


@dataclass(frozen=True, slots=True)
class Tier:
    """A step of a price (阶梯), in fen per unit."""

    above: Decimal
    price_fen: Decimal


@dataclass(frozen=True, slots=True)
class FeePrice:
    """What a fee item costs from a day on (收费标准)."""

    id: UUID
    from_on: date
    price_fen: Decimal | None
    tiers: list[Tier] | None
    formula: str | None
    recorded_at: datetime
    is_billed: bool


@dataclass(frozen=True, slots=True)
class AdvanceDiscount:
    """What paying so many months ahead saves (预缴优惠)."""

    months: int
    percent: Decimal


@dataclass(frozen=True, slots=True)
class FeeItem:
    """A fee item (收费项目)."""

    id: UUID
    compound_id: UUID
    name: str
    category: str
    method: str
    cycle_months: int | None
    timing: str
    anchor: str
    anchor_on: date | None
    price_months: int
    payer: str
    vacancy_percent: Decimal
    bills_unsold: bool
    bears_late_fee: bool
    meter_kind: str | None
    tier_span: str | None
    pooled_by: str | None
    uses: list[str]
    building_ids: list[UUID]
    starts_on: date
    ends_on: date | None
    updated_at: datetime


_ROW = """i.id, i.compound_id, i.name, i.category, i.method, i.cycle_months, i.timing, i.anchor, i.anchor_on, i.price_months,
    i.payer, i.vacancy_percent, i.bills_unsold, i.bears_late_fee, i.meter_kind, i.tier_span, i.pooled_by, i.uses,
    i.building_ids, i.starts_on, i.ends_on, i.updated_at"""

# A compound has a few dozen; they are not paged.
OF_COMPOUND = f"""
SELECT {_ROW} FROM fee_item i
WHERE i.compound_id = $1 AND ($2::boolean IS NULL OR (i.ends_on IS NULL OR i.ends_on > $3) = $2)
ORDER BY i.starts_on, i.id LIMIT 500
"""

BY_ID = f"SELECT {_ROW} FROM fee_item i WHERE i.id = ANY($1::uuid[]) AND i.compound_id = ANY($2::uuid[])"

PRICES = """
SELECT p.fee_item_id, p.id, p.from_on, p.price_fen, p.tiers::text AS tiers, p.formula, p.recorded_at,
    coalesce((SELECT max(l.period_until) FROM bill_line l WHERE l.fee_item_id = p.fee_item_id AND l.kind = 'charge')
        > p.from_on, false) AS is_billed
FROM fee_price p WHERE p.fee_item_id = ANY($1::uuid[]) ORDER BY p.fee_item_id, p.from_on DESC
"""

DISCOUNTS = """
SELECT fee_item_id, months, percent FROM advance_discount WHERE fee_item_id = ANY($1::uuid[])
ORDER BY fee_item_id, months
"""

HOUSE_VALUES = """
SELECT h.compound_id, h.building_id, h.built_area_m2 AS area, h.inner_area_m2 AS inner_area, h.floor,
    (SELECT count(*) FROM occupancy o WHERE o.house_id = h.id AND o.ended_at IS NULL
        AND (o.lease_until_on IS NULL OR o.lease_until_on >= $2)) AS people,
    (SELECT count(*) FROM house n WHERE n.building_id = h.building_id) AS households
FROM house h WHERE h.id = $1
"""


async def of_compound(actor: Actor, compound_id: UUID, *, active: bool | None) -> list[FeeItem]:
    """A compound's fee items, the oldest first; only those that are charged today or later, or only ended ones."""
    _require(actor, compound_id)
    rows = await database.fetch(OF_COMPOUND, compound_id, active, clock.today())
    return [FeeItem(**row) for row in rows]


async def by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, FeeItem]:
    """Those the caller may see."""
    compounds = list(set().union(*(actor.compounds(permission) for permission in READERS)))
    return {row["id"]: FeeItem(**row) for row in await database.fetch(BY_ID, ids, compounds)}


async def prices_of(ids: Sequence[UUID]) -> Mapping[UUID, list[FeePrice]]:
    """The prices of fee items, the last one first; whoever asks has read the items."""
    found: defaultdict[UUID, list[FeePrice]] = defaultdict(list)
    for row in await database.fetch(PRICES, ids):
        found[row["fee_item_id"]].append(_price(row))
    return found


async def discounts_of(ids: Sequence[UUID]) -> Mapping[UUID, list[AdvanceDiscount]]:
    """The advance discounts of fee items; whoever asks has read the items."""
    found: defaultdict[UUID, list[AdvanceDiscount]] = defaultdict(list)
    for row in await database.fetch(DISCOUNTS, ids):
        found[row["fee_item_id"]].append(AdvanceDiscount(row["months"], row["percent"]))
    return found


async def formula_for_house(
    actor: Actor, written: str, house_id: UUID, coefficient: Decimal
) -> Decimal | None:
    """What a formula gives for a house today, in fen per price_months; None where it has no value for it.

    Raises FORMULA_INVALID, HOUSE_NOT_FOUND.
    """
    row = await database.fetchrow(HOUSE_VALUES, house_id, clock.today())
    if row is None:
        raise NotFound("HOUSE_NOT_FOUND", "没有找到这套房屋,请刷新后重试", "house")
    if not any(actor.may(permission, row["compound_id"], row["building_id"]) for permission in READERS):
        actor.refuse(row["compound_id"])
    known = {name: row[name] for name in formula.VARIABLES if name != "coefficient"}
    return formula.evaluate(formula.parse(written.strip()), {**known, "coefficient": coefficient})


def _require(actor: Actor, compound_id: UUID) -> None:
    if not any(actor.may(permission, compound_id) for permission in READERS):
        actor.refuse(compound_id)


def _price(row: asyncpg.Record) -> FeePrice:
    tiers = None if row["tiers"] is None else [
        Tier(Decimal(each["above"]), Decimal(each["price_fen"])) for each in orjson.loads(row["tiers"])
    ]  # fmt: skip
    return FeePrice(
        row["id"],
        row["from_on"],
        row["price_fen"],
        tiers,
        row["formula"],
        row["recorded_at"],
        row["is_billed"],
    )
