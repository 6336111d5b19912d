"""阿里云 RPC 风格接口, as 短信 and 语音 have them: HMAC-SHA1 over the sorted, encoded parameters."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sqlite3
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Final, Literal
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from miniprogram_stub.platform.books import Books
from miniprogram_stub.platform.credentials import SmsAccount
from miniprogram_stub.platform.faults import Faults
from miniprogram_stub.platform.parameters import given_parameters
from miniprogram_stub.platform.rpc_refusal import RpcRefusedError

_REQUIRED: Final = (
    "Action",
    "Version",
    "AccessKeyId",
    "SignatureMethod",
    "SignatureVersion",
    "SignatureNonce",
    "Timestamp",
    "Signature",
)
_ACCEPTED: Final = (
    ("Version", "2017-05-25", "InvalidVersion", 400),
    ("SignatureMethod", "HMAC-SHA1", "InvalidParameter.SignatureMethod", 400),
    ("SignatureVersion", "1.0", "InvalidParameter.SignatureVersion", 400),
)
_CLOCK_LEEWAY: Final = timedelta(minutes=15)
_NONCE_SECONDS: Final = 1800  # a nonce cannot come back later: its timestamp would be refused first


Fields = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Service:
    """Which of the cloud's services this is, and where it answers."""

    name: Literal["sms", "voice"]
    host: str
    path: str
    actions: Mapping[str, Action]


@dataclass(frozen=True, slots=True)
class Action:
    """One interface: the parameters it cannot do without, and what it does."""

    required: tuple[str, ...]
    perform: Callable[[sqlite3.Connection, Mapping[str, str]], Fields]


class RpcGateway:
    """One service of an account."""

    def __init__(self, service: Service, account: SmsAccount, books: Books, faults: Faults) -> None:
        self._service = service
        self._account = account
        self._books = books
        self._faults = faults

    def routes(self) -> list[Route]:
        """The one path there is."""
        return [Route(self._service.path, self._rpc, methods=["POST"])]

    async def _rpc(self, request: Request) -> Response:
        params = await given_parameters(request)

        async def answer() -> Response:
            try:
                return await self._perform(params)
            except RpcRefusedError as refusal:
                return self._refused(params, refusal)

        def busy() -> Response:
            return self._refused(params, RpcRefusedError("isp.SYSTEM_ERROR", "系统错误"))

        return await self._faults.meet(self._service.name, params.get("Action", ""), answer, busy)

    async def _perform(self, params: Mapping[str, str]) -> Response:
        self._require_genuine(params)
        action = self._service.actions[params["Action"]]
        _require(params, action.required)
        outcome = await self._books.transact(_once, action, params)
        if isinstance(outcome, RpcRefusedError):
            raise outcome
        return _wire(params, f"{params['Action']}Response", {"Message": "OK", "Code": "OK", **outcome})

    def _require_genuine(self, params: Mapping[str, str]) -> None:
        _require(params, _REQUIRED)
        if params["Action"] not in self._service.actions:
            raise RpcRefusedError("InvalidAction.NotFound", "Specified api is not found.", 404)
        for name, accepted, code, status in _ACCEPTED:
            if params[name] != accepted:
                raise RpcRefusedError(code, f"Specified parameter {name} is not valid.", status)
        _require_fresh(params["Timestamp"])
        if params["AccessKeyId"] != self._account.access_key_id:
            raise RpcRefusedError("InvalidAccessKeyId.NotFound", "Specified access key is not found.", 404)
        text = _string_to_sign(params)
        if not hmac.compare_digest(self._signature(text), params["Signature"].encode("utf-8", "replace")):
            message = (
                f"Specified signature is not matched with our calculation. server string to sign is:{text}"
            )
            raise RpcRefusedError("SignatureDoesNotMatch", message, 400)

    def _refused(self, params: Mapping[str, str], refusal: RpcRefusedError) -> Response:
        fields = {"Message": refusal.message, "Code": refusal.code}
        if refusal.status == 200:
            return _wire(params, f"{params.get('Action')}Response", fields)
        return _wire(params, "Error", {**fields, "HostId": self._service.host}, refusal.status)

    def _signature(self, text: str) -> bytes:
        key = f"{self._account.access_key_secret}&".encode()
        return base64.b64encode(hmac.new(key, text.encode(), hashlib.sha1).digest())


def _require(params: Mapping[str, str], names: tuple[str, ...]) -> None:
    for name in names:
        if not params.get(name):
            raise RpcRefusedError(f"Missing{name}", f"{name} is mandatory for this action.", 400)


def _string_to_sign(params: Mapping[str, str]) -> str:
    pairs = (
        f"{quote(name, safe='~')}={quote(value, safe='~')}"
        for name, value in sorted(params.items())
        if name != "Signature"
    )
    # The RPC style knows no paths: what is signed is "/" wherever the service answers.
    return f"POST&%2F&{quote('&'.join(pairs), safe='~')}"


def _require_fresh(timestamp: str) -> None:
    try:
        sent_at = datetime.strptime(timestamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        message = "Specified time stamp or date value is not well formatted."
        raise RpcRefusedError("InvalidTimeStamp.Format", message, 400) from error
    if abs(datetime.now(UTC) - sent_at) > _CLOCK_LEEWAY:
        message = "Specified time stamp or date value is expired."
        raise RpcRefusedError("InvalidTimeStamp.Expired", message, 400)


def _spend_nonce(rows: sqlite3.Connection, nonce: str) -> None:
    rows.execute("DELETE FROM sms_nonces WHERE seen_at < ?", (time.time() - _NONCE_SECONDS,))
    try:
        rows.execute("INSERT INTO sms_nonces VALUES (?, ?)", (nonce, time.time()))
    except sqlite3.IntegrityError as error:
        raise RpcRefusedError(
            "SignatureNonceUsed", "Specified signature nonce was used already.", 400
        ) from error


def _once(rows: sqlite3.Connection, action: Action, params: Mapping[str, str]) -> Fields | RpcRefusedError:
    """A refused action is undone, yet its nonce stays spent."""
    _spend_nonce(rows, params["SignatureNonce"])
    rows.execute("SAVEPOINT action")
    try:
        return action.perform(rows, params)
    except RpcRefusedError as refusal:
        rows.execute("ROLLBACK TO action")
        return refusal


def _wire(params: Mapping[str, str], root: str, fields: Fields, status: int = 200) -> Response:
    answer = {"RequestId": str(uuid.uuid4()).upper(), **fields}
    if params.get("Format", "XML").upper() == "JSON":
        return Response(
            json.dumps(answer, ensure_ascii=False), status, media_type="application/json;charset=utf-8"
        )
    text = f"<?xml version='1.0' encoding='UTF-8'?>{_xml(root, answer)}"
    return Response(text, status, media_type="text/xml;charset=utf-8")


def _xml(name: str, value: object) -> str:
    if isinstance(value, list):
        return "".join(_xml(name, each) for each in value)
    if isinstance(value, Mapping):
        inside = "".join(_xml(key, each) for key, each in value.items())
    else:
        inside = escape(str(value), quote=False)
    return f"<{name}>{inside}</{name}>"
