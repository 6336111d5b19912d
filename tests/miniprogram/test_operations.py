"""Every operation that the mini-program sends, by its digest, against the running server that accepts no others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from graphql import OperationDefinitionNode, OperationType, parse
from websockets.asyncio.client import connect

from schema.relay import encode
from tests.factories import identity, residents
from tests.factories.residents import Scene
from tests.miniprogram.node import CLIENT

pytestmark = pytest.mark.usefixtures("instance")
DOCUMENTS: dict[str, str] = json.loads((CLIENT / "documents.json").read_text(encoding="utf-8"))
Json = Any  # what a server answers has any shape
NOTHING = UUID(int=0)
ID = "VmlzaXRvclBhc3M6MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAw"


def _operation(text: str) -> OperationDefinitionNode:
    return next(each for each in parse(text).definitions if isinstance(each, OperationDefinitionNode))


OPERATIONS = {
    str(node.name and node.name.value): (digest, node.operation)
    for digest, node in ((digest, _operation(text)) for digest, text in DOCUMENTS.items())
}
# Enough that each is executed; whether a command is carried out is a matter of the screens' tests.
INPUTS: Mapping[str, Mapping[str, object]] = {
    "CompoundByCode": {"code": "ZZ99"},
    "Inbox": {"first": 20},
    "MarkRead": {"input": {"notifications": []}},
    "DecideVisit": {"input": {"visitorPass": ID, "approve": True, "reason": ""}},
    "RegisterResident": {
        "input": {
            "compoundCode": "ZZ99", "building": "1", "unit": "1", "room": "101", "name": "李新民", "capacity": "FAMILY",
            "note": "",
        }
    },
    "WithdrawRegistration": {"input": {"registration": ID}},
    "Bills": {"first": 20},
    "Bill": {"id": encode("Bill", NOTHING)},
    "IssueReceipt": {"input": {"payment": encode("BillPayment", NOTHING)}},
    "Payments": {"first": 20},
    "Payment": {"id": encode("Payment", NOTHING)},
    "PayBills": {
        "input": {
            "bills": [encode("Bill", NOTHING)], "channel": "ALIPAY", "product": "H5", "idempotencyKey": str(uuid4()),
        }
    },
    "ConfirmPaymentHint": {"input": {"payment": encode("Payment", NOTHING)}},
    "CancelPayment": {"input": {"payment": encode("Payment", NOTHING)}},
    "Prepayment": {"house": None, "first": 20},
    "IssueStatement": {"input": {"house": encode("House", NOTHING), "from": "2026-01-01", "until": "2026-02-01"}},
    "TopUpAccount": {
        "input": {
            "house": encode("House", NOTHING), "amountFen": 1, "channel": "ALIPAY", "product": "H5",
            "idempotencyKey": str(uuid4()),
        }
    },
    "Visitors": {"first": 20},
    "Visit": {"pass": ID},
    "RevokeVisit": {"input": {"visitorPass": ID, "reason": ""}},
    "InviteVisitor": {
        "input": {"idempotencyKey": str(uuid4()), "house": encode("House", NOTHING), "name": "王来访"}
    },
    "OpenDoor": {"input": {"door": encode("Door", NOTHING), "idempotencyKey": str(uuid4())}},
    "CreateRegular": {
        "input": {
            "idempotencyKey": str(uuid4()), "house": encode("House", NOTHING), "name": "陈阿姨", "weekdays": [1],
            "fromMinute": 540, "untilMinute": 600, "untilOn": "2099-01-01",
        }
    },
    "EndRegular": {"input": {"passTemplate": encode("PassTemplate", NOTHING)}},
    "DoorOrderNow": {"command": encode("DoorCommand", NOTHING)},
    "Passages": {"first": 20},
    "AcceptInvitation": {"input": {"code": "none"}},
    "UpdateLanguage": {"input": {"language": "ZH"}},
    "UpdateName": {"input": {"name": "张建国"}},
    "Meter": {"id": encode("Meter", NOTHING), "first": 20},
    "SubmitReading": {
        "input": {"meter": encode("Meter", NOTHING), "value": "1", "photo": None, "idempotencyKey": str(uuid4())}
    },
    "InviteToHouse": {
        "input": {"house": encode("House", NOTHING), "capacity": "FAMILY", "name": "李小红", "phone": "13900000000"}
    },
    "WithdrawInvitation": {"input": {"invitation": encode("Invitation", NOTHING)}},
    "EndOccupancy": {"input": {"occupancy": encode("Occupancy", NOTHING), "reason": "不再居住"}},
    "RegisterVehicle": {"input": {"house": encode("House", NOTHING), "kind": "CAR", "plate": "浙A12345"}},
    "RemoveVehicle": {"input": {"vehicle": encode("Vehicle", NOTHING)}},
    "RevokeSession": {"input": {"session": encode("Session", NOTHING)}},
    "NotificationSettings": {"platform": "WECHAT", "asks": True},
    "SetQuietHours": {"input": {"isOn": True, "from": "22:00", "until": "07:00"}},
    "SetNotificationPreference": {"input": {"kind": "none", "channel": "SMS", "isOn": True}},
    "GrantMessages": {
        "input": {"platform": "WECHAT", "results": [], "idempotencyKey": str(uuid4())}
    },
    "RequestSmsCode": {"input": {"phone": "not a number"}},
    "SignInWithSms": {"input": {"phone": "13800138000", "code": "000000", "device": "test"}},
    "SignInWithWeChat": {"input": {"jsCode": "none", "device": "test"}},
    "SignInWithAlipay": {"input": {"authCode": "none", "device": "test"}},
}  # fmt: skip


async def send(served: str, body: Mapping[str, object], token: str) -> Json:
    """The whole answer."""
    async with httpx.AsyncClient() as http:
        answer = await http.post(
            f"{served}/graphql", json=body, headers={"authorization": f"Bearer {token}"} if token else {}
        )
    return answer.json()


@pytest.fixture(scope="module")
async def token() -> str:
    scene: Scene = await residents.scene()
    return await identity.token(scene.owner.account_id)


ASKED = {name for name, (_, kind) in OPERATIONS.items() if kind is not OperationType.SUBSCRIPTION}


@pytest.mark.parametrize("name", sorted(ASKED - {"SignOut", "RefreshSession", "RevokeOtherSessions", "Code"}))
async def test_it_is_executed(served: str, token: str, name: str) -> None:
    digest, _ = OPERATIONS[name]
    body = {"documentId": f"sha256:{digest}", "variables": INPUTS.get(name, {})}
    answer = await send(served, body, token)
    # A house or door that there is not is refused like one of others.
    assert {error["extensions"]["code"] for error in answer.get("errors", ())} <= {"FORBIDDEN"}, answer
    assert (answer["data"] or {}).get("viewer", {}) is not None


async def test_a_code_comes_with_the_houses_it_may_be_for(served: str) -> None:
    scene = await residents.scene()
    digest, _ = OPERATIONS["Code"]
    body = {"documentId": digest, "variables": {"house": encode("House", scene.house_id)}}
    answer = await send(served, body, await identity.token(scene.owner.account_id))
    assert answer["data"]["residentCode"]["text"].startswith("RC1:")
    assert len(answer["data"]["viewer"]["houses"]) == 1


async def test_signing_out_ends_the_session(served: str) -> None:
    token = await identity.token(await identity.resident())
    digest, _ = OPERATIONS["SignOut"]
    answer = await send(served, {"documentId": digest, "variables": {}}, token)
    assert answer["data"]["signOut"] == {"errors": [], "isSignedOut": True}


async def test_all_other_devices_are_signed_out(served: str) -> None:
    account = await identity.resident()
    token, others = await identity.token(account), [await identity.token(account) for _ in range(2)]
    digest, _ = OPERATIONS["RevokeOtherSessions"]
    answer = await send(served, {"documentId": digest, "variables": {}}, token)
    assert answer["data"]["revokeOtherSessions"] == {"errors": [], "ended": len(others)}


async def test_a_refresh_token_of_nobody_is_refused(served: str) -> None:
    digest, _ = OPERATIONS["RefreshSession"]
    body = {"documentId": digest, "variables": {"input": {"refreshToken": "none"}}}
    answer = await send(served, body, "")
    assert answer["errors"][0]["extensions"]["code"] == "REFRESH_INVALID"


async def test_events_come_by_their_digest_too(served: str, token: str) -> None:
    digest, kind = OPERATIONS["ViewerEvents"]
    assert kind is OperationType.SUBSCRIPTION
    address = served.replace("http", "ws", 1)
    async with connect(f"{address}/graphql", subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]  # a plain name
        await socket.send(
            json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}})
        )
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        body = {"documentId": f"sha256:{digest}", "variables": {"after": None}}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": body}))
        await socket.send(json.dumps({"type": "ping"}))
        assert json.loads(await socket.recv())["type"] == "pong"


async def test_a_text_that_is_not_listed_is_refused(served: str, token: str) -> None:
    answer = await send(served, {"query": "query Own { viewer { me { phone } } }"}, token)
    assert answer["errors"][0]["extensions"]["code"] == "UNTRUSTED_DOCUMENT"
