"""Records of doors over the API: what each kind of caller gets, and what a list costs."""

from __future__ import annotations

from uuid import UUID

import pytest

from domains.kernel import clock, database
from schema.relay import encode
from tests.api.identity.clients import Api, codes
from tests.factories import access, guards, identity
from tests.factories.guards import Post

pytestmark = pytest.mark.usefixtures("instance")

LIST = """query($c: ID!, $filter: AccessRecordFilter, $first: Int = 20, $after: String) {
    accessRecords(compound: $c, filter: $filter, first: $first, after: $after) {
        totalCount pageInfo { hasNextPage endCursor }
        nodes { id who doorName houseNumber method result direction reason isVehicle plate at door person visitorPass
            guardName house { number } } } }"""
OWN = "{ viewer { accessRecords(first: 10) { nodes { id who method doorName } } } }"
STATISTICS = """query($c: ID!, $from: Date!, $until: Date!) { accessStatistics(compound: $c, from: $from, until: $until) {
    total { attempts opened refused } byDay { day tally { attempts } } byDoor { door doorName tally { attempts } }
    byMethod { method tally { attempts } } byResult { result tally { attempts } }
    byDirection { direction tally { attempts } } } }"""


@pytest.fixture
async def post() -> Post:
    return await guards.post()


async def reader(post: Post, *more: str) -> str:
    actor = await guards.guard(post.scene, "access_records.read", "estate.read", *more)
    return await identity.token(actor.id)


async def test_staff_list_narrow_page_and_fetch_again(api: Api, post: Post) -> None:
    compound, token = encode("Compound", post.scene.compound_id), await reader(post)
    for n in range(3):
        await access.record(
            post.door_id, house_id=post.scene.house_id, person_id=post.scene.owner.person_id, who=f"住户{n}"
        )
    refused = await access.record(post.door_id, result="refused", reason="EXPIRED", method="qr", who="")
    answer = await api.ask(LIST, {"c": compound, "first": 2}, token)
    page = answer["data"]["accessRecords"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (4, True)
    newest, own = page["nodes"]
    assert (newest["id"], newest["reason"], newest["method"]) == (
        encode("AccessRecord", refused),
        "EXPIRED",
        "QR",
    )
    assert (own["houseNumber"], own["house"]["number"], own["result"]) == ("1号楼1单元101",) * 2 + ("OPENED",)
    rest = await api.ask(LIST, {"c": compound, "after": page["pageInfo"]["endCursor"]}, token)
    assert [node["who"] for node in rest["data"]["accessRecords"]["nodes"]] == ["住户1", "住户0"]
    narrowed = {
        "door": encode("Door", post.door_id),
        "result": "REFUSED",
        "isVehicle": False,
        "until": "2099-01-01T00:00:00Z",
    }
    answer = await api.ask(LIST, {"c": compound, "filter": narrowed}, token)
    assert [node["id"] for node in answer["data"]["accessRecords"]["nodes"]] == [newest["id"]]
    node = await api.ask(
        "query($id: ID!) { node(id: $id) { ... on AccessRecord { doorName } } }", {"id": newest["id"]}, token
    )
    assert node["data"]["node"] == {"doorName": "南门"}


@pytest.mark.parametrize(
    ("filter", "code"),
    [
        ({"door": "x"}, "BAD_ID"), ({"house": encode("Door", UUID(int=1))}, "BAD_ID"),
        ({"from": "2026-05-02T00:00:00Z", "until": "2026-05-01T00:00:00Z"}, "PERIOD_REVERSED"),
    ],
)  # fmt: skip
async def test_nonsense_is_told(api: Api, post: Post, filter: dict[str, str], code: str) -> None:
    variables = {"c": encode("Compound", post.scene.compound_id), "filter": filter}
    assert codes(await api.ask(LIST, variables, await reader(post))) == [code]


async def test_residents_read_their_own_and_no_list(api: Api, post: Post) -> None:
    scene = post.scene
    mine = await access.record(post.door_id, house_id=scene.house_id, person_id=scene.owner.person_id)
    other = await access.record(
        post.door_id, house_id=scene.next_door_id, person_id=scene.neighbour.person_id
    )
    token = await identity.token(scene.owner.account_id)
    answer = await api.ask(OWN, token=token)
    shown = answer["data"]["viewer"]["accessRecords"]["nodes"]
    assert [node["id"] for node in shown] == [encode("AccessRecord", mine)]
    fetched = await api.ask(
        "query($ids: [ID!]!) { nodes(ids: $ids) { id } }",
        {"ids": [encode("AccessRecord", id) for id in (mine, other)]}, token,
    )  # fmt: skip
    assert fetched["data"]["nodes"] == [{"id": encode("AccessRecord", mine)}, None]
    compound = {"c": encode("Compound", scene.compound_id)}
    assert codes(await api.ask(LIST, compound, token)) == ["FORBIDDEN"]
    assert codes(await api.ask(LIST, compound)) == ["UNAUTHENTICATED"]


async def test_statistics(api: Api, post: Post) -> None:
    await access.record(post.door_id)
    day = clock.today().isoformat()
    variables = {"c": encode("Compound", post.scene.compound_id), "from": day, "until": day}
    answer = await api.ask(STATISTICS, variables, await reader(post))
    told = answer["data"]["accessStatistics"]
    assert told["total"] == {"attempts": 1, "opened": 1, "refused": 0}
    assert told["byDay"] == [{"day": day, "tally": {"attempts": 1}}]
    assert told["byDoor"][0]["door"] == encode("Door", post.door_id)
    assert (told["byMethod"][0]["method"], told["byResult"][0]["result"]) == ("APP", "OPENED")


async def test_a_file_is_fetched_by_who_asked(api: Api, post: Post) -> None:
    await access.record(post.door_id)
    token, other = await reader(post), await reader(post)
    made = await api.run(
        "exportAccessRecords", "ExportAccessRecordsInput", "file { address rows contentType expiresAt }", token,
        compound=encode("Compound", post.scene.compound_id), format="CSV",
    )  # fmt: skip
    assert (made["errors"], made["file"]["rows"], made["file"]["contentType"]) == ([], 1, "text/csv")
    address = made["file"]["address"]
    got = await api.http.get(address, headers={"authorization": f"Bearer {token}"})
    assert got.status_code == 200
    assert "attachment" in got.headers["content-disposition"]
    assert "张建国" in got.content.decode("utf-8-sig")
    for headers in ({}, {"authorization": f"Bearer {other}"}):
        assert (await api.http.get(address, headers=headers)).status_code in (400, 401, 403)


async def test_a_list_costs_the_same_however_long(api: Api, post: Post) -> None:
    token, compound = await reader(post), encode("Compound", post.scene.compound_id)
    own = await identity.token(post.scene.owner.account_id)
    costs = []
    for many in (1, 10):
        for _ in range(many):
            await access.record(
                post.door_id, house_id=post.scene.house_id, person_id=post.scene.owner.person_id
            )
        async with database.counted() as listed:
            assert "errors" not in await api.ask(LIST, {"c": compound}, token)
        async with database.counted() as mine:
            assert "errors" not in await api.ask(OWN, token=own)
        costs.append((listed.count, mine.count))
    assert costs[0] == costs[1]
    assert max(costs[1]) <= 10, costs
