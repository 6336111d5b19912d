"""A house whose terms of payment are changed."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from domains.billing import permissions
from domains.billing.turns import take_turn
from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.command import concerns
from domains.kernel.errors import NotFound

HOUSE = "SELECT id, compound_id, building_id FROM house WHERE id = $1"


async def house_to_change(actor: Actor, house_id: UUID, subject_type: str) -> asyncpg.Record:
    """The house, of whose compound bills wait until the caller's transaction ends; for staff with fees.write over
    its building. Raises HOUSE_NOT_FOUND."""
    row = await database.fetchrow(HOUSE, house_id)
    if row is None:
        raise NotFound("HOUSE_NOT_FOUND", "没有找到这套房屋,请刷新后重试", "house")
    concerns(subject_type, None, row["compound_id"], house=house_id)
    actor.require(permissions.FEES_WRITE, row["compound_id"], row["building_id"])
    await take_turn(row["compound_id"])
    return row
