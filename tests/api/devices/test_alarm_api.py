"""Alarms over GraphQL as staff see to them, and over HTTP as devices raise them."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import UUID

import orjson
import pytest

from domains.devices import permissions
from domains.devices.models import Alarm, DeviceKey
from domains.devices.service.alarms import report
from domains.kernel import clock, database
from schema.relay import encode
from tests.api.devices.signing import DeviceSigner
from tests.api.identity.clients import Api, codes
from tests.factories import devices, identity
from tests.factories.alarms import all_of, raised, there
from tests.factories.identity import Places

pytestmark = pytest.mark.usefixtures("instance")

TARGET = "/device/v1/alarms"
FIELDS = """id kind level state deviceName place detail reports flaps isFalse note openedAt acknowledgedBy clearedBy
    shelvedUntil device { id } building { name }"""
LIST = f"query($c: ID!, $s: [AlarmState!]) {{ alarms(compound: $c, state: $s) {{ totalCount nodes {{ {FIELDS} }} }} }}"
STATISTICS = """query($c: ID!) { alarmStatistics(compound: $c) { total { alarms open } byKind { kind alarms }
    byLevel { level alarms } byDay { onDay alarms } } }"""


@pytest.fixture
async def at() -> Places:
    return await identity.places()


@pytest.fixture
async def token(at: Places) -> str:
    held = (permissions.ALARMS_READ, permissions.ALARMS_HANDLE, permissions.READ, "estate.read")
    return await identity.token(await identity.staff(at, held))


async def ask(api: Api, query: str, token: str | None, at: Places, **more: object) -> Any:  # Any: JSON
    return await api.ask(query, {"c": encode("Compound", at.compound_id), **more}, token)


async def test_from_the_list_to_the_end(api: Api, at: Places, token: str) -> None:
    lift = await devices.device(at.compound_id, "lift", at.building_id, name="1 号电梯", place="东侧")
    row = await raised(lift, "lift_trapped")
    answer = await ask(api, LIST, token, at, s="OPEN")
    [seen] = answer["data"]["alarms"]["nodes"]
    assert (seen["kind"], seen["level"], seen["state"]) == ("LIFT_TRAPPED", "CRITICAL", "OPEN")
    assert (seen["device"]["id"], seen["building"]["name"]) == (encode("Device", lift), "1号楼")
    id = encode("Alarm", row.id)
    payload = f"alarm {{ {FIELDS} }}"
    taken = await api.run("acknowledgeAlarm", "AcknowledgeAlarmInput", payload, token, alarm=id)
    assert (taken["alarm"]["state"], taken["alarm"]["acknowledgedBy"]) == ("ACKNOWLEDGED", "王师傅")
    again = await api.run("acknowledgeAlarm", "AcknowledgeAlarmInput", payload, token, alarm=id)
    assert (again["alarm"], codes(again)) == (None, ["ALARM_ACKNOWLEDGED"])
    empty = await api.run("clearAlarm", "ClearAlarmInput", payload, token, alarm=id, note=" ")
    assert empty["errors"] == [{"code": "TEXT_EMPTY", "field": ["note"]}]
    cleared = await api.run(
        "clearAlarm", "ClearAlarmInput", payload, token, alarm=id, note="已救出", isFalse=False
    )
    assert (cleared["alarm"]["state"], cleared["alarm"]["note"]) == ("CLEARED", "已救出")
    assert cleared["alarm"]["shelvedUntil"] is not None
    node = await api.ask("query($id: ID!) { node(id: $id) { ... on Alarm { state } } }", {"id": id}, token)
    assert node["data"]["node"] == {"state": "CLEARED"}
    both = await ask(api, LIST, token, at, s=["OPEN", "ACKNOWLEDGED"])
    assert both["data"]["alarms"] == {"totalCount": 0, "nodes": []}
    counted = (await ask(api, STATISTICS, token, at))["data"]["alarmStatistics"]
    assert counted["total"] == {"alarms": 1, "open": 0}
    assert counted["byKind"] == [{"kind": "LIFT_TRAPPED", "alarms": 1}]
    assert [each["alarms"] for each in counted["byDay"]] == [1]


async def test_a_page_goes_on_from_its_cursor_and_every_argument_is_taken(
    api: Api, at: Places, token: str
) -> None:
    lift = await devices.device(at.compound_id, "lift", at.building_id)
    await report([there(lift, kind) for kind in ("lift", "tamper", "fault")])
    query = """query($c: ID!, $a: String, $b: ID, $d: ID, $f: DateTime, $u: DateTime) {
        alarms(compound: $c, building: $b, device: $d, from: $f, until: $u, first: 2, after: $a) {
        pageInfo { hasNextPage endCursor } nodes { kind } } }"""
    more: dict[str, object] = {
        "b": encode("Building", at.building_id), "d": encode("Device", lift), "f": "2026-01-01T00:00:00Z",
        "u": "2999-01-01T00:00:00Z",
    }  # fmt: skip
    first = (await ask(api, query, token, at, **more))["data"]["alarms"]
    assert first["pageInfo"]["hasNextPage"]
    second = (await ask(api, query, token, at, **more, a=first["pageInfo"]["endCursor"]))["data"]["alarms"]
    kinds = [each["kind"] for each in first["nodes"] + second["nodes"]]
    assert sorted(kinds) == ["FAULT", "LIFT", "TAMPER"] and not second["pageInfo"]["hasNextPage"]
    reversed_ = await ask(api, query, token, at, f=more["u"], u=more["f"])
    assert codes(reversed_) == ["PERIOD_REVERSED"]


async def test_a_list_costs_the_same_however_long(api: Api, at: Places, token: str) -> None:
    costs = []
    for number in (1, 9):
        for _ in range(number):
            device = await devices.device(at.compound_id, "lift", at.building_id)
            await report([there(device, kind) for kind in ("lift", "tamper")])
        async with database.counted() as cost:
            answer = await ask(api, LIST, token, at)
        assert "errors" not in answer, answer
        costs.append(cost.count)
    assert costs[0] == costs[1] <= 6, costs


@pytest.mark.parametrize("who", ["nobody", "resident", "staff without"])
async def test_who_may_not(api: Api, at: Places, who: str) -> None:
    row = await raised(await devices.device(at.compound_id, "lift", at.building_id), "lift")
    made = {"resident": identity.resident, "staff without": lambda: identity.staff(at, ["estate.read"])}
    token = await identity.token(await made[who]()) if who in made else None
    code = ["UNAUTHENTICATED"] if token is None else ["FORBIDDEN"]
    assert codes(await ask(api, LIST, token, at)) == code
    assert codes(await ask(api, STATISTICS, token, at)) == code
    id = encode("Alarm", row.id)
    for name, kind, more in (
        ("acknowledgeAlarm", "AcknowledgeAlarmInput", {}), ("clearAlarm", "ClearAlarmInput", {"note": "无"}),
    ):  # fmt: skip
        assert codes(await api.attempt(name, kind, "alarm { id }", token, alarm=id, **more)) == code
    assert (await Alarm.get(pk=row.id)).state == "open"


async def keyed(compound_id: UUID) -> tuple[UUID, DeviceSigner]:
    """A device with a key in use."""
    device, signer = await devices.device(compound_id, "fire_panel"), DeviceSigner()
    await DeviceKey.create(
        device_id=device, key_id=signer.keyid, public_key=signer.public_key, issued_at=clock.now()
    )
    return device, signer


async def post(api: Api, signer: DeviceSigner, body: bytes) -> tuple[int, Any]:  # Any: JSON
    response = await api.http.post(TARGET, content=body, headers=signer.headers("POST", TARGET, body))
    return response.status_code, response.json()


def item(kind: str, active: bool = True) -> dict[str, object]:
    """What a device says now."""
    return {"kind": kind, "active": active, "at": int(time.time() * 1000), "detail": "探测器 7"}


async def test_a_device_raises_and_ends_what_it_knows(api: Api, at: Places) -> None:
    device, signer = await keyed(at.compound_id)
    body = orjson.dumps([item("fire"), item("flood"), item("gas"), "rubbish", item("gas", active=False)])
    status, answer = await post(api, signer, body)
    assert status == 200 and answer["now"] > 1_700_000_000_000
    assert (answer["taken"], answer["refused"]) == (
        3, [{"index": 1, "code": "ALARM_KIND_UNKNOWN"}, {"index": 3, "code": "ALARM_INVALID"}],
    )  # fmt: skip
    rows = {row.kind: row for row in await all_of(device)}
    assert set(rows) == {"fire", "gas"}
    assert (rows["fire"].detail, rows["fire"].calm_since) == ("探测器 7", None)
    assert rows["fire"].said_at is not None and rows["gas"].calm_since is not None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "PAYLOAD_INVALID"), (b"\xff", "PAYLOAD_INVALID"), (b"{}", "PAYLOAD_INVALID"), (b"7", "PAYLOAD_INVALID"),
        (orjson.dumps([item("fire")] * 101), "TOO_MANY_ALARMS"),
    ],
)  # fmt: skip
async def test_what_is_no_list_is_refused_whole(api: Api, at: Places, body: bytes, code: str) -> None:
    device, signer = await keyed(at.compound_id)
    status, answer = await post(api, signer, body)
    assert (status, code in orjson.dumps(answer).decode()) == (400, True)
    assert await all_of(device) == []


async def test_a_hundred_at_once_is_the_most_and_nothing_is_taken(api: Api, at: Places) -> None:
    device, signer = await keyed(at.compound_id)
    assert (await post(api, signer, b"[]"))[1]["taken"] == 0
    assert (await post(api, signer, orjson.dumps([item("fire")] * 100)))[1]["taken"] == 100
    assert (await all_of(device))[0].reports == 100


async def test_many_devices_at_once_are_put_together(api: Api, at: Places) -> None:
    made = [await keyed(at.compound_id) for _ in range(12)]
    body = orjson.dumps([item("tamper"), item("fault")])
    answers = await asyncio.gather(*(post(api, signer, body) for _, signer in made))
    assert [(status, answer["taken"]) for status, answer in answers] == [(200, 2)] * 12
    assert await Alarm.filter(device_id__in=[device for device, _ in made]).count() == 24


async def test_who_is_retired_or_unsigned_raises_nothing(api: Api, at: Places) -> None:
    device, signer = await keyed(at.compound_id)
    await database.execute("UPDATE device SET state = 'retired' WHERE id = $1", device)
    body = orjson.dumps([item("fire")])
    assert (await post(api, signer, body))[0] == 401
    assert (await api.http.post(TARGET, content=body)).status_code == 401
    assert await all_of(device) == []
