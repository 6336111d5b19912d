"""The worked examples of the guide to runs, with its figures."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from domains.billing.models import AdvanceDiscount, Bill, BillLine
from domains.billing.proration import months_after
from domains.billing.service import at_once
from domains.kernel import clock
from tests.factories import charges, estate, residents
from tests.factories.identity import Places, places

pytestmark = pytest.mark.usefixtures("instance")
NOV = date(2026, 11, 1)


async def home() -> tuple[Places, UUID]:
    at = await places()
    return at, await estate.house(at.building_id, area="89.53")


async def fen(at: Places) -> list[tuple[str, int]]:
    return [(row["payer"], row["amount_fen"]) for row in await charges.charged(at.compound_id, NOV)]


def test_yearly_periods_from_the_29th_of_february() -> None:
    begins = [months_after(date(2024, 2, 29), 12 * year) for year in range(1, 5)]
    assert begins == [date(2025, 2, 28), date(2026, 2, 28), date(2027, 2, 28), date(2028, 2, 29)]


async def test_a_tenant_moves_in_on_the_twelfth() -> None:
    at, house = await home()
    await charges.item(at.compound_id)
    await charges.liable(house, "tenant", date(2026, 11, 12))
    assert await fen(at) == [("owner", 9192), ("tenant", 15876)]


async def test_the_price_rises_on_the_eleventh() -> None:
    at, _ = await home()
    item = await charges.item(at.compound_id)
    await charges.set_price(item, "300", date(2026, 11, 11))
    assert await fen(at) == [("owner", 26262)]


async def test_vacant_from_the_sixteenth() -> None:
    at, house = await home()
    await charges.item(at.compound_id, vacancy_percent=Decimal(70))
    await charges.vacant(house, date(2026, 11, 16), date(2027, 5, 16))
    assert await fen(at) == [("owner", 21308)]


async def test_seven_months_paid_ahead() -> None:
    at = await residents.scene()
    item = await charges.item(at.compound_id)
    for months, percent in ((6, 3), (12, 8)):
        await AdvanceDiscount.create(fee_item_id=item, months=months, percent=Decimal(percent))
    owner = await residents.resident(at.owner.account_id)
    with clock.use(clock.FixedClock(datetime(2026, 11, 20, 4, tzinfo=UTC))):
        run_id = await at_once.pay_ahead(owner, house_id=at.house_id, fee_item_id=item, months=7)
    assert {line.amount_fen for line in await BillLine.filter(bill__run_id=run_id)} == {24308}
    assert (await Bill.get(run_id=run_id)).issued_fen == 170_156
