"""Who pays: what staff say, and what follows from who owns and who rents."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from domains.billing import permissions
from domains.billing.liability_handlers import name_owner
from domains.billing.models import Liability
from domains.billing.queries.agreements import liabilities
from domains.billing.service.liabilities import Payer, end_liability, set_liability
from domains.kernel import clock, database
from domains.kernel.actor import Capacity
from domains.kernel.errors import Invalid, NotFound
from domains.residents.events import OccupancyBegan, OccupancyEnded
from tests.factories import billing, estate, residents
from tests.factories.relaying import deliver, deliver_again, record
from tests.factories.residents import Scene, audited

pytestmark = pytest.mark.usefixtures("instance")

Row = tuple[str, UUID | None, date, date | None]


def day(month: int) -> date:
    return date(2026, month, 1)


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


@pytest.fixture
async def house(scene: Scene) -> UUID:
    """A house that nobody owns yet."""
    return await estate.house(scene.building_id, "301")


async def said(house_id: UUID) -> list[Row]:
    rows = await Liability.filter(house_id=house_id, fee_item_id=None).order_by("from_on").values(
        "payer", "person_id", "from_on", "until_on"
    )  # fmt: skip
    return [(row["payer"], row["person_id"], row["from_on"], row["until_on"]) for row in rows]


async def put(
    scene: Scene,
    payer: Payer,
    from_on: date,
    until_on: date | None = None,
    person: UUID | None = None,
    **more: Any,  # Any: the command's own
) -> UUID:
    house_id = more.pop("house_id", scene.house_id)
    return await set_liability(
        scene.staff(permissions.FEES_WRITE), house_id=house_id, payer=payer, from_on=from_on, until_on=until_on,
        person_id=person, **more,
    )  # fmt: skip


async def came(scene: Scene, house_id: UUID, since_on: date, name: str, capacity: Capacity = "owner") -> UUID:
    """Somebody moves in, and everybody is told; the occupancy."""
    person = await residents.person(scene.compound_id, name)
    id = await residents.occupancy(house_id, person, capacity)
    await database.execute("UPDATE occupancy SET since_on = $2 WHERE id = $1", id, since_on)
    await record(OccupancyBegan(id, scene.compound_id, house_id, person, uuid4(), capacity))
    await deliver()
    return id


async def left(scene: Scene, occupancy: UUID, on: date) -> None:
    """They move out, and everybody is told."""
    start, _ = clock.business_day_bounds(on)
    row = await database.fetchrow(
        "UPDATE occupancy SET ended_at = $2, end_reason = '迁出' WHERE id = $1 RETURNING house_id, person_id, capacity",
        occupancy,
        start,
    )
    assert row is not None
    await record(
        OccupancyEnded(occupancy, scene.compound_id, row["house_id"], row["person_id"], None, row["capacity"])
    )
    await deliver()


async def person_of(occupancy: UUID) -> UUID:
    return UUID(str(await database.fetchval("SELECT person_id FROM occupancy WHERE id = $1", occupancy)))


async def test_a_later_word_takes_its_days(scene: Scene) -> None:
    await put(scene, "owner", day(1))
    id = await put(scene, "tenant", day(3), day(9), scene.tenant.person_id)
    tenant = scene.tenant.person_id
    assert await said(scene.house_id) == [
        ("owner", None, day(1), day(3)), ("tenant", tenant, day(3), day(9)), ("owner", None, day(9), None),
    ]  # fmt: skip
    await end_liability(scene.staff(permissions.FEES_WRITE), liability_id=id, until_on=day(5))
    assert (await said(scene.house_id))[1] == ("tenant", tenant, day(3), day(5))


async def test_an_item_of_its_own_leaves_the_word_for_all_alone(scene: Scene) -> None:
    item = await billing.fee_item(scene.compound_id)
    await put(scene, "owner", day(1))
    await put(scene, "tenant", day(1), fee_item_id=item)
    assert await said(scene.house_id) == [("owner", None, day(1), None)]
    assert await Liability.filter(house_id=scene.house_id).count() == 2


async def test_people_who_never_had_the_house_are_not_named(scene: Scene) -> None:
    for person in (scene.neighbour.person_id, scene.family.person_id, uuid4()):
        with pytest.raises(Invalid, match="LIABILITY_PERSON"):
            await put(scene, "owner", day(1), None, person)
    with pytest.raises(Invalid, match="LIABILITY_PERSON"):
        await put(scene, "developer", day(1), None, scene.owner.person_id)
    with pytest.raises(Invalid, match="SPAN_INVALID"):
        await put(scene, "owner", day(2), day(2))
    with pytest.raises(NotFound, match="FEE_ITEM_NOT_FOUND"):
        await put(scene, "owner", day(1), fee_item_id=uuid4())
    assert await said(scene.house_id) == []


async def test_the_first_owner_is_named_from_the_day_they_came(scene: Scene, house: UUID) -> None:
    owner = await came(scene, house, day(2), "张三")
    assert await said(house) == [("owner", await person_of(owner), day(2), None)]


async def test_a_sale_with_the_old_owner_ended_first(scene: Scene, house: UUID) -> None:
    old = await came(scene, house, day(1), "张三")
    await left(scene, old, day(5))
    assert await said(house) == [("owner", await person_of(old), day(1), day(5))]
    new = await came(scene, house, day(6), "李四")
    assert await said(house) == [
        ("owner", await person_of(old), day(1), day(5)), ("owner", await person_of(new), day(6), None),
    ]  # fmt: skip


async def test_a_sale_with_the_new_owner_there_before_the_old_is_ended(scene: Scene, house: UUID) -> None:
    old = await came(scene, house, day(1), "张三")
    new = await came(scene, house, day(5), "李四")
    assert [row[1] for row in await said(house)] == [await person_of(old)]
    await left(scene, old, day(7))
    assert await said(house) == [
        ("owner", await person_of(old), day(1), day(5)), ("owner", await person_of(new), day(5), None),
    ]  # fmt: skip


async def test_a_co_owner_who_was_there_before_takes_over_when_the_other_leaves(
    scene: Scene, house: UUID
) -> None:
    named = await came(scene, house, day(3), "张三")
    other = await came(scene, house, day(2), "王五")
    await left(scene, named, day(8))
    assert await said(house) == [
        ("owner", await person_of(named), day(3), day(8)), ("owner", await person_of(other), day(8), None),
    ]  # fmt: skip


async def test_an_owner_who_comes_back_is_named_again(scene: Scene, house: UUID) -> None:
    first = await came(scene, house, day(1), "张三")
    await left(scene, first, day(4))
    again = await residents.occupancy(house, await person_of(first))
    await database.execute("UPDATE occupancy SET since_on = $2 WHERE id = $1", again, day(6))
    await record(OccupancyBegan(again, scene.compound_id, house, await person_of(first), uuid4(), "owner"))
    await deliver()
    assert [(row[2], row[3]) for row in await said(house)] == [(day(1), day(4)), (day(6), None)]


async def test_days_that_staff_have_settled_are_not_taken(scene: Scene, house: UUID) -> None:
    await put(scene, "developer", day(3), day(6), house_id=house)
    owner = await person_of(await came(scene, house, day(2), "张三"))
    assert await said(house) == [
        ("owner", owner, day(2), day(3)), ("developer", None, day(3), day(6)), ("owner", owner, day(6), None),
    ]  # fmt: skip


async def test_told_twice_and_at_once_names_nobody_twice(scene: Scene, house: UUID) -> None:
    old = await came(scene, house, day(1), "张三")
    await left(scene, old, day(5))
    await came(scene, house, day(6), "李四")
    before = await said(house)
    await deliver_again()
    assert await said(house) == before


async def test_told_at_once_names_one(scene: Scene, house: UUID) -> None:
    people = [await residents.person(scene.compound_id, f"买家{n}") for n in "甲乙丙"]
    ids = [await residents.occupancy(house, person) for person in people]

    async def tell(id: UUID, person: UUID) -> None:
        async with database.transaction():
            await name_owner(OccupancyBegan(id, scene.compound_id, house, person, uuid4(), "owner"), id)

    await asyncio.gather(*(tell(*each) for each in zip(ids, people, strict=True)))
    [(payer, person, _, until_on)] = await said(house)
    assert (payer, person, until_on) == ("owner", people[0], None)


async def test_family_changes_nothing_and_a_tenant_ends_what_was_said_of_them(scene: Scene) -> None:
    tenant = scene.tenant
    await put(scene, "tenant", day(1), None, tenant.person_id)
    await came(scene, scene.house_id, day(2), "小妹", "family")
    assert await said(scene.house_id) == [("tenant", tenant.person_id, day(1), None)]
    await left(scene, tenant.occupancy_id, day(8))
    assert await said(scene.house_id) == [("tenant", tenant.person_id, day(1), day(8))]


async def test_reading_names_leaves_its_trace(scene: Scene) -> None:
    await put(scene, "owner", day(1), None, scene.owner.person_id)
    [row] = await liabilities(scene.staff(permissions.FEES_READ), scene.house_id)
    assert (row.person_name, row.follows_occupancy) == (scene.owner.name, False)
    assert len(await audited("liability.list", scene.compound_id)) == 1
