"""What is charged: each way of measuring, and everything by which a period is cut."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from domains.estate.models import House
from tests.factories import charges, estate, runs
from tests.factories.identity import Places, places

pytestmark = pytest.mark.usefixtures("instance")
SEP, OCT, NOV, DEC = (date(2026, month, 1) for month in (9, 10, 11, 12))
Found = list[tuple[Any, ...]]  # Any: columns


async def home(area: str = "89.53") -> tuple[Places, UUID]:
    at = await places()
    return at, await estate.house(at.building_id, area=area)


async def amounts(at: Places, month: date = NOV, first: date | None = None, *columns: str) -> Found:
    rows = await charges.charged(at.compound_id, month, first)
    return [tuple(row[name] for name in (*columns, "payer", "amount_fen", "problem")) for row in rows]


async def test_a_whole_month_by_area() -> None:
    at, house = await home()
    await charges.item(at.compound_id)
    (row,) = await charges.charged(at.compound_id, NOV)
    assert (row["amount_fen"], row["problem"], row["payer"], row["part"]) == (25068, None, "owner", 0)
    assert (row["period_from"], row["period_until"]) == (NOV, DEC)
    assert row["house_id"] == house


async def test_a_price_change_cuts_the_month() -> None:
    at, _ = await home()
    item = await charges.item(at.compound_id)
    await charges.set_price(item, "300", date(2026, 11, 11))
    (row,) = await charges.charged(at.compound_id, NOV)
    # 89.53 × (2.80 × 10/30 + 3.00 × 20/30)
    assert row["amount_fen"] == 26262
    assert [(each["from"], each["until"], each["price"]) for each in row["basis"]["segments"]] == [
        ("2026-11-01", "2026-11-11", "280"), ("2026-11-11", "2026-12-01", "300"),
    ]  # fmt: skip


async def test_who_moves_in_pays_from_that_day_and_the_odd_fen_falls_to_the_later() -> None:
    at, house = await home()
    await charges.item(at.compound_id)
    await charges.liable(house, "developer", date(2020, 1, 1), date(2026, 11, 11))
    await charges.liable(house, "owner", date(2026, 11, 11))
    assert await amounts(at) == [("developer", 8356, None), ("owner", 16712, None)]


async def test_an_item_of_its_own_comes_before_the_liability_for_all() -> None:
    at, house = await home()
    item = await charges.item(at.compound_id)
    await charges.liable(house, "tenant", date(2020, 1, 1))
    await charges.liable(house, "owner", date(2020, 1, 1), fee_item_id=item)
    assert await amounts(at) == [("owner", 25068, None)]


async def test_before_hand_over_the_developer_pays_or_nobody() -> None:
    at, house = await home()
    await House.filter(pk=house).update(handed_over_on=date(2026, 11, 16))
    await charges.item(at.compound_id, name="charged", bills_unsold=True)
    await charges.item(at.compound_id, name="not charged")
    assert sorted(await amounts(at)) == [
        ("developer", 12534, None), ("owner", 12534, None), ("owner", 12534, None),
    ]  # fmt: skip


async def test_an_unsold_house_is_the_developers_or_nobodys() -> None:
    at, house = await home()
    await House.filter(pk=house).update(state="unsold")
    await charges.item(at.compound_id)
    assert await amounts(at) == []
    await charges.item(at.compound_id, bills_unsold=True)
    assert await amounts(at) == [("developer", 25068, None)]


async def test_a_vacant_house_pays_its_share_once_it_is_approved() -> None:
    at, house = await home()
    await charges.item(at.compound_id, vacancy_percent=Decimal(70))
    await charges.vacant(house, date(2026, 11, 16), date(2027, 3, 1), "requested")
    assert await amounts(at) == [("owner", 25068, None)]
    await charges.vacant(house, date(2026, 11, 16), date(2027, 3, 1))
    # 89.53 × 2.80 × (15/30 + 15/30 × 70 %)
    (row,) = await charges.charged(at.compound_id, NOV)
    assert row["amount_fen"] == 21308
    assert row["basis"]["segments"][1]["vacant"] == "70"


async def test_an_agreement_is_a_share_and_nought_is_exempt() -> None:
    at, house = await home()
    item = await charges.item(at.compound_id)
    await charges.agreed(house, item, "50", date(2026, 1, 1), NOV)
    await charges.agreed(house, item, "0", NOV)
    assert await amounts(at, NOV, OCT) == [("owner", 12534, None), ("owner", 0, None)]


async def test_only_the_houses_it_is_for() -> None:
    at, _ = await home()
    shop = await estate.house(at.other_building_id, "2", area="10")
    await House.filter(pk=shop).update(use="shop")
    await charges.item(at.compound_id, uses=["shop"])
    await charges.item(at.compound_id, building_ids=[str(at.building_id)], method="fixed")
    assert await amounts(at) == [("owner", 280, None), ("owner", 2800, None)]


async def test_no_price_and_no_inner_area_are_said_once_for_a_period() -> None:
    at, _ = await home()
    late = await charges.item(at.compound_id, None, name="late")
    await charges.set_price(late, "100", date(2026, 11, 20))
    await charges.item(at.compound_id, name="inner", method="inner_area")
    assert sorted(await amounts(at)) == [("owner", None, "NO_INNER_AREA"), ("owner", None, "NO_PRICE")]


async def test_what_is_beyond_all_bounds_is_no_line() -> None:
    at, _ = await home()
    await charges.item(at.compound_id, "999999999999")
    assert await amounts(at) == [("owner", None, "AMOUNT_TOO_LARGE")]


async def test_a_formula_by_area_floor_households_and_coefficient() -> None:
    at, house = await home()
    await estate.house(at.building_id, "102", area="100")
    item = await charges.item(at.compound_id, None, method="formula")
    await charges.set_price(item, formula="area * 100 * coefficient + max(floor - 1, 0) * 500 + households")
    await House.filter(pk=house).update(floor=4)
    await charges.agreed(house, item, "100", date(2026, 1, 1))
    assert [row[1] for row in await amounts(at)] == [8953 + 1500 + 2, 10002]


async def test_a_formula_that_cannot_be_computed() -> None:
    at, house = await home()
    item = await charges.item(at.compound_id, None, method="formula")
    await charges.set_price(item, formula="100 / (floor - 1)")
    assert await amounts(at) == [("owner", None, "FORMULA_FAILED")]
    await House.filter(pk=house).update(floor=None)
    assert await amounts(at) == [("owner", None, "FORMULA_FAILED")]


async def test_periods_from_the_hand_over_keep_the_29th_of_february() -> None:
    at, house = await home()
    await House.filter(pk=house).update(handed_over_on=date(2024, 2, 29))
    await charges.item(at.compound_id, anchor="hand_over", anchor_on=None, cycle_months=12, price_months=12)
    rows = await charges.charged(at.compound_id, date(2028, 2, 1), date(2026, 1, 1))
    assert [(row["period_from"], row["period_until"], row["amount_fen"]) for row in rows] == [
        (date(2026, 2, 28), date(2027, 2, 28), 25068), (date(2027, 2, 28), date(2028, 2, 29), 25068),
        (date(2028, 2, 29), date(2029, 2, 28), 25068),
    ]  # fmt: skip


async def test_without_a_hand_over_there_is_nothing_to_count_from() -> None:
    at, _ = await home()
    await charges.item(at.compound_id, anchor="hand_over", anchor_on=None)
    assert await amounts(at) == []


async def test_in_arrears_a_period_falls_due_in_the_month_after_it() -> None:
    at, _ = await home()
    await charges.item(at.compound_id, timing="arrears", cycle_months=3)
    found = await amounts(at, OCT, SEP, "period_from", "period_until")
    assert found == [(date(2026, 7, 1), OCT, "owner", 75205, None)]


async def metered(at: Places, price: str | None = "350", **more: Any) -> UUID:  # Any: columns
    columns = {"method": "metered", "meter_kind": "water", "timing": "arrears", "tier_span": "month"} | more
    return await charges.item(at.compound_id, price, **columns)


async def test_units_from_the_last_reading_to_the_newest_of_the_period() -> None:
    at, house = await home()
    await metered(at)
    meter = await charges.meter(house, installed_on=date(2026, 9, 10))
    for on, total in ((date(2026, 9, 30), "12.3"), (NOV, "20.5"), (date(2026, 11, 2), "99")):
        await charges.reading(meter, on, total)
    found = await amounts(at, NOV, OCT, "period_until")
    # 12.3 × 3.50 = 43.05; 8.2 × 3.50 = 28.70
    assert found == [(OCT, "owner", 4305, None), (NOV, "owner", 2870, None)]


async def test_no_reading_blocks_its_own_line_only_and_the_next_period_takes_the_units() -> None:
    at, house = await home()
    await metered(at)
    await charges.item(at.compound_id)
    meter = await charges.meter(house, installed_on=date(2026, 9, 10))
    await charges.reading(meter, date(2026, 10, 20), "10")
    found = [row for row in await amounts(at, NOV, OCT, "period_until") if row[2] != 25068]
    assert found == [(OCT, "owner", None, "NO_READING"), (NOV, "owner", 3500, None)]


async def test_a_held_reading_is_said_as_such() -> None:
    at, house = await home()
    await metered(at)
    meter = await charges.meter(house)
    await charges.reading(meter, date(2026, 10, 30), "10", state="held")
    assert await amounts(at) == [("owner", None, "READING_HELD")]


async def test_a_house_without_a_meter_has_no_line() -> None:
    at, house = await home()
    await metered(at)
    assert await amounts(at) == []
    await charges.meter(house, "electricity")
    assert await amounts(at) == []


async def test_a_replaced_meter_counts_to_its_removal_and_the_new_one_from_there() -> None:
    at, house = await home()
    await metered(at)
    old = await charges.meter(house, removed_on=date(2026, 10, 16))
    await charges.reading(old, date(2026, 10, 16), "10", source="removal")
    new = await charges.meter(house, installed_on=date(2026, 10, 16))
    assert await amounts(at) == [("owner", None, "NO_READING")]
    await charges.reading(new, date(2026, 10, 31), "4")
    (row,) = await charges.charged(at.compound_id, NOV)
    assert (row["amount_fen"], row["basis"]["units"]) == (4900, "14")
    assert [each["units"] for each in row["basis"]["readings"]] in (["10", "4"], ["4", "10"])


TIERS = [
    {"above": "0", "price_fen": "280"},
    {"above": "10", "price_fen": "400"},
    {"above": "20", "price_fen": "600.5"},
]


@pytest.mark.parametrize(
    ("units", "cycle", "fen"),
    [("10", 1, 2800), ("10.5", 1, 3000), ("25", 1, 9803), ("25", 3, 7000), ("0", 1, 0)],
)
async def test_tiers_of_a_period(units: str, cycle: int, fen: int) -> None:
    at, house = await home()
    item = await metered(at, None, cycle_months=cycle, anchor_on=date(2026, 8, 1), starts_on=date(2026, 8, 1))
    await charges.set_price(item, tiers=TIERS)
    meter = await charges.meter(house)
    await charges.reading(meter, date(2026, 10, 31), units)
    assert await amounts(at) == [("owner", fen, None)]


async def test_tiers_of_a_year_count_from_january() -> None:
    at, house = await home()
    item = await metered(at, None, tier_span="year", starts_on=date(2026, 10, 1))
    await charges.set_price(item, tiers=TIERS)
    meter = await charges.meter(house)
    for on, total in (
        (date(2026, 10, 31), "8"),
        (date(2026, 11, 30), "15"),
        (date(2026, 12, 31), "25"),
        (date(2027, 1, 31), "30"),
    ):
        await charges.reading(meter, on, total)
    rows = await charges.charged(at.compound_id, date(2027, 2, 1), NOV)
    # 8 × 2.80; 2 × 2.80 + 5 × 4.00; 5 × 4.00 + 5 × 6.005; and the new year begins with 5 × 2.80.
    assert [row["amount_fen"] for row in rows] == [2240, 2560, 5003, 1400]


async def test_metered_lines_go_whole_to_who_pays_on_the_last_day() -> None:
    at, house = await home()
    await metered(at)
    meter = await charges.meter(house)
    await charges.reading(meter, date(2026, 10, 31), "10")
    await charges.liable(house, "tenant", date(2026, 10, 31))
    assert await amounts(at) == [("tenant", 3500, None)]


async def test_units_without_a_price_wait_for_the_next_period_that_has_one() -> None:
    at, house = await home()
    item = await metered(at, None)
    await charges.set_price(item, "200", OCT)
    meter = await charges.meter(house)
    await charges.reading(meter, date(2026, 9, 30), "10")
    await charges.reading(meter, date(2026, 10, 31), "15")
    assert await amounts(at, NOV, OCT) == [("owner", None, "NO_PRICE"), ("owner", 3000, None)]


async def test_an_accepted_reading_below_what_was_billed_is_no_line_and_no_failure() -> None:
    at, house = await home()
    await metered(at)
    meter = await charges.meter(house)
    await charges.reading(meter, date(2026, 9, 30), "10")
    await runs.posted(at.compound_id, OCT)
    await charges.reading(meter, date(2026, 10, 31), "5")
    assert await amounts(at) == [("owner", None, "READING_HELD")]


async def test_two_items_never_take_the_same_units() -> None:
    at, house = await home()
    for _ in range(2):
        await metered(at)
    meter = await charges.meter(house)
    await charges.reading(meter, date(2026, 10, 31), "10")
    assert await amounts(at) == [("owner", 3500, None)]


async def test_pooled_shares_sum_to_the_cost_and_a_missing_cost_is_said_once() -> None:
    at, house = await home()
    second = await estate.house(at.building_id, "102")
    item = await charges.item(at.compound_id, None, method="pooled", pooled_by="household", timing="arrears")
    await charges.pooled(item, SEP, {house: 51, second: 50})
    found = await amounts(at, NOV, OCT, "period_from")
    assert found == [
        (SEP, "owner", 51, None), (OCT, "owner", None, "NO_POOLED_COST"), (SEP, "owner", 50, None),
    ]  # fmt: skip


async def test_a_charge_that_comes_once() -> None:
    at, house = await home()
    item = await charges.item(at.compound_id, None, method="one_off", cycle_months=None)
    await charges.one_off(house, item, date(2026, 11, 30), 30_000, "装修垃圾清运")
    await charges.one_off(house, item, DEC, 10_000)
    (row,) = await charges.charged(at.compound_id, NOV)
    assert (row["period_from"], row["period_until"], row["amount_fen"]) == (date(2026, 11, 30), DEC, 30_000)
    assert row["basis"] == {"method": "one_off", "note": "装修垃圾清运"}


async def test_a_discount_for_months_paid_ahead() -> None:
    at, house = await home()
    await charges.item(at.compound_id)
    (row,) = await charges.charged(at.compound_id, NOV, house_id=house, discount_percent=Decimal("2.5"))
    assert row["amount_fen"] == 24442


async def test_nothing_of_another_compound() -> None:
    at, _ = await home()
    other, _ = await home()
    await charges.item(other.compound_id)
    assert await amounts(at) == []
