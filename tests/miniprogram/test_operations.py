"""Every operation that the mini-program sends, by its digest, against the running server that accepts no others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from graphql import OperationDefinitionNode, OperationType, parse
from websockets.asyncio.client import connect

from tests.factories import identity, residents
from tests.factories.residents import Scene
from tests.miniprogram.node import CLIENT

pytestmark = pytest.mark.usefixtures("instance")
DOCUMENTS: dict[str, str] = json.loads((CLIENT / "documents.json").read_text(encoding="utf-8"))
Json = Any  # what a server answers has any shape
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
    "AcceptInvitation": {"input": {"code": "none"}},
    "UpdateLanguage": {"input": {"language": "ZH"}},
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


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - {"SignOut", "RefreshSession", "ViewerEvents"}))
async def test_it_is_executed(served: str, token: str, name: str) -> None:
    digest, _ = OPERATIONS[name]
    body = {"documentId": f"sha256:{digest}", "variables": INPUTS.get(name, {})}
    answer = await send(served, body, token)
    assert "errors" not in answer, answer
    [data] = answer["data"].values()
    if name in ("Home", "Account", "Registrations", "Invitations", "Inbox", "EventCursor"):
        assert data is not None


async def test_signing_out_ends_the_session(served: str) -> None:
    token = await identity.token(await identity.resident())
    digest, _ = OPERATIONS["SignOut"]
    answer = await send(served, {"documentId": digest, "variables": {}}, token)
    assert answer["data"]["signOut"] == {"errors": [], "isSignedOut": True}


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
