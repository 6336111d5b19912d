"""Visitors through the API: from the invitation to the page, what each sees, and what lists cost."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from domains.access import permissions
from domains.access.models import VisitorPass
from domains.access.service.issuing import Guest
from domains.kernel import clock, database
from domains.kernel.rates import RateLimit, Verdict
from schema.relay import encode
from tests.api.identity.clients import Api, Json, codes
from tests.factories import access, devices, identity, residents, visits
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

PASS = """id state origin guestName phone plate isCarRefused companions purpose message startsAt endsAt usesAllowed
    uses usesLeft houseNumber house { number } hostName isMine link doors { door name place } reason"""
PAGE = """query($s: String!) { visitorPage(secret: $s) { state compoundName guestName message startsAt endsAt usesLeft
    isCarRefused isFire doors { name place } text digits screenKey } }"""
OWN = f"""query($h: ID, $s: [VisitorPassState!], $a: String) {{ viewer {{ visitorPasses(house: $h, states: $s, first: 10,
    after: $a) {{ nodes {{ {PASS} }} pageInfo {{ hasNextPage endCursor }} }} }} }}"""
LIST = f"""query($c: ID!, $d: Date, $q: String) {{ visitorPasses(compound: $c, day: $d, search: $q, first: 10) {{
    totalCount nodes {{ {PASS} }} }} }}"""


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def staff_token(scene: Scene, *granted: str) -> str:
    company = await database.fetchval(
        "SELECT o.name FROM compound c JOIN company o ON o.id = c.company_id WHERE c.id = $1",
        scene.compound_id,
    )
    return await identity.token(
        await identity.staff(company, granted, scope="compound", place_id=scene.compound_id)
    )


async def create(api: Api, scene: Scene, token: str, **more: object) -> Json:
    input = {
        "idempotencyKey": str(uuid4()), "house": encode("House", scene.house_id), "name": "王来访",
        "phone": "13812345678", "message": "到了打电话", **more,
    }  # fmt: skip
    fields = f"visitorPass {{ {PASS} }}"
    return await api.run("createVisitorPass", "CreateVisitorPassInput", fields, token, **input)


async def ask(api: Api, scene: Scene, **more: object) -> Json:
    input = {
        "compoundCode": scene.code, "building": "1", "unit": "1", "room": "101", "name": "王来访",
        "phone": "13812345678", **more,
    }  # fmt: skip
    return await api.run("requestVisitorPass", "RequestVisitorPassInput", "link", None, **input)


async def page(api: Api, secret: str) -> Json:
    return await api.ask(PAGE, {"s": secret})


async def test_invited_shown_and_taken_back(api: Api, scene: Scene) -> None:
    await access.door(scene.compound_id, "南门")
    await access.door(scene.compound_id, "1号楼大门", scene.building_id, needs_screen=True)
    token = await identity.token(scene.owner.account_id)
    made = (await create(api, scene, token, uses=2, companions=1))["visitorPass"]
    assert (made["state"], made["usesLeft"], made["phone"], made["isMine"]) == (
        "ACTIVE",
        2,
        "138****5678",
        True,
    )
    assert (made["hostName"], made["house"]["number"]) == ("张建国", made["houseNumber"])
    assert made["link"].startswith("/v/")
    secret = made["link"].removeprefix("/v/")
    shown = (await page(api, secret))["data"]["visitorPage"]
    assert shown["text"].startswith("RC1:")
    assert len(shown["digits"]) == 6
    assert len(shown["screenKey"]) == 43
    assert [door["name"] for door in shown["doors"]] == ["南门", "1号楼大门"]
    assert (shown["guestName"], shown["message"], shown["usesLeft"], shown["isFire"]) == (
        "王来访", "到了打电话", 2, False,
    )  # fmt: skip
    assert not {"张建国", scene.owner.phone, "101"} & set(str(shown).replace("'", " ").split())
    revoked = await api.run(
        "revokeVisitorPass", "RevokeVisitorPassInput", "visitorPass { state reason }", token,
        visitorPass=made["id"], reason="不来了",
    )  # fmt: skip
    assert revoked["visitorPass"] == {"state": "REVOKED", "reason": "不来了"}
    shown = (await page(api, secret))["data"]["visitorPage"]
    assert (shown["state"], shown["text"], shown["digits"], shown["screenKey"], shown["doors"]) == (
        "REVOKED", None, None, None, [],
    )  # fmt: skip
    assert "不来了" not in str(shown)


async def test_asked_for_and_approved(api: Api, scene: Scene) -> None:
    link = (await ask(api, scene, plate="浙A12345"))["link"]
    secret = link.removeprefix("/v/")
    waiting = (await page(api, secret))["data"]["visitorPage"]
    assert (waiting["state"], waiting["text"]) == ("REQUESTED", None)
    token = await identity.token(scene.family.account_id)
    home = await api.ask(
        "{ viewer { home { cards { __typename key ... on VisitRequestedCard { visitorPass { id guestName } } } } } }",
        token=token,
    )
    [card] = home["data"]["viewer"]["home"]["cards"]
    assert card["__typename"] == "VisitRequestedCard"
    id = card["visitorPass"]["id"]
    decided = await api.run(
        "decideVisitorPass", "DecideVisitorPassInput", "visitorPass { state isMine link }", token,
        visitorPass=id, approve=True,
    )  # fmt: skip
    assert decided["visitorPass"] == {"state": "ACTIVE", "isMine": True, "link": link}
    again = await api.run(
        "decideVisitorPass",
        "DecideVisitorPassInput",
        "visitorPass { id }",
        token,
        visitorPass=id,
        approve=False,
    )
    assert [error["code"] for error in again["errors"]] == ["STATE_CONFLICT"]


async def test_refusals_name_the_field(api: Api, scene: Scene) -> None:
    token = await identity.token(scene.owner.account_id)
    past = (clock.now() - timedelta(hours=1)).isoformat()
    for more, code, field in (
        ({"name": "1"}, "NAME_LENGTH", ["name"]),
        ({"startsAt": past}, "VISIT_IN_PAST", ["startsAt"]),
        ({"uses": 999}, "VISIT_USES_RANGE", ["uses"]),
        ({"doors": [encode("Door", uuid4())]}, "DOOR_NOT_ON_WAY", ["doors"]),
        ({"house": encode("Compound", scene.compound_id)}, "BAD_ID", ["house"]),
        ({"phone": None, "phoneOf": encode("VisitorPass", uuid4())}, "VISITOR_PASS_NOT_FOUND", ["phoneOf"]),
    ):
        answer = await create(api, scene, token, **more)
        assert answer["visitorPass"] is None
        assert [(error["code"], error["field"]) for error in answer["errors"]] == [(code, field)]


@pytest.mark.parametrize("secret", ["", "x", "A" * 22, "a" * 1999, "😀", "' OR 1=1 --", "%00"])
async def test_a_link_that_nobody_was_given(api: Api, secret: str) -> None:
    async with database.counted() as cost:
        answer = await page(api, secret)
    assert codes(answer) == ["NOT_FOUND"]
    assert answer["data"]["visitorPage"] is None
    assert cost.count == 2


async def test_the_page_is_not_opened_all_the_time(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(self: object, limit: RateLimit, key: str, cost: int = 1) -> Verdict:
        return Verdict(limit.name != "visitor-page-address", 0, 1.0, 1.0, limit.name)

    monkeypatch.setattr("domains.kernel.rates.Limiter.take", full)
    assert codes(await page(api, "A" * 22)) == ["VISITOR_PAGE_TOO_OFTEN"]


async def test_a_fire_of_the_building_is_on_the_page(api: Api, scene: Scene) -> None:
    secret = await visits.ask(scene)
    for building, expected in ((scene.other_building_id, False), (scene.building_id, True)):
        device = await devices.device(scene.compound_id, "fire_panel", building)
        await database.execute(
            "INSERT INTO alarm (id, compound_id, building_id, device_id, kind, level, state, detail, opened_at, "
            "reported_at, reports, flaps, is_false, note) "
            "VALUES ($1, $2, $3, $4, 'fire', 'critical', 'open', '', $5, $5, 1, 0, false, '')",
            uuid4(), scene.compound_id, building, device, clock.now(),
        )  # fmt: skip
        assert (await page(api, secret))["data"]["visitorPage"]["isFire"] is expected


async def test_lists_cost_the_same_however_long(api: Api, scene: Scene) -> None:
    await access.door(scene.compound_id, "南门")
    own = await identity.token(scene.owner.account_id)
    staff = await staff_token(scene, permissions.VISITORS_READ, "estate.read")
    compound = encode("Compound", scene.compound_id)
    costs = []
    for count in (1, 9):
        for _ in range(count):
            await access.visitor_pass(scene.compound_id, scene.house_id, scene.owner.account_id)
        async with database.counted() as cost:
            seen = await api.ask(OWN, {}, own)
        async with database.counted() as staff_cost:
            listed = await api.ask(LIST, {"c": compound}, staff)
        costs.append((cost.count, staff_cost.count))
    assert len(seen["data"]["viewer"]["visitorPasses"]["nodes"]) == 10
    assert listed["data"]["visitorPasses"]["totalCount"] == 10
    assert costs[0] == costs[1]
    # Session, ties, passes, doors, houses; and for staff grants, the audit and the count.
    assert costs[0][0] <= 5
    assert costs[0][1] <= 7


async def test_pages_follow_each_other(api: Api, scene: Scene) -> None:
    token = await identity.token(scene.tenant.account_id)
    ids = [await access.visitor_pass(scene.compound_id, scene.house_id, None) for _ in range(13)]
    await access.visitor_pass(scene.compound_id, scene.next_door_id, None)
    found: list[str] = []
    cursor = None
    for more in (True, False):
        variables = {"h": encode("House", scene.house_id), "s": ["ACTIVE"], "a": cursor}
        answer = await api.ask(OWN, variables, token)
        paged = answer["data"]["viewer"]["visitorPasses"]
        found += [row["id"] for row in paged["nodes"]]
        cursor = paged["pageInfo"]["endCursor"]
        assert paged["pageInfo"]["hasNextPage"] is more
    assert found == [encode("VisitorPass", id) for id in reversed(ids)]
    refused = await api.ask(OWN, {"h": encode("House", scene.next_door_id)}, token)
    assert codes(refused) == ["FORBIDDEN"]


async def test_staff_find_by_name_plate_and_phone(api: Api, scene: Scene) -> None:
    owner = await visits.owner(scene)
    today = await visits.create(
        owner, scene.house_id, Guest(name="王来访", phone="13812345678", plate="浙A12345")
    )
    later = await visits.create(
        owner,
        scene.house_id,
        Guest(name="李来访", phone="13900001234"),
        starts_at=clock.now() + timedelta(days=2),
    )
    other = await residents.scene()
    await access.visitor_pass(other.compound_id, other.house_id)
    token = await staff_token(scene, permissions.VISITORS_READ)

    async def found(**variables: object) -> list[UUID]:
        answer = await api.ask(LIST, {"c": encode("Compound", scene.compound_id), **variables}, token)
        ids = {encode("VisitorPass", id): id for id in (today, later)}
        rows = answer["data"]["visitorPasses"]["nodes"]
        assert len(rows) == answer["data"]["visitorPasses"]["totalCount"]
        assert all(row["link"] is None and row["phone"].count("*") == 4 for row in rows)
        return [ids[row["id"]] for row in rows]

    day = clock.today()
    assert await found() == [later, today]
    assert await found(d=day.isoformat()) == [today]
    assert await found(d=(day + timedelta(days=2)).isoformat()) == [later]
    assert await found(q="李来") == [later]
    assert await found(q="a·123") == [today]
    assert await found(q="1234") == [later, today], (
        "the last digits of one phone, a part of the other's plate"
    )
    assert await found(q="138 1234 5678") == [today]
    assert await found(q="%") == []
    assert await found(q="5679") == []


async def test_repeated_visits_through_the_api(api: Api, scene: Scene) -> None:
    token = await identity.token(scene.tenant.account_id)
    made = await api.run(
        "createPassTemplate", "CreatePassTemplateInput", "passTemplate { id weekdays link isMine }", token,
        idempotencyKey=str(uuid4()), house=encode("House", scene.house_id), name="陈阿姨", weekdays=[2, 1],
        fromMinute=540, untilMinute=660, untilOn=(clock.today() + timedelta(days=60)).isoformat(),
    )  # fmt: skip
    template = made["passTemplate"]
    assert (template["weekdays"], template["isMine"]) == ([1, 2], True)
    shown = (await page(api, template["link"].removeprefix("/v/")))["data"]["visitorPage"]
    assert shown["state"] == "ACTIVE"
    assert datetime.fromisoformat(shown["startsAt"]) < clock.now() + timedelta(days=8)
    listed = await api.ask("{ viewer { passTemplates { id endedAt } } }", token=token)
    assert listed["data"]["viewer"]["passTemplates"] == [{"id": template["id"], "endedAt": None}]
    node = "query($i: ID!) { node(id: $i) { id ... on PassTemplate { guestName } } }"
    again = await api.ask(node, {"i": template["id"]}, token)
    assert again["data"]["node"]["guestName"] == "陈阿姨"
    ended = await api.run(
        "endPassTemplate",
        "EndPassTemplateInput",
        "passTemplate { endedAt }",
        token,
        passTemplate=template["id"],
    )
    assert ended["passTemplate"]["endedAt"] is not None


async def test_rules_are_read_and_set(api: Api, scene: Scene) -> None:
    compound = encode("Compound", scene.compound_id)
    query = "query($c: ID!) { accessRules(compound: $c) { compound longestWindowH mostUses visitorCars approver } }"
    token = await staff_token(scene, permissions.RULES_WRITE)
    changed = await api.run(
        "setAccessRules", "SetAccessRulesInput", "accessRules { visitorCars approver }", token, compound=compound,
        visitorCars=30, approver="GUARD",
    )  # fmt: skip
    assert changed["accessRules"] == {"visitorCars": 30, "approver": "GUARD"}
    await api.run(
        "setAccessRules", "SetAccessRulesInput", "accessRules { visitorCars }", token, compound=compound,
        visitorCars=None,
    )  # fmt: skip
    resident = await identity.token(scene.family.account_id)
    seen = await api.ask(query, {"c": compound}, resident)
    assert seen["data"]["accessRules"] == {
        "compound": compound, "longestWindowH": 72, "mostUses": 20, "visitorCars": None, "approver": "GUARD",
    }  # fmt: skip
    wrong = await api.run(
        "setAccessRules",
        "SetAccessRulesInput",
        "accessRules { mostUses }",
        token,
        compound=compound,
        mostUses=0,
    )
    assert [(error["code"], error["field"]) for error in wrong["errors"]] == [
        ("ACCESS_RULE_RANGE", ["mostUses"])
    ]
    elsewhere = await api.ask(query, {"c": encode("Compound", scene.other_compound_id)}, resident)
    assert codes(elsewhere) == ["FORBIDDEN"]


async def test_the_visitor_page_needs_nobody_and_the_lists_do(api: Api, scene: Scene) -> None:
    assert codes(await api.ask(OWN, {})) == ["UNAUTHENTICATED"]
    assert codes(await api.ask(LIST, {"c": encode("Compound", scene.compound_id)})) == ["UNAUTHENTICATED"]
    own = await identity.token(scene.owner.account_id)
    assert codes(await api.ask(LIST, {"c": encode("Compound", scene.compound_id)}, own)) == ["FORBIDDEN"]
    assert await VisitorPass.filter(compound_id=scene.compound_id).count() == 0
