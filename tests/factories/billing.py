"""Fee items and what is charged by them, the short way."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from domains.billing.models import Bill, BillingRun, BillLine, FeeItem, FeePrice, LateFeeRule, Vacancy
from domains.estate.models import House
from domains.kernel import clock, database
from tests.factories.identity import unique

YEAR = date(2026, 1, 1)
NEXT_NUMBER = "SELECT coalesce(max(number), 0) + 1 FROM bill WHERE compound_id = $1"


async def fee_item(
    compound_id: UUID,
    method: str = "built_area",
    price_fen: str | None = "280",
    **more: Any,  # Any: columns
) -> UUID:
    """A monthly item in arrears from 2026 on, with a price where the method needs one; its id."""
    now = clock.now()
    columns: dict[str, Any] = {
        "name": unique("物业费"), "category": "property", "timing": "arrears", "anchor": "calendar", "anchor_on": YEAR,
        "cycle_months": None if method == "one_off" else 1, "starts_on": YEAR, "recorded_at": now, "updated_at": now,
        "meter_kind": "water" if method == "metered" else None, "tier_span": "month" if method == "metered" else None,
        "pooled_by": "built_area" if method == "pooled" else None,
    }  # fmt: skip
    made = await FeeItem.create(compound_id=compound_id, method=method, **columns | more)
    if price_fen is not None and method not in ("pooled", "one_off", "formula"):
        await fee_price(made.id, price_fen=price_fen)
    return made.id


async def fee_price(
    fee_item_id: UUID,
    from_on: date = YEAR,
    *,
    price_fen: str | None = None,
    tiers: list[dict[str, str]] | None = None,
    formula: str | None = None,
) -> UUID:
    """What an item costs from a day on; its id."""
    made = await FeePrice.create(
        fee_item_id=fee_item_id, from_on=from_on, price_fen=None if price_fen is None else Decimal(price_fen),
        tiers=tiers, formula=formula, recorded_at=clock.now(),
    )  # fmt: skip
    return made.id


async def late_fee_rule(
    compound_id: UUID, from_on: date = YEAR, rate: str = "0.0005", **more: Any
) -> UUID:  # Any: columns
    """A late fee for bills issued from a day on; its id."""
    made = await LateFeeRule.create(
        compound_id=compound_id, from_on=from_on, daily_rate=Decimal(rate), recorded_at=clock.now(), **more
    )
    return made.id


async def vacancy(house_id: UUID, from_on: date, until_on: date, state: str = "approved") -> UUID:
    """A house that stands empty; its id."""
    place, now = await House.get(pk=house_id).values("compound_id"), clock.now()
    made = await Vacancy.create(
        compound_id=place["compound_id"], house_id=house_id, from_on=from_on, until_on=until_on, state=state,
        requested_at=now, decided_at=None if state == "requested" else now,
    )  # fmt: skip
    return made.id


async def billed(
    house_id: UUID, fee_item_id: UUID, period_from: date, period_until: date, fen: int = 10_000
) -> UUID:
    """A bill with one line for a period, as a run would have left them but for the ledger; the bill's id."""
    place = await House.get(pk=house_id).values("compound_id", "building_id")
    month, now = period_until.replace(day=1), clock.now()
    run = await BillingRun.create(
        compound_id=place["compound_id"], month=month, from_month=month, issued_on=period_until, state="posted",
        preview={}, expected_fen=fen, houses=1, houses_done=1, bills=1, created_at=now, approved_at=now, ended_at=now,
    )  # fmt: skip
    bill = await Bill.create(
        compound_id=place["compound_id"], house_id=house_id, building_id=place["building_id"], run=run, payer="owner",
        number=await database.fetchval(NEXT_NUMBER, place["compound_id"]), month=month, covers_from=period_from,
        covers_until=period_until, issued_on=period_until, due_on=period_until, issued_fen=fen, state="open",
    )  # fmt: skip
    await BillLine.create(
        id=uuid4(), bill=bill, house_id=house_id, fee_item_id=fee_item_id, kind="charge", period_from=period_from,
        period_until=period_until, amount_fen=fen, basis={},
    )  # fmt: skip
    return bill.id
