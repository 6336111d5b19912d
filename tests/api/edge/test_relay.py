"""Global ids, nodes and connections over the API."""

from __future__ import annotations

import base64

import pytest

from tests.api.edge.clients import client, codes, post
from tests.api.edge.small import HOUSE_IDS, Houses

PAGE = """query P($n: Int, $after: String) {
  houses(first: $n, after: $after) {
    edges { cursor node { number } } nodes { number }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""


async def test_walking_the_pages_sees_every_row_once() -> None:
    seen: list[str] = []
    after = None
    async with client() as http:
        while True:
            answer = await post(http, PAGE, {"n": 100, "after": after})
            page = answer["data"]["houses"]
            seen += [edge["node"]["number"] for edge in page["edges"]]
            assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
    assert seen == [f"{number:04d}" for number in range(1, 251)]


async def test_the_default_page_has_twenty_rows() -> None:
    async with client() as http:
        answer = await post(http, "{ houses { nodes { number } totalCount } }")
    assert len(answer["data"]["houses"]["nodes"]) == 20
    assert answer["data"]["houses"]["totalCount"] == 250


@pytest.mark.parametrize("first", [0, -1, 101, 2**31 - 1])
async def test_a_page_size_out_of_bounds_is_refused(first: int) -> None:
    async with client() as http:
        assert codes(await post(http, PAGE, {"n": first})) == ["BAD_PAGE_SIZE"]


@pytest.mark.parametrize(
    "after", ["", "x", "!!!", "AAAA", "bnVsbA", "长", base64.b64encode(b"0" * 64).decode()]
)
async def test_a_foreign_cursor_is_refused(after: str) -> None:
    async with client() as http:
        assert codes(await post(http, PAGE, {"after": after})) == ["BAD_CURSOR"]


async def test_a_cursor_changed_by_a_character_is_refused() -> None:
    async with client() as http:
        answer = await post(http, PAGE, {"n": 1})
        cursor = answer["data"]["houses"]["pageInfo"]["endCursor"]
        for place in (0, len(cursor) // 2, len(cursor) - 3):
            changed = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
            assert codes(await post(http, PAGE, {"after": changed})) == ["BAD_CURSOR"]


def global_id(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


KNOWN = global_id(f"House:{HOUSE_IDS[0]}")
NODE = "query N($id: ID!) { node(id: $id) { __typename id ... on House { number } } }"


async def test_a_node_comes_back_under_its_id() -> None:
    async with client() as http:
        answer = await post(http, NODE, {"id": KNOWN})
    assert answer["data"]["node"] == {"__typename": "House", "id": KNOWN, "number": "0001"}


async def test_what_does_not_exist_is_null() -> None:
    async with client() as http:
        answer = await post(http, NODE, {"id": global_id("House:00000000-0000-0000-0000-0000000003e8")})
    assert answer["data"] == {"node": None}


@pytest.mark.parametrize(
    "id",
    [
        "",
        "x",
        "1",
        "长",
        global_id("House"),
        global_id("House:1"),
        global_id(f"Stranger:{HOUSE_IDS[0]}"),
        global_id(f"House:{HOUSE_IDS[0].hex}"),
        KNOWN + "\n",
        KNOWN + "=",
        global_id("House:' OR 1=1"),
    ],
)
async def test_an_id_that_was_never_issued_is_refused(id: str) -> None:
    async with client() as http:
        answer = await post(http, NODE, {"id": id})
    assert answer["data"] == {"node": None}
    assert codes(answer) == ["BAD_ID"]
    assert answer["errors"][0]["extensions"]["field"] == ["ids"]


async def test_many_nodes_cost_one_call_and_keep_their_order() -> None:
    missing = global_id("House:00000000-0000-0000-0000-0000000003e8")
    ids = [global_id(f"House:{id}") for id in HOUSE_IDS[:50]]
    asked = [ids[7], missing, *ids, ids[7]]
    Houses.calls = 0
    async with client() as http:
        answer = await post(http, "query N($i: [ID!]!) { nodes(ids: $i) { id } }", {"i": asked})
    assert [node and node["id"] for node in answer["data"]["nodes"]] == [ids[7], None, *ids, ids[7]]
    assert Houses.calls == 1


async def test_more_than_a_hundred_ids_are_refused() -> None:
    async with client() as http:
        answer = await post(http, "query N($i: [ID!]!) { nodes(ids: $i) { id } }", {"i": [KNOWN] * 101})
    assert codes(answer) == ["TOO_MANY_IDS"]
