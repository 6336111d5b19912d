"""What a person's phone does with its platform, and what a person trying things out needs to see.

Nothing here exists on the real platforms' servers; the product never calls it.
"""

from __future__ import annotations

from html import escape
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from miniprogram_stub.platform.alipay_signing import sealed_phone
from miniprogram_stub.platform.books import Books
from miniprogram_stub.platform.clock import beijing_time
from miniprogram_stub.platform.codes import Kind, issue_code
from miniprogram_stub.platform.credentials import AlipayApp, AlipayKeys
from miniprogram_stub.platform.door_fields import (
    UnusableError,
    given_fields,
    given_person,
    given_phone,
    given_times,
)
from miniprogram_stub.platform.faults import (
    APIS,
    KINDS,
    NOTICE_FAULTS,
    PAY_FAULTS,
    REFUND_FAULTS,
    Fault,
    Faults,
)
from miniprogram_stub.platform.people import link_phone
from miniprogram_stub.platform.sms import received

_WECHAT_CODE_SECONDS: Final = 300
_ALIPAY_CODE_SECONDS: Final = 86400
_LONGEST_FAULT_SECONDS: Final = 60
_MOST_COPIES: Final = 1000
_PAGE: Final = """<!doctype html><html lang="zh-CN">
<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="refresh" content="3">
<title>短信</title><style>body{{font:16px/1.6 sans-serif;margin:1rem}}
td{{padding:.3rem .6rem .3rem 0;vertical-align:top}}td:last-child{{overflow-wrap:anywhere}}</style>
<h1>最近的短信</h1><p><a href="/phone">手机上的全部消息</a></p><table>{rows}</table></html>"""


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
        code = await self._code(
            "wechat_login", given_person(await given_fields(request)), _WECHAT_CODE_SECONDS
        )
        return JSONResponse({"js_code": code})

    async def _wechat_phone(self, request: Request) -> Response:
        fields = await given_fields(request)
        code = await self._code(
            "wechat_phone", given_person(fields), _WECHAT_CODE_SECONDS, given_phone(fields)
        )
        return JSONResponse({"code": code})

    async def _alipay_login(self, request: Request) -> Response:
        code = await self._code(
            "alipay_login", given_person(await given_fields(request)), _ALIPAY_CODE_SECONDS
        )
        return JSONResponse({"auth_code": code})

    async def _alipay_phone(self, request: Request) -> Response:
        fields = await given_fields(request)
        phone = given_phone(fields)
        await self._books.transact(link_phone, given_person(fields), phone)
        return JSONResponse(sealed_phone(self._app.aes_key, self._keys.private, phone))

    async def _code(self, kind: Kind, person: str, seconds: float, phone: str = "") -> str:
        return await self._books.transact(issue_code, kind, person, seconds, phone)

    async def _app_key(self, request: Request) -> Response:
        try:
            self._keys.upload_app_key(str((await given_fields(request)).get("public_key", "")))
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
        self._faults.add(_fault(await given_fields(request)))
        return Response(status_code=204)

    async def _clear_faults(self, _request: Request) -> Response:
        self._faults.clear()
        return Response(status_code=204)


def _fault(fields: dict[str, object]) -> Fault:
    times, seconds = given_times(fields), fields.get("seconds", 0)
    if not isinstance(seconds, int | float) or not 0 <= seconds <= _LONGEST_FAULT_SECONDS:
        raise UnusableError(f"seconds 须在 0 到 {_LONGEST_FAULT_SECONDS} 之间")
    platform, api, kind = (str(fields.get(name)) for name in ("platform", "api", "kind"))
    fault = Fault(platform, api, kind, times, seconds, given_times(fields, _MOST_COPIES, "copies"))
    if not fault.possible:
        raise UnusableError(
            f"没有这样的接口或故障，接口有 {APIS}，故障有 {KINDS}；dead_token 只用于有令牌的接口，gone 只用于"
            f" push，notify 只用 {NOTICE_FAULTS}，pay 只用 {PAY_FAULTS}，{REFUND_FAULTS} 只用于退款"
        )
    return fault


def _row(message: dict[str, object]) -> str:
    sent_at = beijing_time(float(str(message["sent_at"])))
    cells = (sent_at[5:], str(message["phone"]), str(message["text"]))
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
