"""Who pays for a house (缴费责任): set by staff, or following who owns it."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

import asyncpg

from domains.billing import permissions
from domains.billing.models import FeeItem, Liability
from domains.billing.service.houses import house_to_change
from domains.billing.spans import LIABILITIES, check_span
from domains.billing.turns import take_turn
from domains.kernel import clock, database, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Invalid, NotFound
from domains.kernel.ids import uuid7

Payer = Literal["owner", "tenant", "developer"]

LIVES_OR_LIVED = (
    "SELECT EXISTS (SELECT FROM occupancy WHERE house_id = $1 AND person_id = $2 AND capacity <> 'family')"
)

# Rows without `recorded_by` follow the owners; days that staff have settled are not theirs to take.
_FOLLOWING = "house_id = $1 AND fee_item_id IS NULL AND recorded_by IS NULL AND payer = 'owner'"

LAST_NAMED = f"""
SELECT l.person_id, l.from_on, l.until_on,
    (SELECT max((o.ended_at AT TIME ZONE 'Asia/Shanghai')::date) FROM occupancy o
        WHERE o.house_id = $1 AND o.person_id = l.person_id AND o.capacity = 'owner') AS left_on
FROM (SELECT * FROM liability WHERE {_FOLLOWING} ORDER BY from_on DESC LIMIT 1) l
"""  # noqa: S608  # constants of this module

OWNERS = """
SELECT o.person_id, coalesce(o.since_on, (o.recorded_at AT TIME ZONE 'Asia/Shanghai')::date) AS since_on
FROM occupancy o WHERE o.house_id = $1 AND o.capacity = 'owner' AND o.ended_at IS NULL ORDER BY o.recorded_at, o.id
"""

CUT_FOLLOWING = f"""
WITH later AS (DELETE FROM liability WHERE {_FOLLOWING} AND from_on >= $2)
UPDATE liability SET until_on = $2 WHERE {_FOLLOWING} AND from_on < $2 AND coalesce(until_on, 'infinity') > $2
"""  # noqa: S608  # constants of this module

NAME_OWNER = """
WITH taken AS (
    SELECT from_on, coalesce(until_on, 'infinity') AS until_on FROM liability
    WHERE house_id = $1 AND fee_item_id IS NULL AND coalesce(until_on, 'infinity') > $2),
beginning AS (SELECT $2::date AS day UNION SELECT until_on FROM taken WHERE until_on < 'infinity')
INSERT INTO liability (id, compound_id, house_id, payer, person_id, from_on, until_on, note, recorded_at)
SELECT make_uuid7(), $3, $1, 'owner', $4, b.day, (SELECT min(t.from_on) FROM taken t WHERE t.from_on > b.day), '', $5
FROM beginning b WHERE NOT EXISTS (SELECT FROM taken t WHERE t.from_on <= b.day AND t.until_on > b.day)
"""

END_TENANT = """
WITH left_house AS (
    SELECT house_id, person_id, (ended_at AT TIME ZONE 'Asia/Shanghai')::date AS day FROM occupancy WHERE id = $1),
later AS (
    DELETE FROM liability l USING left_house o
    WHERE l.house_id = o.house_id AND l.person_id = o.person_id AND l.payer = 'tenant' AND l.from_on >= o.day)
UPDATE liability l SET until_on = o.day FROM left_house o
WHERE l.house_id = o.house_id AND l.person_id = o.person_id AND l.payer = 'tenant' AND l.from_on < o.day
  AND coalesce(l.until_on, 'infinity') > o.day
"""


@command("liability.set", caller="staff", permission=permissions.FEES_WRITE)
async def set_liability(
    actor: Actor,
    *,
    house_id: UUID,
    payer: Payer,
    from_on: date,
    until_on: date | None = None,
    fee_item_id: UUID | None = None,
    person_id: UUID | None = None,
    note: str = "",
) -> UUID:
    """Say who pays for a house from a day until the day before another, for one fee item or for all.

    It takes the place of what was said of these days for the same item; other days, and what is billed, stay as
    they are. Raises HOUSE_NOT_FOUND, FEE_ITEM_NOT_FOUND, LIABILITY_PERSON, SPAN_INVALID or a TEXT_ code.
    """
    house = await house_to_change(actor, house_id, "Liability")
    check_span(from_on, until_on)
    if fee_item_id is not None and not await FeeItem.exists(pk=fee_item_id, compound_id=house["compound_id"]):
        raise NotFound("FEE_ITEM_NOT_FOUND", "没有找到这个收费项目,请刷新后重试", "fee_item")
    await _check_person(house_id, payer, person_id)
    await LIABILITIES.make_room(house_id, fee_item_id, from_on, until_on)
    made = await Liability.create(
        id=uuid7(), compound_id=house["compound_id"], house_id=house_id, fee_item_id=fee_item_id, payer=payer,
        person_id=person_id, from_on=from_on, until_on=until_on, recorded_by=actor.account_id,
        recorded_at=clock.now(), note=text.clean(note, max_length=200, min_length=0, multiline=True, field="note"),
    )  # fmt: skip
    concerns("Liability", made.id, house["compound_id"], payer=payer, person=person_id)
    return made.id


async def _check_person(house_id: UUID, payer: Payer, person_id: UUID | None) -> None:
    if person_id is None:
        return
    if payer == "developer":
        raise Invalid("LIABILITY_PERSON", "由开发商缴费时不能选择个人", "person")
    # A name that was never of this house would be shown its bills.
    if not await database.fetchval(LIVES_OR_LIVED, house_id, person_id):
        raise Invalid("LIABILITY_PERSON", "请选择这套房屋的业主或租客", "person")


@command("liability.end", caller="staff", permission=permissions.FEES_WRITE)
async def end_liability(actor: Actor, *, liability_id: UUID, until_on: date) -> UUID:
    """Let somebody pay until the day before `until_on`; ended on its first day it is taken back.

    Returns the house. Raises LIABILITY_NOT_FOUND, SPAN_INVALID.
    """
    row = await Liability.get_or_none(pk=liability_id).values("house_id", "compound_id")
    if row is None:
        raise NotFound("LIABILITY_NOT_FOUND", "没有找到这条缴费责任,请刷新后重试", "liability")
    concerns("Liability", liability_id, row["compound_id"])
    await house_to_change(actor, row["house_id"], "Liability")
    concerns("Liability", liability_id, row["compound_id"], until_on=until_on)
    await LIABILITIES.end(liability_id, until_on)
    return UUID(str(row["house_id"]))


async def follow_owners(compound_id: UUID, house_id: UUID) -> None:
    """Name the owner who pays, as the register has the owners now; in the open transaction, and again the same.

    While the one who is named stays, co-owners change nothing. Who comes after them is named from the day they came;
    who was there before them, from the day they left. Days that staff have settled stay as they are.
    """
    await take_turn(compound_id)
    owners, last = await database.fetch(OWNERS, house_id), await database.fetchrow(LAST_NAMED, house_id)
    if last is None and not owners:
        return
    heir = owners[0] if owners else None
    if last is not None:
        until_on = last["until_on"] or date.max
        if any(each["person_id"] == last["person_id"] and each["since_on"] < until_on for each in owners):
            return
    from_on = _named_from(heir, last)
    await database.execute(CUT_FOLLOWING, house_id, from_on)
    if heir is not None:
        await database.execute(NAME_OWNER, house_id, from_on, compound_id, heir["person_id"], clock.now())


def _named_from(heir: asyncpg.Record | None, last: asyncpg.Record | None) -> date:
    day: date
    if heir is not None and (last is None or heir["since_on"] > last["from_on"]):
        day = heir["since_on"]
    else:
        assert last is not None, "somebody is named, or somebody comes"
        day = last["left_on"] or clock.today()
    return day


async def end_tenant(compound_id: UUID, occupancy_id: UUID) -> None:
    """A tenant who left pays for no day after; in the open transaction."""
    await take_turn(compound_id)
    await database.execute(END_TENANT, occupancy_id)
