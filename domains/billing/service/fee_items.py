"""Fee items by staff (收费项目维护). What was billed keeps its meaning: its terms are frozen."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from tortoise.exceptions import IntegrityError

from domains.billing import fee_terms, permissions
from domains.billing.fee_terms import FROZEN, LAST_DAY, PREPAYABLE, FeeTerms, TermChanges
from domains.billing.models import AdvanceDiscount, FeeItem
from domains.billing.turns import take_turn
from domains.estate.models import Building
from domains.estate.rules import USES
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid, NotFound
from domains.kernel.ids import uuid7

# One look at the index of its lines.
USED = """
SELECT EXISTS (SELECT FROM pooled_cost WHERE fee_item_id = $1)
    OR EXISTS (SELECT FROM one_off_charge WHERE fee_item_id = $1)
    OR EXISTS (SELECT FROM bill_line WHERE fee_item_id = $1)
"""

BILLED_UNTIL = "SELECT max(period_until) FROM bill_line WHERE fee_item_id = $1 AND kind = 'charge'"


async def item_to_change(actor: Actor, fee_item_id: UUID) -> FeeItem:
    """The fee item, of whose compound bills wait until the caller's transaction ends. Raises FEE_ITEM_NOT_FOUND."""
    item = await FeeItem.get_or_none(pk=fee_item_id)
    if item is None:
        raise NotFound("FEE_ITEM_NOT_FOUND", "没有找到这个收费项目,请刷新后重试", "fee_item")
    concerns("FeeItem", fee_item_id, _compound(item))
    actor.require_whole(permissions.FEES_WRITE, _compound(item))
    await take_turn(_compound(item))
    await item.refresh_from_db()
    return item


async def billed_until(item: FeeItem) -> date | None:
    """The first day that none of the item's lines is for; None before its first line."""
    day: date | None = await database.fetchval(BILLED_UNTIL, item.id)
    return day


@command("fee_item.set", caller="staff", permission=permissions.FEES_WRITE)
async def set_fee_item(
    actor: Actor, *, compound_id: UUID, changes: TermChanges, fee_item_id: UUID | None = None
) -> UUID:
    """Make a fee item, or give one other terms.

    Raises FEE_ITEM_NOT_FOUND, FEE_ITEM_IN_USE for a frozen term once something was billed or recorded,
    FEE_ITEM_NAME_TAKEN, BUILDING_NOT_FOUND, FEE_ITEM_INVALID, or a TEXT_ code.
    """
    concerns("FeeItem", fee_item_id, compound_id)
    actor.require_whole(permissions.FEES_WRITE, compound_id)
    item = None if fee_item_id is None else await item_to_change(actor, fee_item_id)
    if item is not None and _compound(item) != compound_id:
        raise NotFound("FEE_ITEM_NOT_FOUND", "没有找到这个收费项目,请刷新后重试", "fee_item")
    terms = fee_terms.checked(fee_terms.merged(_terms(item), changes), USES)
    await _check_buildings(compound_id, terms)
    try:
        id = await (_create(compound_id, terms) if item is None else _change(item, terms))
    except IntegrityError:
        raise Conflict("FEE_ITEM_NAME_TAKEN", "已有同名的收费项目,请换一个名称", "name") from None
    concerns("FeeItem", id, compound_id, **changes)
    return id


def _terms(item: FeeItem | None) -> FeeTerms | None:
    if item is None:
        return None
    columns = {each.name: getattr(item, each.name) for each in fields(FeeTerms)}
    return FeeTerms(**columns | {"building_ids": [UUID(str(id)) for id in item.building_ids]})


async def _check_buildings(compound_id: UUID, terms: FeeTerms) -> None:
    ids = list(terms.building_ids)
    if await Building.filter(pk__in=ids, compound_id=compound_id).count() != len(ids):
        raise NotFound("BUILDING_NOT_FOUND", "没有找到这栋楼,请刷新后重试", "buildings")


async def _create(compound_id: UUID, terms: FeeTerms) -> UUID:
    now = clock.now()
    made = await FeeItem.create(
        id=uuid7(), compound_id=compound_id, recorded_at=now, updated_at=now, **_columns(terms)
    )
    return made.id


async def _change(item: FeeItem, terms: FeeTerms) -> UUID:
    columns = _columns(terms)
    if item.ends_on is not None and terms.starts_on >= item.ends_on:
        raise Invalid("FEE_ITEM_INVALID", "开始日期须早于结束日期", "starts_on")
    changed = [name for name in FROZEN if columns[name] != getattr(item, name)]
    if changed and await database.fetchval(USED, item.id):
        raise Conflict("FEE_ITEM_IN_USE", "这个项目已经出过账,请结束旧项目并新建", changed[0])
    await FeeItem.filter(pk=item.id).update(updated_at=clock.now(), **columns)
    return item.id


def _columns(terms: FeeTerms) -> dict[str, Any]:  # Any: column values
    return {**asdict(terms), "building_ids": [str(id) for id in terms.building_ids]}


@command("fee_item.end", caller="staff", permission=permissions.FEES_WRITE)
async def end_fee_item(actor: Actor, *, fee_item_id: UUID, ends_on: date | None) -> UUID:
    """Charge nothing from `ends_on` on; None lets an item go on that was to end.

    Raises FEE_ITEM_NOT_FOUND, FEE_ITEM_INVALID, and FEE_ITEM_BILLED where bills reach beyond that day.
    """
    item = await item_to_change(actor, fee_item_id)
    concerns("FeeItem", item.id, _compound(item), ends_on=ends_on)
    if ends_on is not None:
        if not item.starts_on < ends_on <= LAST_DAY:
            raise Invalid("FEE_ITEM_INVALID", "结束日期须晚于开始收费的日期,且不晚于 2100 年", "ends_on")
        billed = await billed_until(item)
        if billed is not None and billed > ends_on:
            raise Conflict("FEE_ITEM_BILLED", f"已出账到 {billed},结束日期不能早于这一天", "ends_on")
    await FeeItem.filter(pk=item.id).update(ends_on=ends_on, updated_at=clock.now())
    return item.id


@command("advance_discount.set", caller="staff", permission=permissions.FEES_WRITE)
async def set_advance_discount(
    actor: Actor, *, fee_item_id: UUID, months: int, percent: Decimal | None
) -> UUID:
    """What paying so many months ahead saves, in percent off the price; None takes the discount away.

    Raises FEE_ITEM_NOT_FOUND, ADVANCE_DISCOUNT_INVALID.
    """
    item = await item_to_change(actor, fee_item_id)
    concerns("FeeItem", item.id, _compound(item), months=months, percent=percent)
    _check_discount(item, months, percent)
    if percent is None:
        await AdvanceDiscount.filter(fee_item_id=item.id, months=months).delete()
    else:
        await AdvanceDiscount.update_or_create(
            fee_item_id=item.id, months=months, defaults={"percent": percent}
        )
    return item.id


def _check_discount(item: FeeItem, months: int, percent: Decimal | None) -> None:
    if item.method not in PREPAYABLE or item.cycle_months is None:
        raise Invalid("ADVANCE_DISCOUNT_INVALID", "这种计费方式无法预缴,不能设置预缴优惠", "months")
    if not 1 <= months <= 36 or months % item.cycle_months:
        raise Invalid(
            "ADVANCE_DISCOUNT_INVALID", f"月数须在 1 到 36 之间,并且是 {item.cycle_months} 的倍数", "months"
        )
    if percent is not None and (not 0 < percent < 100 or percent != round(percent, 2)):
        raise Invalid("ADVANCE_DISCOUNT_INVALID", "优惠比例须大于 0 且小于 100,最多两位小数", "percent")


def _compound(item: FeeItem) -> UUID:
    return UUID(str(item.compound_id))  # type: ignore[attr-defined]  # the ORM's own column of the relation
