"""Doors over the API: from the register to the phone that opens one."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from domains.access import permissions
from domains.access.models import DoorCommand
from domains.devices import permissions as device_permissions
from domains.estate import permissions as estate_permissions
from domains.kernel import database
from schema.context import Context
from schema.relay import encode
from schema.root import schema
from tests.api.identity.clients import Api, codes
from tests.factories import devices, identity, residents
from tests.unit.access.door_scenes import Doors, behave, doors, sent_to

pytestmark = pytest.mark.usefixtures("instance")

COMMAND = (
    "command { id state reason message action requestedAt expiresAt settledAt movedAt door { id name } }"
)
DOOR = "door { id number name kind direction methods isForVisitors needsScreen mode isReleased position isOnline }"
OWN = """query($house: ID) { viewer { doors(house: $house) { id name methods isOnline position mode isReleased lastUsedAt
    building { name } unit { name } } } }"""
LIST = """query($c: ID!, $kind: DoorKind, $search: String, $after: String) { doors(compound: $c, kind: $kind,
    search: $search, first: 2, after: $after) { totalCount pageInfo { hasNextPage endCursor }
    nodes { id number name listSequence listedAt lastSeenAt device { name } building { name } unit { name } } } }"""


@pytest.fixture
async def at() -> Doors:
    return await doors()


async def staff(at: Doors, *granted: str) -> str:
    account = await identity.staff(
        await company_of(at.at.compound_id), granted, scope="compound", place_id=at.at.compound_id
    )
    return await identity.token(account)


async def company_of(compound_id: UUID) -> str:
    name: str = await database.fetchval(
        "SELECT y.name FROM compound c JOIN company y ON y.id = c.company_id WHERE c.id = $1", compound_id
    )
    return name


async def tap(api: Api, token: str | None, door_id: UUID, **more: object) -> Any:  # Any: JSON
    given = {"door": encode("Door", door_id), "idempotencyKey": str(uuid4()), **more}
    return await api.attempt("openDoor", "OpenDoorInput", COMMAND, token, **given)


async def test_a_resident_sees_the_own_doors_and_opens_one(at: Doors, api: Api) -> None:
    token = await identity.token(at.at.owner.account_id)
    key = str(uuid4())
    [made] = (await tap(api, token, at.unit, idempotencyKey=key))["data"].values()
    assert made["errors"] == [] and made["command"]["state"] == "OPENED"
    assert made["command"]["message"] is None and made["command"]["door"]["name"] == "1单元门"
    again = (await tap(api, token, at.unit, idempotencyKey=key))["data"]["openDoor"]
    assert again["command"]["id"] == made["command"]["id"]
    assert await sent_to(at.unit) == 1
    async with database.counted() as cost:
        own = (await api.ask(OWN, token=token))["data"]["viewer"]["doors"]
    assert [each["name"] for each in own] == ["1单元门", "南门", "1号楼大堂"]
    assert own[0]["lastUsedAt"] and own[0]["methods"] == ["APP", "QR", "CODE"]
    assert own[0]["building"]["name"] == "1号楼" and own[0]["unit"]["name"] == "1单元"
    # Session, ties, doors, buildings, units: the same for however many doors.
    assert cost.count <= 6, cost.texts
    found = await api.ask(
        'query($id: ID!) { doorCommand(id: $id) { state } node(id: $id) { ... on DoorCommand { action } } }',
        {"id": made["command"]["id"]}, token,
    )  # fmt: skip
    assert found["data"] == {"doorCommand": {"state": "OPENED"}, "node": {"action": "OPEN"}}


async def test_an_order_is_its_callers_and_of_staff_who_see_the_door(at: Doors, api: Api) -> None:
    made = (await tap(api, await identity.token(at.at.owner.account_id), at.unit))["data"]["openDoor"][
        "command"
    ]
    query = "query($id: ID!) { doorCommand(id: $id) { state } }"
    for token, seen in (
        (await identity.token(at.at.family.account_id), False),
        (await staff(at, permissions.DOORS_READ), True), (await staff(at, permissions.DOORS_WRITE), False),
    ):  # fmt: skip
        found = await api.ask(query, {"id": made["id"]}, token)
        assert (found["data"]["doorCommand"] is not None) == seen
    assert codes(await api.ask(query, {"id": made["id"]})) == ["UNAUTHENTICATED"]


async def test_refusals_say_what_to_do(at: Doors, api: Api) -> None:
    token = await identity.token(at.at.owner.account_id)
    assert codes(await tap(api, token, at.far)) == ["FORBIDDEN"]
    assert codes(await tap(api, token, uuid4())) == ["FORBIDDEN"]
    assert codes(await tap(api, None, at.unit)) == ["UNAUTHENTICATED"]
    assert codes(await tap(api, token, at.unit, house=encode("House", at.at.next_door_id))) == ["FORBIDDEN"]
    refused = (await tap(api, token, at.unit, door=encode("House", at.unit)))["data"]["openDoor"]
    assert codes(refused) == ["BAD_ID"] and refused["command"] is None
    assert codes(await tap(api, token, at.unit, idempotencyKey="soon")) != []
    assert await sent_to(at.unit) == 0
    await behave(at.unit, is_there=False)
    unreachable = (await tap(api, token, at.unit))["data"]["openDoor"]["command"]
    assert (unreachable["state"], unreachable["reason"]) == ("REFUSED", "DOOR_UNREACHABLE")
    assert unreachable["message"] == "门禁没有联网,请用其他方式开门或联系物业"
    await behave(at.gate, refuses="E42")
    assert (await tap(api, token, at.gate))["data"]["openDoor"]["command"]["message"].startswith(
        "门禁没有执行"
    )


async def test_the_register_over_the_api(at: Doors, api: Api) -> None:
    token = await staff(
        at, permissions.DOORS_READ, permissions.DOORS_WRITE, device_permissions.READ, estate_permissions.READ
    )
    device = encode("Device", await devices.device(at.at.compound_id, "vehicle_gate"))
    compound = encode("Compound", at.at.compound_id)
    made = await api.run(
        "registerDoor", "RegisterDoorInput", DOOR, token,
        compound=compound, device=device, name="西门车道", kind="VEHICLE_GATE", direction="IN", methods=["PLATE", "QR"],
    )  # fmt: skip
    door = made["door"]
    assert (door["number"], door["kind"], door["methods"]) == (6, "VEHICLE_GATE", ["QR", "PLATE"])
    assert (door["position"], door["isOnline"], door["mode"]) == ("UNKNOWN", None, "NORMAL")
    taken = await api.run(
        "registerDoor",
        "RegisterDoorInput",
        DOOR,
        token,
        compound=compound,
        device=device,
        name="门",
        kind="GATE",
    )
    assert codes(taken) == ["DEVICE_TAKEN"] and taken["door"] is None
    changed = await api.run("updateDoor", "UpdateDoorInput", DOOR, token, door=door["id"], name="西门")
    assert (changed["door"]["name"], changed["door"]["direction"]) == ("西门", "IN")
    held = await api.run(
        "setDoorMode", "SetDoorModeInput", COMMAND, token,
        door=door["id"], mode="HELD_OPEN", reason="搬家", idempotencyKey=str(uuid4()),
    )  # fmt: skip
    assert (held["command"]["state"], held["command"]["action"]) == ("OPENED", "HOLD_OPEN")
    async with database.counted() as cost:
        first = (await api.ask(LIST, {"c": compound}, token))["data"]["doors"]
    assert first["totalCount"] == 6 and first["pageInfo"]["hasNextPage"]
    assert cost.count <= 8, cost.texts
    after = first["pageInfo"]["endCursor"]
    second = (await api.ask(LIST, {"c": compound, "after": after}, token))["data"]["doors"]
    assert [each["number"] for each in (*first["nodes"], *second["nodes"])] == [1, 2, 3, 4]
    found = (await api.ask(LIST, {"c": compound, "search": "西"}, token))["data"]["doors"]["nodes"]
    assert [(each["name"], each["device"]["name"]) for each in found] == [("西门", "测试设备")]
    gone = await api.run("removeDoor", "RemoveDoorInput", "door", token, door=door["id"])
    assert gone == {"door": door["id"], "errors": []}
    assert codes(await api.run("removeDoor", "RemoveDoorInput", "door", token, door=door["id"])) == [
        "DOOR_NOT_FOUND"
    ]


async def test_residents_and_staff_without_the_permission_change_nothing(at: Doors, api: Api) -> None:
    compound = encode("Compound", at.at.compound_id)
    for token in (
        await identity.token(at.at.owner.account_id),
        await staff(at, permissions.DOORS_OPEN),
        None,
    ):
        for name, kind, input in (
            ("removeDoor", "RemoveDoorInput", {"door": encode("Door", at.gate)}),
            ("setDoorMode", "SetDoorModeInput", {
                "door": encode("Door", at.gate), "mode": "CLOSED", "reason": "试", "idempotencyKey": str(uuid4()),
            }),
        ):  # fmt: skip
            field = "door" if name == "removeDoor" else COMMAND
            assert codes(await api.attempt(name, kind, field, token, **input)) in (
                ["FORBIDDEN"],
                ["UNAUTHENTICATED"],
            )
        assert codes(await api.ask(LIST, {"c": compound}, token)) in (["FORBIDDEN"], ["UNAUTHENTICATED"])
    assert await sent_to(at.gate) == 0
    assert await DoorCommand.filter(door_id=at.gate).count() == 0


async def test_a_phone_follows_its_order(at: Doors, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from domains.access.service import sending

    monkeypatch.setattr(sending, "PATIENCE_S", 0.02)
    await behave(at.unit, delay_s=0.4)
    owner = await at.resident()
    made = (await tap(api, await identity.token(owner.id), at.unit))["data"]["openDoor"]["command"]
    assert made["state"] == "SENT"
    query = "subscription($c: ID!) { doorCommandChanged(command: $c) { state } }"
    seen = []
    answers: Any = await schema.subscribe(query, {"c": made["id"]}, context_value=Context(actor=owner))
    async for answer in answers:
        assert answer.errors is None, answer.errors
        seen.append(answer.data["doorCommandChanged"]["state"])
        if seen[-1] == "OPENED":
            break
    await answers.aclose()
    assert seen == ["SENT", "OPENED"]
    strangers: Any = await schema.subscribe(
        query, {"c": made["id"]}, context_value=Context(actor=await residents.newcomer())
    )
    await strangers.aclose()


RECENT = """query($c: ID!) { doors(compound: $c, first: 20) { nodes { name
    recentCommands { action state message requestedAt } } } }"""


async def test_staff_see_the_last_orders_to_doors_and_residents_none(at: Doors, api: Api) -> None:
    owner = await identity.token(at.at.owner.account_id)
    await tap(api, owner, at.unit)
    reader, compound = await staff(at, permissions.DOORS_READ), encode("Compound", at.at.compound_id)
    async with database.counted() as cost:
        found = (await api.ask(RECENT, {"c": compound}, token=reader))["data"]["doors"]
    recent = {each["name"]: [order["action"] for order in each["recentCommands"]] for each in found["nodes"]}
    assert recent.pop("1单元门") == ["OPEN"] and set(map(tuple, recent.values())) == {()}
    # Session, grants, doors and all their orders: the same for however many doors.
    assert cost.count <= 5, cost.texts
    own = await api.ask("{ viewer { doors { recentCommands { action } } } }", token=owner)
    assert all(each["recentCommands"] == [] for each in own["data"]["viewer"]["doors"])
