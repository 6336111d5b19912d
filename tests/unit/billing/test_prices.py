"""Prices: which an item may have, and that what was billed keeps its own."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from domains.billing import permissions, tariffs
from domains.billing.models import FeePrice
from domains.billing.queries import fee_items as queries
from domains.billing.service.prices import remove_fee_price, set_fee_price
from domains.billing.tariffs import Tariff, Tier
from domains.kernel import database
from domains.kernel.errors import Conflict, Invalid, NotFound
from tests.factories import billing, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

JANUARY, APRIL = date(2026, 1, 1), date(2026, 4, 1)
TIERS = [Tier(Decimal(0), Decimal("280")), Tier(Decimal("17.5"), Decimal("420.50"))]


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def put(scene: Scene, item: UUID, from_on: date, tariff: Tariff) -> None:
    actor = scene.staff(permissions.FEES_WRITE)
    await set_fee_price(actor, fee_item_id=item, from_on=from_on, tariff=tariff)


async def test_prices_follow_each_other_and_one_of_the_same_day_is_replaced(scene: Scene) -> None:
    item = await billing.fee_item(scene.compound_id, price_fen=None)
    for day, fen in ((JANUARY, "280"), (APRIL, "300"), (APRIL, "295.125")):
        await put(scene, item, day, Tariff(price_fen=Decimal(fen)))
    history = (await queries.prices_of([item]))[item]
    assert [(each.from_on, each.price_fen) for each in history] == [
        (APRIL, Decimal("295.125")), (JANUARY, Decimal(280)),
    ]  # fmt: skip
    assert [row.recorded_by is not None for row in await FeePrice.filter(fee_item_id=item)] == [True, True]


async def test_tiers_and_formulas_are_kept_as_text(scene: Scene) -> None:
    metered = await billing.fee_item(scene.compound_id, "metered", None)
    await put(scene, metered, JANUARY, Tariff(tiers=TIERS))
    kept = await database.fetchval("SELECT tiers::text FROM fee_price WHERE fee_item_id = $1", metered)
    assert kept.replace(" ", "") == '[{"above":"0","price_fen":"280"},{"above":"17.5","price_fen":"420.5"}]'
    odd = await billing.fee_item(scene.compound_id, "formula")
    await put(scene, odd, JANUARY, Tariff(formula=" max(area, 60) × 280 "))
    [price] = (await queries.prices_of([odd]))[odd]
    assert (price.formula, price.price_fen, price.tiers) == ("max(area, 60) × 280", None, None)


async def test_what_was_billed_keeps_its_price(scene: Scene) -> None:
    item = await billing.fee_item(scene.compound_id)
    await billing.billed(scene.house_id, item, JANUARY, APRIL)
    with pytest.raises(Conflict) as refused:
        await put(scene, item, date(2026, 3, 31), Tariff(price_fen=Decimal(1)))
    assert refused.value.code == "PRICE_IN_THE_PAST"
    assert "2026-04-01" in refused.value.message
    await put(scene, item, APRIL, Tariff(price_fen=Decimal(300)))
    assert await FeePrice.filter(fee_item_id=item).count() == 2


async def test_a_price_that_no_bill_was_made_with_is_taken_back(scene: Scene) -> None:
    item = await billing.fee_item(scene.compound_id)
    await billing.billed(scene.house_id, item, JANUARY, APRIL)
    await put(scene, item, APRIL, Tariff(price_fen=Decimal(300)))
    history = (await queries.prices_of([item]))[item]
    assert [(each.from_on, each.is_billed) for each in history] == [(APRIL, False), (JANUARY, True)]
    actor = scene.staff(permissions.FEES_WRITE)
    with pytest.raises(Conflict) as refused:
        await remove_fee_price(actor, fee_item_id=item, from_on=JANUARY)
    assert (refused.value.code, "2026-04-01" in refused.value.message) == ("PRICE_BILLED", True)
    with pytest.raises(NotFound, match="PRICE_NOT_FOUND"):
        await remove_fee_price(actor, fee_item_id=item, from_on=date(2026, 5, 1))
    assert await FeePrice.filter(fee_item_id=item).count() == 2
    await remove_fee_price(actor, fee_item_id=item, from_on=APRIL)
    assert [each.from_on for each in (await queries.prices_of([item]))[item]] == [JANUARY]


@pytest.mark.parametrize(
    ("method", "tariff", "code"),
    [
        ("pooled", Tariff(price_fen=Decimal(1)), "PRICE_NOT_NEEDED"),
        ("one_off", Tariff(price_fen=Decimal(1)), "PRICE_NOT_NEEDED"),
        ("fixed", Tariff(), "PRICE_INVALID"),
        ("fixed", Tariff(Decimal(1), formula="1"), "PRICE_INVALID"),
        ("fixed", Tariff(formula="1"), "PRICE_INVALID"),
        ("formula", Tariff(Decimal(1)), "PRICE_INVALID"),
        ("formula", Tariff(formula="area *"), "FORMULA_INVALID"),
        ("fixed", Tariff(Decimal(-1)), "PRICE_INVALID"),
        ("fixed", Tariff(Decimal("0.0000001")), "PRICE_INVALID"),
        ("fixed", Tariff(Decimal(10**12)), "PRICE_INVALID"),
        ("fixed", Tariff(tiers=TIERS), "TIERS_INVALID"),
        ("metered", Tariff(tiers=[]), "TIERS_INVALID"),
        ("metered", Tariff(tiers=TIERS[1:]), "TIERS_INVALID"),
        ("metered", Tariff(tiers=[TIERS[0], TIERS[0]]), "TIERS_INVALID"),
        ("metered", Tariff(tiers=[TIERS[0], TIERS[1], Tier(Decimal(17), Decimal(1))]), "TIERS_INVALID"),
        ("metered", Tariff(tiers=[TIERS[0], Tier(Decimal("0.00001"), Decimal(1))]), "TIERS_INVALID"),
        ("metered", Tariff(tiers=[Tier(Decimal(n), Decimal(1)) for n in range(11)]), "TIERS_INVALID"),
        ("metered", Tariff(tiers=[Tier(Decimal(0), Decimal(-1))]), "PRICE_INVALID"),
    ],
)
async def test_prices_that_cannot_be(scene: Scene, method: str, tariff: Tariff, code: str) -> None:
    item = await billing.fee_item(scene.compound_id, method, None)
    with pytest.raises(Invalid) as refused:
        await put(scene, item, JANUARY, tariff)
    assert refused.value.code == code
    assert not await FeePrice.exists(fee_item_id=item)


async def test_days_beyond_all_sense(scene: Scene) -> None:
    item = await billing.fee_item(scene.compound_id, price_fen=None)
    for day in (date(1999, 12, 31), date(2101, 1, 1)):
        with pytest.raises(Invalid, match="PRICE_INVALID"):
            await put(scene, item, day, Tariff(Decimal(1)))


def test_decimal_text_has_no_exponent() -> None:
    written = ["0", "100", "0.5", "280.000000", "1E+3"]
    assert [tariffs.plain(Decimal(each)) for each in written] == ["0", "100", "0.5", "280", "1000"]
