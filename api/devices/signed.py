"""Requests that a device has signed (设备签名请求): bounded, counted, proven, and each accepted once."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api import files
from api.edge import origin_of
from domains.devices.signatures import WINDOW, Claim, KnownKey, SignatureRefused, Signed, claim_of
from domains.kernel import clock
from domains.kernel.actor import Origin
from domains.kernel.errors import (
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    NotFound,
    Throttled,
    Unauthenticated,
    Unavailable,
)
from domains.kernel.rates import Limiter, RateLimit, Take, WhenDown, network_of

MOST_BYTES = 64 * 1024
BODY_LIMIT_S = 10.0
VALKEY_LIMIT_S = 0.5
RETRY_AFTER_S = 5
NONCE_KEPT_S = int(2 * WINDOW.total_seconds()) + 60
"""A request may come at both ends of the window; a minute more for reading it and for clocks that differ."""

# Every limit is open while Valkey is away: what is not counted is refused as unavailable, see `_take`.
PER_ADDRESS = RateLimit("device-address", 100, 1, 1000, WhenDown.OPEN)
"""A compound's devices share an address."""
PER_KEY = RateLimit("device-key", 10, 1, 60, WhenDown.OPEN)
"""Taken only by who holds the key: to name it must not use up its owner's share."""
STRANGERS = (
    RateLimit("device-stranger-address", 20, 1, 200, WhenDown.OPEN),
    RateLimit("device-strangers", 300, 1, 1000, WhenDown.OPEN),
)
"""Of keys that this process has not seen proven, by address and of all together: what a flood of invented
keys may cost the database."""
MOST_PROVEN = 100_000

_STATUSES: tuple[tuple[type[DomainError], int], ...] = (
    (Unauthenticated, 401), (Forbidden, 403), (NotFound, 404), (Conflict, 409), (Throttled, 429), (Invalid, 400),
)  # fmt: skip
_OWN_STATUSES = {"PAYLOAD_TOO_LARGE": 413, "BODY_TOO_SLOW": 408}


@dataclass(frozen=True, slots=True)
class DeviceCall:
    """A proven request of a device (设备请求). `received_at` is our time; `signed.created` is the device's own
    and is kept beside it, never trusted alone. `query` and `path` are decoded."""

    device_id: UUID
    compound_id: UUID
    body: bytes = field(repr=False)
    received_at: datetime
    origin: Origin
    signed: Signed
    query: Mapping[str, str]
    path: Mapping[str, str]


FindKey = Callable[[str], Awaitable[KnownKey | None]]
"""The key in use of this id, of a device in use."""
NoteRefusal = Callable[[UUID, str], Awaitable[None]]
"""Keeps on record which request of which device was refused, by code."""
Handler = Callable[[DeviceCall], Awaitable[Response]]


class SignedCalls:
    """What stands before every handler of devices. One for a process: it remembers which keys are no
    strangers, and never that one is still valid: that is looked up for each request."""

    def __init__(self, redis: Redis, find_key: FindKey, note_refusal: NoteRefusal) -> None:
        self._redis = redis
        self._limiter = Limiter(redis, patience_s=VALKEY_LIMIT_S)
        self._find_key = find_key
        self._note_refusal = note_refusal
        self._proven: dict[str, None] = {}

    def endpoint(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """The handler behind the signature, for a route; a DomainError of the handler is answered as well."""

        async def answer(request: Request) -> Response:
            try:
                return await self._answer(request, handler)
            except DomainError as error:
                return refused(request, error)
            except ClientDisconnect:
                return Response(status_code=400)

        return answer

    async def _answer(self, request: Request, handler: Handler) -> Response:
        received_at, scope = clock.now(), request.scope
        claim = claim_of(request.method, scope["raw_path"], scope["query_string"], scope["headers"])
        origin = origin_of(request)
        await self._take(*self._takes(claim, origin))
        body = await read_bounded(request)
        claim.check_body(body)
        key = await self._key(claim)
        try:
            signed = await self._proven_once(claim, key, received_at)
            path = request.path_params
            call = DeviceCall(
                key.device_id, key.compound_id, body, received_at, origin, signed, request.query_params, path
            )
            return await handler(call)
        except DomainError as error:
            if not isinstance(error, Unavailable):
                await self._note_refusal(key.device_id, error.code)
            raise

    def _takes(self, claim: Claim, origin: Origin) -> list[Take]:
        address = network_of(origin.ip)
        takes: list[Take] = [(PER_ADDRESS, address, 1)]
        if claim.keyid not in self._proven:
            of_address, of_all = STRANGERS
            takes += [(of_address, address, 1), (of_all, "all", 1)]
        return takes

    async def _take(self, *takes: Take) -> None:
        verdict = await self._limiter.take_all(takes)
        if not verdict.allowed:
            raise Throttled(
                "DEVICE_TOO_OFTEN", "设备请求太频繁,请按 Retry-After 等待后再试", verdict.retry_after_s
            )
        # A take that was counted is always earned again later; no time at all means that nobody counted.
        if not verdict.reset_after_s:
            raise _unavailable()

    async def _key(self, claim: Claim) -> KnownKey:
        key = await self._find_key(claim.keyid)
        if key is None:
            self._proven.pop(claim.keyid, None)
            raise SignatureRefused("KEY_UNKNOWN", "设备密钥未登记或已停用,请联系物业登记设备")
        return key

    async def _proven_once(self, claim: Claim, key: KnownKey, received_at: datetime) -> Signed:
        signed = claim.proven_by(key.public_key, received_at)
        if len(self._proven) >= MOST_PROVEN:
            del self._proven[next(iter(self._proven))]
        self._proven[signed.keyid] = None
        await self._take((PER_KEY, signed.keyid, 1))
        await self._spend(signed)
        return signed

    async def _spend(self, signed: Signed) -> None:
        name = f"device:nonce:{signed.keyid}:{signed.nonce}"
        try:
            async with asyncio.timeout(VALKEY_LIMIT_S):
                is_first = await self._redis.set(name, b"", nx=True, ex=NONCE_KEPT_S)
        except (RedisError, OSError):
            raise _unavailable() from None
        if not is_first:
            raise SignatureRefused("NONCE_USED", "这个请求已经收到过,请换一个 nonce 重新签名")


async def read_bounded(request: Request) -> bytes:
    """The body. Invalid PAYLOAD_TOO_LARGE as soon as it is known to be, BODY_TOO_SLOW after ten seconds."""
    declared, body = request.headers.get("content-length", "0"), bytearray()
    if declared.isdecimal() and int(declared[:20]) > MOST_BYTES:
        raise _too_large()
    try:
        async with asyncio.timeout(BODY_LIMIT_S):
            async for chunk in request.stream():
                if len(body) + len(chunk) > MOST_BYTES:
                    raise _too_large()
                body += chunk
    except TimeoutError:
        raise Invalid("BODY_TOO_SLOW", "请求内容在 10 秒内没有传完,请检查网络后重试") from None
    return bytes(body)


def refused(request: Request, error: DomainError) -> Response:
    """The refusal in words, with how long to wait where waiting helps."""
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 503)
    status, headers = _OWN_STATUSES.get(error.code, status), {}
    if isinstance(error, Throttled):
        headers["Retry-After"] = str(math.ceil(error.retry_after_s))
    elif status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if error.code in _OWN_STATUSES:
        # The rest of the body would have to be read off before the next request could be.
        headers["Connection"] = "close"
    return files.refused(request, error, status, headers)


async def tell_time(_: Request) -> Response:
    """Our time in epoch milliseconds, unsigned: a device whose clock is wrong can sign nothing that counts."""
    now = round(clock.now().timestamp() * 1000)
    return JSONResponse({"now": now}, headers={"Cache-Control": "no-store"})


TIME = Route("/device/v1/time", tell_time)


def _too_large() -> Invalid:
    return Invalid("PAYLOAD_TOO_LARGE", "请求内容超过 64 KiB,请分批发送")


def _unavailable() -> Unavailable:
    return Unavailable("UNAVAILABLE", "服务暂时不可用,请稍后重试")
