"""Shared costs: the parts sum to the whole, as the house's rule of division says, and a billed cost stays."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domains.billing import permissions
from domains.billing.models import PooledCost, PoolShare
from domains.billing.queries import pooled_costs as queries
from domains.billing.service.pooled_costs import record_pooled_cost, remove_pooled_cost
from domains.estate.models import House
from domains.kernel import database, money
from domains.kernel.errors import Conflict, DomainError, Invalid, NotFound
from tests.factories import billing, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)
AREAS = st.lists(st.decimals("0.01", "99999.99", places=2), min_size=3, max_size=3)

COPY_HOUSE = """
INSERT INTO house (id, compound_id, building_id, unit_id, room, room_key, number, sort, built_area_m2, use, state,
    is_rented, title_document, source, recorded_at)
SELECT make_uuid7(), compound_id, building_id, unit_id, 'p' || n, 'p' || n, 'p' || n, 'p' || lpad(n::text, 6, '0'),
    40 + (n * 37 % 9000) / 100.0, 'residential', 'self_occupied', false, '', 'import', now()
FROM house, generate_series(1, $2::int) AS n WHERE id = $1
"""


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def put(scene: Scene, item: UUID, fen: int = 10_000, on: date = JANUARY, note: str = "") -> UUID:
    actor = scene.staff(permissions.FEES_WRITE)
    return await record_pooled_cost(actor, fee_item_id=item, period_from=on, total_fen=fen, note=note)


async def shares(cost: UUID) -> list[tuple[UUID, int]]:
    """House and fen, in the order of the houses."""
    rows = await database.fetch(
        "SELECT s.house_id, s.amount_fen FROM pool_share s JOIN house h ON h.id = s.house_id "
        "WHERE s.pooled_cost_id = $1 ORDER BY h.sort, h.id", cost,
    )  # fmt: skip
    return [tuple(row) for row in rows]


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(total=st.integers(0, 2**53 - 1) | st.integers(0, 100), areas=AREAS)
async def test_the_parts_are_those_of_the_rule(scene: Scene, total: int, areas: list[Decimal]) -> None:
    for id, area in zip((scene.house_id, scene.next_door_id, scene.far_house_id), areas, strict=True):
        await House.filter(pk=id).update(built_area_m2=area)
    item = await billing.fee_item(scene.compound_id, "pooled")
    parts = [fen for _, fen in await shares(await put(scene, item, total))]
    assert parts == money.split(total, areas)
    assert sum(parts) == total


async def test_by_household_the_odd_fen_go_to_the_first_houses(scene: Scene) -> None:
    item = await billing.fee_item(scene.compound_id, "pooled", pooled_by="household")
    assert await shares(await put(scene, item, 101)) == [
        (scene.house_id, 34), (scene.next_door_id, 34), (scene.far_house_id, 33),
    ]  # fmt: skip


async def test_only_houses_that_the_item_is_for(scene: Scene) -> None:
    item = await billing.fee_item(scene.compound_id, "pooled", building_ids=[str(scene.building_id)])
    assert [id for id, _ in await shares(await put(scene, item))] == [scene.house_id, scene.next_door_id]
    await House.filter(pk=scene.next_door_id).update(use="shop")
    shops = await billing.fee_item(scene.compound_id, "pooled", uses=["shop"])
    assert await shares(await put(scene, shops)) == [(scene.next_door_id, 10_000)]


@pytest.mark.parametrize("bills_unsold", [True, False])
async def test_a_house_that_is_not_handed_over_shares_where_its_developer_pays(
    scene: Scene, bills_unsold: bool
) -> None:
    await House.filter(pk=scene.house_id).update(state="unsold")
    await House.filter(pk=scene.next_door_id).update(handed_over_on=FEBRUARY)
    item = await billing.fee_item(scene.compound_id, "pooled", bills_unsold=bills_unsold)
    everybody = {scene.house_id, scene.next_door_id, scene.far_house_id}
    found = {id for id, _ in await shares(await put(scene, item))}
    assert found == (everybody if bills_unsold else {scene.far_house_id})
    later = {id for id, _ in await shares(await put(scene, item, on=FEBRUARY))}
    assert later == (everybody if bills_unsold else {scene.far_house_id, scene.next_door_id})


async def test_one_cost_of_a_period(scene: Scene) -> None:
    item = await billing.fee_item(scene.compound_id, "pooled")
    attempts = await asyncio.gather(*(put(scene, item, n) for n in range(1, 5)), return_exceptions=True)
    refused = [each for each in attempts if isinstance(each, DomainError)]
    assert [each.code for each in refused] == ["POOLED_COST_EXISTS"] * 3
    kept = await PooledCost.get(fee_item_id=item)
    assert sum(fen for _, fen in await shares(kept.id)) == kept.total_fen


@pytest.mark.parametrize(
    ("code", "columns", "more"),
    [
        ("PERIOD_INVALID", {}, {"on": date(2026, 1, 2)}),
        ("PERIOD_INVALID", {}, {"on": date(2025, 12, 1)}),
        ("PERIOD_INVALID", {"cycle_months": 3}, {"on": FEBRUARY}),
        ("PERIOD_INVALID", {"ends_on": FEBRUARY}, {"on": FEBRUARY}),
        ("PERIOD_INVALID", {"starts_on": FEBRUARY}, {}),
        ("NOT_POOLED", {"method": "fixed"}, {}),
        ("POOL_EMPTY", {"uses": ["storage"]}, {}),
        ("AMOUNT_OUT_OF_RANGE", {}, {"fen": -1}),
        ("AMOUNT_OUT_OF_RANGE", {}, {"fen": 2**53}),
        ("TEXT_TOO_LONG", {}, {"note": "长" * 201}),
    ],
)
async def test_costs_that_cannot_be_shared(
    scene: Scene, code: str, columns: dict[str, Any], more: dict[str, Any]
) -> None:
    item = await billing.fee_item(scene.compound_id, **{"method": "pooled", **columns})
    with pytest.raises(Invalid) as refused:
        await put(scene, item, **more)
    assert refused.value.code == code
    assert not await PooledCost.exists(fee_item_id=item)


async def test_periods_are_counted_from_the_anchor_itself(scene: Scene) -> None:
    item = await billing.fee_item(
        scene.compound_id, "pooled", anchor_on=date(2024, 2, 29), starts_on=date(2024, 2, 29), cycle_months=12
    )
    for day in (date(2025, 2, 28), date(2028, 2, 29)):
        await put(scene, item, on=day)
    with pytest.raises(Invalid, match="PERIOD_INVALID"):
        await put(scene, item, on=date(2028, 2, 28))


async def test_taken_back_while_nobody_was_billed(scene: Scene) -> None:
    item, actor = await billing.fee_item(scene.compound_id, "pooled"), scene.staff(permissions.FEES_WRITE)
    first = await put(scene, item)
    assert await remove_pooled_cost(actor, pooled_cost_id=first) == item
    assert not await PoolShare.exists(pooled_cost_id=first)
    with pytest.raises(NotFound, match="POOLED_COST_NOT_FOUND"):
        await remove_pooled_cost(actor, pooled_cost_id=first)
    second = await put(scene, item, 500)
    await billing.billed(scene.far_house_id, item, JANUARY, FEBRUARY)
    with pytest.raises(Conflict, match="POOLED_COST_BILLED"):
        await remove_pooled_cost(actor, pooled_cost_id=second)
    assert await PoolShare.filter(pooled_cost_id=second).count() == 3


async def test_a_page_of_what_was_shared(scene: Scene) -> None:
    item, actor = await billing.fee_item(scene.compound_id, "pooled"), scene.staff(permissions.FEES_READ)
    for month in (1, 2, 3):
        await put(scene, item, month, date(2026, month, 1))
    first = await queries.of_item(actor, item, after=None, limit=2)
    then = await queries.of_item(actor, item, after=(first[-1].period_from,), limit=2)
    assert [row.total_fen for row in (*first, *then)] == [3, 2, 1]
    with pytest.raises(NotFound, match="FEE_ITEM_NOT_FOUND"):
        await queries.of_item(actor, uuid4(), after=None, limit=2)


async def test_a_hundred_thousand_houses_in_one_statement(scene: Scene) -> None:
    await database.execute(COPY_HOUSE, scene.house_id, 100_000)
    await database.execute("ANALYZE house")
    item = await billing.fee_item(scene.compound_id, "pooled")
    async with database.counted() as cost:
        id = await put(scene, item, 12_345_678_901)
    assert cost.count <= 9
    total, houses = await database.fetchrow(
        "SELECT sum(amount_fen)::bigint, count(*) FROM pool_share WHERE pooled_cost_id = $1", id
    ) or (0, 0)
    assert (total, houses) == (12_345_678_901, 100_003)
