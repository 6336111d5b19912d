"""支付宝开放平台网关: POST /gateway.do, public-key mode, RSA2 only.

The answer is `{"<method>_response": node, "sign": …}` and the signature covers the node's bytes as sent.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from miniprogram_stub.platform.alipay_messages import send_template_message
from miniprogram_stub.platform.alipay_oauth import exchange_token
from miniprogram_stub.platform.alipay_refusal import GatewayRefusalError
from miniprogram_stub.platform.alipay_signing import rsa2_sign, rsa2_verified, signed_text
from miniprogram_stub.platform.books import Books
from miniprogram_stub.platform.clock import BEIJING
from miniprogram_stub.platform.credentials import AlipayApp, AlipayKeys
from miniprogram_stub.platform.faults import Faults
from miniprogram_stub.platform.files import WatchedFile
from miniprogram_stub.platform.parameters import given_parameters
from miniprogram_stub.platform.templates import MessageTemplate

Method = Callable[[sqlite3.Connection, Mapping[str, str]], dict[str, object]]

_SEND_MESSAGE: Final = "alipay.open.app.mini.templatemessage.send"
# A failed node is `error_response`, for an unknown method too; these methods keep `<method>_response`.
_OWN_ERRORS: Final = frozenset({_SEND_MESSAGE})
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


class AlipayGateway:
    """The gateway as one app sees it."""

    def __init__(
        self,
        app: AlipayApp,
        keys: AlipayKeys,
        templates: WatchedFile[dict[str, MessageTemplate]],
        books: Books,
        faults: Faults,
    ) -> None:
        self._methods: dict[str, Method] = {
            "alipay.system.oauth.token": exchange_token,
            _SEND_MESSAGE: partial(send_template_message, templates),
        }
        self._app = app
        self._keys = keys
        self._books = books
        self._faults = faults

    def routes(self) -> list[Route]:
        """The one path there is."""
        return [Route("/gateway.do", self._gateway, methods=["POST"])]

    async def _gateway(self, request: Request) -> Response:
        params = await given_parameters(request)
        method = params.get("method", "")

        async def answer() -> Response:
            try:
                self._require_genuine(params)
                node = await self._books.transact(self._methods[method], params)
            except GatewayRefusalError as refusal:
                return self._wire(params, _error_name(method), refusal.node)
            return self._wire(params, _node_name(method), node)

        def busy() -> Response:
            unavailable = GatewayRefusalError("20000", "isp.unknow-error", "系统繁忙，请稍后重试")
            return self._wire(params, _error_name(method), unavailable.node)

        return await self._faults.meet("alipay", method, answer, busy)

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
        if params["method"] not in self._methods:
            raise GatewayRefusalError("40002", "isv.invalid-method", "不存在的方法名")

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
    return _node_name(method) if method in _OWN_ERRORS else "error_response"
