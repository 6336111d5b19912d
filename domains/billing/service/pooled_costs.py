"""Costs that the houses of a fee item share (公摊费用), by largest remainder (最大余数法)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from domains.billing import permissions
from domains.billing.fee_terms import FIRST_DAY, LAST_DAY
from domains.billing.models import FeeItem, PooledCost, PoolShare
from domains.billing.service.fee_items import item_to_change
from domains.kernel import clock, database, money, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid, NotFound
from domains.kernel.ids import uuid7

# The end of the period that begins on a day, if one does while the item is charged.
PERIOD_UNTIL = """
SELECT ((i.anchor_on + make_interval(months => n.months + i.cycle_months))::date)
FROM fee_item i CROSS JOIN LATERAL (
    SELECT (extract(year FROM $2::date) * 12 + extract(month FROM $2::date)
        - extract(year FROM i.anchor_on) * 12 - extract(month FROM i.anchor_on))::int AS months) AS n
WHERE i.id = $1 AND n.months >= 0 AND n.months % i.cycle_months = 0
  AND (i.anchor_on + make_interval(months => n.months))::date = $2
  AND $2 < coalesce(i.ends_on, 'infinity')
  AND (i.anchor_on + make_interval(months => n.months + i.cycle_months))::date > i.starts_on
"""

# Each part is cut to whole fen; what is left over goes, a fen each, to the largest remainders, among equals in the
# order of the houses. A house that is not handed over shares where its developer pays, else it would pay nothing
# and its part would be nobody's.
RECORD = """
WITH sharing AS MATERIALIZED (
    SELECT h.id, h.sort, CASE i.pooled_by WHEN 'household' THEN 1 ELSE h.built_area_m2 END AS weight
    FROM fee_item i JOIN house h ON h.compound_id = i.compound_id
    WHERE i.id = $2
      AND (cardinality(i.uses) = 0 OR h.use = ANY(i.uses))
      AND (cardinality(i.building_ids) = 0 OR h.building_id = ANY(i.building_ids))
      AND (i.bills_unsold OR (coalesce(h.handed_over_on < $4::date, h.state <> 'unsold')))),
whole AS (SELECT sum(weight) AS weight FROM sharing),
cost AS (
    INSERT INTO pooled_cost (id, compound_id, fee_item_id, period_from, total_fen, weight, note, recorded_by, recorded_at)
    SELECT $1, i.compound_id, i.id, $3, $5::bigint, w.weight, $6, $7, $8
    FROM fee_item i CROSS JOIN whole w WHERE i.id = $2 AND w.weight > 0 RETURNING id),
part AS (
    SELECT s.id, s.sort, s.weight, div($5::bigint * s.weight, w.weight) AS fen,
        $5::bigint * s.weight - div($5::bigint * s.weight, w.weight) * w.weight AS remainder
    FROM sharing s CROSS JOIN whole w WHERE w.weight > 0),
placed AS (
    SELECT id, weight, fen, row_number() OVER (ORDER BY remainder DESC, sort, id) AS place,
        $5::bigint - sum(fen) OVER () AS left_over
    FROM part)
INSERT INTO pool_share (id, pooled_cost_id, house_id, weight, amount_fen)
SELECT make_uuid7(), c.id, p.id, p.weight, p.fen::bigint + CASE WHEN p.place <= p.left_over THEN 1 ELSE 0 END
FROM placed p CROSS JOIN cost c
"""

IS_BILLED = """
SELECT EXISTS (SELECT FROM pooled_cost c JOIN pool_share s ON s.pooled_cost_id = c.id CROSS JOIN LATERAL (
    SELECT 1 FROM bill_line l WHERE l.house_id = s.house_id AND l.fee_item_id = c.fee_item_id
      AND l.period_from = c.period_from AND l.kind = 'charge' LIMIT 1) AS line
WHERE c.id = $1)
"""


@command("pooled_cost.record", caller="staff", permission=permissions.FEES_WRITE)
async def record_pooled_cost(
    actor: Actor, *, fee_item_id: UUID, period_from: date, total_fen: int, note: str = ""
) -> UUID:
    """Share a cost out over the houses of its fee item, for the period that begins on `period_from`.

    Raises FEE_ITEM_NOT_FOUND, NOT_POOLED, PERIOD_INVALID, POOLED_COST_EXISTS, POOL_EMPTY where no house shares,
    AMOUNT_OUT_OF_RANGE or a TEXT_ code.
    """
    item = await item_to_change(actor, fee_item_id)
    period_until = await _period_until(item, period_from)
    if money.within_range(total_fen, field="total_fen") < 0:
        raise Invalid("AMOUNT_OUT_OF_RANGE", "金额不能为负,请检查后重新填写", "total_fen")
    note = text.clean(note, max_length=200, min_length=0, multiline=True, field="note")
    if await PooledCost.exists(fee_item_id=fee_item_id, period_from=period_from):
        raise Conflict("POOLED_COST_EXISTS", "这个周期的公摊费用已经登记,请先撤销再重新登记", "period_from")
    id = uuid7()
    shares = await database.execute(
        RECORD, id, fee_item_id, period_from, period_until, total_fen, note, actor.account_id, clock.now()
    )
    if not shares:
        raise Invalid("POOL_EMPTY", "没有房屋参与分摊,请检查收费项目适用的楼栋和用途", "fee_item")
    compound_id = UUID(str(item.compound_id))  # type: ignore[attr-defined]  # the ORM's own column of the relation
    concerns("PooledCost", id, compound_id, period_from=period_from, total_fen=total_fen, houses=shares)
    return id


async def _period_until(item: FeeItem, period_from: date) -> date:
    if item.method != "pooled":
        raise Invalid("NOT_POOLED", "这个收费项目不是公摊,请选择公摊项目", "fee_item")
    until: date | None = None
    if FIRST_DAY <= period_from <= LAST_DAY:
        until = await database.fetchval(PERIOD_UNTIL, item.id, period_from)
    if until is None:
        raise Invalid("PERIOD_INVALID", "这一天不是收费周期的第一天,请按项目的周期选择", "period_from")
    return until


@command("pooled_cost.remove", caller="staff", permission=permissions.FEES_WRITE)
async def remove_pooled_cost(actor: Actor, *, pooled_cost_id: UUID) -> UUID:
    """Take a cost back while no bill has a share of it, to record it anew; the fee item's id.

    Raises POOLED_COST_NOT_FOUND, POOLED_COST_BILLED.
    """
    cost = await PooledCost.get_or_none(pk=pooled_cost_id).values("fee_item_id", "compound_id", "total_fen")
    if cost is None:
        raise NotFound("POOLED_COST_NOT_FOUND", "没有找到这笔公摊费用,请刷新后重试", "pooled_cost")
    await item_to_change(actor, cost["fee_item_id"])
    concerns("PooledCost", pooled_cost_id, cost["compound_id"], total_fen=cost["total_fen"])
    if await database.fetchval(IS_BILLED, pooled_cost_id):
        raise Conflict("POOLED_COST_BILLED", "这笔费用已经出账,不能撤销,请用账单调整更正", "pooled_cost")
    await PoolShare.filter(pooled_cost_id=pooled_cost_id).delete()
    if not await PooledCost.filter(pk=pooled_cost_id).delete():
        raise NotFound("POOLED_COST_NOT_FOUND", "没有找到这笔公摊费用,请刷新后重试", "pooled_cost")
    return UUID(str(cost["fee_item_id"]))
