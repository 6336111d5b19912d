"""Logs that hold no personal data, metrics that no caller can blow up, and who may read them."""

from __future__ import annotations

import asyncio
import io
import logging
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
import structlog

from api.app import build_app
from api.observability import logs
from api.observability.exchange import request_id
from api.observability.masking import MASK, masked
from api.settings import Settings
from domains.kernel import database

pytestmark = pytest.mark.usefixtures("instance")

PERSONAL = (
    "13800001111",
    "11010119900307123X",
    "110101900307123",
    "138 0000 1111",
    "138-0000-1111",
    "+86 13800001111",
)


@pytest.mark.parametrize("number", PERSONAL)
def test_phones_and_identity_numbers_are_masked_wherever_they_stand(number: str) -> None:
    line = {"event": f"手机{number}登录", "deep": [{"x": (number,)}, {number: 1}], "text": f"tel={number};"}
    shown = str(masked(line))
    assert number not in shown
    assert number.replace(" ", "") not in shown
    assert MASK in shown


def test_numbers_are_masked_and_what_is_no_personal_data_stays() -> None:
    assert masked(13800001111) == MASK
    ids = {
        "request_id": uuid4().hex,
        "account": str(uuid4()),
        "n": 42,
        "ms": 1.5,
        "at": "2026-11-21T04:05:12.123456Z",
    }
    assert masked(ids) == ids
    assert masked(None) is None
    assert masked(True) is True
    digest = "13800001111" + "a" * 53
    assert masked(digest) == digest


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What goes to standard error once logging is set up; the set-up before comes back."""
    before, handlers, level = (
        structlog.get_config(),
        logging.getLogger().handlers[:],
        logging.getLogger().level,
    )
    output = io.StringIO()
    monkeypatch.setattr(sys, "stderr", output)
    logs.configure(Settings(log_format="json"))
    # A cached logger would keep writing to this test's stream in the tests that follow.
    structlog.configure(cache_logger_on_first_use=False)
    yield output
    structlog.reset_defaults()
    structlog.configure(**before)
    logging.getLogger().handlers = handlers
    logging.getLogger().setLevel(level)


def lines(output: io.StringIO) -> list[dict[str, Any]]:  # Any: whatever a line holds
    return [orjson.loads(line) for line in output.getvalue().splitlines()]


def test_a_fault_is_logged_by_kind_and_place_and_never_by_its_text(written: io.StringIO) -> None:
    try:
        raise ValueError("Key (phone)=(张三)")
    except ValueError:
        structlog.get_logger().exception("job.failed", job="x")
        logging.getLogger("library").exception("it broke\nKey (phone)=(张三)")
    ours, foreign = lines(written)
    assert "张三" not in written.getvalue()
    assert ours["kind"] == foreign["kind"] == "ValueError"
    assert "test_observability.py" in ours["frames"][-1]
    assert foreign["event"] == "it broke"
    assert foreign["logger"] == "library"


def test_what_libraries_log_is_masked_as_well(written: io.StringIO) -> None:
    logging.getLogger("httpx").warning("GET /x?phone=%s", "13800001111")
    assert lines(written)[0]["event"] == f"GET /x?phone={MASK}"


@pytest.mark.parametrize(
    "sent",
    [None, "", "short", "a" * 65, "含中文的编号abcdefgh", "a b c d e f g h", "x\r\ny: 12345678", "-abcdefgh"],
)
def test_a_malformed_request_id_is_replaced(sent: str | None) -> None:
    assert request_id(sent) != sent
    assert len(request_id(sent)) == 32


def test_a_well_formed_request_id_is_kept() -> None:
    assert request_id("trace-0001.A_b") == "trace-0001.A_b"


@pytest.fixture
async def stop() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def http(settings: Settings, stop: asyncio.Event) -> AsyncIterator[httpx.AsyncClient]:
    app = build_app(settings.model_copy(update={"metrics_token": None}), stop)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


def caller(app: Any, address: str) -> httpx.AsyncClient:  # Any: an ASGI application
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(address, 1)), base_url="http://test")


async def ask(http: httpx.AsyncClient, query: str, **headers: str) -> httpx.Response:
    return await http.post("/graphql", json={"query": query}, headers=headers)


async def test_every_response_carries_its_request_id_and_leaves_a_line(
    settings: Settings, written: io.StringIO
) -> None:
    async with caller(build_app(settings), "127.0.0.1") as http:
        answered = await ask(http, "query Named { __typename }", **{"x-request-id": "trace-0001"})
        missing = await http.get("/join/13800001111?phone=13900002222", headers={"x-request-id": "bad id"})
    assert answered.headers["x-request-id"] == "trace-0001"
    assert len(missing.headers["x-request-id"]) == 32
    first, second = [line for line in lines(written) if line["event"] == "request"]
    assert (first["request_id"], first["route"], first["operation"], first["status"]) == (
        "trace-0001", "/graphql", "Named", 200,
    )  # fmt: skip
    assert first["actor"] == "anonymous"
    assert second["route"] == "/join/{code}"
    assert "13800001111" not in written.getvalue()
    assert "13900002222" not in written.getvalue()


async def test_probes_leave_no_line_while_all_is_well(settings: Settings, written: io.StringIO) -> None:
    async with caller(build_app(settings), "127.0.0.1") as http:
        for path in ("/health", "/ready", "/metrics"):
            assert (await http.get(path)).status_code == 200
    assert lines(written) == []


async def test_readiness_says_what_is_missing_and_when_to_stay_away(
    http: httpx.AsyncClient, stop: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await http.get("/ready")).json() == {
        "status": "ready", "database": True, "cache": True, "migrations": True,
    }  # fmt: skip

    async def away(*_: object) -> None:
        raise OSError("away")

    with monkeypatch.context() as broken:
        broken.setattr(database, "fetchval", away)
        answer = await http.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["database"] is False
    stop.set()
    assert (await http.get("/ready")).status_code == 503
    assert (await http.get("/ready")).json() == {"status": "stopping"}
    assert (await http.get("/health")).status_code == 200


async def test_a_database_that_lacks_a_migration_is_not_ready(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.migrating.APPS", {"nowhere": "x", "kernel": "domains.kernel"})
    monkeypatch.setattr(
        "api.migrating.APPLIED", "SELECT app, name FROM tortoise_migrations WHERE app <> 'kernel'"
    )
    answer = await http.get("/ready")
    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "database": True, "cache": True, "migrations": False}


async def test_metrics_count_requests_operations_errors_and_what_is_behind(http: httpx.AsyncClient) -> None:
    await ask(http, "query Stranger { __typename }")
    await ask(http, "query Stranger { viewer { me { id } } }")
    await ask(http, "query { nothing }")
    await http.get("/health")
    text = (await http.get("/metrics")).text
    assert 'linli_http_requests_total{method="GET",route="/health",status="200"} 1.0' in text
    assert 'linli_graphql_operations_total{operation="other",outcome="ok"}' in text
    assert 'linli_graphql_operations_total{operation="other",outcome="refused"} 1.0' in text
    assert 'linli_errors_total{code="GRAPHQL_VALIDATION_FAILED"} 1.0' in text
    for name in (
        "linli_http_request_duration_seconds_bucket", "linli_graphql_operation_statements_bucket",
        "linli_sockets_open 0.0", "linli_database_up 1.0", 'linli_outbox_messages{state="pending"} 0.0',
        'linli_outbox_messages{state="parked"} 0.0', "linli_outbox_oldest_seconds 0.0", "process_resident_memory_bytes",
        'linli_database_pool{state="most"}',
    ):  # fmt: skip
        assert name in text, name


async def test_names_from_outside_make_no_series_of_their_own(http: httpx.AsyncClient) -> None:
    for n in range(30):
        await ask(http, f"query Made{n} {{ __typename }}")
        await http.get(f"/made-up-{n}")
        await http.request(f"VERB{n}", "/health")
    text = (await http.get("/metrics")).text
    assert "Made" not in text
    assert "made-up" not in text
    assert "VERB" not in text
    assert text.count("linli_graphql_operations_total{") == 1


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("10.1.2.3", {}, 200),
        ("::1", {}, 200),
        ("8.8.8.8", {}, 403),
        ("127.0.0.1", {"x-forwarded-for": "8.8.8.8"}, 403),
        ("127.0.0.1", {"x-forwarded-for": "8.8.8.8, 10.0.0.1"}, 403),
        ("127.0.0.1", {"x-forwarded-for": "nonsense"}, 403),
        ("127.0.0.1", {"x-forwarded-for": "192.168.1.9"}, 200),
        ("8.8.8.8", {"authorization": "Bearer a-token-of-some-length"}, 200),
        ("8.8.8.8", {"authorization": "Bearer a-token-of-other-lengths"}, 403),
        ("8.8.8.8", {"authorization": "Bearer "}, 403),
        ("8.8.8.8", {"authorization": "Bearer ä"}, 403),
    ],
)
async def test_metrics_are_for_the_private_network_or_the_token(
    settings: Settings, address: str, headers: dict[str, str], status: int
) -> None:
    opened = Settings(home=settings.home, metrics_token="a-token-of-some-length")  # type: ignore[arg-type]  # pydantic reads the text
    async with caller(build_app(opened), address) as http:
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        answer = await http.get("/metrics", headers=raw)
    assert answer.status_code == status
    assert ("linli_" in answer.text) == (status == 200)


async def test_without_a_token_none_opens_the_metrics(settings: Settings) -> None:
    async with caller(build_app(settings), "8.8.8.8") as http:
        assert (await http.get("/metrics", headers={"authorization": "Bearer "})).status_code == 403


async def test_a_fault_that_nobody_caught_is_a_coded_answer(
    settings: Settings, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("phone 13800001111")

    app = build_app(settings)
    monkeypatch.setattr("api.observability.routes.Readiness._database", broken)
    monkeypatch.setattr("api.observability.routes._holds", broken)
    async with caller(app, "127.0.0.1") as http:
        answer = await http.get("/ready")
    assert answer.status_code == 500
    assert answer.json()["code"] == "INTERNAL"
    assert answer.json()["requestId"] == answer.headers["x-request-id"]
    assert "13800001111" not in written.getvalue() + answer.text
    assert any(line["event"] == "request.fault" for line in lines(written))


async def test_statements_counted_inside_are_counted_outside_too() -> None:
    async with database.counted() as outer:
        await database.fetchval("SELECT 1")
        async with database.counted() as inner:
            await database.fetchval("SELECT 2")
    assert (inner.count, outer.count) == (1, 2)
