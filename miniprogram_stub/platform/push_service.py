"""A browser vendor's push service (Web Push 推送服务): RFC 8030 with the identification of RFC 8292."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from miniprogram_stub.platform.bodies import TooLargeError, body_up_to
from miniprogram_stub.platform.books import Books
from miniprogram_stub.platform.door_fields import UnusableError, given_fields, given_person, given_text
from miniprogram_stub.platform.faults import Faults
from miniprogram_stub.platform.push import (
    LARGEST_BODY,
    LONGEST_STAY,
    Pushed,
    PushRefusedError,
    accept,
    go_offline,
    go_online,
    subscribe,
    unsubscribe,
)
from miniprogram_stub.platform.vapid import usable_key

_URGENCIES: Final = ("very-low", "low", "normal", "high")
_TOPIC: Final = re.compile(r"[A-Za-z0-9_-]{0,32}")
_SECONDS: Final = re.compile(r"[0-9]{1,10}")


class PushService:
    """The service, and the browsers that subscribe to it."""

    def __init__(self, books: Books, faults: Faults) -> None:
        self._books = books
        self._faults = faults

    def routes(self) -> list[Route]:
        """Where application servers push, and what a browser does."""
        subscription = "/open/push/subscriptions/{token}"
        return [
            Route("/push/{token}", self._push, methods=["POST"]),
            Route("/open/push/subscriptions", self._subscribe, methods=["POST"]),
            Route(subscription, partial(self._change, unsubscribe), methods=["DELETE"]),
            Route(f"{subscription}/offline", partial(self._change, go_offline), methods=["POST"]),
            Route(f"{subscription}/online", partial(self._change, go_online), methods=["POST"]),
        ]

    async def _push(self, request: Request) -> Response:
        token = request.path_params["token"]
        try:
            body = await body_up_to(request, LARGEST_BODY)
        except TooLargeError:
            body = None

        async def answer() -> Response:
            try:
                pushed = _pushed(request, token, body)
                location = await self._books.transact(accept, pushed)
            except PushRefusedError as refusal:
                return _refused(refusal)
            return Response(status_code=201, headers={"Location": location, "TTL": str(pushed.seconds)})

        def busy() -> Response:
            return JSONResponse({"code": 503, "message": "Service Unavailable"}, 503, {"Retry-After": "1"})

        async def drop() -> None:
            await self._books.transact(unsubscribe, token)

        return await self._faults.meet("push", "send", answer, busy, drop_subscription=drop)

    async def _subscribe(self, request: Request) -> Response:
        fields = await given_fields(request)
        person = given_person(fields)
        try:
            key = usable_key(given_text(fields, "vapid_public_key", 100))
        except ValueError as error:
            raise UnusableError("vapid_public_key 须为 P-256 公钥（未压缩点的 base64url）") from error
        origin = str(request.base_url).rstrip("/")
        return JSONResponse(await self._books.transact(subscribe, person, key, origin))

    async def _change(self, change: Callable[[sqlite3.Connection, str], bool], request: Request) -> Response:
        if await self._books.transact(change, request.path_params["token"]):
            return Response(status_code=204)
        return JSONResponse({"error": "没有这个订阅，或它已被取消"}, 404)


def _pushed(request: Request, token: str, body: bytes | None) -> Pushed:
    headers = request.headers
    seconds, topic = headers.get("ttl", ""), headers.get("topic", "")
    if not _SECONDS.fullmatch(seconds):
        raise PushRefusedError(400, "TTL is required, in seconds")
    if headers.get("content-encoding") != "aes128gcm":
        raise PushRefusedError(400, "Content-Encoding must be aes128gcm")
    if headers.get("urgency", "normal") not in _URGENCIES:
        raise PushRefusedError(400, "Urgency must be one of " + ", ".join(_URGENCIES))
    if not _TOPIC.fullmatch(topic):
        raise PushRefusedError(400, "Topic must be at most 32 base64url characters")
    if body is None:
        raise PushRefusedError(413, f"The body must be at most {LARGEST_BODY} bytes")
    return Pushed(
        token=token,
        authorization=headers.get("authorization", ""),
        seconds=min(int(seconds), LONGEST_STAY),
        topic=topic,
        body=body,
    )


def _refused(refusal: PushRefusedError) -> Response:
    headers = {"WWW-Authenticate": "vapid"} if refusal.status == 401 else None
    return JSONResponse({"code": refusal.status, "message": refusal.reason}, refusal.status, headers)
