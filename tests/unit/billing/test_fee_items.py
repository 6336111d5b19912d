"""Fee items: which terms go together, what is frozen once something was billed, and when an item may end."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from domains.billing import permissions
from domains.billing.fee_terms import TermChanges
from domains.billing.models import AdvanceDiscount, FeeItem
from domains.billing.service import fee_items as service
from domains.billing.service.pooled_costs import record_pooled_cost
from domains.kernel.actor import Actor
from domains.kernel.errors import Conflict, DomainError, Invalid, NotFound
from tests.factories import billing, residents
from tests.factories.residents import Scene, audited

pytestmark = pytest.mark.usefixtures("instance")

JANUARY, MARCH, APRIL = date(2026, 1, 1), date(2026, 3, 1), date(2026, 4, 1)
AREA: dict[str, Any] = {  # Any: values of terms
    "name": "物业费", "category": "property", "method": "built_area", "starts_on": JANUARY, "cycle_months": 3,
    "anchor_on": JANUARY,
}  # fmt: skip


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


def staff(scene: Scene) -> Actor:
    return scene.staff(permissions.FEES_WRITE)


async def put(scene: Scene, item: UUID | None = None, **changes: Any) -> UUID:  # Any: values of terms
    return await service.set_fee_item(
        staff(scene), compound_id=scene.compound_id, changes=cast("TermChanges", changes), fee_item_id=item
    )


async def row(item: UUID) -> FeeItem:
    return await FeeItem.get(pk=item)


async def test_made_with_what_most_compounds_choose(scene: Scene) -> None:
    made = await row(await put(scene, **AREA))
    assert (made.timing, made.anchor, made.price_months, made.payer) == ("arrears", "calendar", 1, "owner")
    assert (made.vacancy_percent, made.bills_unsold, made.bears_late_fee) == (Decimal(100), False, True)
    assert (made.uses, made.building_ids, made.ends_on, made.tier_span) == ([], [], None, None)
    [entry] = await audited("fee_item.set", scene.compound_id)
    assert (entry["outcome"], entry["subject_id"]) == ("done", made.id)


async def test_what_is_left_out_of_a_change_stays(scene: Scene) -> None:
    item = await put(scene, **AREA, uses=["shop", "office", "shop"], building_ids=[scene.building_id])
    await put(scene, item, name="商铺物业费", vacancy_percent=Decimal("70.5"))
    made = await row(item)
    assert (made.name, made.vacancy_percent, made.cycle_months) == ("商铺物业费", Decimal("70.5"), 3)
    assert (made.uses, [str(id) for id in made.building_ids]) == (
        ["office", "shop"],
        [str(scene.building_id)],
    )


async def test_what_follows_from_a_method(scene: Scene) -> None:
    once = await row(await put(scene, name="装修押金", category="deposit", method="one_off", starts_on=MARCH))
    assert (once.cycle_months, once.anchor, once.anchor_on) == (None, "calendar", MARCH)
    water = {**AREA, "name": "水费", "category": "water", "method": "metered", "meter_kind": "water"}
    assert (await row(await put(scene, **water))).tier_span == "month"
    by_hand_over = await row(await put(scene, **{**AREA, "name": "车位", "anchor": "hand_over"}))
    assert by_hand_over.anchor_on is None


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("name", {"name": None}),
        ("starts_on", {"starts_on": None}),
        ("category", {"category": "rent"}),
        ("method", {"method": "guess"}),
        ("timing", {"timing": "never"}),
        ("cycle_months", {"cycle_months": None}),
        ("cycle_months", {"cycle_months": 121}),
        ("cycle_months", {"method": "one_off"}),
        ("price_months", {"price_months": 0}),
        ("anchor_on", {"anchor_on": None}),
        ("anchor_on", {"anchor_on": date(2026, 1, 2)}),
        ("starts_on", {"starts_on": date(1999, 1, 1)}),
        ("vacancy_percent", {"vacancy_percent": Decimal("100.01")}),
        ("vacancy_percent", {"vacancy_percent": Decimal("33.333")}),
        ("timing", {"method": "metered", "meter_kind": "water", "timing": "advance"}),
        ("meter_kind", {"method": "metered"}),
        ("meter_kind", {"meter_kind": "water"}),
        ("tier_span", {"method": "metered", "meter_kind": "water", "tier_span": "week"}),
        ("pooled_by", {"method": "pooled"}),
        ("pooled_by", {"pooled_by": "household"}),
        ("anchor", {"method": "pooled", "pooled_by": "household", "anchor": "hand_over"}),
        ("uses", {"uses": ["castle"]}),
    ],
)
async def test_terms_that_do_not_go_together(scene: Scene, field: str, changes: dict[str, Any]) -> None:
    terms = {name: value for name, value in {**AREA, **changes}.items() if value is not None}
    with pytest.raises(Invalid) as refused:
        await put(scene, **terms)
    assert (refused.value.code, refused.value.field) == ("FEE_ITEM_INVALID", field)
    assert not await FeeItem.exists(compound_id=scene.compound_id)


@pytest.mark.parametrize("name", ["", "物" * 41, "物业\u200b费"])
async def test_names_are_names(scene: Scene, name: str) -> None:
    with pytest.raises(Invalid, match="TEXT_"):
        await put(scene, **{**AREA, "name": name})


async def test_a_name_is_taken_once_in_a_compound(scene: Scene) -> None:
    other = await put(scene, **{**AREA, "name": "停车费"})
    attempts = await asyncio.gather(*(put(scene, **AREA) for _ in range(4)), return_exceptions=True)
    refused = [each for each in attempts if isinstance(each, Conflict)]
    assert [each.code for each in refused] == ["FEE_ITEM_NAME_TAKEN"] * 3
    with pytest.raises(Conflict, match="FEE_ITEM_NAME_TAKEN"):
        await put(scene, other, name="物业费")
    assert await FeeItem.filter(compound_id=scene.compound_id).count() == 2


async def test_of_this_compound_alone(scene: Scene) -> None:
    elsewhere = await billing.fee_item(scene.other_compound_id)
    actor = residents.staff(permissions.FEES_WRITE, compound_id=scene.compound_id)
    with pytest.raises(DomainError, match="FORBIDDEN"):
        await put(scene, elsewhere, name="别处")
    with pytest.raises(NotFound, match="FEE_ITEM_NOT_FOUND"):
        await put(scene, uuid4(), name="没有")
    with pytest.raises(NotFound, match="BUILDING_NOT_FOUND"):
        await service.set_fee_item(
            actor,
            compound_id=scene.compound_id,
            changes=cast("TermChanges", {**AREA, "building_ids": [uuid4()]}),
        )


FROZEN: list[dict[str, Any]] = [
    {"category": "deposit"}, {"method": "fixed"}, {"cycle_months": 6}, {"timing": "advance"}, {"anchor": "hand_over"},
    {"anchor_on": date(2025, 12, 1)}, {"price_months": 12}, {"starts_on": date(2026, 2, 1)},
]  # fmt: skip


@pytest.mark.parametrize("changes", FROZEN)
async def test_what_was_billed_keeps_its_meaning(scene: Scene, changes: dict[str, Any]) -> None:
    unused = await put(scene, **{**AREA, "name": "未出账"})
    await put(scene, unused, **changes)
    item = await put(scene, **AREA)
    await billing.billed(scene.house_id, item, JANUARY, APRIL)
    with pytest.raises(Conflict) as refused:
        await put(scene, item, **changes)
    assert refused.value.code == "FEE_ITEM_IN_USE"
    assert "结束旧项目并新建" in refused.value.message
    await put(scene, item, name="改名", payer="tenant", bears_late_fee=False)
    assert (await row(item)).payer == "tenant"


async def test_a_recorded_cost_or_charge_freezes_as_well(scene: Scene) -> None:
    pooled = await billing.fee_item(scene.compound_id, "pooled")
    await record_pooled_cost(staff(scene), fee_item_id=pooled, period_from=JANUARY, total_fen=100)
    with pytest.raises(Conflict, match="FEE_ITEM_IN_USE"):
        await put(scene, pooled, pooled_by="household")


async def test_an_item_ends_where_its_bills_end(scene: Scene) -> None:
    item = await put(scene, **AREA)
    await billing.billed(scene.house_id, item, JANUARY, APRIL)
    await billing.billed(scene.far_house_id, item, JANUARY, date(2026, 2, 1))
    with pytest.raises(Conflict) as refused:
        await service.end_fee_item(staff(scene), fee_item_id=item, ends_on=date(2026, 3, 31))
    assert refused.value.code == "FEE_ITEM_BILLED"
    assert "2026-04-01" in refused.value.message
    await service.end_fee_item(staff(scene), fee_item_id=item, ends_on=APRIL)
    assert (await row(item)).ends_on == APRIL
    with pytest.raises(Invalid, match="FEE_ITEM_INVALID"):
        await service.end_fee_item(staff(scene), fee_item_id=item, ends_on=JANUARY)
    await service.end_fee_item(staff(scene), fee_item_id=item, ends_on=None)
    assert (await row(item)).ends_on is None


async def test_what_paying_ahead_saves(scene: Scene) -> None:
    item = await put(scene, **AREA)
    for months, percent in ((12, "3"), (6, "1.5"), (12, "5")):
        await service.set_advance_discount(
            staff(scene), fee_item_id=item, months=months, percent=Decimal(percent)
        )
    kept = await AdvanceDiscount.filter(fee_item_id=item).order_by("months").values_list("months", "percent")
    assert kept == [(6, Decimal("1.5")), (12, Decimal(5))]
    await service.set_advance_discount(staff(scene), fee_item_id=item, months=6, percent=None)
    assert await AdvanceDiscount.filter(fee_item_id=item).count() == 1
    for months, percent in ((0, "1"), (37, "1"), (4, "1"), (12, "0"), (12, "100"), (12, "1.234")):
        with pytest.raises(Invalid, match="ADVANCE_DISCOUNT_INVALID"):
            await service.set_advance_discount(
                staff(scene), fee_item_id=item, months=months, percent=Decimal(percent)
            )
    metered = await billing.fee_item(scene.compound_id, "metered")
    with pytest.raises(Invalid, match="ADVANCE_DISCOUNT_INVALID"):
        await service.set_advance_discount(staff(scene), fee_item_id=metered, months=12, percent=Decimal(1))
