"""What a person's phone does with its platform, and what a person trying things out needs to see.

Nothing here exists on the real platforms' servers; the product never calls it.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from html import escape
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from miniprogram_stub.platform.alipay_oauth import BEIJING
from miniprogram_stub.platform.alipay_signing import sealed_phone
from miniprogram_stub.platform.books import Books
from miniprogram_stub.platform.codes import Kind, issue_code
from miniprogram_stub.platform.credentials import AlipayApp, AlipayKeys
from miniprogram_stub.platform.faults import APIS, KINDS, Fault, Faults
from miniprogram_stub.platform.people import person_called
from miniprogram_stub.platform.sms import received

_WECHAT_CODE_SECONDS: Final = 300
_ALIPAY_CODE_SECONDS: Final = 86400
_LONGEST_FAULT_SECONDS: Final = 60
_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")
_PAGE: Final = """<!doctype html><html lang="zh-CN">
<meta charset="utf-8"><meta http-equiv="refresh" content="3">
<title>短信</title><style>body{{font:16px/1.6 sans-serif;margin:2rem}}td{{padding:.3rem 1rem .3rem 0}}</style>
<h1>最近的短信</h1><table>{rows}</table></html>"""


class UnusableError(Exception):
    """A request of the front door that makes no sense; the text says what to change."""


async def explain(_request: Request, error: Exception) -> Response:
    """HTTP 400 with the reason."""
    return JSONResponse({"error": str(error)}, 400)


class FrontDoor:
    """The phones' side of the platforms."""

    def __init__(self, app: AlipayApp, keys: AlipayKeys, books: Books, faults: Faults) -> None:
        self._app = app
        self._keys = keys
        self._books = books
        self._faults = faults

    def routes(self) -> list[Route]:
        """Everything under /open, and the page of messages."""
        return [
            Route("/open/wechat/login", self._wechat_login, methods=["POST"]),
            Route("/open/wechat/phone", self._wechat_phone, methods=["POST"]),
            Route("/open/alipay/login", self._alipay_login, methods=["POST"]),
            Route("/open/alipay/phone", self._alipay_phone, methods=["POST"]),
            Route("/open/alipay/app-key", self._app_key, methods=["POST"]),
            Route("/open/sms", self._sms),
            Route("/sms", self._sms_page),
            Route("/open/faults", self._add_fault, methods=["POST"]),
            Route("/open/faults", self._clear_faults, methods=["DELETE"]),
        ]

    async def _wechat_login(self, request: Request) -> Response:
        code = await self._code("wechat_login", _person(await _fields(request)), _WECHAT_CODE_SECONDS)
        return JSONResponse({"js_code": code})

    async def _wechat_phone(self, request: Request) -> Response:
        fields = await _fields(request)
        code = await self._code("wechat_phone", _person(fields), _WECHAT_CODE_SECONDS, _phone(fields))
        return JSONResponse({"code": code})

    async def _alipay_login(self, request: Request) -> Response:
        code = await self._code("alipay_login", _person(await _fields(request)), _ALIPAY_CODE_SECONDS)
        return JSONResponse({"auth_code": code})

    async def _alipay_phone(self, request: Request) -> Response:
        fields = await _fields(request)
        phone = _phone(fields)
        await self._books.transact(person_called, _person(fields))
        return JSONResponse(sealed_phone(self._app.aes_key, self._keys.private, phone))

    async def _code(self, kind: Kind, person: str, seconds: float, phone: str = "") -> str:
        return await self._books.transact(issue_code, kind, person, seconds, phone)

    async def _app_key(self, request: Request) -> Response:
        try:
            self._keys.upload_app_key(str((await _fields(request)).get("public_key", "")))
        except ValueError as error:
            raise UnusableError("public_key 须为 2048 位以上的 RSA 公钥（PEM 或 Base64）") from error
        return Response(status_code=204)

    async def _sms(self, request: Request) -> Response:
        messages = await self._books.transact(received, request.query_params.get("phone", ""))
        return JSONResponse({"messages": messages})

    async def _sms_page(self, request: Request) -> Response:
        messages = await self._books.transact(received, request.query_params.get("phone", ""))
        return HTMLResponse(_PAGE.format(rows="".join(map(_row, messages))))

    async def _add_fault(self, request: Request) -> Response:
        self._faults.add(_fault(await _fields(request)))
        return Response(status_code=204)

    async def _clear_faults(self, _request: Request) -> Response:
        self._faults.clear()
        return Response(status_code=204)


async def _fields(request: Request) -> dict[str, object]:
    try:
        fields = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise UnusableError("请求体须为 JSON 对象") from error
    if not isinstance(fields, dict):
        raise UnusableError("请求体须为 JSON 对象")
    return fields


def _person(fields: dict[str, object]) -> str:
    person = fields.get("person")
    if not isinstance(person, str) or not 1 <= len(person) <= 64 or not person.isprintable():
        raise UnusableError("person 须为 1 至 64 个可见字符")
    return person


def _phone(fields: dict[str, object]) -> str:
    phone = fields.get("phone")
    if not isinstance(phone, str) or not _MOBILE.fullmatch(phone):
        raise UnusableError("phone 须为 11 位中国大陆手机号")
    return phone


def _fault(fields: dict[str, object]) -> Fault:
    times, seconds = fields.get("times", 1), fields.get("seconds", 0)
    if not isinstance(times, int) or times < 1:
        raise UnusableError("times 须为正整数")
    if not isinstance(seconds, int | float) or not 0 <= seconds <= _LONGEST_FAULT_SECONDS:
        raise UnusableError(f"seconds 须在 0 到 {_LONGEST_FAULT_SECONDS} 之间")
    platform, api, kind = (str(fields.get(name)) for name in ("platform", "api", "kind"))
    fault = Fault(platform, api, kind, times, seconds)
    if not fault.possible:
        raise UnusableError(f"没有这样的接口或故障，接口有 {APIS}，故障有 {KINDS}；短信接口没有 dead_token")
    return fault


def _row(message: dict[str, object]) -> str:
    sent_at = datetime.fromtimestamp(float(str(message["sent_at"])), BEIJING)
    cells = (f"{sent_at:%m-%d %H:%M:%S}", str(message["phone"]), str(message["text"]))
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
