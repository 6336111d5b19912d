"""The register of devices in the API: pages, filters, what hangs on a device, commands, and what it all costs."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from domains.devices.models import Device
from domains.devices.readings import Value
from domains.devices.service.refusals import refusals, refuse
from domains.devices.service.telemetry import Measured, take
from domains.kernel import clock, database
from schema.relay import encode
from tests.api.identity.clients import Api, Json, codes
from tests.factories import alarms, devices
from tests.factories.identity import Places, places, staff, token

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def at() -> Places:
    return await places()


@pytest.fixture
async def me(at: Places) -> str:
    return await token(await staff(at, ["devices.read", "devices.write", "alarms.read", "estate.read"]))


PAGE = """query($id: ID!, $first: Int!, $after: String, $filter: DeviceFilter) {
    devices(compound: $id, first: $first, after: $after, filter: $filter) {
        totalCount nodes { code isOnline } pageInfo { hasNextPage endCursor } } }"""


async def ask(api: Api, token: str, query: str, **variables: object) -> Json:
    answer = await api.ask(query, variables, token)
    assert "errors" not in answer, answer
    return answer["data"]


async def test_pages_follow_each_other_by_code(api: Api, at: Places, me: str) -> None:
    for number in (3, 1, 5, 2, 4):
        await devices.device(at.compound_id, code=f"D{number}")
    found: list[str] = []
    after, more = None, True
    while more:
        page = (await ask(api, me, PAGE, id=encode("Compound", at.compound_id), first=2, after=after))[
            "devices"
        ]
        found += [node["code"] for node in page["nodes"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        assert page["totalCount"] == 5
    assert found == ["D1", "D2", "D3", "D4", "D5"]


async def test_filters_of_the_list(api: Api, at: Places, me: str) -> None:
    now, id = clock.now(), encode("Compound", at.compound_id)
    await devices.device(
        at.compound_id, "gate", at.building_id, code="G1", serial="SN-77", is_online=True, last_seen_at=now
    )
    await devices.device(
        at.compound_id, "lift", code="L1", place="东侧100%处", is_online=False, last_seen_at=now
    )
    await devices.device(
        at.compound_id,
        "lift",
        code="L2",
        is_online=True,
        last_seen_at=now - timedelta(minutes=6),
        silent_after_s=300,
    )
    await devices.device(at.compound_id, "lift", code="L3", name="观光梯", state="in_store")
    for filter, expected in (
        ({"kind": "LIFT"}, ["L1", "L2", "L3"]),
        ({"state": "IN_STORE"}, ["L3"]),
        ({"building": encode("Building", at.building_id)}, ["G1"]),
        ({"isOnline": True}, ["G1"]),
        ({"isOnline": False}, ["L1", "L2"]),
        ({"search": "sn-77"}, ["G1"]),
        ({"search": "100%"}, ["L1"]),
        ({"search": "观光"}, ["L3"]),
        ({"search": "l2"}, ["L2"]),
        ({"search": "  "}, ["G1", "L1", "L2", "L3"]),
        ({"kind": "LIFT", "isOnline": False, "search": "东"}, ["L1"]),
    ):
        page = (await ask(api, me, PAGE, id=id, first=10, filter=filter))["devices"]
        assert [node["code"] for node in page["nodes"]] == expected, filter
        assert page["totalCount"] == len(expected)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"first": 0}, "BAD_PAGE_SIZE"),
        ({"first": 101}, "BAD_PAGE_SIZE"),
        ({"after": "x"}, "BAD_CURSOR"),
        ({"filter": {"building": "x"}}, "BAD_ID"),
        ({"id": "x"}, "BAD_ID"),
    ],
)
async def test_bad_pages_are_refused(
    api: Api, at: Places, me: str, more: dict[str, object], code: str
) -> None:
    variables: dict[str, object] = {"id": encode("Compound", at.compound_id), "first": 10} | more
    answer = await api.ask(PAGE, variables, me)
    assert (codes(answer), answer["data"]["devices"]) == ([code], None)


WHOLE = """query($id: ID!, $first: Int!) { devices(compound: $id, first: $first) { totalCount nodes { code
    building { name } keys { keyId } latest { metric value } refusals { code count } openAlarms { kind }
    ledger(first: 2) { nodes { kind cost { fen } recordedBy } }
    readings(metric: "level_m", first: 3) { nodes { value } } } } }"""


async def fill(device_id: UUID) -> None:
    now = clock.now()
    values = [Value("level_m", Decimal(n), now - timedelta(minutes=n)) for n in range(5)]
    await take([Measured(device_id, values, now, "mqtt")])
    refuse(device_id, "http", "NONCE_USED")


async def test_a_hundred_devices_cost_as_many_statements_as_one(api: Api, at: Places, me: str) -> None:
    ids = [await devices.device(at.compound_id, "door", at.building_id) for _ in range(100)]
    for id in ids[:30]:
        await fill(id)
    await alarms.raised(ids[0], "tamper")
    await refusals().write()
    costs = []
    for first in (1, 100):
        async with database.counted() as statements:
            data = await ask(api, me, WHOLE, id=encode("Compound", at.compound_id), first=first)
        costs.append(statements.count)
    assert len(data["devices"]["nodes"]) == 100
    # The session and its grants; page and count; building, keys, latest, refusals, alarms, ledger, readings.
    assert costs[0] == costs[1] <= 11


async def test_what_hangs_on_a_device(api: Api, at: Places, me: str) -> None:
    made = await api.run(
        "registerDevice", "RegisterDeviceInput", "device { id code kind state building { name } compound }", me,
        compound=encode("Compound", at.compound_id), code="W-1", name="水箱", kind="WATER_TANK",
        building=encode("Building", at.building_id), costFen=1_280_050, vendor="某厂",
        position={"latitude": "30.5", "longitude": 120.25},
    )  # fmt: skip
    assert made["errors"] == []
    device = made["device"]
    assert (device["kind"], device["state"], device["building"]["name"]) == (
        "WATER_TANK",
        "IN_SERVICE",
        "1号楼",
    )
    key = await api.run("issueDeviceKey", "IssueDeviceKeyInput", "keyId privateKey", me, device=device["id"])
    load_pem_private_key(key["privateKey"].encode(), None)
    row = await Device.get(code="W-1", compound_id=at.compound_id)
    await fill(row.id)
    await refusals().write()
    query = """query($id: ID!, $after: String) { node(id: $id) { ... on Device { latitude isOnline
        keys { keyId revokedAt } latest { metric value } refusals { way code count }
        ledger(first: 1, after: $after) { nodes { kind vendor cost { display } recordedBy }
            pageInfo { hasNextPage endCursor } }
        readings(metric: "level_m", first: 2) { nodes { value } pageInfo { hasNextPage } } } } }"""
    node = (await ask(api, me, query, id=device["id"]))["node"]
    assert node["keys"] == [{"keyId": key["keyId"], "revokedAt": None}]
    assert (node["latitude"], node["isOnline"]) == ("30.500000", True)
    assert node["latest"] == [{"metric": "level_m", "value": "0"}]
    assert node["refusals"] == [{"way": "HTTP", "code": "NONCE_USED", "count": 1}]
    assert [each["value"] for each in node["readings"]["nodes"]] == ["0", "1"]
    assert node["readings"]["pageInfo"]["hasNextPage"]
    assert [each["kind"] for each in node["ledger"]["nodes"]] == ["INSTALLED"]
    after = node["ledger"]["pageInfo"]["endCursor"]
    rest = (await ask(api, me, query, id=device["id"], after=after))["node"]["ledger"]
    assert rest["nodes"] == [
        {"kind": "REGISTERED", "vendor": "某厂", "cost": {"display": "¥12,800.50"}, "recordedBy": "王师傅"}
    ]
    assert not rest["pageInfo"]["hasNextPage"]


async def test_a_device_is_changed_worked_on_and_retired(api: Api, at: Places, me: str) -> None:
    id = encode("Device", await devices.device(at.compound_id, "lift", code="L-9", maker="旧厂"))
    changed = await api.run(
        "updateDevice", "UpdateDeviceInput", "device { maker name place }", me, device=id, maker=None, place="大厅",
        name=None,
    )  # fmt: skip
    assert changed["device"] == {"maker": "", "name": "测试设备", "place": "大厅"}
    await api.run(
        "recordAssetEntry",
        "RecordAssetEntryInput",
        "device { id }",
        me,
        device=id,
        kind="REPAIRED",
        costFen=500,
    )
    refused = await api.run(
        "changeDeviceState", "ChangeDeviceStateInput", "device { id }", me, device=id, state="RETIRED"
    )
    assert [(each["code"], each["field"]) for each in refused["errors"]] == [
        ("RETIREMENT_REASON_REQUIRED", ["reason"])
    ]
    retired = await api.run(
        "changeDeviceState", "ChangeDeviceStateInput", "device { state ledger { nodes { kind note } } }", me,
        device=id, state="RETIRED", reason="到期",
    )  # fmt: skip
    assert retired["device"]["state"] == "RETIRED"
    lines = [(line["kind"], line["note"]) for line in retired["device"]["ledger"]["nodes"]]
    assert lines[:2] == [("RETIRED", "到期"), ("REPAIRED", "")]
    assert set(lines[2:]) == {("CORRECTED", "厂家:旧厂 → 无"), ("MOVED", "位置:无 → 大厅")}


async def test_bad_input_of_commands_names_its_field(api: Api, at: Places, me: str) -> None:
    compound = encode("Compound", at.compound_id)
    fine = {"compound": compound, "code": "X-1", "name": "x", "kind": "OTHER"}
    for more, code, field in (
        ({"compound": "x"}, "BAD_ID", ["compound"]),
        ({"building": compound}, "BAD_ID", ["building"]),
        ({"code": " "}, "TEXT_EMPTY", ["code"]),
        ({"costFen": -1}, "AMOUNT_OUT_OF_RANGE", ["costFen"]),
        ({"silentAfterS": 1}, "NUMBER_RANGE", ["silentAfterS"]),
        ({"position": {"latitude": "99", "longitude": "0"}}, "NUMBER_RANGE", ["position", "latitude"]),
    ):
        answer = await api.run("registerDevice", "RegisterDeviceInput", "device { id }", me, **(fine | more))
        assert [(each["code"], each["field"]) for each in answer["errors"]] == [(code, field)]
    assert await Device.filter(compound_id=at.compound_id).count() == 0


async def test_the_statistics_count_and_add_up(api: Api, at: Places, me: str) -> None:
    compound, today = encode("Compound", at.compound_id), clock.today()
    for number, (kind, years) in enumerate((("LIFT", 3), ("LIFT", 0), ("GATE", None))):
        day = None if years is None else str(today - timedelta(days=366 * years + 1))
        made = await api.run(
            "registerDevice", "RegisterDeviceInput", "device { id }", me, compound=compound, code=f"S{number}",
            name="x", kind=kind, costFen=1000, installedOn=day,
        )  # fmt: skip
        await api.run(
            "recordAssetEntry", "RecordAssetEntryInput", "device { id }", me, device=made["device"]["id"],
            kind="REPAIRED", costFen=7,
        )  # fmt: skip
    await devices.device(at.compound_id, "gate", state="retired")
    query = """query($id: ID!) { assetStatistics(compound: $id) {
        byKind { kind state count bought { fen } spent { fen } } byAge { years count bought { fen } } } }"""
    async with database.counted() as statements:
        found = (await ask(api, me, query, id=compound))["assetStatistics"]
    assert statements.count <= 3
    assert [
        (each["kind"], each["state"], each["count"], each["bought"]["fen"], each["spent"]["fen"])
        for each in found["byKind"]
    ] == [
        ("GATE", "IN_SERVICE", 1, 1000, 7), ("GATE", "RETIRED", 1, 0, 0), ("LIFT", "IN_SERVICE", 2, 2000, 14),
    ]  # fmt: skip
    assert [(each["years"], each["count"], each["bought"]["fen"]) for each in found["byAge"]] == [
        (0, 1, 1000), (3, 1, 1000), (None, 1, 1000),
    ]  # fmt: skip
