"""支付宝收单: alipay.trade.create, precreate, wap.pay, query and close."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from miniprogram_stub.platform.alipay_content import Content, content_of, failed, invalid
from miniprogram_stub.platform.alipay_states import alipay_state, buyer_fields, fund_bills
from miniprogram_stub.platform.clock import beijing_time
from miniprogram_stub.platform.credentials import AlipayApp
from miniprogram_stub.platform.happenings import closed, timely
from miniprogram_stub.platform.money import yuan
from miniprogram_stub.platform.trades import (
    Kind,
    Order,
    Status,
    Trade,
    add_trade,
    close_trade,
    find_trade,
)

Node = dict[str, object]
Method = Callable[[sqlite3.Connection, Mapping[str, str]], Node]
OK: Final[Node] = {"code": "10000", "msg": "Success"}


@dataclass(frozen=True, slots=True)
class AlipayTrades:
    """The trades of one merchant; `address` is where the cashier is."""

    app: AlipayApp
    address: str

    def methods(self) -> dict[str, Method]:
        """The methods that answer with a node."""
        return {
            "alipay.trade.create": timely(self.create),
            "alipay.trade.precreate": timely(self.precreate),
            "alipay.trade.query": timely(self.query),
            "alipay.trade.close": timely(self.close),
        }

    def create(self, rows: sqlite3.Connection, params: Mapping[str, str]) -> Node:
        """A trade for the buyer named, paid in the mini-program by its number (小程序支付)."""
        content = content_of(params)
        if content.text("product_code", 64, required=True) != "JSAPI_PAY":
            raise failed("ACQ.ACCESS_FORBIDDEN")
        if content.text("op_app_id", 32, required=True) != self.app.app_id:
            raise invalid("op_app_id")
        found = self._ordered(rows, params, content, "create", _buyer(rows, content))
        return {**OK, "out_trade_no": found.out_trade_no, "trade_no": found.trade_no}

    def precreate(self, rows: sqlite3.Connection, params: Mapping[str, str]) -> Node:
        """A code to be scanned at the desk (当面付); there is no trade until somebody scans it."""
        content = content_of(params)
        if content.text("product_code", 64) not in ("", "FACE_TO_FACE_PAYMENT", "QR_CODE_OFFLINE"):
            raise failed("ACQ.ACCESS_FORBIDDEN")
        found = self._ordered(rows, params, content, "precreate", "")
        return {**OK, "out_trade_no": found.out_trade_no, "qr_code": f"{self.address}/cashier/{found.token}"}

    def open_page(self, rows: sqlite3.Connection, params: Mapping[str, str]) -> str:
        """alipay.trade.wap.pay: the browser came to the cashier; answers the token of its page."""
        content = content_of(params)
        if content.text("product_code", 64, required=True) != "QUICK_WAP_WAY":
            raise failed("ACQ.ACCESS_FORBIDDEN")
        return self._ordered(rows, params, content, "wap", "").token

    def query(self, rows: sqlite3.Connection, params: Mapping[str, str]) -> Node:
        """What the books say of it."""
        found = self._known(rows, content_of(params))
        node: Node = {
            **OK,
            **buyer_fields(rows, found.payer or found.buyer),
            "out_trade_no": found.out_trade_no,
            "trade_no": found.trade_no,
            "trade_status": alipay_state(rows, found),
            "total_amount": yuan(found.amount_fen),
            "point_amount": "0.00",
            "invoice_amount": "0.00",
            "receipt_amount": "0.00",
            "buyer_pay_amount": "0.00",
        }
        return node if found.paid_at is None else node | _paid(found, found.paid_at)

    def close(self, rows: sqlite3.Connection, params: Mapping[str, str]) -> Node:
        """An unpaid trade can be closed; a code that nobody scanned is no trade, and stays payable."""
        found = self._known(rows, content_of(params))
        if found.status != "waiting":
            raise failed("ACQ.TRADE_STATUS_ERROR")
        now = time.time()
        closed(rows, close_trade(rows, found, "merchant", now), now)
        return {**OK, "out_trade_no": found.out_trade_no, "trade_no": found.trade_no}

    def _known(self, rows: sqlite3.Connection, content: Content) -> Trade:
        found = find_trade(rows, "alipay", **content.numbers())
        if found is None or found.trade_no is None:
            raise failed("ACQ.TRADE_NOT_EXIST")
        return found

    def _ordered(
        self, rows: sqlite3.Connection, params: Mapping[str, str], content: Content, kind: Kind, buyer: str
    ) -> Trade:
        """The trade of that number, new unless there is one on the same terms."""
        order = Order(
            platform="alipay",
            kind=kind,
            app_id=self.app.app_id,
            seller=_seller(content, self.app),
            out_trade_no=content.out_trade_no(required=True),
            subject=content.text("subject", 256, required=True),
            attach=content.text("passback_params", 512),
            total_fen=content.amount("total_amount"),
            buyer=buyer,
            notify_url=params.get("notify_url", ""),
            return_url=params.get("return_url", ""),
            expires_at=content.expires_at(),
        )
        there = find_trade(rows, "alipay", out_trade_no=order.out_trade_no)
        if there is not None:
            return _repeated(there, order)
        status: Status = "prepared" if kind == "precreate" else "waiting"
        return add_trade(rows, order, status, secrets.token_urlsafe(16), time.time())


def _repeated(there: Trade, order: Order) -> Trade:
    if there.status in ("paid", "finished"):
        raise failed("ACQ.TRADE_HAS_SUCCESS")
    if there.status == "closed":
        raise failed("ACQ.TRADE_HAS_CLOSE")
    if there.buyer != order.buyer:
        raise failed("ACQ.TRADE_BUYER_NOT_MATCH")
    if (there.kind, there.terms) != (order.kind, order.terms):
        raise failed("ACQ.CONTEXT_INCONSISTENT")
    return there


def _seller(content: Content, app: AlipayApp) -> str:
    if content.text("seller_id", 28) not in ("", app.seller_id):
        raise invalid("seller_id")
    return app.seller_id


def _buyer(rows: sqlite3.Connection, content: Content) -> str:
    open_id, user_id = content.text("buyer_open_id", 128), content.text("buyer_id", 28)
    row = rows.execute(
        "SELECT name FROM people WHERE alipay_open_id = ? OR alipay_user_id = ?", (open_id, user_id)
    ).fetchone()
    if row is None:
        raise invalid("buyer_open_id" if open_id or not user_id else "buyer_id")
    return str(row["name"])


def _paid(found: Trade, paid_at: float) -> Node:
    amount = yuan(found.amount_fen)
    bills = [
        {"fund_channel": bill["fundChannel"], "amount": bill["amount"]}
        for bill in fund_bills(found.amount_fen)
    ]
    return {
        "send_pay_date": beijing_time(paid_at),
        "receipt_amount": amount,
        "invoice_amount": amount,
        "buyer_pay_amount": amount,
        "fund_bill_list": bills,
    }
