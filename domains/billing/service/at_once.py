"""Bills of one house that are made at once: months paid ahead (预缴), a charge that comes once (一次性收费)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from decimal import Decimal
from itertools import islice
from uuid import UUID

import asyncpg

from domains.billing import permissions
from domains.billing.charges.statement import Charging
from domains.billing.fee_terms import PREPAYABLE
from domains.billing.proration import months_after, periods
from domains.billing.service.beginning import keep
from domains.billing.service.posting import write_part
from domains.billing.service.previewing import preview
from domains.billing.service.runs import approve
from domains.billing.turns import take_turn
from domains.identity import limits
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid, NotFound, Throttled
from domains.kernel.rates import RateLimit, WhenDown

MOST_MONTHS = 36

PAY_AHEAD = RateLimit("pay-ahead-account", 20, 3600, 10, WhenDown.OPEN)
"""Each computes bills while the compound's others wait; whoever changes their mind a few times is not held up."""

PLACE = "SELECT compound_id, building_id, handed_over_on FROM house WHERE id = $1"

ITEM = """
SELECT id, method, cycle_months, timing, anchor_on, starts_on, ends_on FROM fee_item WHERE id = $1 AND compound_id = $2
"""

BILLED = """
SELECT period_from FROM bill_line WHERE house_id = $1 AND fee_item_id = $2 AND kind = 'charge' AND period_until > $3
"""

DISCOUNT = """
SELECT percent FROM advance_discount WHERE fee_item_id = $1 AND months <= $2 ORDER BY months DESC LIMIT 1
"""

CHARGE = """
SELECT o.house_id, o.fee_item_id, o.charged_on, o.compound_id, h.building_id, o.cancelled_at FROM one_off_charge o
JOIN house h ON h.id = o.house_id WHERE o.id = $1
"""

PAYERS = "SELECT DISTINCT payer FROM bill WHERE run_id = $1"


@command("billing.pay_ahead", caller="resident")
async def pay_ahead(
    actor: Actor, *, house_id: UUID, fee_item_id: UUID, months: int, idempotency_key: UUID | None = None
) -> UUID:
    """Bill the coming months of a fee item that have no bill yet, at the discount for so many; the run's id.

    For who pays them. `months` is a multiple of the item's cycle, 36 at most. Raises HOUSE_NOT_FOUND, Throttled
    PAY_AHEAD_TOO_OFTEN, FEE_ITEM_NOT_FOUND, PAY_AHEAD_MONTHS, PAY_AHEAD_UNAVAILABLE, PAY_AHEAD_NOT_YOURS, NOT_BILLABLE.
    """
    capacities = {tie.capacity for tie in actor.houses if tie.house_id == house_id}
    if not capacities:
        raise NotFound("HOUSE_NOT_FOUND", "没有找到这套房屋,请刷新后重试", "house")
    house = await database.fetchrow(PLACE, house_id)
    assert house is not None, "somebody lives in it"
    concerns("BillingRun", None, house["compound_id"], house=house_id, fee_item=fee_item_id, months=months)
    await _take(actor)
    await take_turn(house["compound_id"])
    item = await _prepayable(fee_item_id, house["compound_id"], months)
    first, last = await _months_ahead(item, house_id, house["handed_over_on"], months // item["cycle_months"])
    percent = await database.fetchval(DISCOUNT, fee_item_id, months) or Decimal(0)
    charging = Charging(house["compound_id"], first, last, (fee_item_id,), house_id, percent)
    run_id = await _bill_at_once(actor, charging)
    await _require_payer(run_id, capacities)
    concerns("BillingRun", run_id, house["compound_id"], house=house_id, fee_item=fee_item_id, months=months)
    return run_id


async def _take(actor: Actor) -> None:
    verdict = await limits.limiter().take(PAY_AHEAD, str(actor.account_id))
    if not verdict.allowed:
        raise Throttled("PAY_AHEAD_TOO_OFTEN", "预缴操作太频繁,请稍后再试", verdict.retry_after_s)


async def _prepayable(fee_item_id: UUID, compound_id: UUID, months: int) -> asyncpg.Record:
    item = await database.fetchrow(ITEM, fee_item_id, compound_id)
    if item is None:
        raise NotFound("FEE_ITEM_NOT_FOUND", "没有找到这个收费项目,请刷新后重试", "fee_item")
    if item["method"] not in PREPAYABLE:
        raise Invalid("PAY_AHEAD_UNAVAILABLE", "这个收费项目的金额事先无法确定,不能预缴", "fee_item")
    if not 1 <= months <= MOST_MONTHS or months % item["cycle_months"]:
        cycle = item["cycle_months"]
        raise Invalid("PAY_AHEAD_MONTHS", f"请选择 {cycle} 个月的整数倍,最多 {MOST_MONTHS} 个月", "months")
    return item


async def _months_ahead(
    item: asyncpg.Record, house_id: UUID, handed_over_on: date | None, count: int
) -> tuple[date, date]:
    """The first and the last month in which the coming unbilled periods fall due. Periods that are over, and those
    that fell due before this month, are no matter of paying ahead."""
    billed = {row["period_from"] for row in await database.fetch(BILLED, house_id, item["id"], clock.today())}
    coming = list(islice(_unbilled(item, item["anchor_on"] or handed_over_on, billed), count))
    if len(coming) < count:
        raise Conflict("PAY_AHEAD_UNAVAILABLE", "这个收费项目没有这么多可以预缴的月份,请减少后重试", "months")
    return coming[0], coming[-1]


def _unbilled(item: asyncpg.Record, anchor: date | None, billed: Collection[date]) -> Iterator[date]:
    if anchor is None:
        return
    this_month = clock.today().replace(day=1)
    begin = max(this_month, anchor.replace(day=1))
    for start, until in periods(
        anchor, item["cycle_months"], item["timing"], begin, months_after(begin, MOST_MONTHS)
    ):
        is_charged = until > item["starts_on"] and (item["ends_on"] is None or start < item["ends_on"])
        if is_charged and until > clock.today() and start not in billed:
            yield (start if item["timing"] == "advance" else until).replace(day=1)


@command("billing.bill_one_off", caller="staff", permission=permissions.RUNS_APPROVE)
async def bill_one_off(actor: Actor, *, charge_id: UUID, idempotency_key: UUID | None = None) -> UUID:
    """Bill a charge that comes once now instead of with the next run, with others of its item, house and month; the
    run's id. Raises ONE_OFF_NOT_FOUND, ONE_OFF_OVER where it is billed or cancelled, NOT_BILLABLE."""
    charge = await database.fetchrow(CHARGE, charge_id)
    if charge is None:
        raise NotFound("ONE_OFF_NOT_FOUND", "没有找到这笔收费,请刷新后重试", "charge")
    concerns("BillingRun", None, charge["compound_id"], house=charge["house_id"], charge=charge_id)
    actor.require(permissions.RUNS_APPROVE, charge["compound_id"], charge["building_id"])
    await take_turn(charge["compound_id"])
    # Before the turn was ours it may have been cancelled, or come back for another amount.
    charge = await database.fetchrow(CHARGE, charge_id)
    assert charge is not None, "charges are kept"
    month = charge["charged_on"].replace(day=1)
    charging = Charging(charge["compound_id"], month, month, (charge["fee_item_id"],), charge["house_id"])
    billed = await database.fetch(BILLED, charge["house_id"], charge["fee_item_id"], charge["charged_on"])
    is_over = charge["cancelled_at"] is not None or charge["charged_on"] in {
        row["period_from"] for row in billed
    }
    if is_over:
        raise Conflict("ONE_OFF_OVER", "这笔收费已经出账或已撤销,请刷新查看", "charge")
    run_id = await _bill_at_once(actor, charging)
    concerns("BillingRun", run_id, charge["compound_id"], house=charge["house_id"], charge=charge_id)
    return run_id


async def _bill_at_once(actor: Actor, charging: Charging) -> UUID:
    """A run of one house, from its preview to its bills in the open transaction."""
    found = await preview(charging)
    if found.problems or not found.lines:
        raise Conflict("NOT_BILLABLE", "暂时无法计费,请联系物业核对收费标准和金额")
    run_id = await keep(actor, charging, found, clock.today())
    await approve(actor, run_id)
    await write_part(run_id)
    return run_id


async def _require_payer(run_id: UUID, capacities: Collection[str]) -> None:
    """Nobody makes bills for others: owners and their family pay as owners, tenants as tenants."""
    payers = {row["payer"] for row in await database.fetch(PAYERS, run_id)}
    own = {"tenant" if capacity == "tenant" else "owner" for capacity in capacities}
    if not payers <= own:
        raise Conflict("PAY_AHEAD_NOT_YOURS", "这些月份由他人缴费,请由缴费人预缴或联系物业", "fee_item")
