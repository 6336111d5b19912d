"""How Alipay names the states of a trade (交易状态), and what it says about one."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from miniprogram_stub.platform.clock import BEIJING, beijing_time
from miniprogram_stub.platform.money import yuan
from miniprogram_stub.platform.people import person_called
from miniprogram_stub.platform.refunds import Refund, refunded_fen
from miniprogram_stub.platform.trades import Trade


def alipay_state(rows: sqlite3.Connection, trade: Trade) -> str:
    """Empty while Alipay says that there is no such trade; fully refunded is closed, partly is not."""
    if trade.trade_no is None:
        return ""
    if trade.status == "paid":
        return "TRADE_CLOSED" if refunded_fen(rows, trade) == trade.amount_fen else "TRADE_SUCCESS"
    return {"waiting": "WAIT_BUYER_PAY", "finished": "TRADE_FINISHED", "closed": "TRADE_CLOSED"}[trade.status]


def buyer_fields(rows: sqlite3.Connection, name: str) -> dict[str, object]:
    """Who pays, as a merchant may know it; empty when nobody is known yet."""
    if not name:
        return {}
    person = person_called(rows, name)
    return {
        "buyer_user_id": person.alipay_user_id,
        "buyer_open_id": person.alipay_open_id,
        "buyer_logon_id": masked_account(person.alipay_user_id),
    }


def masked_account(user_id: str) -> str:
    """A made-up phone number, masked as Alipay does."""
    return f"138****{user_id[-4:]}"


def fund_bills(amount_fen: int) -> list[dict[str, str]]:
    """One source of money: the balance."""
    return [{"amount": yuan(amount_fen), "fundChannel": "ALIPAYACCOUNT"}]


def notice_content(rows: sqlite3.Connection, trade: Trade, refund: Refund | None = None) -> dict[str, object]:
    """What a notification says about the trade as it is now; empty values are never sent."""
    content: dict[str, object] = {
        "notify_type": "trade_status_sync",
        "charset": "utf-8",
        "version": "1.0",
        "app_id": trade.app_id,
        "auth_app_id": trade.app_id,
        "seller_id": trade.seller,
        "out_trade_no": trade.out_trade_no,
        "trade_no": trade.trade_no,
        "trade_status": alipay_state(rows, trade),
        "subject": trade.subject,
        "passback_params": trade.attach,
        "total_amount": yuan(trade.amount_fen),
        "gmt_create": beijing_time(trade.created_at),
        **_buyer(rows, trade),
        **_paid(trade),
        **_refunded(rows, trade, refund),
    }
    if trade.closed_at is not None:
        content["gmt_close"] = beijing_time(trade.closed_at)
    return {name: value for name, value in content.items() if value}


def _buyer(rows: sqlite3.Connection, trade: Trade) -> dict[str, object]:
    known = buyer_fields(rows, trade.payer or trade.buyer)
    return {("buyer_id" if name == "buyer_user_id" else name): value for name, value in known.items()}


def _paid(trade: Trade) -> dict[str, object]:
    if trade.paid_at is None:
        return {}
    amount = yuan(trade.amount_fen)
    return {
        "gmt_payment": beijing_time(trade.paid_at),
        "receipt_amount": amount,
        "invoice_amount": amount,
        "buyer_pay_amount": amount,
        "point_amount": "0.00",
        "fund_bill_list": json.dumps(fund_bills(trade.amount_fen), separators=(",", ":")),
    }


def _refunded(rows: sqlite3.Connection, trade: Trade, refund: Refund | None) -> dict[str, object]:
    """`refund_fee` is the sum of all refunds so far, `out_biz_no` the number of this one."""
    if refund is None or refund.settled_at is None:
        return {}
    at = datetime.fromtimestamp(refund.settled_at, BEIJING)
    return {
        "out_biz_no": refund.out_refund_no,
        "refund_fee": yuan(refunded_fen(rows, trade)),
        "gmt_refund": f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}",
    }
