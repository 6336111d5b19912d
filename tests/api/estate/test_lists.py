"""Lists of houses in the API: pages, filters, orders, and the number of statements they cost."""

from __future__ import annotations

import re

import pytest

from domains.estate.service.organisation import found_compound
from domains.kernel import database
from domains.kernel.actor import SYSTEM
from schema.relay import encode
from tests.api.identity.clients import Api, Json, codes
from tests.factories import estate
from tests.factories.identity import Places, places, staff, token, unique

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def at() -> Places:
    return await places()


async def reader(at: Places) -> str:
    return await token(await staff(at, ["estate.read"]))


async def ask(api: Api, token: str, query: str, **variables: object) -> Json:
    answer = await api.ask(query, variables, token)
    assert "errors" not in answer, answer
    return answer["data"]


PAGE = """query($id: ID!, $first: Int!, $after: String, $filter: HouseFilter, $order: HouseOrder!) {
    houses(compound: $id, first: $first, after: $after, filter: $filter, order: $order) {
        totalCount nodes { number } pageInfo { hasNextPage endCursor } } }"""


async def test_pages_follow_each_other(api: Api, at: Places) -> None:
    for room in ("101", "102", "103", "104", "105"):
        await estate.house(at.building_id, room)
    me, id = await reader(at), encode("Compound", at.compound_id)
    for order in ("PLACE", "LATEST"):
        found, after = [], None
        while True:
            page = (await ask(api, me, PAGE, id=id, first=2, after=after, order=order))["houses"]
            found += [re.sub(r".*单元", "", node["number"]) for node in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert page["totalCount"] == 5
        assert found == sorted(found, reverse=order == "LATEST")
        assert len(found) == 5


async def test_a_cursor_of_another_order_and_bad_pages_are_refused(api: Api, at: Places) -> None:
    await estate.house(at.building_id, "101")
    me, id = await reader(at), encode("Compound", at.compound_id)
    page = (await ask(api, me, PAGE, id=id, first=1, order="PLACE"))["houses"]
    for input, code in (
        ({"first": 1, "order": "LATEST", "after": page["pageInfo"]["endCursor"]}, "BAD_CURSOR"),
        ({"first": 0, "order": "PLACE"}, "BAD_PAGE_SIZE"),
        ({"first": 101, "order": "PLACE"}, "BAD_PAGE_SIZE"),
        ({"first": 1, "order": "PLACE", "filter": {"building": id}}, "BAD_ID"),
        ({"first": 1, "order": "PLACE", "filter": {"unit": "x"}}, "BAD_ID"),
    ):
        answer = await api.ask(PAGE, {"id": id, **input}, me)
        assert (codes(answer), answer["data"]["houses"]) == ([code], None)


async def test_filters_of_the_list(api: Api, at: Places) -> None:
    await estate.house(at.building_id, "101")
    await estate.house(at.other_building_id, "201")
    me, id = await reader(at), encode("Compound", at.compound_id)
    for filter, numbers in (
        ({"building": encode("Building", at.building_id)}, ["1号楼1单元101"]),
        ({"number": "2-1-201"}, ["2号楼1单元201"]),
        ({"use": "SHOP"}, []),
        ({"state": "SELF_OCCUPIED", "number": "01"}, ["1号楼1单元101", "2号楼1单元201"]),
    ):
        page = (await ask(api, me, PAGE, id=id, first=10, order="PLACE", filter=filter))["houses"]
        assert [node["number"] for node in page["nodes"]] == numbers
        assert page["totalCount"] == len(numbers)


async def test_a_hundred_houses_cost_as_many_statements_as_one(api: Api, at: Places) -> None:
    query = """query($id: ID!, $first: Int!) { compound(id: $id) { name region { path { name } } buildingCount
        buildings { name houseCount units { name houseCount } }
        houses(first: $first) { totalCount nodes { number building { name } unit { name houseCount } } } } }"""
    for number in range(101, 151):
        for building in (at.building_id, at.other_building_id):
            await estate.house(building, str(number), unit=f"{number % 4}单元")
    me, id = await reader(at), encode("Compound", at.compound_id)
    costs = []
    for first in (1, 100):
        async with database.counted() as statements:
            data = await ask(api, me, query, id=id, first=first)
        costs.append(statements.count)
    assert len(data["compound"]["houses"]["nodes"]) == 100
    assert {node["building"]["name"] for node in data["compound"]["houses"]["nodes"]} == {"1号楼", "2号楼"}
    assert costs[0] == costs[1]
    # The session and its grants; compound, page, count; region, path, buildings, their counts and units;
    # counts of the compound; building and unit of the houses.
    assert costs[1] <= 14


async def test_the_tree_costs_a_statement_for_each_level(api: Api, at: Places) -> None:
    query = """{ organisation { houseCount children { children { children { children { name houseCount
        compounds { name houseCount } } } } } } }"""
    me, costs = await reader(at), []
    for more in (0, 5):
        for number in range(more):
            path = ("浙江省", "杭州市", "西湖区", "文新街道", f"{number}社区")
            await found_compound(SYSTEM, region_names=path, company=at.company, name=unique("小区"))
        async with database.counted() as statements:
            await ask(api, me, query)
        costs.append(statements.count)
    assert costs[0] == costs[1] <= 13
