"""Charges that come once: all houses or none, once for a day, and taken back while no bill has them."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from domains.billing import permissions
from domains.billing.models import OneOffCharge
from domains.billing.queries import pooled_costs as queries
from domains.billing.service.one_offs import add_one_off_charges, cancel_one_off_charge
from domains.kernel import database
from domains.kernel.errors import Conflict, DomainError
from tests.factories import billing, residents
from tests.factories.residents import Scene
from tests.unit.estate.test_plans import nodes, plan

pytestmark = pytest.mark.usefixtures("instance")

MAY = date(2026, 5, 3)

FILL = """
INSERT INTO one_off_charge (id, compound_id, house_id, fee_item_id, charged_on, amount_fen, note, recorded_at)
SELECT make_uuid7(), $1, $2, $3, $4::date + n, 100, '', now() FROM generate_series(1, 30000) AS n
"""


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def put(scene: Scene, item: UUID, *houses: UUID, **more: Any) -> list[UUID]:  # Any: the command's own
    values: dict[str, Any] = {"charged_on": MAY, "amount_fen": 5000, "note": "门禁卡"} | more
    return await add_one_off_charges(
        scene.staff(permissions.FEES_WRITE), fee_item_id=item, house_ids=houses, **values
    )


async def test_added_for_many_houses(scene: Scene) -> None:
    item = await billing.fee_item(scene.compound_id, "one_off")
    ids = await put(scene, item, scene.house_id, scene.far_house_id, scene.house_id)
    rows = await queries.charges_made(ids)
    assert [(row.house_id, row.amount_fen, row.is_billed) for row in rows] == [
        (scene.house_id, 5000, False), (scene.far_house_id, 5000, False),
    ]  # fmt: skip


async def test_one_of_a_house_and_day_and_all_or_none(scene: Scene) -> None:
    item = await billing.fee_item(scene.compound_id, "one_off")
    attempts = await asyncio.gather(
        *(put(scene, item, scene.house_id) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(each, list) for each in attempts) == 1
    with pytest.raises(Conflict, match="ONE_OFF_EXISTS"):
        await put(scene, item, scene.next_door_id, scene.house_id)
    assert await OneOffCharge.filter(fee_item_id=item).count() == 1


async def test_cancelled_and_added_anew(scene: Scene) -> None:
    item, actor = await billing.fee_item(scene.compound_id, "one_off"), scene.staff(permissions.FEES_WRITE)
    [id] = await put(scene, item, scene.house_id)
    await cancel_one_off_charge(actor, charge_id=id)
    with pytest.raises(Conflict, match="ONE_OFF_OVER"):
        await cancel_one_off_charge(actor, charge_id=id)
    assert await put(scene, item, scene.house_id, amount_fen=6000, note="换卡") == [id]
    row = await OneOffCharge.get(pk=id)
    assert (row.amount_fen, row.note, row.cancelled_at) == (6000, "换卡", None)


async def test_what_is_billed_stays(scene: Scene) -> None:
    item = await billing.fee_item(scene.compound_id, "one_off")
    [id] = await put(scene, item, scene.house_id)
    await billing.billed(scene.house_id, item, MAY, date(2026, 5, 4))
    with pytest.raises(Conflict, match="ONE_OFF_OVER"):
        await cancel_one_off_charge(scene.staff(permissions.FEES_WRITE), charge_id=id)
    assert [row.is_billed for row in await queries.charges_made([id])] == [True]


@pytest.mark.parametrize(
    ("code", "columns", "more"),
    [
        ("NOT_ONE_OFF", {"method": "fixed"}, {}),
        ("ONE_OFF_INVALID", {}, {"charged_on": date(2025, 12, 31)}),
        ("ONE_OFF_INVALID", {"ends_on": MAY}, {}),
        ("AMOUNT_OUT_OF_RANGE", {}, {"amount_fen": 0}),
        ("AMOUNT_OUT_OF_RANGE", {}, {"amount_fen": 2**53}),
        ("TEXT_TOO_LONG", {}, {"note": "长" * 201}),
    ],
)
async def test_charges_that_cannot_be(
    scene: Scene, code: str, columns: dict[str, Any], more: dict[str, Any]
) -> None:
    item = await billing.fee_item(scene.compound_id, **{"method": "one_off", **columns})
    with pytest.raises(DomainError) as refused:
        await put(scene, item, scene.house_id, **more)
    assert refused.value.code == code
    assert not await OneOffCharge.exists(fee_item_id=item)


async def test_houses_that_are_not_there(scene: Scene) -> None:
    item = await billing.fee_item(scene.compound_id, "one_off")
    for houses, code in (((), "ONE_OFF_INVALID"), ((scene.house_id, uuid4()), "HOUSE_NOT_FOUND"),
                         (tuple(uuid4() for _ in range(501)), "ONE_OFF_INVALID")):  # fmt: skip
        with pytest.raises(DomainError) as refused:
            await put(scene, item, *houses)
        assert refused.value.code == code
    narrow = residents.staff(
        permissions.FEES_WRITE, compound_id=scene.compound_id, building_id=scene.building_id
    )
    with pytest.raises(DomainError, match="FORBIDDEN"):
        await add_one_off_charges(
            narrow,
            fee_item_id=item,
            house_ids=[scene.house_id, scene.far_house_id],
            charged_on=MAY,
            amount_fen=1,
        )
    assert not await OneOffCharge.exists(fee_item_id=item)
    made = await add_one_off_charges(
        narrow, fee_item_id=item, house_ids=[scene.house_id], charged_on=MAY, amount_fen=1
    )
    assert len(made) == 1


async def test_a_page_reads_a_page(scene: Scene) -> None:
    item = await billing.fee_item(scene.compound_id, "one_off")
    await database.execute(FILL, scene.compound_id, scene.house_id, item, date(2000, 1, 1))
    await database.execute("ANALYZE one_off_charge")
    actor = scene.staff(permissions.FEES_READ)
    first = await queries.one_off_charges(actor, scene.compound_id, None, after=None, limit=3)
    last = first[-1]
    then = await queries.one_off_charges(
        actor, scene.compound_id, None, after=(last.charged_on, last.id), limit=3
    )
    days = [row.charged_on for row in (*first, *then)]
    assert days == sorted(days, reverse=True)
    assert len(set(days)) == 6
    top = await plan(queries.CHARGES, scene.compound_id, None, None, last.charged_on, last.id, 21)
    assert any(node.get("Index Name") == "one_off_charge_page" for node in nodes(top))
