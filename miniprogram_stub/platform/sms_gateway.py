"""阿里云短信服务 in the RPC style: POST /, Action SendSms, HMAC-SHA1 over the sorted, encoded parameters."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sqlite3
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from miniprogram_stub.platform.books import Books
from miniprogram_stub.platform.credentials import SmsAccount
from miniprogram_stub.platform.faults import Faults
from miniprogram_stub.platform.files import WatchedFile
from miniprogram_stub.platform.parameters import given_parameters
from miniprogram_stub.platform.sms import SmsRefusedError, send_sms
from miniprogram_stub.platform.sms_console import Console

_REQUIRED: Final = (
    "Action",
    "Version",
    "AccessKeyId",
    "SignatureMethod",
    "SignatureVersion",
    "SignatureNonce",
    "Timestamp",
    "Signature",
    "PhoneNumbers",
    "SignName",
    "TemplateCode",
)
_ACCEPTED: Final = (
    ("Action", "SendSms", "InvalidAction.NotFound", 404),
    ("Version", "2017-05-25", "InvalidVersion", 400),
    ("SignatureMethod", "HMAC-SHA1", "InvalidParameter.SignatureMethod", 400),
    ("SignatureVersion", "1.0", "InvalidParameter.SignatureVersion", 400),
)
_CLOCK_LEEWAY: Final = timedelta(minutes=15)
_NONCE_SECONDS: Final = 1800  # a nonce cannot come back later: its timestamp would be refused first


class SmsGateway:
    """One account's SMS service."""

    def __init__(
        self, account: SmsAccount, console: WatchedFile[Console], books: Books, faults: Faults
    ) -> None:
        self._account = account
        self._console = console
        self._books = books
        self._faults = faults

    def routes(self) -> list[Route]:
        """The one path there is."""
        return [Route("/", self._rpc, methods=["POST"])]

    async def _rpc(self, request: Request) -> Response:
        params = await given_parameters(request)

        async def answer() -> Response:
            try:
                return await self._send(params)
            except SmsRefusedError as refusal:
                return _refused(params, refusal)

        def busy() -> Response:
            return _refused(params, SmsRefusedError("isp.SYSTEM_ERROR", "系统错误"))

        return await self._faults.meet("sms", params.get("Action", ""), answer, busy)

    async def _send(self, params: Mapping[str, str]) -> Response:
        self._require_genuine(params)
        await self._books.transact(_spend_nonce, params["SignatureNonce"])
        console = self._console.current()
        if console is None:
            raise SmsRefusedError("isv.SMS_SIGNATURE_ILLEGAL", "该账号下找不到对应签名")
        biz_id = await self._books.transact(send_sms, console, params)
        return _wire(params, "SendSmsResponse", {"Message": "OK", "BizId": biz_id, "Code": "OK"})

    def _require_genuine(self, params: Mapping[str, str]) -> None:
        for name in _REQUIRED:
            if not params.get(name):
                raise SmsRefusedError(f"Missing{name}", f"{name} is mandatory for this action.", 400)
        for name, accepted, code, status in _ACCEPTED:
            if params[name] != accepted:
                raise SmsRefusedError(code, f"Specified parameter {name} is not valid.", status)
        _require_fresh(params["Timestamp"])
        if params["AccessKeyId"] != self._account.access_key_id:
            raise SmsRefusedError("InvalidAccessKeyId.NotFound", "Specified access key is not found.", 404)
        text = _string_to_sign(params)
        if not hmac.compare_digest(self._signature(text), params["Signature"].encode("utf-8", "replace")):
            message = (
                f"Specified signature is not matched with our calculation. server string to sign is:{text}"
            )
            raise SmsRefusedError("SignatureDoesNotMatch", message, 400)

    def _signature(self, text: str) -> bytes:
        key = f"{self._account.access_key_secret}&".encode()
        return base64.b64encode(hmac.new(key, text.encode(), hashlib.sha1).digest())


def _string_to_sign(params: Mapping[str, str]) -> str:
    pairs = (
        f"{quote(name, safe='~')}={quote(value, safe='~')}"
        for name, value in sorted(params.items())
        if name != "Signature"
    )
    return f"POST&%2F&{quote('&'.join(pairs), safe='~')}"


def _require_fresh(timestamp: str) -> None:
    try:
        sent_at = datetime.strptime(timestamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        message = "Specified time stamp or date value is not well formatted."
        raise SmsRefusedError("InvalidTimeStamp.Format", message, 400) from error
    if abs(datetime.now(UTC) - sent_at) > _CLOCK_LEEWAY:
        message = "Specified time stamp or date value is expired."
        raise SmsRefusedError("InvalidTimeStamp.Expired", message, 400)


def _spend_nonce(rows: sqlite3.Connection, nonce: str) -> None:
    rows.execute("DELETE FROM sms_nonces WHERE seen_at < ?", (time.time() - _NONCE_SECONDS,))
    try:
        rows.execute("INSERT INTO sms_nonces VALUES (?, ?)", (nonce, time.time()))
    except sqlite3.IntegrityError as error:
        raise SmsRefusedError(
            "SignatureNonceUsed", "Specified signature nonce was used already.", 400
        ) from error


def _refused(params: Mapping[str, str], refusal: SmsRefusedError) -> Response:
    fields = {"Message": refusal.message, "Code": refusal.code}
    if refusal.status == 200:
        return _wire(params, "SendSmsResponse", fields)
    return _wire(params, "Error", {**fields, "HostId": "dysmsapi.aliyuncs.com"}, refusal.status)


def _wire(params: Mapping[str, str], root: str, fields: Mapping[str, str], status: int = 200) -> Response:
    answer = {"RequestId": str(uuid.uuid4()).upper(), **fields}
    if params.get("Format", "XML").upper() == "JSON":
        return Response(
            json.dumps(answer, ensure_ascii=False), status, media_type="application/json;charset=utf-8"
        )
    inside = "".join(f"<{name}>{escape(value, quote=False)}</{name}>" for name, value in answer.items())
    text = f"<?xml version='1.0' encoding='UTF-8'?><{root}>{inside}</{root}>"
    return Response(text, status, media_type="text/xml;charset=utf-8")
