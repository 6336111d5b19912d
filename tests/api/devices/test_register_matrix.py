"""Every operation on the register of devices, by every kind of caller, and that a refusal changes nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domains.kernel import database
from tests.api.devices.register import Register, build
from tests.api.identity.clients import Api, codes, count

pytestmark = pytest.mark.usefixtures("instance")

ALL = {"near", "far", "common"}
SEES: dict[str, set[str]] = {
    "owner": set(),
    "family": set(),
    "tenant": set(),
    "neighbour": set(),
    "stranger": set(),
    "clerk": ALL,
    "reader": ALL,
    "guard": set(),
    "clerk of the building": {"near"},
    "clerk of another building": {"far"},
    "clerk of another compound": set(),
    "another company": set(),
    "nobody": set(),
}
STAFF = {
    "clerk", "reader", "guard", "clerk of the building", "clerk of another building", "clerk of another compound",
    "another company",
}  # fmt: skip
FIELDS = """id code keys { keyId } ledger { nodes { kind } } latest { metric } refusals { code } openAlarms { id }
    readings(metric: "level_m") { nodes { value } }"""


@pytest.fixture(scope="module")
async def register(instance: object) -> Register:
    return await build()


def denied(caller: str) -> list[str]:
    return ["UNAUTHENTICATED" if caller == "nobody" else "FORBIDDEN"]


@pytest.mark.parametrize("caller", SEES)
async def test_devices_are_seen_by_whom_they_concern(api: Api, register: Register, caller: str) -> None:
    ids = register.ids()
    query = f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ id ... on Device {{ {FIELDS} }} }} }}"
    answer = await api.ask(query, {"ids": list(ids.values())}, register.tokens[caller])
    seen = {node["id"] for node in answer["data"]["nodes"] if node}
    assert seen == {ids[name] for name in SEES[caller]}


@pytest.mark.parametrize("caller", SEES)
@pytest.mark.parametrize(
    ("root", "fields"),
    [
        ("devices", f"totalCount nodes {{ {FIELDS} }}"),
        ("assetStatistics", "byKind { count } byAge { count }"),
    ],
)
async def test_the_list_and_the_statistics(
    api: Api, register: Register, caller: str, root: str, fields: str
) -> None:
    refusals = await count("audit_entry", "outcome = 'refused'")
    query = f"query($id: ID!) {{ {root}(compound: $id) {{ {fields} }} }}"
    answer = await api.ask(query, {"id": register.compound}, register.tokens[caller])
    if not SEES[caller]:
        assert (codes(answer), answer["data"]) == (denied(caller), {root: None})
        assert await count("audit_entry", "outcome = 'refused'") == refusals + (caller in STAFF)
        return
    assert "errors" not in answer
    found = answer["data"][root]
    if root == "devices":
        assert {node["id"] for node in found["nodes"]} == {register.ids()[name] for name in SEES[caller]}
        assert found["totalCount"] == len(SEES[caller])
    else:
        assert sum(each["count"] for each in found["byKind"]) == len(SEES[caller])
        assert sum(each["count"] for each in found["byAge"]) == len(SEES[caller])


Operation = Callable[[Register], tuple[str, str, dict[str, object]]]
OPERATIONS: dict[str, Operation] = {
    "registerDevice": lambda r: (
        "RegisterDeviceInput", "device { id }", {
            "compound": r.compound, "code": "NEW", "name": "新设备", "kind": "GATE",
        },
    ),
    "updateDevice": lambda r: ("UpdateDeviceInput", "device { id }", {"device": r.ids()["near"], "place": "大厅"}),
    "changeDeviceState": lambda r: (
        "ChangeDeviceStateInput", "device { id }", {"device": r.ids()["near"], "state": "OUT_OF_ORDER"},
    ),
    "recordAssetEntry": lambda r: (
        "RecordAssetEntryInput", "device { id }", {"device": r.ids()["near"], "kind": "INSPECTED"},
    ),
    "issueDeviceKey": lambda r: ("IssueDeviceKeyInput", "device { id }", {"device": r.ids()["near"]}),
    "revokeDeviceKey": lambda r: (
        "RevokeDeviceKeyInput", "device { id }", {"device": r.ids()["near"], "keyId": r.key_id},
    ),
}  # fmt: skip
MAY = {name: {"clerk", "clerk of the building"} for name in OPERATIONS} | {"registerDevice": {"clerk"}}
# Whom an operation is open to finds what an earlier one did already.
REPEATED = {"DEVICE_CODE_TAKEN", "STATE_CONFLICT", "DEVICE_KEYS_IN_USE", "DEVICE_KEY_NOT_FOUND"}


async def state() -> object:
    """Everything that an operation here could change."""
    return [
        await database.fetchval(f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {table} t")
        for table in ("device", "device_key", "asset_entry", "alarm", "outbox_message")
    ]


@pytest.mark.parametrize("caller", SEES)
@pytest.mark.parametrize("name", OPERATIONS)
async def test_writing(api: Api, register: Register, name: str, caller: str) -> None:
    kind, fields, input = OPERATIONS[name](register)
    before, refusals = await state(), await count("audit_entry", "outcome = 'refused'")
    answer = await api.attempt(name, kind, fields, register.tokens[caller], **input)
    if caller in MAY[name]:
        assert "errors" not in answer
        assert set(codes(answer["data"][name])) <= REPEATED
        return
    assert (codes(answer), answer["data"]) == (denied(caller), None)
    assert await state() == before
    assert await count("audit_entry", "outcome = 'refused'") == refusals + (caller in STAFF)
