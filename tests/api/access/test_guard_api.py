"""A guard's day over the API: the desk, the search, a scan, and what is decided at the gate."""

from __future__ import annotations

from uuid import uuid4

import pytest

from domains.access import sealed
from domains.access.service import texts
from domains.devices import permissions as devices
from domains.devices.models import Alarm
from domains.kernel import clock, database
from schema.relay import encode
from tests.api.identity.clients import Api, codes
from tests.factories import devices as device_factory
from tests.factories import guards, identity
from tests.factories.guards import Post, visit

pytestmark = pytest.mark.usefixtures("instance")

VISITOR = "id guestName phone state houseNumber uses inside: insideSince documentCheckedAt doors { name }"
DESK = f"""query($c: ID!) {{ guardDesk(compound: $c) {{ counts {{ waiting expected inside admitted refused }}
    expected {{ {VISITOR} }} inside {{ {VISITOR} }} alarms {{ kind level }} }} }}"""
SEARCH = f"query($c: ID!, $w: String!) {{ guardSearch(compound: $c, words: $w) {{ {VISITOR} }} }}"
SCAN = f"""query($c: ID!, $d: ID!, $t: String!) {{ scanPass(compound: $c, door: $d, text: $t) {{
    counts reason message resident visitor {{ {VISITOR} }} }} }}"""
MADE = f"visitor {{ {VISITOR} }} record {{ result reason note direction guardName }}"


@pytest.fixture
async def post() -> Post:
    return await guards.post()


async def test_a_visitor_from_the_desk_to_the_way_out(api: Api, post: Post) -> None:
    token, compound = await identity.token(post.guard.id), encode("Compound", post.scene.compound_id)
    pass_id = await post.visitor(**sealed.phone_columns("13800010001"))
    shown, door = encode("VisitorPass", pass_id), encode("Door", post.door_id)
    desk = (await api.ask(DESK, {"c": compound}, token))["data"]["guardDesk"]
    assert [(each["id"], each["phone"]) for each in desk["expected"]] == [(shown, "138****0001")]
    [found] = (await api.ask(SEARCH, {"c": compound, "w": "0001"}, token))["data"]["guardSearch"]
    assert found["id"] == shown
    text = await texts.text_of(pass_id)
    scanned = (await api.ask(SCAN, {"c": compound, "d": door, "t": text}, token))["data"]["scanPass"]
    assert (scanned["counts"], scanned["reason"], scanned["visitor"]["id"]) == (True, "OK", shown)
    input = {"visitorPass": shown, "door": door, "documentChecked": True, "idempotencyKey": str(uuid4())}
    for _ in range(2):
        made = await api.run("admitVisitor", "AdmitVisitorInput", MADE, token, **input)
        assert made["errors"] == []
        assert (made["visitor"]["state"], made["visitor"]["uses"]) == ("USED_UP", 1)
        assert made["record"] == {
            "result": "OPENED", "reason": "", "note": "已核对证件", "direction": "IN", "guardName": "王师傅",
        }  # fmt: skip
    again = await api.run(
        "admitVisitor", "AdmitVisitorInput", MADE, token, **input | {"idempotencyKey": str(uuid4())}
    )
    assert (codes(again), again["visitor"]) == (["VISITOR_USED_UP"], None)
    scanned = (await api.ask(SCAN, {"c": compound, "d": door, "t": text}, token))["data"]["scanPass"]
    assert (scanned["counts"], scanned["reason"]) == (False, "USED_UP")
    assert scanned["message"].startswith("通行次数已用完")
    desk = (await api.ask(DESK, {"c": compound}, token))["data"]["guardDesk"]
    assert (desk["counts"]["inside"], desk["counts"]["admitted"], desk["counts"]["refused"]) == (1, 1, 1)
    left = await api.run("leaveVisitor", "LeaveVisitorInput", MADE, token, visitorPass=shown, door=door)
    assert (left["visitor"]["inside"], left["record"]["direction"]) == (None, "OUT")


async def test_a_visitor_is_sent_away_and_a_walk_in_registered(api: Api, post: Post) -> None:
    token, door = await identity.token(post.guard.id), encode("Door", post.door_id)
    pass_id = await post.visitor()
    made = await api.run(
        "refuseVisitor", "RefuseVisitorInput", MADE, token, visitorPass=encode("VisitorPass", pass_id), door=door,
        reason="证件不符", idempotencyKey=str(uuid4()),
    )  # fmt: skip
    assert (made["record"]["reason"], made["record"]["note"]) == ("GUARD_REFUSED", "证件不符")
    walked = await api.run(
        "registerWalkIn", "RegisterWalkInInput", MADE, token, compound=encode("Compound", post.scene.compound_id),
        door=door, place="1-1-101", guestName="孙快递", documentKind="RESIDENT_ID", purpose="DELIVERY",
        idempotencyKey=str(uuid4()),
    )  # fmt: skip
    assert (walked["visitor"]["guestName"], walked["visitor"]["houseNumber"]) == ("孙快递", "1号楼1单元101")
    wrong = await api.run(
        "registerWalkIn", "RegisterWalkInInput", MADE, token, compound=encode("Compound", post.scene.compound_id),
        door=door, place="9-9-999", guestName="孙快递", idempotencyKey=str(uuid4()),
    )  # fmt: skip
    assert (codes(wrong), wrong["visitor"]) == (["HOUSE_NOT_FOUND"], None)


async def test_who_may_admit_and_nothing_else_is_shown_nothing_else(api: Api, post: Post) -> None:
    actor = await guards.guard(post.scene, "visitors.admit")
    token, pass_id = await identity.token(actor.id), await post.visitor()
    made = await api.run(
        "admitVisitor", "AdmitVisitorInput", MADE, token, visitorPass=encode("VisitorPass", pass_id),
        door=encode("Door", post.door_id), documentChecked=False, idempotencyKey=str(uuid4()),
    )  # fmt: skip
    assert made == {"visitor": None, "record": None, "errors": []}
    assert (await visit(pass_id)).uses == 1
    assert codes(await api.ask(DESK, {"c": encode("Compound", post.scene.compound_id)}, token)) == [
        "FORBIDDEN"
    ]


async def test_alarms_are_for_who_may_read_them(api: Api, post: Post) -> None:
    compound = encode("Compound", post.scene.compound_id)
    device_id, now = await device_factory.device(post.scene.compound_id, "smoke"), clock.now()
    await Alarm.create(
        compound_id=post.scene.compound_id, device_id=device_id, kind="fire", level="critical", state="open",
        opened_at=now, reported_at=now,
    )  # fmt: skip
    for granted, shown in (
        (("visitors.read",), []),
        (("visitors.read", devices.ALARMS_READ), [{"kind": "FIRE", "level": "CRITICAL"}]),
    ):
        token = await identity.token((await guards.guard(post.scene, *granted)).id)
        answer = await api.ask(DESK, {"c": compound}, token)
        assert answer["data"]["guardDesk"]["alarms"] == shown


async def test_a_desk_and_a_search_cost_the_same_however_long(api: Api, post: Post) -> None:
    token, compound = await identity.token(post.guard.id), encode("Compound", post.scene.compound_id)
    costs = []
    for many in (1, 10):
        for _ in range(many):
            await post.visitor()
            await post.admit(await post.visitor(uses_allowed=2))
        async with database.counted() as desk:
            assert "errors" not in await api.ask(DESK, {"c": compound}, token)
        async with database.counted() as search:
            assert "errors" not in await api.ask(SEARCH, {"c": compound, "w": "王"}, token)
        costs.append((desk.count, search.count))
    assert costs[0] == costs[1]
    assert max(costs[1]) <= 12, costs
