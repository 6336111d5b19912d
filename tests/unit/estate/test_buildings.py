"""Staff record and change buildings."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from uuid import UUID, uuid4

import orjson
import pytest

from domains.estate import permissions
from domains.estate.facts import BuildingFacts, Position
from domains.estate.models import Building, House
from domains.estate.service.buildings import create_building, update_building
from domains.estate.service.houses import create_house
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from tests.factories import estate, residents
from tests.factories.identity import Places, places

pytestmark = pytest.mark.usefixtures("instance")

FACTS: BuildingFacts = {
    "code": "330106-0001", "built_year": 2012, "use": "住宅", "structure": "钢混", "storeys_above": 18,
    "storeys_below": 2, "height_m": Decimal("54.2"), "area_m2": Decimal(12000), "service_life_years": 50,
    "standard_address": "文一西路1号", "police_station": "文新派出所", "street_in_charge": "文新街道",
    "position": Position(Decimal("30.287459"), Decimal("120.153576")),
}  # fmt: skip


def writer(at: Places, building_id: UUID | None = None) -> Actor:
    return residents.staff(
        permissions.READ, permissions.WRITE, compound_id=at.compound_id, building_id=building_id
    )


async def events(kind: str, subject: UUID) -> int:
    statement = "SELECT count(*) FROM outbox_message WHERE event = $1 AND payload->>'building_id' = $2"
    return int(await database.fetchval(statement, kind, str(subject)))


async def audited(subject: UUID) -> list[tuple[str, str, dict[str, object]]]:
    rows = await database.fetch(
        "SELECT action, outcome, details::text FROM audit_entry WHERE subject_id = $1 ORDER BY id", subject
    )
    return [(row[0], row[1], orjson.loads(row[2])) for row in rows]


async def test_a_building_is_recorded_with_all_its_facts() -> None:
    at = await places()
    id = await create_building(writer(at), compound_id=at.compound_id, name="第十二栋", facts=FACTS)
    building = await Building.get(pk=id)
    position = FACTS["position"]
    assert position
    flat = {**FACTS, "latitude": position.latitude, "longitude": position.longitude}
    del flat["position"]
    assert {name: getattr(building, name) for name in flat} == flat
    assert (building.name, building.key, building.sort, building.source) == (
        "第十二栋",
        "12",
        "000012",
        "staff",
    )
    assert (clock.now() - building.recorded_at).total_seconds() < 60
    assert await audited(id) == [("building.create", "done", {})]
    assert await events("BuildingCreated", id) == 1


async def test_the_same_building_written_differently_is_refused() -> None:
    at = await places()
    with pytest.raises(Conflict, match="BUILDING_EXISTS"):
        await create_building(writer(at), compound_id=at.compound_id, name="１栋", facts={})
    with pytest.raises(Conflict, match="BUILDING_EXISTS"):
        await update_building(writer(at), building_id=at.building_id, name="2幢", facts={})
    assert await Building.filter(compound_id=at.compound_id).count() == 2


async def test_of_two_who_record_the_same_building_one_does() -> None:
    at = await places()
    tries = [
        create_building(writer(at), compound_id=at.compound_id, name=name, facts={})
        for name in ("9号楼", "九栋")
    ]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["Conflict", "UUID"]
    assert await Building.filter(compound_id=at.compound_id, key="9").count() == 1


async def test_another_name_numbers_the_houses_anew() -> None:
    at = await places()
    house_id = await estate.house(at.building_id, "101")
    await update_building(writer(at), building_id=at.building_id, name="10号楼", facts={})
    house = await House.get(pk=house_id)
    assert (house.number, house.sort) == ("10号楼1单元101", "000010/000001/000101")
    [(action, outcome, details)] = await audited(at.building_id)
    assert (action, outcome) == ("building.update", "done")
    assert details["changed"] == {
        "name": ["1号楼", "10号楼"],
        "key": ["1", "10"],
        "sort": ["000001", "000010"],
    }


async def test_a_house_recorded_while_its_building_is_renamed_has_the_new_name_or_gets_it() -> None:
    at = await places()
    created, _ = await asyncio.gather(
        create_house(
            writer(at), building_id=at.building_id, unit="1", room="301", facts={"built_area_m2": Decimal(80)}
        ),
        update_building(writer(at), building_id=at.building_id, name="8号楼", facts={}),
    )
    assert (await House.get(pk=created)).number == "8号楼1单元301"


async def test_only_what_differs_is_changed_and_told() -> None:
    at = await places()
    await update_building(writer(at), building_id=at.building_id, facts={"built_year": 2001})
    await update_building(writer(at), building_id=at.building_id, facts={"built_year": 2001})
    assert await events("BuildingUpdated", at.building_id) == 1
    assert [details for *_, details in await audited(at.building_id)] == [
        {"changed": {"built_year": [None, 2001]}}, {"changed": {}},
    ]  # fmt: skip
    await update_building(writer(at), building_id=at.building_id, facts={"built_year": None})
    assert (await Building.get(pk=at.building_id)).built_year is None


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "TEXT_EMPTY"),
        ("楼" * 51, "TEXT_TOO_LONG"),
        ("3\u200b号楼", "TEXT_INVISIBLE_CHARACTER"),
        ("ﷺ" * 40, "TEXT_TOO_LONG"),
    ],
)
async def test_a_name_that_is_none_is_refused_and_nothing_written(name: str, code: str) -> None:
    at = await places()
    with pytest.raises(Invalid, match=code) as refused:
        await create_building(writer(at), compound_id=at.compound_id, name=name, facts={})
    assert refused.value.field == "name"
    assert await Building.filter(compound_id=at.compound_id).count() == 2


async def test_who_may_write_in_one_building_changes_that_one_and_records_none() -> None:
    at = await places()
    clerk = writer(at, at.building_id)
    await update_building(clerk, building_id=at.building_id, facts={"built_year": 2001})
    with pytest.raises(Forbidden):
        await update_building(clerk, building_id=at.other_building_id, facts={"built_year": 2001})
    with pytest.raises(Forbidden):
        await create_building(clerk, compound_id=at.compound_id, name="7号楼", facts={})
    assert await Building.filter(compound_id=at.compound_id).count() == 2
    assert (await Building.get(pk=at.other_building_id)).built_year is None
    assert await audited(at.other_building_id) == [("building.update", "refused", {"code": "FORBIDDEN"})]


async def test_a_building_that_is_not_there() -> None:
    with pytest.raises(NotFound, match="BUILDING_NOT_FOUND"):
        await update_building(writer(await places()), building_id=uuid4(), facts={})
