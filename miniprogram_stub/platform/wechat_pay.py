"""微信支付 APIv3 (api.mch.weixin.qq.com): every request signed by the merchant, every answer by the platform."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from miniprogram_stub.platform.bill_files import kept_file
from miniprogram_stub.platform.bodies import TooLargeError, body_up_to
from miniprogram_stub.platform.books import Books
from miniprogram_stub.platform.credentials import WeChatPayKeys, WeChatPayMerchant
from miniprogram_stub.platform.faults import Faults
from miniprogram_stub.platform.happenings import timely
from miniprogram_stub.platform.trades import Kind
from miniprogram_stub.platform.wechat_pay_bills import WeChatPayBills
from miniprogram_stub.platform.wechat_pay_orders import WeChatPayOrders
from miniprogram_stub.platform.wechat_pay_refunds import WeChatPayRefunds
from miniprogram_stub.platform.wechat_pay_refusal import WeChatPayRefusalError
from miniprogram_stub.platform.wechat_pay_signing import FRESH_SECONDS, authorization, signed_headers

Answer = dict[str, object] | bytes | None
Command = Callable[[Request, bytes], Awaitable[Answer]]

_LARGEST_BODY: Final = 1 << 20
_PAY: Final = "/v3/pay/transactions"
_BY_NUMBER: Final = _PAY + "/out-trade-no/{out_trade_no}"
_REFUNDS: Final = "/v3/refund/domestic/refunds"


class WeChatPay:
    """The platform as one merchant sees it; `wake` rings for the courier of callbacks."""

    def __init__(
        self,
        *,
        orders: WeChatPayOrders,
        refunds: WeChatPayRefunds,
        bills: WeChatPayBills,
        merchant: WeChatPayMerchant,
        keys: WeChatPayKeys,
        books: Books,
        faults: Faults,
        wake: Callable[[], None],
    ) -> None:
        self._orders = orders
        self._refunds = refunds
        self._bills = bills
        self._merchant = merchant
        self._keys = keys
        self._books = books
        self._faults = faults
        self._wake = wake

    def routes(self) -> list[Route]:
        """The paths of APIv3 that there are."""
        return [
            self._route("POST", f"{_PAY}/jsapi", "prepay", self._jsapi),
            self._route("POST", f"{_PAY}/native", "prepay", self._native),
            self._route("POST", f"{_PAY}/h5", "prepay", self._h5),
            self._route("GET", f"{_PAY}/id/{{transaction_id}}", "query", self._query),
            self._route("POST", f"{_BY_NUMBER}/close", "close", self._close),
            self._route("GET", _BY_NUMBER, "query", self._query),
            self._route("POST", _REFUNDS, "refund", self._refund),
            self._route("GET", f"{_REFUNDS}/{{out_refund_no}}", "refund_query", self._refund_query),
            self._route("GET", "/v3/bill/tradebill", "tradebill", self._tradebill),
            self._route("GET", "/v3/billdownload/file", "billdownload", self._billdownload),
        ]

    def _route(self, method: str, path: str, api: str, command: Command) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                body = await body_up_to(request, _LARGEST_BODY)
            except TooLargeError:
                return self._refused(WeChatPayRefusalError("PARAM_ERROR", "请求体过大"))

            async def answer() -> Response:
                try:
                    await self._require_genuine(request, body)
                    return self._answered(await command(request, body))
                except WeChatPayRefusalError as refusal:
                    return self._refused(refusal)

            def busy() -> Response:
                return self._refused(WeChatPayRefusalError("SYSTEM_ERROR", "系统异常，请稍后重试"))

            def limited() -> Response:
                return self._refused(
                    WeChatPayRefusalError("FREQUENCY_LIMITED", "频率限制，请降低请求频率后再试")
                )

            response = await self._faults.meet("wechatpay", api, answer, busy, limited=limited)
            self._wake()
            return response

        return Route(path, endpoint, methods=[method])

    async def _require_genuine(self, request: Request, body: bytes) -> None:
        if "user-agent" not in request.headers or not _takes_json(request.headers.get("accept", "")):
            raise WeChatPayRefusalError("PARAM_ERROR", "Http头缺少Accept或User-Agent")
        given, key = authorization(request.headers.get("authorization", "")), self._keys.merchant_key()
        if given is None or given.mchid != self._merchant.mchid:
            raise WeChatPayRefusalError(
                "SIGN_ERROR", "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》"
            )
        if key is None or given.serial_no.upper() != key.serial_no.upper():
            raise WeChatPayRefusalError("SIGN_ERROR", "商户证书序列号有误，请使用签名私钥匹配的证书序列号")
        if not given.is_fresh:
            raise WeChatPayRefusalError(
                "SIGN_ERROR", "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟"
            )
        if not given.covers(key, request.method, _target(request), body):
            raise WeChatPayRefusalError("SIGN_ERROR", "错误的签名，导致验签失败")
        if not await self._books.transact(_first_use, given.nonce_str):
            raise WeChatPayRefusalError("SIGN_ERROR", "Http头Authorization中的nonce_str已被使用")

    async def _jsapi(self, _request: Request, body: bytes) -> Answer:
        return {"prepay_id": await self._prepaid("JSAPI", body)}

    async def _native(self, _request: Request, body: bytes) -> Answer:
        return {"code_url": f"{self._bills.address}/cashier/{await self._prepaid('NATIVE', body)}"}

    async def _h5(self, _request: Request, body: bytes) -> Answer:
        return {"h5_url": f"{self._bills.address}/cashier/{await self._prepaid('MWEB', body)}"}

    async def _prepaid(self, kind: Kind, body: bytes) -> str:
        found = await self._books.transact(timely(self._orders.prepay), kind, _json(body))
        return found.token

    async def _query(self, request: Request, _body: bytes) -> Answer:
        if request.query_params.get("mchid") != self._merchant.mchid:
            raise WeChatPayRefusalError("PARAM_ERROR", "mchid 须为签名的商户号")
        return await self._books.transact(
            timely(self._orders.query),
            out_trade_no=request.path_params.get("out_trade_no", ""),
            trade_no=request.path_params.get("transaction_id", ""),
        )

    async def _close(self, request: Request, body: bytes) -> Answer:
        number = request.path_params["out_trade_no"]
        await self._books.transact(timely(self._orders.close), number, _json(body))
        return None

    async def _refund(self, _request: Request, body: bytes) -> Answer:
        return await self._books.transact(timely(self._refunds.refund), _json(body))

    async def _refund_query(self, request: Request, _body: bytes) -> Answer:
        return await self._books.transact(timely(self._refunds.query), request.path_params["out_refund_no"])

    async def _tradebill(self, request: Request, _body: bytes) -> Answer:
        return await self._books.transact(timely(self._bills.address_of), request.query_params)

    async def _billdownload(self, request: Request, _body: bytes) -> Answer:
        token = request.query_params.get("token", "")
        found = await self._books.transact(kept_file, "wechatpay", token)
        if found is None:
            raise WeChatPayRefusalError("RESOURCE_NOT_EXISTS", "账单文件不存在或下载地址已过期")
        return found[1]

    def _answered(self, answer: Answer) -> Response:
        if isinstance(answer, bytes):
            return Response(answer, media_type="application/octet-stream")  # files alone are not signed
        return self._signed(204, b"") if answer is None else self._signed(200, _wire(answer))

    def _refused(self, refusal: WeChatPayRefusalError) -> Response:
        return self._signed(refusal.status, _wire(refusal.node))

    def _signed(self, status: int, body: bytes) -> Response:
        headers = signed_headers(self._keys.private, self._merchant.public_key_id, body)
        return Response(body, status, headers, "application/json; charset=utf-8" if body else None)


def _takes_json(accept: str) -> bool:
    return "application/json" in accept or "*/*" in accept


def _target(request: Request) -> str:
    raw: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    return (raw + (b"?" + query if query else b"")).decode("latin-1")


def _first_use(rows: sqlite3.Connection, nonce: str) -> bool:
    now = time.time()
    rows.execute("DELETE FROM wechatpay_nonces WHERE seen_at < ?", (now - 2 * FRESH_SECONDS,))
    added = rows.execute("INSERT INTO wechatpay_nonces VALUES (?, ?) ON CONFLICT DO NOTHING", (nonce, now))
    return added.rowcount == 1


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WeChatPayRefusalError("PARAM_ERROR", "请求体须为 JSON 对象") from error
    if not isinstance(fields, dict):
        raise WeChatPayRefusalError("PARAM_ERROR", "请求体须为 JSON 对象")
    return fields


def _wire(node: Mapping[str, object]) -> bytes:
    return json.dumps(node, ensure_ascii=False, separators=(",", ":")).encode()
