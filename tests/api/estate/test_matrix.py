"""Every operation on places, by every kind of caller: who may, who may not, and that a refusal changes nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domains.kernel import database
from tests.api.estate.world import World, build
from tests.api.identity.clients import Api, codes, count

pytestmark = pytest.mark.usefixtures("instance")

WHOLE = {"compound", "region", "building", "far building", "unit", "house", "next door", "far house"}
OWN = {"compound", "region", "building", "unit"}
SEES: dict[str, set[str]] = {
    "owner": OWN | {"house"},
    "family": OWN | {"house"},
    "tenant": OWN | {"house"},
    "neighbour": OWN | {"next door"},
    "stranger": set(),
    "clerk": WHOLE,
    "reader": WHOLE,
    "auditor": {"compound", "region"},
    "clerk of the building": OWN | {"house", "next door"},
    "clerk of another building": {"compound", "region", "far building", "far house"},
    # The other compound is under the same committee.
    "clerk of another compound": {"region"},
    "another company": set(),
    "nobody": set(),
}
READERS = {"clerk", "reader", "clerk of the building", "clerk of another building"}
STAFF = {*READERS, "auditor", "clerk of another compound", "another company"}


@pytest.fixture(scope="module")
async def world(instance: object) -> World:
    return await build()


@pytest.mark.parametrize("caller", SEES)
async def test_nodes_are_seen_by_whom_they_concern(api: Api, world: World, caller: str) -> None:
    ids, token = world.ids(), world.tokens[caller]
    answer = await api.ask(
        "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": list(ids.values())}, token
    )
    seen = [node and node["id"] for node in answer["data"]["nodes"]]
    assert {name for name, id in ids.items() if id in seen} == SEES[caller]
    one_by_one = {
        name
        for name, id in ids.items()
        if (await api.ask("query($id: ID!) { node(id: $id) { id } }", {"id": id}, token))["data"]["node"]
    }
    assert one_by_one == SEES[caller]


def denied(caller: str) -> list[str]:
    return ["UNAUTHENTICATED" if caller == "nobody" else "FORBIDDEN"]


@pytest.mark.parametrize("caller", SEES)
async def test_a_compound_by_its_id(api: Api, world: World, caller: str) -> None:
    query = """query($id: ID!) { compound(id: $id) { name region { name path { kind } } buildingCount houseCount
        buildings { name houseCount units { houseCount } } } }"""
    answer = await api.ask(query, {"id": world.ids()["compound"]}, world.tokens[caller])
    if "compound" not in SEES[caller]:
        assert (codes(answer), answer["data"]["compound"]) == (denied(caller), None)
        return
    seen = answer["data"]["compound"]
    buildings = len(SEES[caller] & {"building", "far building"})
    houses = len(SEES[caller] & {"house", "next door", "far house"})
    assert (seen["buildingCount"], seen["houseCount"]) == (buildings, houses)
    assert len(seen["buildings"]) == buildings
    assert sum(each["houseCount"] for each in seen["buildings"]) == houses
    assert sum(unit["houseCount"] for each in seen["buildings"] for unit in each["units"]) == houses
    assert [each["kind"] for each in seen["region"]["path"]] == [
        "PROVINCE", "CITY", "DISTRICT", "STREET", "COMMITTEE",
    ]  # fmt: skip


@pytest.mark.parametrize("caller", SEES)
@pytest.mark.parametrize(
    "query",
    [
        "query($id: ID!) { houses(compound: $id) { nodes { id } totalCount } }",
        "query($id: ID!) { compound(id: $id) { houses { nodes { id } totalCount } } }",
    ],
)
async def test_the_list_of_houses_is_for_staff_within_their_buildings(
    api: Api, world: World, caller: str, query: str
) -> None:
    refusals = await count("audit_entry", "outcome = 'refused'")
    answer = await api.ask(query, {"id": world.ids()["compound"]}, world.tokens[caller])
    if caller not in READERS:
        assert codes(answer) == denied(caller)
        assert await count("audit_entry", "outcome = 'refused'") == refusals + (caller in STAFF)
        assert not (answer["data"].get("compound") or answer["data"]).get("houses")
        return
    page = (answer["data"].get("compound") or answer["data"])["houses"]
    ids = {name: id for name, id in world.ids().items() if name in ("house", "next door", "far house")}
    assert {node["id"] for node in page["nodes"]} == {ids[name] for name in ids.keys() & SEES[caller]}
    assert page["totalCount"] == len(page["nodes"])


@pytest.mark.parametrize("caller", SEES)
async def test_the_organisation_tree_is_for_staff(api: Api, world: World, caller: str) -> None:
    query = """{ organisation { kind name compoundCount houseCount children { children { children { kind children {
        kind name compoundCount buildingCount houseCount compounds { id houseCount } } } } } } }"""
    answer = await api.ask(query, token=world.tokens[caller])
    if caller not in STAFF:
        assert (codes(answer), answer["data"]["organisation"]) == (denied(caller), None)
        return
    [province] = answer["data"]["organisation"]
    [committee] = province["children"][0]["children"][0]["children"][0]["children"]
    listed = {compound["id"] for compound in committee["compounds"]}
    assert (world.ids()["compound"] in listed) == ("compound" in SEES[caller])
    assert committee["compoundCount"] == province["compoundCount"] == len(listed)
    assert (
        committee["houseCount"]
        == province["houseCount"]
        == sum(c["houseCount"] for c in committee["compounds"])
    )
    expected = len(SEES[caller] & {"house", "next door", "far house"})
    assert committee["houseCount"] == expected


@pytest.mark.parametrize("caller", SEES)
async def test_a_house_shows_its_title_deed_to_owners_and_staff(api: Api, world: World, caller: str) -> None:
    await database.execute("UPDATE house SET title_document = '浙1' WHERE id = $1", world.house)
    query = "query($id: ID!) { node(id: $id) { ... on House { titleDocument } } }"
    node = (await api.ask(query, {"id": world.ids()["house"]}, world.tokens[caller]))["data"]["node"]
    shown = caller in {"owner", "clerk", "reader", "clerk of the building"}
    assert node == (({"titleDocument": "浙1" if shown else None}) if "house" in SEES[caller] else None)


Operation = Callable[[World], tuple[str, str, dict[str, object]]]
OPERATIONS: dict[str, Operation] = {
    "createBuilding": lambda w: (
        "CreateBuildingInput", "building { id }", {"compound": w.ids()["compound"], "name": "77号楼"},
    ),
    "updateBuilding": lambda w: (
        "UpdateBuildingInput", "building { id }", {"building": w.ids()["building"], "builtYear": 2001},
    ),
    "createHouse": lambda w: (
        "CreateHouseInput", "house { id }",
        {"building": w.ids()["building"], "unit": "1单元", "room": "909", "builtAreaM2": "80"},
    ),
    "updateHouse": lambda w: ("UpdateHouseInput", "house { id }", {"house": w.ids()["house"], "floor": 7}),
}  # fmt: skip
MAY = {name: {"clerk", "clerk of the building"} for name in OPERATIONS} | {"createBuilding": {"clerk"}}


async def state() -> object:
    """Everything that an operation here could change."""
    tables = ("building", "unit", "house", "outbox_message")
    return [
        await database.fetchval(f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {table} t")
        for table in tables
    ]


@pytest.mark.parametrize("caller", SEES)
@pytest.mark.parametrize("name", OPERATIONS)
async def test_writing(api: Api, world: World, name: str, caller: str) -> None:
    kind, fields, input = OPERATIONS[name](world)
    before, refusals = await state(), await count("audit_entry", "outcome = 'refused'")
    answer = await api.attempt(name, kind, fields, world.tokens[caller], **input)
    if caller in MAY[name]:
        # Whom the operation is open to finds what an earlier one recorded already.
        assert "errors" not in answer
        assert codes(answer["data"][name]) in ([], ["HOUSE_EXISTS"])
        return
    assert (codes(answer), answer["data"]) == (denied(caller), None)
    assert await state() == before
    assert await count("audit_entry", "outcome = 'refused'") == refusals + (caller in STAFF)
