"""Recording places through the API: what is given, what is refused and how it says so."""

from __future__ import annotations

from uuid import UUID

import pytest

from domains.estate.models import Building, House
from schema.relay import encode
from tests.api.identity.clients import Api, Json, codes
from tests.factories import estate
from tests.factories.identity import Places, places, staff, token

pytestmark = pytest.mark.usefixtures("instance")

BUILDING = """building { id name code builtYear use structure storeysAbove storeysBelow heightM areaM2
    serviceLifeYears standardAddress policeStation streetInCharge latitude longitude source recordedAt houseCount }"""
HOUSE = """house { id number room floor floorIsDoubtful builtAreaM2 innerAreaM2 use state isRented handedOverOn
    titleDocument source recordedAt unitName unit { name houseCount } building { name } }"""


@pytest.fixture
async def at() -> Places:
    return await places()


@pytest.fixture
async def clerk(at: Places) -> str:
    return await token(await staff(at, ["estate.read", "estate.write"]))


async def test_a_building_is_recorded_changed_and_read_again(api: Api, at: Places, clerk: str) -> None:
    given: dict[str, Json] = {
        "code": "330106", "builtYear": 2012, "use": "住宅", "structure": "钢混", "storeysAbove": 18,
        "storeysBelow": 2, "heightM": "54.20", "areaM2": 12000, "serviceLifeYears": 50,
        "standardAddress": "文一西路1号", "policeStation": "文新派出所", "streetInCharge": "文新街道",
    }  # fmt: skip
    made = await api.run(
        "createBuilding", "CreateBuildingInput", BUILDING, clerk, compound=encode("Compound", at.compound_id),
        name="8", position={"latitude": "30.287459", "longitude": 120.153576}, **given,
    )  # fmt: skip
    building = made["building"]
    assert made["errors"] == []
    assert {name: building[name] for name in given} == given | {"areaM2": "12000.00"}
    assert (building["name"], building["source"], building["houseCount"]) == ("8号楼", "STAFF", 0)
    assert (building["latitude"], building["longitude"]) == ("30.287459", "120.153576")
    changed = await api.run(
        "updateBuilding", "UpdateBuildingInput", BUILDING, clerk, building=building["id"], name="8号楼东", code=None,
        position=None,
    )  # fmt: skip
    expected = building | {"name": "8号楼东", "code": "", "latitude": None, "longitude": None}
    assert changed["building"] == expected
    node = await api.ask(
        f"query($id: ID!) {{ node(id: $id) {{ ... on Building {{ {BUILDING[10:-1]} }} }} }}",
        {"id": building["id"]},
        clerk,
    )
    assert node["data"]["node"] == expected


async def test_a_house_is_recorded_and_changed(api: Api, at: Places, clerk: str) -> None:
    made = await api.run(
        "createHouse", "CreateHouseInput", HOUSE, clerk, building=encode("Building", at.building_id), unit="1",
        room="101室", builtAreaM2="89.5", innerAreaM2="70", floor=1, use="SHOP", state="RENTED",
        handedOverOn="2015-06-01", titleDocument="浙1",
    )  # fmt: skip
    house = made["house"]
    assert {name: house[name] for name in ("number", "builtAreaM2", "use", "state", "isRented", "source")} == {
        "number": "1号楼1单元101", "builtAreaM2": "89.50", "use": "SHOP", "state": "RENTED", "isRented": True,
        "source": "STAFF",
    }  # fmt: skip
    assert house["unit"] == {"name": "1单元", "houseCount": 1}
    changed = await api.run(
        "updateHouse", "UpdateHouseInput", HOUSE, clerk, house=house["id"], state="VACANT", innerAreaM2=None, floor=None,
        use=None, builtAreaM2=None, titleDocument=None,
    )  # fmt: skip
    assert changed["house"] == house | {
        "state": "VACANT", "isRented": False, "innerAreaM2": None, "floor": None, "titleDocument": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("input", "code", "field"),
    [
        ({"name": "1栋"}, "BUILDING_EXISTS", ["name"]),
        ({"name": ""}, "TEXT_EMPTY", ["name"]),
        ({"builtYear": 1}, "NUMBER_RANGE", ["builtYear"]),
        ({"storeysAbove": -1}, "NUMBER_RANGE", ["storeysAbove"]),
        ({"areaM2": "0"}, "NUMBER_RANGE", ["areaM2"]),
        ({"position": {"latitude": "91", "longitude": "0"}}, "NUMBER_RANGE", ["position", "latitude"]),
        ({"compound": "x"}, "BAD_ID", ["compound"]),
    ],
)
async def test_what_is_wrong_with_a_building_is_said_at_its_field(
    api: Api, at: Places, clerk: str, input: dict[str, object], code: str, field: list[str]
) -> None:
    whole = {"compound": encode("Compound", at.compound_id), "name": "9号楼", **input}
    payload = await api.run("createBuilding", "CreateBuildingInput", BUILDING, clerk, **whole)
    assert (payload["building"], payload["errors"]) == (None, [{"code": code, "field": field}])
    assert await Building.filter(compound_id=at.compound_id).count() == 2


@pytest.mark.parametrize(
    ("input", "code", "field"),
    [
        ({"room": "0101"}, "HOUSE_EXISTS", ["room"]),
        ({"room": ""}, "TEXT_EMPTY", ["room"]),
        ({"builtAreaM2": "-1"}, "NUMBER_RANGE", ["builtAreaM2"]),
        ({"innerAreaM2": "200"}, "INNER_AREA_EXCEEDS", ["innerAreaM2"]),
        ({"floor": 2_000_000_000}, "NUMBER_RANGE", ["floor"]),
        ({"state": "RENTED", "isRented": False}, "RENTAL_CONTRADICTED", ["isRented"]),
        ({"building": "QnVpbGRpbmc6eA=="}, "BAD_ID", ["building"]),
        ({"building": encode("Building", UUID(int=7))}, "BUILDING_NOT_FOUND", ["building"]),
    ],
)
async def test_what_is_wrong_with_a_house_is_said_at_its_field(
    api: Api, at: Places, clerk: str, input: dict[str, object], code: str, field: list[str]
) -> None:
    await estate.house(at.building_id, "101")
    whole = {
        "building": encode("Building", at.building_id),
        "unit": "1",
        "room": "102",
        "builtAreaM2": "80",
        **input,
    }
    payload = await api.run("createHouse", "CreateHouseInput", HOUSE, clerk, **whole)
    assert (payload["house"], payload["errors"]) == (None, [{"code": code, "field": field}])
    assert await House.filter(compound_id=at.compound_id).count() == 1


@pytest.mark.parametrize("area", ["NaN", "Infinity", "1e5", "1" * 21, "", " 80", True, None, [], "８０"])
async def test_an_area_that_is_no_plain_number_is_bad_input(
    api: Api, at: Places, clerk: str, area: object
) -> None:
    answer = await api.attempt(
        "createHouse", "CreateHouseInput", HOUSE, clerk, building=encode("Building", at.building_id), room="102",
        builtAreaM2=area,
    )  # fmt: skip
    assert codes(answer) == ["BAD_USER_INPUT"]
    assert await House.filter(compound_id=at.compound_id).count() == 0
