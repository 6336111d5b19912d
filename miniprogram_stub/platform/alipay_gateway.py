"""支付宝开放平台网关: /gateway.do, public-key mode, RSA2 only.

The answer is `{"<method>_response": node, "sign": …}` and the signature covers the node's bytes as sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from miniprogram_stub.platform.alipay_messages import send_template_message
from miniprogram_stub.platform.alipay_oauth import exchange_token
from miniprogram_stub.platform.alipay_refusal import GatewayRefusalError
from miniprogram_stub.platform.alipay_signing import signed_text
from miniprogram_stub.platform.alipay_trades import AlipayTrades, Method
from miniprogram_stub.platform.books import Books
from miniprogram_stub.platform.cashier_pages import refusal_page
from miniprogram_stub.platform.clock import BEIJING
from miniprogram_stub.platform.credentials import AlipayApp, AlipayKeys
from miniprogram_stub.platform.faults import Faults
from miniprogram_stub.platform.files import WatchedFile
from miniprogram_stub.platform.happenings import timely
from miniprogram_stub.platform.parameters import given_parameters
from miniprogram_stub.platform.rsa_signing import rsa2_sign, rsa2_verified
from miniprogram_stub.platform.templates import MessageTemplate

_SEND_MESSAGE: Final = "alipay.open.app.mini.templatemessage.send"
_PAGE: Final = "alipay.trade.wap.pay"
# A failed node is `error_response`, for an unknown method too; these methods keep `<method>_response`.
_OWN_ERRORS: Final = (_SEND_MESSAGE, "alipay.trade.", "alipay.data.")
_REQUIRED: Final = (
    ("app_id", "isv.missing-app-id"),
    ("method", "isv.missing-method"),
    ("charset", "isv.missing-charset"),
    ("sign_type", "isv.missing-signature-type"),
    ("sign", "isv.missing-signature"),
    ("timestamp", "isv.missing-timestamp"),
    ("version", "isv.missing-version"),
)
_ACCEPTED: Final = (
    ("format", "json", "isv.invalid-format"),
    ("charset", "utf-8", "isv.invalid-charset"),
    ("version", "1.0", "isv.invalid-version"),
    ("sign_type", "rsa2", "isv.invalid-signature-type"),
)
_CLOCK_LEEWAY: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class AlipayPayments:
    """What the gateway has of the payment platform; `wake` rings for the courier of notifications."""

    trades: AlipayTrades
    methods: Mapping[str, Method]
    wake: Callable[[], None]


class AlipayGateway:
    """The gateway as one app sees it."""

    def __init__(
        self,
        app: AlipayApp,
        keys: AlipayKeys,
        templates: WatchedFile[dict[str, MessageTemplate]],
        books: Books,
        faults: Faults,
        *,
        payments: AlipayPayments,
    ) -> None:
        self._methods: dict[str, Method] = {
            "alipay.system.oauth.token": exchange_token,
            _SEND_MESSAGE: partial(send_template_message, templates),
            **payments.methods,
        }
        self._payments = payments
        self._app = app
        self._keys = keys
        self._books = books
        self._faults = faults

    def routes(self) -> list[Route]:
        """The one path there is."""
        return [Route("/gateway.do", self._gateway, methods=["GET", "POST"])]

    async def _gateway(self, request: Request) -> Response:
        params = await given_parameters(request)
        method = params.get("method", "")
        if method == _PAGE:
            return await self._page(params)

        async def answer() -> Response:
            try:
                self._require_genuine(params)
                node = await self._books.transact(self._method(method), params)
            except GatewayRefusalError as refusal:
                return self._wire(params, _error_name(method), refusal.node)
            return self._wire(params, _node_name(method), node)

        def busy() -> Response:
            return self._wire(params, _error_name(method), _unavailable(method).node)

        response = await self._faults.meet("alipay", method, answer, busy)
        self._payments.wake()
        return response

    async def _page(self, params: Mapping[str, str]) -> Response:
        """手机网站支付: a browser brings the signed parameters and is led to the cashier."""

        async def answer() -> Response:
            try:
                self._require_genuine(params)
                token = await self._books.transact(timely(self._payments.trades.open_page), params)
            except GatewayRefusalError as refusal:
                return HTMLResponse(refusal_page(str(refusal.node["sub_msg"]), str(refusal)), 400)
            return RedirectResponse(f"/cashier/{token}", 302)

        def busy() -> Response:
            return HTMLResponse(refusal_page("系统繁忙，请稍后重试", "isp.unknow-error"), 500)

        response = await self._faults.meet("alipay", _PAGE, answer, busy)
        self._payments.wake()
        return response

    def _method(self, name: str) -> Method:
        if name not in self._methods:
            raise GatewayRefusalError("40002", "isv.invalid-method", "不存在的方法名")
        return self._methods[name]

    def _require_genuine(self, params: Mapping[str, str]) -> None:
        for name, missing in _REQUIRED:
            if not params.get(name):
                raise GatewayRefusalError("40001", missing, f"缺少{name}参数")
        if params["app_id"] != self._app.app_id:
            raise GatewayRefusalError("40002", "isv.invalid-app-id", "无效的AppID参数")
        for name, accepted, invalid in _ACCEPTED:
            if params.get(name, accepted).lower() != accepted:
                raise GatewayRefusalError("40002", invalid, f"无效的{name}参数")
        _require_fresh(params["timestamp"])
        self._require_signature(params)

    def _require_signature(self, params: Mapping[str, str]) -> None:
        key = self._keys.app_key()
        if key is None:
            raise GatewayRefusalError(
                "40002", "isv.missing-signature-key", "应用未配置对应签名算法的公钥或者证书"
            )
        text = signed_text(params)
        if not rsa2_verified(key, text.encode(), params["sign"]):
            advice = (
                f"验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，网关生成的验签字符串为：{text}"
            )
            raise GatewayRefusalError("40002", "isv.invalid-signature", advice)

    def _wire(self, params: Mapping[str, str], name: str, node: Mapping[str, object]) -> Response:
        text = json.dumps(node, ensure_ascii=False, separators=(",", ":"))
        sign = ""
        # Nobody's key pair belongs to an unknown app, so the real gateway leaves that answer unsigned.
        if params.get("app_id") == self._app.app_id:
            sign = f',"sign":"{rsa2_sign(self._keys.private, text.encode())}"'
        return Response(f'{{"{name}":{text}{sign}}}', media_type="text/html;charset=utf-8")


def _require_fresh(timestamp: str) -> None:
    try:
        sent_at = datetime.strptime(timestamp, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)
    except ValueError as error:
        raise GatewayRefusalError("40002", "isv.invalid-timestamp", "非法的时间戳参数") from error
    if abs(datetime.now(BEIJING) - sent_at) > _CLOCK_LEEWAY:
        raise GatewayRefusalError("40002", "isv.invalid-timestamp", "非法的时间戳参数")


def _node_name(method: str) -> str:
    return method.replace(".", "_") + "_response"


def _error_name(method: str) -> str:
    return _node_name(method) if method.startswith(_OWN_ERRORS) else "error_response"


def _unavailable(method: str) -> GatewayRefusalError:
    sub_code = "ACQ.SYSTEM_ERROR" if method.startswith("alipay.trade.") else "isp.unknow-error"
    return GatewayRefusalError("20000", sub_code, "系统繁忙，请稍后重试")
