"""What a fee item costs from a day on (收费标准); what was billed keeps its price."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import orjson

from domains.billing import permissions, tariffs
from domains.billing.fee_terms import FIRST_DAY, LAST_DAY
from domains.billing.models import FeePrice
from domains.billing.service.fee_items import billed_until, item_to_change
from domains.billing.tariffs import Tariff
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid, NotFound
from domains.kernel.ids import uuid7

SET = """
INSERT INTO fee_price (id, fee_item_id, from_on, price_fen, tiers, formula, recorded_by, recorded_at)
VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8)
ON CONFLICT (fee_item_id, from_on) DO UPDATE SET price_fen = $4, tiers = $5::jsonb, formula = $6, recorded_by = $7,
    recorded_at = $8
"""


@command("fee_price.set", caller="staff", permission=permissions.FEES_WRITE)
async def set_fee_price(actor: Actor, *, fee_item_id: UUID, from_on: date, tariff: Tariff) -> UUID:
    """Set what a fee item costs from a day on; a price of the same day takes the other's place.

    Raises FEE_ITEM_NOT_FOUND, PRICE_IN_THE_PAST where a line is for that day or a later one, PRICE_NOT_NEEDED,
    PRICE_INVALID, TIERS_INVALID or FORMULA_INVALID.
    """
    item = await item_to_change(actor, fee_item_id)
    tariff = tariffs.checked(tariff, item.method)
    columns = tariff.columns
    concerns("FeeItem", item.id, UUID(str(item.compound_id)), from_on=from_on, **columns)  # type: ignore[attr-defined]  # the ORM's own column
    if not FIRST_DAY <= from_on <= LAST_DAY:
        raise Invalid("PRICE_INVALID", "日期须在 2000 年到 2100 年之间", "from_on")
    billed = await billed_until(item)
    if billed is not None and from_on < billed:
        raise Conflict("PRICE_IN_THE_PAST", f"已出账到 {billed},新标准最早从这一天起生效", "from_on")
    tiers = None if columns["tiers"] is None else orjson.dumps(columns["tiers"]).decode()
    await database.execute(
        SET, uuid7(), item.id, from_on, columns["price_fen"], tiers, columns["formula"], actor.account_id,
        clock.now(),
    )  # fmt: skip
    return item.id


@command("fee_price.remove", caller="staff", permission=permissions.FEES_WRITE)
async def remove_fee_price(actor: Actor, *, fee_item_id: UUID, from_on: date) -> UUID:
    """Take back the price of a fee item that holds from a day on, while no bill reaches beyond that day; the price
    before it goes on. Raises FEE_ITEM_NOT_FOUND, PRICE_NOT_FOUND, PRICE_BILLED."""
    item = await item_to_change(actor, fee_item_id)
    concerns("FeeItem", item.id, UUID(str(item.compound_id)), from_on=from_on)  # type: ignore[attr-defined]  # the ORM's own column
    billed = await billed_until(item)
    if billed is not None and from_on < billed:
        raise Conflict("PRICE_BILLED", f"已出账到 {billed},这个标准已经用于账单,不能删除", "from_on")
    if not await FeePrice.filter(fee_item_id=item.id, from_on=from_on).delete():
        raise NotFound("PRICE_NOT_FOUND", "没有这一天生效的收费标准,请刷新后重试", "from_on")
    return item.id
