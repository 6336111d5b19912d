"""Pages of houses, search, units and the organisation tree, by what the caller reaches."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest

from domains.estate import organisation, permissions, queries
from domains.estate.models import House, Region
from domains.estate.queries import BY_PLACE, LATEST, HouseFilter, HouseOrder
from domains.estate.service.houses import update_house
from domains.estate.service.organisation import found_compound
from domains.kernel import database
from domains.kernel.actor import SYSTEM, Actor, Grant
from domains.kernel.errors import Forbidden
from tests.factories import estate, residents
from tests.factories.identity import Places, places, unique

pytestmark = pytest.mark.usefixtures("instance")


def reader(at: Places, building_id: UUID | None = None) -> Actor:
    return residents.staff(
        permissions.READ, permissions.WRITE, compound_id=at.compound_id, building_id=building_id
    )


async def numbers(at: Places, **narrowed: object) -> list[str]:
    filter = HouseFilter(**narrowed)  # type: ignore[arg-type]  # the test's own values
    rows = await queries.houses(reader(at), at.compound_id, filter, after=None, limit=100)
    assert await queries.count_houses(reader(at), at.compound_id, filter) == len(rows)
    return [row.number for row in rows]


async def test_houses_are_found_by_what_is_known_of_them() -> None:
    at = await places()
    first = await estate.house(at.building_id, "101")
    await estate.house(at.building_id, "1101")
    await estate.house(at.building_id, "101", unit="2单元")
    await estate.house(at.other_building_id, "101")
    await update_house(reader(at), house_id=first, facts={"state": "rented", "use": "shop"})
    unit_id = (await House.get(pk=first).values("unit_id"))["unit_id"]
    everything = ["1号楼1单元101", "1号楼1单元1101", "1号楼2单元101", "2号楼1单元101"]
    assert await numbers(at) == everything
    assert await numbers(at, building_id=at.other_building_id) == everything[3:]
    assert await numbers(at, unit_id=unit_id) == everything[:2]
    assert await numbers(at, state="rented") == await numbers(at, use="shop") == everything[:1]
    assert await numbers(at, number="单元101") == [everything[0], everything[2], everything[3]]
    assert await numbers(at, number="1-1-101") == everything[:1]
    assert await numbers(at, number="１栋1单元101室") == everything[:1]
    assert await numbers(at, number="2-101") == everything[3:]
    assert await numbers(at, number="1-101") == [everything[0], everything[2]]
    assert await numbers(at, number="  ") == everything
    for wild in ("%", "_", "\\"):
        assert await numbers(at, number=wild) == []


async def walk(at: Places, order: HouseOrder, during: list[tuple[str, str]]) -> list[str]:
    """Page through all houses two by two; a house is recorded after each page."""
    found: list[queries.House] = []
    while True:
        after = (getattr(found[-1], order.column), found[-1].id) if found else None
        rows = await queries.houses(
            reader(at), at.compound_id, HouseFilter(), after=after, limit=2, order=order
        )
        if not rows:
            return [row.room for row in found]
        found += rows
        if during:
            room, area = during.pop()
            await estate.house(at.building_id, room, area=area)


async def test_pages_lose_and_repeat_nothing_while_houses_are_recorded() -> None:
    at = await places()
    for room in ("101", "103", "105", "107", "109"):
        await estate.house(at.building_id, room)
    seen = await walk(at, BY_PLACE, [("100", "80"), ("102", "80"), ("108", "80")])
    assert len(seen) == len(set(seen))
    assert {"101", "103", "105", "107", "109"} <= set(seen)
    assert "108" in seen and "100" not in seen


async def test_the_latest_come_first_also_where_an_import_recorded_all_at_once() -> None:
    at = await places()
    for room in ("101", "103", "105", "107"):
        await estate.house(at.building_id, room)
    await database.execute("UPDATE house SET recorded_at = now() WHERE compound_id = $1", at.compound_id)
    await estate.house(at.building_id, "109")
    seen = await walk(at, LATEST, [("110", "80")])
    assert seen[0] == "109"
    assert sorted(seen) == ["101", "103", "105", "107", "109"]


async def test_who_reaches_one_building_reads_that_one() -> None:
    at = await places()
    mine = await estate.house(at.building_id, "101")
    other = await estate.house(at.other_building_id, "101")
    clerk = reader(at, at.building_id)
    rows = await queries.houses(clerk, at.compound_id, HouseFilter(), after=None, limit=10)
    assert [row.id for row in rows] == [mine]
    elsewhere = HouseFilter(building_id=at.other_building_id)
    assert await queries.houses(clerk, at.compound_id, elsewhere, after=None, limit=10) == []
    assert await queries.count_houses(clerk, at.compound_id, elsewhere) == 0
    assert set(await queries.houses_by_id(clerk, [mine, other])) == {mine}
    assert set(await queries.buildings_by_id(clerk, [at.building_id, at.other_building_id])) == {
        at.building_id
    }
    assert (await organisation.counts_of_compounds(clerk, [at.compound_id]))[at.compound_id] == (1, 1)
    with pytest.raises(Forbidden):
        await queries.houses(clerk, at.other_compound_id, HouseFilter(), after=None, limit=10)


async def test_units_count_the_houses_one_sees() -> None:
    scene = await residents.scene()
    staff = scene.staff(permissions.READ)
    owner = await residents.resident(scene.owner.account_id)
    for actor, count in ((staff, 2), (owner, 1)):
        [unit] = (await queries.units_of(actor, [scene.building_id]))[scene.building_id]
        assert (unit.name, unit.house_count) == ("1单元", count)
        assert (await queries.house_counts(actor, [scene.building_id])) == {scene.building_id: count}
        assert set(await queries.units_by_id(actor, [unit.id])) == {unit.id}
    assert (await queries.units_of(owner, [scene.other_building_id]))[scene.other_building_id] == []
    stranger = await residents.newcomer()
    assert await queries.units_by_id(stranger, [unit.id]) == {}


async def test_the_title_deed_is_for_owners_and_staff() -> None:
    scene = await residents.scene()
    await House.filter(pk=scene.house_id).update(title_document="浙(2015)第1号")
    [house] = (await queries.houses_by_id(scene.staff(permissions.READ), [scene.house_id])).values()
    owner, family, tenant = [
        await residents.resident(who.account_id) for who in (scene.owner, scene.family, scene.tenant)
    ]
    shown = [queries.title_document(who, house) for who in (owner, family, tenant)]
    assert shown == ["浙(2015)第1号", None, None]
    assert queries.title_document(scene.staff(permissions.READ), house) == "浙(2015)第1号"
    assert queries.title_document(scene.staff(permissions.WRITE), house) is None


async def test_the_tree_is_seen_down_to_where_one_works() -> None:
    company = unique("物业")
    names = ("测试省", unique("市"), "区", "街道")
    here = [
        await found_compound(SYSTEM, region_names=(*names, committee), company=company, name=name)
        for committee, name in (("甲社区", "一期"), ("甲社区", "二期"), ("乙社区", "三期"))
    ]
    unseen = await found_compound(
        SYSTEM, region_names=(*names, "丙社区"), company=unique("别家"), name="别家"
    )
    actor = Actor(kind="staff", grants=tuple(Grant(permissions.READ, id) for id in here))
    level = [region for region in await organisation.provinces(actor) if region.name == "测试省"]
    for kind in ("province", "city", "district", "street"):
        [node] = level
        assert (node.kind, node.compound_count) == (kind, 3)
        level = (await organisation.regions_below(actor, [node.id]))[node.id]
    assert [(node.name, node.compound_count) for node in level] == [("乙社区", 1), ("甲社区", 2)]
    assert len(level[1].ancestry) == 5 and level[1].ancestry[-1] == level[1].id
    listed = await organisation.compounds_of(actor, [node.id for node in level])
    assert [[each.name for each in listed[node.id]] for node in level] == [["三期"], ["一期", "二期"]]
    hidden = (await Region.get(name="丙社区", compounds__id=unseen)).id
    assert await organisation.regions_by_id(actor, [hidden]) == {}


async def test_counts_of_a_node_are_those_of_all_below_it() -> None:
    company, city = unique("物业"), unique("市")
    ids = [
        await found_compound(
            SYSTEM,
            region_names=("计数省", city, "区", "街道", committee),
            company=company,
            name=unique("小区"),
        )
        for committee in ("甲社区", "乙社区")
    ]
    at = await places()
    for compound_id, rooms in zip(ids, (2, 1), strict=True):
        await database.execute(
            "UPDATE building SET compound_id = $1 WHERE id = $2", compound_id,
            at.building_id if rooms == 2 else at.other_building_id,
        )  # fmt: skip
    for building, room in ((at.building_id, "101"), (at.building_id, "102"), (at.other_building_id, "101")):
        await estate.house(building, room, area=str(Decimal(80)))
    actor = Actor(kind="staff", grants=tuple(Grant(permissions.READ, id) for id in ids))
    [province] = await organisation.provinces(actor)
    city_ids = [region.id for region in (await organisation.regions_below(actor, [province.id]))[province.id]]
    counts = await organisation.counts_of_regions(actor, [province.id, *city_ids])
    assert counts == {province.id: (2, 3), city_ids[0]: (2, 3)}
