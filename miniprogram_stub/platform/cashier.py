"""The cashier (收银台): a person pays or turns away, in a browser or through the machine's door."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from miniprogram_stub.platform.alipay_signing import signed_text
from miniprogram_stub.platform.books import Books
from miniprogram_stub.platform.cashier_pages import cashier_page, refusal_page, result_page
from miniprogram_stub.platform.clock import BEIJING
from miniprogram_stub.platform.credentials import AlipayKeys, WeChatPayKeys
from miniprogram_stub.platform.door_fields import (
    UnusableError,
    given_choice,
    given_fields,
    given_person,
)
from miniprogram_stub.platform.faults import PAY_FAULTS, Faults
from miniprogram_stub.platform.happenings import timely
from miniprogram_stub.platform.money import yuan
from miniprogram_stub.platform.parameters import given_parameters
from miniprogram_stub.platform.paying import CannotPayError, pay, require_payable, require_signed
from miniprogram_stub.platform.rsa_signing import rsa2_sign
from miniprogram_stub.platform.trades import Platform, Trade, find_trade, show_to_buyer, trade_of_token

_ANSWERS: Final = ("pay", "cancel", "unsure")
_MOST_FEN: Final = 10_000_000_000
_LONGEST_NAME: Final = 64
_NOBODY: Final = "访客"
_ALIPAY_CODES: Final = {"pay": "9000", "cancel": "6001", "unsure": "6004"}
_WECHAT_MESSAGES: Final = {
    "pay": "requestPayment:ok",
    "cancel": "requestPayment:fail cancel",
    "unsure": "requestPayment:fail",
}


@dataclass(frozen=True, slots=True)
class _Wish:
    """Who wants to pay what: a trade by its token or by a number, and in whose name."""

    platform: Platform
    numbers: Mapping[str, str]
    person: str
    answer: str
    amount_fen: int | None
    signed: Mapping[str, object]


class Cashier:
    """Both platforms' cashiers; `wake` rings for the courier of notifications."""

    def __init__(
        self,
        alipay: AlipayKeys,
        wechatpay: WeChatPayKeys,
        books: Books,
        faults: Faults,
        wake: Callable[[], None],
    ) -> None:
        self._alipay = alipay
        self._wechatpay = wechatpay
        self._books = books
        self._faults = faults
        self._wake = wake

    def routes(self) -> list[Route]:
        """The page, and both clients' calls."""
        return [
            Route("/cashier/{token}", self._page, methods=["GET"]),
            Route("/cashier/{token}", self._submit, methods=["POST"]),
            Route("/open/alipay/pay", self._alipay_pay, methods=["POST"]),
            Route("/open/wechat/pay", self._wechat_pay, methods=["POST"]),
        ]

    async def _alipay_pay(self, request: Request) -> Response:
        """What my.tradePay hands to `success`; 4000 is a payment that failed."""
        wish = _wish("alipay", await given_fields(request), ("trade_no", "out_trade_no"))
        try:
            await self._answer(wish)
        except CannotPayError as refusal:
            return JSONResponse({"resultCode": "4000", "memo": str(refusal)})
        return JSONResponse({"resultCode": _ALIPAY_CODES[wish.answer], "memo": ""})

    async def _wechat_pay(self, request: Request) -> Response:
        """What wx.requestPayment hands to `success` or `fail`."""
        wish = _wish("wechatpay", await given_fields(request), ("prepay_id", "out_trade_no"))
        try:
            await self._answer(wish)
        except CannotPayError as refusal:
            return JSONResponse({"errMsg": f"requestPayment:fail {refusal}"})
        return JSONResponse({"errMsg": _WECHAT_MESSAGES[wish.answer]})

    async def _page(self, request: Request) -> Response:
        try:
            found = await self._books.transact(timely(self._opened), _shown(request))
        except CannotPayError as refusal:
            return HTMLResponse(refusal_page(str(refusal)), 404 if refusal.reason == "unknown" else 200)
        self._wake()
        return HTMLResponse(cashier_page(found, f"商户 {found.seller}"))

    async def _submit(self, request: Request) -> Response:
        form = await given_parameters(request)
        wish = _shown(request, form.get("person", ""), "cancel" if form.get("answer") == "cancel" else "pay")
        try:
            found = await self._answer(wish)
        except CannotPayError as refusal:
            return HTMLResponse(refusal_page(str(refusal)), 404 if refusal.reason == "unknown" else 200)
        back = found.return_url or request.query_params.get("redirect_url", "")
        if wish.answer == "cancel":
            return HTMLResponse(result_page(found, "已取消支付。", back if _is_web(back) else ""))
        if not _is_web(back):
            return HTMLResponse(result_page(found, "支付成功。"))
        return RedirectResponse(self._returned(found, back), 303)

    async def _answer(self, wish: _Wish) -> Trade:
        late = wish.answer != "cancel" and bool(self._faults.take(wish.platform, "pay", PAY_FAULTS))
        done = await self._books.transact(timely(self._decided), wish, late)
        self._wake()
        return done

    def _decided(self, rows: sqlite3.Connection, wish: _Wish, late: bool) -> Trade:
        found = _found(rows, wish)
        require_signed(found, self._wechatpay.merchant_key(), wish.signed)
        if wish.answer == "cancel":
            return found
        return pay(rows, found, wish.person or found.buyer or _NOBODY, wish.amount_fen, late)

    def _opened(self, rows: sqlite3.Connection, wish: _Wish) -> Trade:
        found = _found(rows, wish)
        require_signed(found, self._wechatpay.merchant_key(), wish.signed)
        require_payable(found)
        return show_to_buyer(rows, found, time.time())

    def _returned(self, found: Trade, back: str) -> str:
        """Alipay brings the browser back with a signed word of its own, which proves no payment."""
        if found.platform != "alipay":
            return back
        fields = {
            "charset": "utf-8",
            "out_trade_no": found.out_trade_no,
            "method": "alipay.trade.wap.pay.return",
            "total_amount": yuan(found.amount_fen),
            "trade_no": found.trade_no or "",
            "auth_app_id": found.app_id,
            "version": "1.0",
            "app_id": found.app_id,
            "seller_id": found.seller,
            "timestamp": f"{datetime.now(BEIJING):%Y-%m-%d %H:%M:%S}",
        }
        sign = rsa2_sign(self._alipay.private, signed_text(fields).encode())
        query = urlencode({**fields, "sign_type": "RSA2", "sign": sign})
        return f"{back}{'&' if urlsplit(back).query else '?'}{query}"


def _shown(request: Request, person: str = "", answer: str = "pay") -> _Wish:
    """The wish of a browser: its address names the trade, and its query is what WeChat's client was given."""
    numbers = {"token": request.path_params["token"]}
    return _Wish("alipay", numbers, person[:_LONGEST_NAME].strip(), answer, None, request.query_params)


def _wish(platform: Platform, fields: dict[str, object], names: tuple[str, ...]) -> _Wish:
    numbers = {name: str(fields[name]) for name in names if fields.get(name)}
    if not numbers:
        raise UnusableError(f"须给出 {' 或 '.join(names)}")
    amount = fields.get("amount_fen")
    if amount is not None and (type(amount) is not int or not 1 <= amount <= _MOST_FEN):
        raise UnusableError("amount_fen 须为正整数（分）")
    answer = given_choice(fields, "answer", _ANSWERS)
    return _Wish(platform, numbers, given_person(fields), answer, amount, fields)


def _found(rows: sqlite3.Connection, wish: _Wish) -> Trade:
    token = wish.numbers.get("token") or wish.numbers.get("prepay_id")
    found = (
        trade_of_token(rows, token)
        if token
        else find_trade(
            rows,
            wish.platform,
            out_trade_no=wish.numbers.get("out_trade_no", ""),
            trade_no=wish.numbers.get("trade_no", ""),
        )
    )
    if found is None:
        raise CannotPayError("unknown")
    return found


def _is_web(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)
