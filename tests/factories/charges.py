"""What is charged for, the short way: fee items with prices, and everything that changes what a house pays."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from domains.billing.charges.formulas import formulas_of
from domains.billing.charges.statement import BEFORE_ALL, Charging, charges
from domains.billing.models import (
    BillingRules,
    FeeAgreement,
    FeePrice,
    Liability,
    Meter,
    MeterReading,
    OneOffCharge,
    PooledCost,
    PoolShare,
    Vacancy,
)
from domains.estate.models import House
from domains.kernel import clock, database
from tests.factories import bills
from tests.factories.identity import unique

START = date(2026, 1, 1)
Columns = Any  # Any: column values


async def item(compound_id: UUID, price: str | None = "280", **more: Columns) -> UUID:
    """A monthly fee item by built area from 2026 on, in advance, at so many fen a square metre."""
    columns: dict[str, Columns] = {"method": "built_area", "anchor_on": START, "starts_on": START} | more
    made = await bills.item(compound_id, columns.pop("category", "property"), **columns)
    if price is not None:
        await set_price(made, price)
    return made


async def set_price(
    item_id: UUID,
    fen: str | None = None,
    from_on: date = START,
    *,
    tiers: object = None,
    formula: str | None = None,
) -> None:
    """A price from a day on."""
    await FeePrice.create(
        fee_item_id=item_id, from_on=from_on, price_fen=None if fen is None else Decimal(fen), tiers=tiers,
        formula=formula, recorded_at=clock.now(),
    )  # fmt: skip


async def _compound_of(house_id: UUID) -> UUID:
    found: UUID = (await House.get(pk=house_id).values("compound_id"))["compound_id"]
    return found


async def liable(
    house_id: UUID, payer: str, from_on: date, until_on: date | None = None, **more: Columns
) -> None:
    """Somebody pays for a house from a day on."""
    await Liability.create(
        compound_id=await _compound_of(house_id), house_id=house_id, payer=payer, from_on=from_on, until_on=until_on,
        recorded_at=clock.now(), **more,
    )  # fmt: skip


async def vacant(house_id: UUID, from_on: date, until_on: date, state: str = "approved") -> None:
    """A house stands empty."""
    await Vacancy.create(
        compound_id=await _compound_of(house_id), house_id=house_id, from_on=from_on, until_on=until_on, state=state,
        requested_at=clock.now(), decided_at=None if state == "requested" else clock.now(),
    )  # fmt: skip


async def agreed(
    house_id: UUID, item_id: UUID, percent: str, from_on: date, until_on: date | None = None
) -> None:
    """A house pays another share of the price."""
    await FeeAgreement.create(
        compound_id=await _compound_of(house_id), house_id=house_id, fee_item_id=item_id, percent=Decimal(percent),
        from_on=from_on, until_on=until_on, recorded_at=clock.now(),
    )  # fmt: skip


async def meter(
    house_id: UUID,
    kind: str = "water",
    installed_on: date = START,
    number: str | None = None,
    **more: Columns,
) -> UUID:
    """A meter with its first reading of zero."""
    compound_id = await _compound_of(house_id)
    made = await Meter.create(
        compound_id=compound_id, house_id=house_id, kind=kind, number=number or unique("M"), digits=5,
        installed_on=installed_on,
        recorded_at=clock.now(), **more,
    )  # fmt: skip
    await reading(made.id, installed_on, "0", source="install")
    return made.id


async def reading(
    meter_id: UUID, on: date, total: str, *, state: str = "accepted", source: str = "staff"
) -> UUID:
    """What a meter showed on a day at noon."""
    compound_id = (await Meter.get(pk=meter_id).values("compound_id"))["compound_id"]
    made = await MeterReading.create(
        compound_id=compound_id, meter_id=meter_id, read_at=datetime.combine(on, time(12), clock.SHANGHAI), read_on=on,
        value=Decimal(total), total=Decimal(total) if state == "accepted" else None, source=source, state=state,
        problem="" if state == "accepted" else "IMPLAUSIBLE", received_at=clock.now(),
    )  # fmt: skip
    return made.id


async def pooled(item_id: UUID, period_from: date, shares: dict[UUID, int]) -> None:
    """A cost that is shared out already."""
    compound_id = await _compound_of(next(iter(shares)))
    made = await PooledCost.create(
        compound_id=compound_id, fee_item_id=item_id, period_from=period_from, total_fen=sum(shares.values()),
        weight=Decimal(len(shares)), recorded_at=clock.now(),
    )  # fmt: skip
    for house_id, fen in shares.items():
        await PoolShare.create(pooled_cost_id=made.id, house_id=house_id, weight=Decimal(1), amount_fen=fen)


async def one_off(house_id: UUID, item_id: UUID, on: date, fen: int, note: str = "") -> UUID:
    """A charge that comes once."""
    made = await OneOffCharge.create(
        compound_id=await _compound_of(house_id), house_id=house_id, fee_item_id=item_id, charged_on=on,
        amount_fen=fen, note=note, recorded_at=clock.now(),
    )  # fmt: skip
    return made.id


async def rules(compound_id: UUID, **columns: Columns) -> None:
    """How the compound bills."""
    await BillingRules.create(compound_id=compound_id, **columns)


async def charged(
    compound_id: UUID, month: date, from_month: date | None = None, **more: Columns
) -> list[dict[str, Any]]:  # Any: columns
    """Rows of the statement, by house, item, period and part; nothing is written."""
    charging = Charging(compound_id, from_month or month, month, **more)
    text = charges(await formulas_of(compound_id), of_one_house=charging.house_id is not None)
    rows = await database.fetch(
        f"WITH {text} SELECT house_id, item_id, period_from, period_until, part, payer, person_id, "
        "covers_from, covers_until, amount_fen, problem, basis FROM charge "
        "ORDER BY sort, house_id, item_id, period_from, part",
        *charging.arguments(BEFORE_ALL, 100_000),
    )
    return [{**row, "basis": orjson.loads(row["basis"] or "null")} for row in rows]
