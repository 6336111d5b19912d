"""Receivers of webhooks (Webhook 接收方): another company's system that checks Standard Webhooks signatures."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import sqlite3
import time
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from miniprogram_stub.platform.bodies import TooLargeError, body_up_to
from miniprogram_stub.platform.books import Books
from miniprogram_stub.platform.door_fields import UnusableError, given_fields, given_text
from miniprogram_stub.platform.faults import Faults

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TOLERANCE_SECONDS: Final = 300
_LARGEST_BODY: Final = 1 << 20
_SECRET_BYTES: Final = range(24, 65)


class HookRefusedError(Exception):
    """The delivery does not show that it comes from whom the secret was agreed with."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came, with its headers webhook-id, webhook-timestamp and webhook-signature."""

    id: str
    timestamp: str
    signatures: str
    body: bytes


def _delivery(request: Request, body: bytes) -> Delivery:
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    message_id, timestamp, signatures = (request.headers.get(name, "") for name in names)
    return Delivery(message_id, timestamp, signatures, body)


class HookReceivers:
    """All receivers of this home."""

    def __init__(self, books: Books, faults: Faults) -> None:
        self._books = books
        self._faults = faults

    def routes(self) -> list[Route]:
        """Where deliveries go, how a receiver is made, and what it got."""
        return [
            Route("/hooks/{name}", self._deliver, methods=["POST"]),
            Route("/open/hooks", self._make, methods=["POST"]),
            Route("/open/hooks/{name}", self._show),
        ]

    async def _deliver(self, request: Request) -> Response:
        try:
            body = await body_up_to(request, _LARGEST_BODY)
        except TooLargeError:
            return PlainTextResponse("Payload Too Large", 413)

        async def answer() -> Response:
            try:
                known = await self._books.transact(
                    _receive, request.path_params["name"], _delivery(request, body)
                )
            except HookRefusedError as refusal:
                return PlainTextResponse(str(refusal), 401)
            return Response(status_code=204 if known else 404)

        def busy() -> Response:
            return PlainTextResponse("Service Unavailable", 503, {"Retry-After": "1"})

        return await self._faults.meet("hooks", "deliver", answer, busy)

    async def _make(self, request: Request) -> Response:
        fields = await given_fields(request)
        name, secret = given_text(fields, "name"), given_text(fields, "secret", 128)
        if not _NAME.fullmatch(name):
            raise UnusableError("name 须为字母、数字、下划线或连字符")
        if len(_key(secret)) not in _SECRET_BYTES:
            raise UnusableError("secret 须为 whsec_ 加 24 至 64 字节的 Base64")
        await self._books.transact(_make, name, secret)
        return JSONResponse({"url": f"{request.base_url}hooks/{name}"})

    async def _show(self, request: Request) -> Response:
        return JSONResponse(
            {"deliveries": await self._books.transact(_deliveries, request.path_params["name"])}
        )


def _key(secret: str) -> bytes:
    """The key behind `whsec_`; empty when it is none."""
    prefix, _, encoded = secret.partition("_")
    try:
        return base64.b64decode(encoded, validate=True) if prefix == "whsec" else b""
    except ValueError:
        return b""


def _make(rows: sqlite3.Connection, name: str, secret: str) -> None:
    rows.execute(
        "INSERT INTO hooks VALUES (?, ?) ON CONFLICT DO UPDATE SET secret = excluded.secret", (name, secret)
    )


def _receive(rows: sqlite3.Connection, name: str, delivery: Delivery) -> bool:
    """Keep it and how often it came; False when nobody of that name receives."""
    receiver = rows.execute("SELECT secret FROM hooks WHERE name = ?", (name,)).fetchone()
    if receiver is None:
        return False
    _require_genuine(_key(receiver["secret"]), delivery)
    rows.execute(
        "INSERT INTO hook_deliveries VALUES (?, ?, 1, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET times = times + 1, last_at = excluded.last_at",
        (name, delivery.id, delivery.body.decode("utf-8", "replace"), time.time(), time.time()),
    )
    return True


def _require_genuine(key: bytes, delivery: Delivery) -> None:
    if not (delivery.id and re.fullmatch("[0-9]{1,12}", delivery.timestamp) and delivery.signatures):
        raise HookRefusedError("missing required headers")
    if abs(time.time() - int(delivery.timestamp)) > _TOLERANCE_SECONDS:
        raise HookRefusedError("message timestamp too old or too new")
    content = f"{delivery.id}.{delivery.timestamp}.".encode() + delivery.body
    expected = b"v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256))
    # While a secret is being changed the sender signs with both.
    if not any(hmac.compare_digest(expected, given.encode()) for given in delivery.signatures.split(" ")):
        raise HookRefusedError("no matching signature found")


def _deliveries(rows: sqlite3.Connection, name: str) -> list[dict[str, object]]:
    found = rows.execute(
        "SELECT id, times, body, first_at, last_at FROM hook_deliveries WHERE name = ? ORDER BY first_at",
        (name,),
    )
    return [dict(row) for row in found]
