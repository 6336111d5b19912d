"""What people and tests do at the payment platforms (商户平台): keys, books, notifications, bills, refunds."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from miniprogram_stub.platform.alipay_states import alipay_state
from miniprogram_stub.platform.bill_files import bill_day, let_be_ready
from miniprogram_stub.platform.books import Books
from miniprogram_stub.platform.credentials import WeChatPayKeys
from miniprogram_stub.platform.door_fields import UnusableError, given_fields, given_text
from miniprogram_stub.platform.happenings import settled, timely
from miniprogram_stub.platform.notices import all_notices
from miniprogram_stub.platform.refunds import find_refund, refunded_fen, refunds_of
from miniprogram_stub.platform.trades import Trade, find_trade
from miniprogram_stub.platform.wechat_pay_states import REFUND_STATES, wechat_state


class PaymentDoor:
    """The merchant's console, as far as it is needed; `wake` rings for the courier."""

    def __init__(self, keys: WeChatPayKeys, books: Books, wake: Callable[[], None]) -> None:
        self._keys = keys
        self._books = books
        self._wake = wake

    def routes(self) -> list[Route]:
        """Everything of the console."""
        return [
            Route("/open/wechatpay/merchant-key", self._merchant_key, methods=["POST"]),
            Route("/open/wechatpay/refund", self._settle_abnormal, methods=["POST"]),
            Route("/open/trades", self._trades),
            Route("/open/notices", self._notices),
            Route("/open/bills", self._early_bill, methods=["POST"]),
        ]

    async def _merchant_key(self, request: Request) -> Response:
        fields = await given_fields(request)
        serial = given_text(fields, "serial_no")
        try:
            self._keys.upload_merchant_key(serial, str(fields.get("public_key", "")))
        except ValueError as error:
            raise UnusableError(
                "serial_no 须为 16 至 40 位十六进制数，public_key 须为 2048 位以上的 RSA 公钥（PEM 或 Base64）"
            ) from error
        return Response(status_code=204)

    async def _settle_abnormal(self, request: Request) -> Response:
        """异常退款处理: somebody gave the money back to another account of the payer's."""
        fields = await given_fields(request)
        number, refund = given_text(fields, "out_trade_no"), given_text(fields, "out_refund_no")
        await self._books.transact(timely(_settle_abnormal), number, refund)
        self._wake()
        return Response(status_code=204)

    async def _trades(self, _request: Request) -> Response:
        return JSONResponse({"trades": await self._books.transact(timely(_all_trades))})

    async def _notices(self, _request: Request) -> Response:
        return JSONResponse({"notices": await self._books.transact(all_notices)})

    async def _early_bill(self, request: Request) -> Response:
        day = bill_day(given_text(await given_fields(request), "date"))
        if day is None:
            raise UnusableError("date 须为 2026-11-20 这样的日期")
        await self._books.transact(let_be_ready, day)
        return Response(status_code=204)


def _settle_abnormal(rows: sqlite3.Connection, out_trade_no: str, out_refund_no: str) -> None:
    found = find_trade(rows, "wechatpay", out_trade_no=out_trade_no)
    refund = find_refund(rows, found, out_refund_no) if found else None
    if refund is None or refund.state != "abnormal":
        raise UnusableError("没有这笔异常退款")
    settled(rows, refund, "success", time.time())


def _all_trades(rows: sqlite3.Connection) -> list[dict[str, object]]:
    return [_told(rows, Trade(**row)) for row in rows.execute("SELECT * FROM trades ORDER BY id")]


def _told(rows: sqlite3.Connection, found: Trade) -> dict[str, object]:
    """States in the platform's own words; an Alipay code that nobody scanned has none."""
    is_alipay = found.platform == "alipay"
    return {
        "platform": found.platform,
        "kind": found.kind,
        "out_trade_no": found.out_trade_no,
        "trade_no": found.trade_no,
        "state": alipay_state(rows, found) if is_alipay else wechat_state(rows, found),
        "total_fen": found.total_fen,
        "paid_fen": found.paid_fen or 0,
        "refunded_fen": refunded_fen(rows, found),
        "payer": found.payer,
        "created_at": found.created_at,
        "expires_at": found.expires_at,
        "paid_at": found.paid_at,
        "closed_at": found.closed_at,
        "refunds": [
            {
                "out_refund_no": one.out_refund_no,
                "refund_no": one.refund_no,
                "state": REFUND_STATES[one.state],
                "amount_fen": one.amount_fen,
                "requested_at": one.requested_at,
                "settled_at": one.settled_at,
            }
            for one in refunds_of(rows, found)
        ],
    }
