"""Staff record and change houses."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from domains.estate.facts import HouseFacts
from domains.estate.models import House, Unit
from domains.estate.queries import houses_by_id
from domains.estate.service.buildings import update_building
from domains.estate.service.houses import create_house, update_house
from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from tests.factories.identity import Places, places
from tests.unit.estate.test_buildings import audited, writer

pytestmark = pytest.mark.usefixtures("instance")

AREA: HouseFacts = {"built_area_m2": Decimal("89.5")}


async def record(
    at: Places, unit: str, room: str, facts: HouseFacts = AREA, actor: Actor | None = None
) -> UUID:
    return await create_house(
        actor or writer(at), building_id=at.building_id, unit=unit, room=room, facts=facts
    )


async def rows(at: Places) -> tuple[int, int]:
    return await House.filter(compound_id=at.compound_id).count(), await Unit.filter(
        compound_id=at.compound_id
    ).count()


async def test_a_house_is_recorded_with_its_unit() -> None:
    at = await places()
    facts: HouseFacts = {
        **AREA, "floor": 1, "inner_area_m2": Decimal("72.255"), "use": "shop", "state": "rented",
        "handed_over_on": date(2015, 6, 1), "title_document": "浙(2015)第1号",
    }  # fmt: skip
    id = await record(at, "1单元", "101室", facts)
    house = await House.get(pk=id).select_related("unit")
    assert (house.number, house.sort, house.room) == ("1号楼1单元101", "000001/000001/000101", "101")
    assert (house.inner_area_m2, house.is_rented, house.source) == (Decimal("72.26"), True, "staff")
    assert (house.unit.name, house.unit.key, house.unit.source) == ("1单元", "1", "staff")
    assert await audited(id) == [("house.create", "done", {"building": str(at.building_id)})]
    event = await database.fetchrow(
        "SELECT payload->>'building_id' AS b FROM outbox_message WHERE event = 'HouseCreated' "
        "AND payload->>'house_id' = $1", str(id),
    )  # fmt: skip
    assert event and event["b"] == str(at.building_id)


async def test_names_are_understood_as_in_an_import() -> None:
    at = await places()
    first = await record(at, "", "1-101")
    second = await record(at, "一单元", "102室")
    third = await record(at, "", "商铺3")
    units = {
        row.id: row.unit_name for row in (await houses_by_id(writer(at), [first, second, third])).values()
    }
    assert units == {first: "1单元", second: "1单元", third: ""}
    assert await rows(at) == (3, 2)


@pytest.mark.parametrize(
    ("unit", "room"), [("1", "101室"), ("一单元", "0101"), ("", "1-101"), ("１", "１０１")]
)
async def test_the_same_house_written_differently_is_refused(unit: str, room: str) -> None:
    at = await places()
    await record(at, "1单元", "101")
    before = await rows(at)
    with pytest.raises(Conflict, match="HOUSE_EXISTS"):
        await record(at, unit, room)
    assert await rows(at) == before


async def test_of_many_who_record_the_same_house_one_does() -> None:
    at = await places()
    done = await asyncio.gather(*(record(at, "1", "101") for _ in range(5)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["Conflict"] * 4 + ["UUID"]
    assert await rows(at) == (1, 1)


async def test_what_is_given_changes_and_the_rest_stays() -> None:
    at = await places()
    id = await record(at, "1单元", "101", {**AREA, "inner_area_m2": Decimal(70), "title_document": "甲"})
    await update_house(writer(at), house_id=id, facts={"built_area_m2": Decimal(92), "title_document": "乙"})
    house = await House.get(pk=id)
    assert (house.built_area_m2, house.inner_area_m2, house.number) == (
        Decimal(92), Decimal(70), "1号楼1单元101",
    )  # fmt: skip
    *_, (action, _, details) = await audited(id)
    assert action == "house.update"
    assert details == {"changed": {"built_area_m2": ["89.50", "92.00"], "title_document": None}}
    assert await database.fetchval(
        "SELECT payload->'changed' FROM outbox_message WHERE event = 'HouseUpdated' AND payload->>'house_id' = $1",
        str(id),
    ) == '["built_area_m2", "title_document"]'  # fmt: skip


async def test_a_house_moves_to_another_room_or_unit_of_its_building() -> None:
    at = await places()
    id, other = await record(at, "1单元", "101"), await record(at, "1单元", "102")
    await update_house(writer(at), house_id=id, room="301室", facts={})
    await update_house(writer(at), house_id=other, unit="2单元", facts={})
    assert (await House.get(pk=id)).number == "1号楼1单元301"
    assert (await House.get(pk=other)).sort == "000001/000002/000102"
    with pytest.raises(Conflict, match="HOUSE_EXISTS"):
        await update_house(writer(at), house_id=other, unit="1单元", room="301", facts={})
    await update_house(writer(at), house_id=id, room="0301", facts={})
    assert (await House.get(pk=id)).room == "0301"


@pytest.mark.parametrize(
    ("facts", "code", "field"),
    [
        ({"inner_area_m2": Decimal(90)}, "INNER_AREA_EXCEEDS", "inner_area_m2"),
        ({"built_area_m2": Decimal(60)}, "INNER_AREA_EXCEEDS", "inner_area_m2"),
        ({"is_rented": False}, "RENTAL_CONTRADICTED", "is_rented"),
        ({"floor": 999}, "NUMBER_RANGE", "floor"),
    ],
)
async def test_a_change_must_agree_with_what_is_there(facts: HouseFacts, code: str, field: str) -> None:
    at = await places()
    id = await record(at, "1", "101", {**AREA, "inner_area_m2": Decimal(70), "state": "rented"})
    before = await House.get(pk=id).values()
    with pytest.raises(Invalid) as refused:
        await update_house(writer(at), house_id=id, facts=facts)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert await House.get(pk=id).values() == before


async def test_a_floor_outside_of_the_building_is_kept_and_marked() -> None:
    at = await places()
    await update_building(
        writer(at), building_id=at.building_id, facts={"storeys_above": 18, "storeys_below": 1}
    )
    floors = {await record(at, "1", str(n), {**AREA, "floor": n}): n for n in (18, 19, -1, -2)}
    found = await houses_by_id(writer(at), list(floors))
    assert {floors[id]: row.floor_is_doubtful for id, row in found.items()} == {
        18: False, 19: True, -1: False, -2: True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("unit", "room", "field"),
    [("1", "", "room"), ("1", "1" * 61, "room"), ("单" * 31, "101", "unit"), ("1", "1\x000", "room")],
)
async def test_a_place_that_is_none_is_refused_and_nothing_written(unit: str, room: str, field: str) -> None:
    at = await places()
    with pytest.raises(Invalid) as refused:
        await record(at, unit, room)
    assert refused.value.field == field
    assert await rows(at) == (0, 0)


async def test_the_longest_names_have_room() -> None:
    at = await places()
    await update_building(writer(at), building_id=at.building_id, name="1a" * 25, facts={})
    id = await record(at, "1b" * 15, "1c" * 30)
    assert (await House.get(pk=id)).number == "1a" * 25 + "1b" * 15 + "1C" * 30


async def test_who_may_write_in_another_building_may_not_here() -> None:
    at = await places()
    id = await record(at, "1", "101")
    clerk = writer(at, at.other_building_id)
    before = await rows(at)
    with pytest.raises(Forbidden):
        await record(at, "1", "102", actor=clerk)
    with pytest.raises(Forbidden):
        await update_house(clerk, house_id=id, facts={"floor": 2})
    assert await rows(at) == before
    assert (await House.get(pk=id)).floor is None
    assert (await audited(id))[-1][1:] == ("refused", {"code": "FORBIDDEN"})


async def test_a_house_that_is_not_there() -> None:
    with pytest.raises(NotFound, match="HOUSE_NOT_FOUND"):
        await update_house(writer(await places()), house_id=uuid4(), facts={})
