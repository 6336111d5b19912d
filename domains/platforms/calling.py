"""How a platform is called: one pool, short patience, and what is known of a call that failed."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import httpx
import orjson

from domains.kernel.database import open_transaction

PATIENCE_S = 6.0
# More than a process has in flight: platforms that hang keep nobody from calling another.
_MOST_CONNECTIONS = 200


class PlatformFailure(Exception):
    """A call without a usable answer; `reason` is for the operator and holds no secret, `status` is HTTP's
    where there was one."""

    def __init__(self, platform: str, reason: str, status: int | None = None) -> None:
        super().__init__(f"{platform}: {reason}")
        self.platform, self.reason, self.status = platform, reason, status


class NotSent(PlatformFailure):
    """The platform certainly did nothing: the request never left, or was turned away unread (HTTP 429).
    It may be sent again."""


class OutcomeUnknown(PlatformFailure):
    """The request left, and no answer says what became of it. It must not be repeated blindly."""


def pool() -> httpx.AsyncClient:
    """The one client of a process. A connection that could not be made is tried once more; a request
    that was sent is not, for a single-use code may be spent by it."""
    # The client's own log lines hold whole addresses, and WeChat wants its secret in the address.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return httpx.AsyncClient(
        transport=httpx.AsyncHTTPTransport(
            retries=1,
            trust_env=False,
            limits=httpx.Limits(max_connections=_MOST_CONNECTIONS, max_keepalive_connections=10),
        ),
        timeout=httpx.Timeout(4.0, connect=2.0),
        trust_env=False,
    )


class Departure:
    """Whether the request has begun to leave: all that a deadline in the middle of it does not tell."""

    begun = False

    async def __call__(self, event: str, info: dict[str, Any]) -> None:  # Any: as the client calls it
        self.begun = self.begun or event.endswith(".send_request_headers.started")


async def send(http: httpx.AsyncClient, platform: str, request: httpx.Request) -> httpx.Response:
    """The answer, whatever its status. Raises NotSent or OutcomeUnknown without one in time."""
    assert open_transaction() is None, "nothing outside is called inside a transaction"
    departure = request.extensions["trace"] = Departure()
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await http.send(request)
    # What the client raised holds the address, secrets included.
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise NotSent(platform, type(error).__name__) from None
    except TimeoutError:
        raise (OutcomeUnknown if departure.begun else NotSent)(platform, "TimeoutError") from None
    except httpx.HTTPError as error:
        raise OutcomeUnknown(platform, type(error).__name__) from None


def no_answer(platform: str, response: httpx.Response) -> PlatformFailure:
    """What to raise for an answer that is not in the platform's own words."""
    kind = NotSent if response.status_code == 429 else OutcomeUnknown
    return kind(platform, f"http {response.status_code}", response.status_code)


def fields_of(platform: str, response: httpx.Response) -> dict[str, Any]:  # Any: a platform's JSON
    """The JSON object in an answer; anything else is a platform in trouble."""
    try:
        fields = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        fields = None
    if not isinstance(fields, dict):
        raise no_answer(platform, response)
    return fields
