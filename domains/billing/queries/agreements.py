"""Reads of what holds for one house: agreements and who pays (个别约定、缴费责任), by staff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import asyncpg

from domains.billing import permissions
from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.command import concerns, sensitive_read
from domains.kernel.errors import NotFound

READERS = (permissions.FEES_READ, permissions.FEES_WRITE)


@dataclass(frozen=True, slots=True)
class FeeAgreement:
    """What was agreed for a house and fee item."""

    id: UUID
    fee_item_id: UUID
    fee_item_name: str
    from_on: date
    until_on: date | None
    percent: Decimal
    coefficient: Decimal
    note: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Liability:
    """Who pays for a house; without a fee item for all of them."""

    id: UUID
    fee_item_id: UUID | None
    fee_item_name: str | None
    payer: str
    person_id: UUID | None
    person_name: str | None
    from_on: date
    until_on: date | None
    note: str
    follows_occupancy: bool
    recorded_at: datetime


HOUSE = "SELECT compound_id, building_id FROM house WHERE id = $1"

AGREEMENTS = """
SELECT a.id, a.fee_item_id, i.name AS fee_item_name, a.from_on, a.until_on, a.percent, a.coefficient, a.note, a.recorded_at
FROM fee_agreement a JOIN fee_item i ON i.id = a.fee_item_id
WHERE a.house_id = $1 ORDER BY i.name, a.from_on DESC LIMIT 500
"""

LIABILITIES = """
SELECT l.id, l.fee_item_id, i.name AS fee_item_name, l.payer, l.person_id, p.name AS person_name, l.from_on, l.until_on,
    l.note, l.recorded_by IS NULL AS follows_occupancy, l.recorded_at
FROM liability l LEFT JOIN fee_item i ON i.id = l.fee_item_id LEFT JOIN person p ON p.id = l.person_id
WHERE l.house_id = $1 ORDER BY i.name NULLS FIRST, l.from_on DESC LIMIT 500
"""


async def agreements(actor: Actor, house_id: UUID) -> list[FeeAgreement]:
    """What was agreed for a house, by fee item, the last one first. Raises HOUSE_NOT_FOUND."""
    await _house(actor, house_id)
    return [FeeAgreement(**row) for row in await database.fetch(AGREEMENTS, house_id)]


@sensitive_read("liability.list", caller="staff")
async def liabilities(actor: Actor, house_id: UUID) -> list[Liability]:
    """Who pays for a house, for all fee items first, with the names of people. Raises HOUSE_NOT_FOUND."""
    house = await _house(actor, house_id)
    concerns("House", house_id, house["compound_id"])
    return [Liability(**row) for row in await database.fetch(LIABILITIES, house_id)]


async def _house(actor: Actor, house_id: UUID) -> asyncpg.Record:
    house = await database.fetchrow(HOUSE, house_id)
    if house is None:
        raise NotFound("HOUSE_NOT_FOUND", "没有找到这套房屋,请刷新后重试", "house")
    if not any(actor.may(permission, house["compound_id"], house["building_id"]) for permission in READERS):
        actor.refuse(house["compound_id"])
    return house
