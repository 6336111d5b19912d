"""How WeChat Pay names states, and what it says about an order or a refund (订单与退款报文)."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Final

from miniprogram_stub.platform.clock import BEIJING
from miniprogram_stub.platform.people import person_called
from miniprogram_stub.platform.refunds import Refund, refunds_of
from miniprogram_stub.platform.trades import Trade

_STATE_TEXTS: Final = {
    "NOTPAY": "订单未支付",
    "SUCCESS": "支付成功",
    "CLOSED": "订单已关闭",
    "REFUND": "订单发生过退款，退款详情请查询退款单",
}
REFUND_STATES: Final = {
    "processing": "PROCESSING",
    "success": "SUCCESS",
    "abnormal": "ABNORMAL",
    "closed": "CLOSED",
}


def rfc3339(instant: float) -> str:
    """Unix seconds as `2026-11-21T15:01:00+08:00`."""
    return datetime.fromtimestamp(instant, BEIJING).isoformat(timespec="seconds")


def wechat_state(rows: sqlite3.Connection, trade: Trade) -> str:
    """A paid order with any refund is REFUND, however much of it went back."""
    if trade.status == "paid":
        return "REFUND" if refunds_of(rows, trade) else "SUCCESS"
    return "CLOSED" if trade.status == "closed" else "NOTPAY"


def transaction(rows: sqlite3.Connection, trade: Trade) -> dict[str, object]:
    """The order, as a query answers and a callback encloses it; unpaid ones have no transaction_id."""
    state = wechat_state(rows, trade)
    found: dict[str, object] = {
        "appid": trade.app_id,
        "mchid": trade.seller,
        "out_trade_no": trade.out_trade_no,
        "trade_state": state,
        "trade_state_desc": _STATE_TEXTS[state],
        "attach": trade.attach,
        "amount": {"total": trade.amount_fen, "currency": "CNY"},
    }
    if trade.paid_at is not None:
        found |= {
            "transaction_id": trade.trade_no,
            "trade_type": trade.kind,
            "bank_type": "OTHERS",
            "success_time": rfc3339(trade.paid_at),
            "payer": {"openid": _openid(rows, trade)},
            "amount": _paid_amount(trade),
            "promotion_detail": [],
        }
    return found


def refund_answer(trade: Trade, refund: Refund) -> dict[str, object]:
    """The refund as its request and its query answer it."""
    found: dict[str, object] = {
        "refund_id": refund.refund_no,
        "out_refund_no": refund.out_refund_no,
        "transaction_id": trade.trade_no,
        "out_trade_no": trade.out_trade_no,
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": rfc3339(refund.requested_at),
        "status": REFUND_STATES[refund.state],
        "funds_account": "AVAILABLE",
        "amount": {
            **_refund_amount(trade, refund),
            "from": [],
            "settlement_total": trade.amount_fen,
            "settlement_refund": refund.amount_fen,
            "discount_refund": 0,
            "currency": "CNY",
            "refund_fee": 0,
        },
        "promotion_detail": [],
    }
    if refund.state == "success" and refund.settled_at is not None:
        found["success_time"] = rfc3339(refund.settled_at)
    return found


def refund_notice(trade: Trade, refund: Refund) -> dict[str, object]:
    """The refund as its callback encloses it."""
    found: dict[str, object] = {
        "mchid": trade.seller,
        "out_trade_no": trade.out_trade_no,
        "transaction_id": trade.trade_no,
        "out_refund_no": refund.out_refund_no,
        "refund_id": refund.refund_no,
        "refund_status": REFUND_STATES[refund.state],
        "user_received_account": "支付用户零钱",
        "amount": _refund_amount(trade, refund),
    }
    if refund.state == "success" and refund.settled_at is not None:
        found["success_time"] = rfc3339(refund.settled_at)
    return found


def _openid(rows: sqlite3.Connection, trade: Trade) -> str:
    return person_called(rows, trade.payer or trade.buyer).wechat_openid


def _paid_amount(trade: Trade) -> dict[str, object]:
    amount = trade.amount_fen
    return {"total": amount, "payer_total": amount, "currency": "CNY", "payer_currency": "CNY"}


def _refund_amount(trade: Trade, refund: Refund) -> dict[str, object]:
    return {
        "total": trade.amount_fen,
        "refund": refund.amount_fen,
        "payer_total": trade.amount_fen,
        "payer_refund": refund.amount_fen,
    }
