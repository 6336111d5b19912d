"""Charges that come once (一次性收费), for one house or many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from domains.billing import permissions
from domains.billing.fee_terms import LAST_DAY
from domains.billing.turns import take_turn
from domains.kernel import clock, database, money, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid, NotFound

MOST_HOUSES = 500

ITEM = "SELECT id, compound_id, method, starts_on, ends_on FROM fee_item WHERE id = $1"

HOUSES = """
SELECT count(*) AS known, coalesce(bool_and($3::uuid[] IS NULL OR building_id = ANY($3)), true) AS reached
FROM house WHERE id = ANY($1::uuid[]) AND compound_id = $2
"""

# What was cancelled on that day comes back as what is added now.
ADD = """
INSERT INTO one_off_charge (id, compound_id, house_id, fee_item_id, charged_on, amount_fen, note, recorded_by, recorded_at)
SELECT make_uuid7(), $1, house_id, $3, $4, $5, $6, $7, $8 FROM unnest($2::uuid[]) AS h (house_id) ORDER BY house_id
ON CONFLICT (fee_item_id, house_id, charged_on) DO UPDATE SET amount_fen = $5, note = $6, recorded_by = $7,
    recorded_at = $8, cancelled_at = NULL WHERE one_off_charge.cancelled_at IS NOT NULL
RETURNING id
"""

TO_CANCEL = """
SELECT o.compound_id, h.building_id, o.house_id FROM one_off_charge o JOIN house h ON h.id = o.house_id WHERE o.id = $1
"""

CANCEL = """
UPDATE one_off_charge o SET cancelled_at = $2
WHERE o.id = $1 AND o.cancelled_at IS NULL AND NOT EXISTS (
    SELECT FROM bill_line l WHERE l.house_id = o.house_id AND l.fee_item_id = o.fee_item_id
      AND l.period_from = o.charged_on AND l.kind = 'charge')
"""


@command("one_off_charge.add", caller="staff", permission=permissions.FEES_WRITE)
async def add_one_off_charges(
    actor: Actor, *, fee_item_id: UUID, house_ids: Sequence[UUID], charged_on: date, amount_fen: int, note: str = ""
) -> list[UUID]:  # fmt: skip
    """Charge each of these houses so much, once; all of them or none.

    Raises FEE_ITEM_NOT_FOUND, NOT_ONE_OFF, ONE_OFF_INVALID, HOUSE_NOT_FOUND, ONE_OFF_EXISTS where a house has one of
    that item and day, AMOUNT_OUT_OF_RANGE or a TEXT_ code.
    """
    item = await database.fetchrow(ITEM, fee_item_id)
    if item is None:
        raise NotFound("FEE_ITEM_NOT_FOUND", "没有找到这个收费项目,请刷新后重试", "fee_item")
    ids = list(dict.fromkeys(house_ids))
    concerns(
        "FeeItem", fee_item_id, item["compound_id"], houses=len(ids), charged_on=charged_on, fen=amount_fen
    )
    actor.require(permissions.FEES_WRITE, item["compound_id"])
    _check(item, ids, charged_on, amount_fen)
    note = text.clean(note, max_length=200, min_length=0, multiline=True, field="note")
    await _check_houses(actor, item["compound_id"], ids)
    await take_turn(item["compound_id"])
    rows = await database.fetch(
        ADD,
        item["compound_id"],
        ids,
        fee_item_id,
        charged_on,
        amount_fen,
        note,
        actor.account_id,
        clock.now(),
    )
    if len(rows) != len(ids):
        raise Conflict("ONE_OFF_EXISTS", "其中有房屋在这一天已有同一项目的收费,请改选日期或房屋", "houses")
    return [row["id"] for row in rows]


def _check(item: asyncpg.Record, ids: Sequence[UUID], charged_on: date, amount_fen: int) -> None:
    if item["method"] != "one_off":
        raise Invalid("NOT_ONE_OFF", "这个收费项目不是一次性收费,请选择一次性项目", "fee_item")
    if not 1 <= len(ids) <= MOST_HOUSES:
        raise Invalid("ONE_OFF_INVALID", f"请选择 1 到 {MOST_HOUSES} 套房屋,更多时请分批", "houses")
    if charged_on > LAST_DAY or not item["starts_on"] <= charged_on < (item["ends_on"] or date.max):
        raise Invalid("ONE_OFF_INVALID", "这一天不在收费项目的有效期内,请改选日期", "charged_on")
    if money.within_range(amount_fen, field="amount_fen") < 1:
        raise Invalid("AMOUNT_OUT_OF_RANGE", "金额须大于 0,请检查后重新填写", "amount_fen")


async def _check_houses(actor: Actor, compound_id: UUID, ids: Sequence[UUID]) -> None:
    reached = None if actor.kind == "system" else actor.buildings(permissions.FEES_WRITE, compound_id)
    row = await database.fetchrow(HOUSES, ids, compound_id, None if reached is None else list(reached))
    assert row is not None
    if not row["reached"]:
        actor.refuse(compound_id)
    if row["known"] != len(ids):
        raise NotFound("HOUSE_NOT_FOUND", "没有找到其中的房屋,请刷新后重试", "houses")


@command("one_off_charge.cancel", caller="staff", permission=permissions.FEES_WRITE)
async def cancel_one_off_charge(actor: Actor, *, charge_id: UUID) -> UUID:
    """Take a charge back while no bill has it. Raises ONE_OFF_NOT_FOUND, ONE_OFF_OVER."""
    row = await database.fetchrow(TO_CANCEL, charge_id)
    if row is None:
        raise NotFound("ONE_OFF_NOT_FOUND", "没有找到这笔收费,请刷新后重试", "charge")
    concerns("OneOffCharge", charge_id, row["compound_id"], house=row["house_id"])
    actor.require(permissions.FEES_WRITE, row["compound_id"], row["building_id"])
    await take_turn(row["compound_id"])
    if not await database.execute(CANCEL, charge_id, clock.now()):
        raise Conflict("ONE_OFF_OVER", "这笔收费已经出账或已撤销,请刷新查看", "charge")
    return charge_id
