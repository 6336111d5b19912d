"""The inbox over the API: pages, words by language, marking, nodes."""

from __future__ import annotations

from uuid import uuid4

import pytest

from domains.kernel import database
from schema.relay import encode
from tests.api.identity.clients import Api, Json, codes
from tests.factories import notifications as made
from tests.factories.identity import resident, token

pytestmark = pytest.mark.usefixtures("instance")

INBOX = """query($first: Int! = 20, $after: String, $unread: Boolean! = false, $kinds: [String!]) { viewer {
    inbox(first: $first, after: $after, unreadOnly: $unread, kinds: $kinds) { unreadCount totalCount
        pageInfo { hasNextPage endCursor }
        nodes { id kind label urgency title body link subject compound createdAt readAt } } } }"""


@pytest.fixture(autouse=True)
def kinds() -> None:
    made.use()


async def ask(api: Api, token: str, **variables: object) -> Json:
    answer = await api.ask(INBOX, variables, token)
    assert "errors" not in answer, answer
    return answer["data"]["viewer"]["inbox"]


async def test_a_notification_is_shown_whole(api: Api) -> None:
    me, compound, house = await resident(), uuid4(), uuid4()
    id = await made.told(me, made.OTHER, compound_id=compound, subject=("House", house))
    found = await ask(api, await token(me))
    (node,) = found["nodes"]
    created = node.pop("createdAt")
    assert created.endswith("+00:00")
    assert node == {
        "id": encode("Notification", id), "kind": "test.other", "label": "其他", "urgency": "NORMAL",
        "title": "3-1-101 有新消息", "body": "请查看 3-1-101", "link": "/pages/house?number=3-1-101",
        "subject": encode("House", house), "compound": encode("Compound", compound), "readAt": None,
    }  # fmt: skip
    assert (found["unreadCount"], found["totalCount"]) == (1, 1)


async def test_pages_follow_each_other_and_filters_hold(api: Api) -> None:
    me = await resident()
    mine = await token(me)
    ids = [encode("Notification", await made.told(me, kind)) for kind in (made.PLAIN, made.OTHER) * 3]
    seen, after = [], None
    for more in (True, True, False):
        found = await ask(api, mine, first=2, after=after)
        seen += [node["id"] for node in found["nodes"]]
        after = found["pageInfo"]["endCursor"]
        assert found["pageInfo"]["hasNextPage"] is more
    assert seen == ids[::-1]
    found = await ask(api, mine, kinds=["test.other"])
    assert ([node["id"] for node in found["nodes"]], found["unreadCount"]) == (ids[::-2], 6)
    await api.run("markRead", "MarkReadInput", "changedCount", mine, notifications=ids[1:])
    found = await ask(api, mine, unread=True)
    assert ([node["id"] for node in found["nodes"]], found["totalCount"]) == ([ids[0]], 1)


async def test_words_follow_accept_language(api: Api) -> None:
    me = await resident()
    await made.told(me)
    response = await api.http.post(
        "/graphql", json={"query": "{ viewer { inbox { nodes { title label } } } }"},
        headers={"authorization": f"Bearer {await token(me)}", "accept-language": "en"},
    )  # fmt: skip
    assert response.json()["data"]["viewer"]["inbox"]["nodes"] == [
        {"title": "News of 3-1-101", "label": "Test"}
    ]


async def test_marking_answers_what_changed_and_what_is_left(api: Api) -> None:
    me = await resident()
    mine = await token(me)
    ids = [encode("Notification", await made.told(me)) for _ in range(3)]
    fields = "notifications { id readAt } changedCount unreadCount"
    marked = await api.run("markRead", "MarkReadInput", fields, mine, through=ids[1])
    assert [node["id"] for node in marked["notifications"]] == [ids[1], ids[0]]
    assert all(node["readAt"] for node in marked["notifications"])
    assert (marked["changedCount"], marked["unreadCount"]) == (2, 1)
    again = await api.run("markRead", "MarkReadInput", fields, mine, notifications=ids[:2])
    assert again == {"notifications": [], "changedCount": 0, "unreadCount": 1, "errors": []}


async def test_bad_input_is_refused_by_name(api: Api) -> None:
    mine = await token(await resident())
    for input, code in (
        ({"through": encode("Notification", uuid4())}, "NOTIFICATION_NOT_FOUND"),
        ({"through": encode("House", uuid4())}, "BAD_ID"), ({"notifications": ["x"]}, "BAD_ID"),
        ({"notifications": [encode("Notification", uuid4())] * 101}, "TOO_MANY_IDS"),
    ):  # fmt: skip
        assert codes(await api.run("markRead", "MarkReadInput", "unreadCount", mine, **input)) == [code]
    for both in ({}, {"notifications": [], "through": "x"}, {"through": None}):
        assert codes(await api.attempt("markRead", "MarkReadInput", "unreadCount", mine, **both)) == [
            "BAD_USER_INPUT"
        ]
    pages: dict[str, dict[str, object]] = {
        "TOO_MANY_KINDS": {"kinds": ["x"] * 21}, "BAD_PAGE_SIZE": {"first": 0}, "BAD_CURSOR": {"after": "x"},
    }  # fmt: skip
    for code, variables in pages.items():
        assert codes(await api.ask(INBOX, variables, mine)) == [code]


async def test_a_page_costs_the_same_however_long(api: Api) -> None:
    me = await resident()
    mine, costs = await token(me), []
    for number in (1, 15):
        for _ in range(number):
            await made.told(me)
        async with database.counted() as cost:
            await ask(api, mine)
        costs.append(cost.count)
    # Who it is (the session, the houses), then the page, the unread count and the total.
    assert costs[0] == costs[1] <= 6
