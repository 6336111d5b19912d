"""Server-sent events, over a real server: what a client that leaves does is part of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import httpx
import pytest

from api.graphql.options import EdgeOptions
from tests.api.edge.clients import codes
from tests.api.edge.live import Sessions, served
from tests.api.edge.small import CLOSED

SSE = {"accept": "text/event-stream"}
SESSIONS = Sessions()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with served(EdgeOptions(heartbeat_s=0.1, sockets_per_client=2), SESSIONS) as address:
        yield f"http://{address}"


async def text_of(server: str, query: str) -> str:
    async with httpx.AsyncClient(base_url=server) as http:
        response = await http.post("/graphql/stream", json={"query": query}, headers=SSE)
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    return response.text


def events(text: str) -> list[object]:
    blocks = [block.split("\ndata: ") for block in text.split("\n\n") if block.startswith("event: next")]
    return [json.loads(data)["data"] for _, data in blocks]


async def test_a_subscription_streams_to_its_end(server: str) -> None:
    text = await text_of(server, "subscription { count(to: 2) }")
    assert events(text) == [{"count": 1}, {"count": 2}]
    assert text.endswith("event: complete\ndata:\n\n")


async def test_a_query_is_one_event(server: str) -> None:
    text = await text_of(server, "{ who }")
    assert events(text) == [{"who": "anonymous"}]
    assert text.endswith("event: complete\ndata:\n\n")


async def test_silence_is_filled_with_heartbeats(server: str) -> None:
    text = await text_of(server, "subscription { count(to: 2, pause: 0.5) }")
    assert text.count(":\n\n") >= 4
    assert events(text) == [{"count": 1}, {"count": 2}]


async def test_get_serves_event_sources_but_no_mutations(server: str) -> None:
    async with httpx.AsyncClient(base_url=server, headers=SSE) as http:
        good = await http.get("/graphql/stream", params={"query": "subscription { count(to: 1) }"})
        rename = 'mutation { rename(input: {houseId: "x", name: "y"}) { errors { code } } }'
        bad = await http.get("/graphql/stream", params={"query": rename})
    assert events(good.text) == [{"count": 1}]
    assert (bad.status_code, codes(bad.json())) == (405, ["METHOD_NOT_ALLOWED"])


@pytest.mark.parametrize(
    ("query", "headers", "status", "code"),
    [
        ("subscription { nothing }", SSE, 400, "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { refuse }", SSE, 400, "FORBIDDEN"),
        ("{ who }", {"accept": "application/json"}, 406, "NOT_ACCEPTABLE"),
        ("{ who }", {**SSE, "authorization": "Bearer no"}, 401, "UNAUTHENTICATED"),
        ("{ who }", {**SSE, "content-type": "text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    ],
)
async def test_what_cannot_start_is_no_stream(
    server: str, query: str, headers: dict[str, str], status: int, code: str
) -> None:
    async with httpx.AsyncClient(base_url=server) as http:
        content = json.dumps({"query": query}).encode()
        all_headers = {"content-type": "application/json", **headers}
        response = await http.post("/graphql/stream", content=content, headers=all_headers)
    assert (response.status_code, codes(response.json())) == (status, [code])


async def test_leaving_closes_the_source(server: str) -> None:
    CLOSED.clear()
    body = {"query": "subscription { count(to: 1000, pause: 30) }"}
    async with (
        httpx.AsyncClient(base_url=server) as http,
        http.stream("POST", "/graphql/stream", json=body, headers=SSE) as response,
    ):
        await anext(response.aiter_text())
    async with asyncio.timeout(5):
        while CLOSED != ["count"]:
            await asyncio.sleep(0.02)


async def test_the_end_of_the_session_ends_the_stream(server: str) -> None:
    headers = {**SSE, "authorization": "Bearer good"}
    body = {"query": "subscription { count(to: 1000, pause: 30) }"}
    async with (
        httpx.AsyncClient(base_url=server, timeout=5) as http,
        http.stream("POST", "/graphql/stream", json=body, headers=headers) as response,
    ):
        chunks = response.aiter_text()
        await anext(chunks)
        SESSIONS.ended.add("good")
        rest = "".join([chunk async for chunk in chunks])
    SESSIONS.ended.clear()
    assert "event: next" not in rest


async def test_streams_per_client_are_limited(server: str) -> None:
    body = {"query": "subscription { count(to: 1000, pause: 30) }"}
    async with (
        httpx.AsyncClient(base_url=server, timeout=5, headers=SSE) as http,
        http.stream("POST", "/graphql/stream", json=body) as first,
        http.stream("POST", "/graphql/stream", json=body) as second,
    ):
        assert [first.status_code, second.status_code] == [200, 200]
        third = await http.post("/graphql/stream", json=body)
    assert (third.status_code, codes(third.json())) == (429, ["TOO_MANY_CONNECTIONS"])
