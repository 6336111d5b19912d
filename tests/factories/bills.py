"""Bills that are posted, the short way: an item, a run and the payable are made as a run would."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from domains.billing.models import Bill, BillingRun, BillLine, FeeItem, LateFeeRule
from domains.estate.models import House
from domains.kernel import clock, database
from payments.service import payables
from payments.service.ledger import Account
from payments.service.payables import NewPayable
from tests.factories import ledger
from tests.factories.identity import unique

MONTH = date(2026, 3, 1)


async def item(compound_id: UUID, category: str = "property", **more: Any) -> UUID:  # Any: columns
    """A fee item of a category, charged once a month."""
    now = clock.now()
    columns: dict[str, Any] = {
        "name": unique(category), "method": "fixed", "cycle_months": 1, "timing": "advance", "anchor": "calendar",
        "anchor_on": date(2020, 1, 1), "starts_on": date(2020, 1, 1), "recorded_at": now, "updated_at": now,
    }  # fmt: skip
    return (await FeeItem.create(compound_id=compound_id, category=category, **columns | more)).id


async def late_fee_rule(compound_id: UUID, rate: str = "0.001", **more: Any) -> UUID:  # Any: columns
    """A rule of late fees: a tenth of a percent a day, no grace, no cap."""
    made = await LateFeeRule.create(
        compound_id=compound_id, daily_rate=Decimal(rate), recorded_at=clock.now(),
        **{"from_on": date(2020, 1, 1), **more},
    )  # fmt: skip
    return made.id


async def bill(
    house_id: UUID,
    lines: int | Mapping[UUID, int],
    *,
    month: date = MONTH,
    due_on: date | None = None,
    payer: str = "owner",
    **more: Any,  # Any: columns
) -> UUID:
    """An open bill with these fen by fee item, or with so much of one item of its own; posted to the ledger."""
    place = await House.get(pk=house_id).values("compound_id", "building_id")
    compound_id = place["compound_id"]
    due_on = due_on or month.replace(day=15)
    amounts = lines if isinstance(lines, Mapping) else {await item(compound_id): lines}
    total = sum(amounts.values())
    columns: dict[str, Any] = {
        "run_id": await run(compound_id, month), "number": await _number(compound_id), "covers_from": month,
        "covers_until": _next(month), "issued_on": month, "state": "open" if total else "paid",
        "paid_at": None if total else clock.now(),
    }  # fmt: skip
    made = await Bill.create(
        house_id=house_id,
        month=month,
        due_on=due_on,
        payer=payer,
        issued_fen=total,
        **place,
        **columns | more,
    )
    for item_id, fen in amounts.items():
        await _line(made.id, house_id, item_id, fen, month)
    if total:
        await _post(compound_id, house_id, made.id, due_on, amounts)
    return made.id


async def run(compound_id: UUID, month: date = MONTH) -> UUID:
    """A run that has gone through."""
    now = clock.now()
    made = await BillingRun.create(
        compound_id=compound_id, month=month, from_month=month, issued_on=month, state="posted", preview={},
        expected_fen=0, houses=0, created_at=now, approved_at=now, ended_at=now,
    )  # fmt: skip
    return made.id


async def _number(compound_id: UUID) -> int:
    statement = "SELECT coalesce(max(number), 0) + 1 FROM bill WHERE compound_id = $1"
    return int(await database.fetchval(statement, compound_id))


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


async def _line(bill_id: UUID, house_id: UUID, item_id: UUID, fen: int, month: date) -> None:
    until = _next(month)
    segment = {"from": str(month), "until": str(until), "price": str(fen), "quantity": "1", "percent": "100",
               "parts": 377_580}  # fmt: skip
    basis = {"method": "fixed", "price_months": 1, "anchor": str(month), "segments": [segment]}
    await BillLine.create(
        bill_id=bill_id, house_id=house_id, fee_item_id=item_id, kind="charge", period_from=month,
        period_until=until, amount_fen=fen, basis=basis,
    )  # fmt: skip


async def _post(
    compound_id: UUID, house_id: UUID, bill_id: UUID, due_on: date, amounts: Mapping[UUID, int]
) -> None:
    deposits = set(
        await FeeItem.filter(id__in=list(amounts), category="deposit").values_list("id", flat=True)
    )
    credits: dict[Account, int] = {}
    for item_id, fen in amounts.items():
        account = Account("deposit_due", bill_id) if item_id in deposits else Account("income", item_id)
        credits[account] = credits.get(account, 0) + fen
    new = NewPayable(bill_id, house_id, sum(amounts.values()), due_on)
    async with database.transaction():
        await payables.open_many(ledger.posting(compound_id, "bills"), "bill", [new], credits)


async def line_of(bill_id: UUID) -> UUID:
    """The bill's first line."""
    return (await BillLine.filter(bill_id=bill_id, kind="charge").order_by("id"))[0].id


async def pay(bill_id: UUID, fen: int, on: date | None = None, kind: str = "bill") -> UUID:
    """Somebody pays so much of it; the journal's id."""
    state = (await payables.of_subjects(kind, [bill_id]))[bill_id]
    async with database.transaction():
        return await payables.settle(
            ledger.posting(state.compound_id, "opening"),
            Account("suspense"),
            {state.id: fen},
            on or clock.today(),
        )


async def state_of(bill_id: UUID) -> tuple[str, int, int, int, int]:
    """State; due and settled fen of the principal and of the late fee."""
    both = [(await payables.of_subjects(kind, [bill_id])).get(bill_id) for kind in ("bill", "late_fee")]
    sums = [fen for each in both for fen in ((each.due_fen, each.settled_fen) if each else (0, 0))]
    state = (await Bill.get(pk=bill_id).values("state"))["state"]
    return state, sums[0], sums[1], sums[2], sums[3]
