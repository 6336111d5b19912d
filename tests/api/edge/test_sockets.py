"""Subscriptions by graphql-transport-ws, over a real server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from api.graphql.options import EdgeOptions
from tests.api.edge.live import Sessions, served
from tests.api.edge.small import CLOSED

OPTIONS = EdgeOptions(init_timeout_s=0.4, sockets_per_client=2, operations_per_socket=2, message_limit=2_000)
SESSIONS = Sessions()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with served(OPTIONS, SESSIONS) as address:
        yield address


@asynccontextmanager
async def connected(server: str, **payload: object) -> AsyncIterator[ClientConnection]:
    async with raw(server) as ws:
        await ws.send(json.dumps({"type": "connection_init", "payload": payload}))
        assert await receive(ws) == {"type": "connection_ack"}
        yield ws


def raw(server: str, protocol: str = "graphql-transport-ws", origin: str | None = None) -> connect:
    return connect(
        f"ws://{server}/graphql",
        subprotocols=[Subprotocol(protocol)],
        origin=Origin(origin) if origin else None,
    )


# Messages have any shape: `Any` is what lets a test index into them.
async def receive(ws: ClientConnection) -> Any:
    return json.loads(await asyncio.wait_for(ws.recv(), 5))


async def subscribe(ws: ClientConnection, query: str, id: str = "1", **payload: object) -> None:
    await ws.send(json.dumps({"id": id, "type": "subscribe", "payload": {"query": query, **payload}}))


async def close_code(ws: ClientConnection) -> int | None:
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            await asyncio.wait_for(ws.recv(), 5)
    return closed.value.rcvd.code if closed.value.rcvd else None


async def test_a_subscription_runs_to_its_end(server: str) -> None:
    async with connected(server) as ws:
        await subscribe(ws, "subscription { count(to: 2) }")
        answers = [await receive(ws) for _ in range(3)]
    assert [a["type"] for a in answers] == ["next", "next", "complete"]
    assert [a["payload"]["data"] for a in answers[:2]] == [{"count": 1}, {"count": 2}]


async def test_queries_and_mutations_run_as_well(server: str) -> None:
    async with connected(server, token="query") as ws:
        await subscribe(ws, "query Q($t: String) { who echo(text: $t) }", variables={"t": "邻里"})
        answer = await receive(ws)
        assert answer["payload"]["data"] == {"who": "王师傅", "echo": "邻里"}
        assert await receive(ws) == {"id": "1", "type": "complete"}


async def test_completing_closes_the_source(server: str) -> None:
    CLOSED.clear()
    async with connected(server) as ws:
        await subscribe(ws, "subscription { count(to: 1000, pause: 10) }")
        assert (await receive(ws))["type"] == "next"
        await ws.send(json.dumps({"id": "1", "type": "complete"}))
        await eventually(lambda: CLOSED == ["count"])


async def test_leaving_closes_the_source(server: str) -> None:
    CLOSED.clear()
    async with connected(server) as ws:
        await subscribe(ws, "subscription { count(to: 1000, pause: 10) }")
        assert (await receive(ws))["type"] == "next"
    await eventually(lambda: CLOSED == ["count"])


async def eventually(holds: Any) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"query": "subscription { nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "subscription { refuse }"}, "FORBIDDEN"),
        ({"query": 1}, "BAD_REQUEST"),
        ("x", "BAD_REQUEST"),
        (None, "BAD_REQUEST"),
        ({"query": 'subscription { count(to: "x") }'}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "subscription S($n: Int!) { count(to: $n) }"}, "BAD_USER_INPUT"),
    ],
)
async def test_a_bad_operation_is_an_error_and_the_socket_lives_on(
    server: str, payload: object, code: str
) -> None:
    async with connected(server) as ws:
        await ws.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        answer = await receive(ws)
        assert (answer["type"], answer["payload"][0]["extensions"]["code"]) == ("error", code)
        await subscribe(ws, "{ who }")
        assert (await receive(ws))["type"] == "next"


async def test_a_source_that_fails_is_masked_and_completes(server: str) -> None:
    async with connected(server) as ws:
        await subscribe(ws, "subscription { fail }")
        good, bad, end = [await receive(ws) for _ in range(3)]
    assert good["payload"]["data"] == {"fail": 1}
    assert bad["payload"]["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert "hunter2" not in json.dumps(bad)
    assert end["type"] == "complete"


async def test_ping_is_answered_before_and_after_the_start(server: str) -> None:
    async with raw(server) as ws:
        for _ in range(2):
            await ws.send('{"type": "ping"}')
            assert await receive(ws) == {"type": "pong"}
            await ws.send('{"type": "pong"}')
        await ws.send('{"type": "connection_init"}')
        assert await receive(ws) == {"type": "connection_ack"}
        await ws.send('{"type": "ping"}')
        assert await receive(ws) == {"type": "pong"}


SUBSCRIBE: Mapping[str, object] = {"id": "1", "type": "subscribe", "payload": {"query": "{ who }"}}


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([], 4408),
        ([SUBSCRIBE], 4401),
        ([{"type": "complete", "id": "1"}], 4400),
        ([{"type": "connection_init", "payload": "x"}], 4400),
        ([{"type": "connection_init", "payload": {"token": "bad"}}], 4403),
        ([{"type": "connection_init"}] * 2, 4429),
        ([{"type": "connection_init"}, {"type": "unknown"}], 4400),
        ([{"type": "connection_init"}, {"type": "subscribe", "id": 1}], 4400),
        ([{"type": "connection_init"}, {"type": "ping", "x": "x" * 3_000}], 1009),
        (["nonsense"], 4400),
        ([{"type": 1}], 4400),
    ],
)
async def test_close_codes(server: str, messages: list[object], code: int) -> None:
    async with raw(server) as ws:
        for message in messages:
            await ws.send(json.dumps(message))
        assert await close_code(ws) == code


async def test_text_that_is_no_json_and_binary_frames_close_with_4400(server: str) -> None:
    for frame in ("{", b"\x00"):
        async with raw(server) as ws:
            await ws.send(frame)
            assert await close_code(ws) == 4400


async def test_an_id_in_use_closes_with_4409(server: str) -> None:
    async with connected(server) as ws:
        for _ in range(2):
            await subscribe(ws, "subscription { count(pause: 10) }")
        assert await close_code(ws) == 4409


async def test_another_protocol_is_not_acceptable(server: str) -> None:
    async with raw(server, "graphql-ws") as ws:
        assert await close_code(ws) == 4406


async def test_operations_per_socket_are_limited(server: str) -> None:
    async with connected(server, token="many") as ws:
        for id in ("1", "2", "3"):
            await subscribe(ws, "subscription { count(pause: 10) }", id)
        answers = [await receive(ws) for _ in range(3)]
    refused = [a for a in answers if a["type"] == "error"]
    assert [(a["id"], a["payload"][0]["extensions"]["code"]) for a in refused] == [
        ("3", "TOO_MANY_OPERATIONS")
    ]


async def test_connections_per_client_are_limited(server: str) -> None:
    async with connected(server, token="limited"), connected(server, token="limited"):
        async with raw(server) as third:
            await third.send('{"type": "connection_init", "payload": {"token": "limited"}}')
            assert await close_code(third) == 4429
        async with connected(server, token="other"):
            pass
    async with connected(server, token="limited"):
        pass


async def test_the_end_of_the_session_closes_the_socket(server: str) -> None:
    CLOSED.clear()
    async with connected(server, token="leaving") as ws:
        await subscribe(ws, "subscription { count(pause: 10) }")
        await receive(ws)
        SESSIONS.ended.add("leaving")
        assert await close_code(ws) == 4403
    await eventually(lambda: CLOSED == ["count"])


async def test_a_page_of_another_origin_is_turned_away(server: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with raw(server, origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403
    async with raw(server, origin=f"http://{server}"):
        pass
