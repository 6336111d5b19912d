"""How a platform is called: one pool, short patience, and one kind of failure."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
import structlog

from domains.kernel.database import open_transaction
from domains.kernel.errors import Unavailable

log = structlog.get_logger(__name__)

PATIENCE_S = 6.0
_NO_ANSWER = "平台暂时没有响应,请稍后重试"


@dataclass(frozen=True, slots=True)
class PlatformPerson:
    """Who a platform says is signing in. Of what it answers besides (a session key) nothing is kept."""

    platform: str
    app_id: str
    open_id: str
    union_id: str | None = None


def pool() -> httpx.AsyncClient:
    """The one client of a process. A connection that could not be made is tried once more; a request
    that was sent is not, for a single-use code may be spent by it."""
    # The client's own log lines hold whole addresses, and WeChat wants its secret in the address.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return httpx.AsyncClient(
        transport=httpx.AsyncHTTPTransport(
            retries=1, trust_env=False, limits=httpx.Limits(max_connections=50, max_keepalive_connections=10)
        ),
        timeout=httpx.Timeout(4.0, connect=2.0),
        trust_env=False,
    )


def unavailable(platform: str, reason: str) -> Unavailable:
    """What a person is told; the reason is for the operator and holds no secret."""
    log.warning("platform.unavailable", platform=platform, reason=reason)
    return Unavailable("PLATFORM_UNAVAILABLE", _NO_ANSWER)


async def send(http: httpx.AsyncClient, platform: str, request: httpx.Request) -> httpx.Response:
    """The answer, whatever its status. Raises Unavailable PLATFORM_UNAVAILABLE without one in time."""
    assert open_transaction() is None, "nothing outside is called inside a transaction"
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await http.send(request)
    except (httpx.HTTPError, TimeoutError) as error:
        raise unavailable(platform, type(error).__name__) from None


def fields_of(platform: str, response: httpx.Response) -> dict[str, Any]:  # Any: a platform's JSON
    """The JSON object in an answer; anything else is a platform in trouble."""
    try:
        fields = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        fields = None
    if not isinstance(fields, dict):
        raise unavailable(platform, f"http {response.status_code}")
    return fields
