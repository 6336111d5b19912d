"""支付宝退款: alipay.trade.refund and alipay.trade.fastpay.refund.query."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from typing import Final

from miniprogram_stub.platform.alipay_content import Content, content_of, failed, invalid
from miniprogram_stub.platform.alipay_states import buyer_fields
from miniprogram_stub.platform.alipay_trades import OK, Method, Node
from miniprogram_stub.platform.clock import beijing_time
from miniprogram_stub.platform.faults import REFUND_FAULTS, Faults
from miniprogram_stub.platform.happenings import settled, timely
from miniprogram_stub.platform.money import yuan
from miniprogram_stub.platform.refunds import (
    Refund,
    add_refund,
    find_refund,
    outcome_of,
    refunded_fen,
    taken_fen,
)
from miniprogram_stub.platform.trades import Trade, find_trade

_REFUND: Final = "alipay.trade.refund"
_NUMBER: Final = "[A-Za-z0-9_]+"


class AlipayRefunds:
    """Money going back; it is there at once, unless a fault keeps it."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def methods(self) -> dict[str, Method]:
        """Both methods."""
        return {_REFUND: timely(self.refund), "alipay.trade.fastpay.refund.query": timely(self.query)}

    def refund(self, rows: sqlite3.Connection, params: Mapping[str, str]) -> Node:
        """Give back a part, or all; fund_change says whether this very call moved money."""
        content = content_of(params)
        trade, amount = _refundable(rows, content), content.amount("refund_amount")
        number = content.text("out_request_no", 64, _NUMBER)
        reason = content.text("refund_reason", 256)
        if not number and amount != trade.amount_fen:
            raise invalid("out_request_no")
        number = number or trade.out_trade_no
        there = find_refund(rows, trade, number)
        if there is not None:
            if there.amount_fen != amount:
                raise failed("ACQ.DISCORDANT_REPEAT_REQUEST")
            return _answer(rows, trade, there, moved=False)
        if taken_fen(rows, trade) + amount > trade.amount_fen:
            raise failed("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")
        done = self._accepted(rows, trade, number, amount, reason)
        return _answer(rows, trade, done, moved=done.state == "success")

    def query(self, rows: sqlite3.Connection, params: Mapping[str, str]) -> Node:
        """A refund that is done; of any other the answer is a success that says nothing."""
        content = content_of(params)
        trade = _trade(rows, content)
        done = find_refund(rows, trade, content.text("out_request_no", 64, _NUMBER, required=True))
        if done is None or done.state != "success" or done.settled_at is None:
            return dict(OK)
        return {
            **OK,
            "out_request_no": done.out_refund_no,
            "out_trade_no": trade.out_trade_no,
            "trade_no": trade.trade_no,
            "refund_amount": yuan(done.amount_fen),
            "refund_status": "REFUND_SUCCESS",
            "refund_reason": done.reason,
            "total_amount": yuan(trade.amount_fen),
            "send_back_fee": yuan(done.amount_fen),
            "gmt_refund_pay": beijing_time(done.settled_at),
        }

    def _accepted(
        self, rows: sqlite3.Connection, trade: Trade, number: str, amount: int, reason: str
    ) -> Refund:
        fault = self._faults.take("alipay", _REFUND, REFUND_FAULTS)
        if fault and fault.kind == "not_enough":
            raise failed("ACQ.SELLER_BALANCE_NOT_ENOUGH")
        now = time.time()
        asked = add_refund(
            rows,
            trade,
            out_refund_no=number,
            amount_fen=amount,
            reason=reason,
            notify_url="",
            becomes=outcome_of(fault.kind if fault else ""),
            now=now,
            settles_at=now + (fault.seconds if fault else 0),
        )
        return asked if fault else settled(rows, asked, "success", now)


def _trade(rows: sqlite3.Connection, content: Content) -> Trade:
    found = find_trade(rows, "alipay", **content.numbers())
    if found is None or found.trade_no is None:
        raise failed("ACQ.TRADE_NOT_EXIST")
    return found


def _refundable(rows: sqlite3.Connection, content: Content) -> Trade:
    found = _trade(rows, content)
    if found.status == "finished":
        raise failed("ACQ.TRADE_HAS_FINISHED")
    if found.status != "paid":
        raise failed("ACQ.TRADE_STATUS_ERROR")
    return found


def _answer(rows: sqlite3.Connection, trade: Trade, done: Refund, *, moved: bool) -> Node:
    """`refund_fee` is the sum of all refunds of the trade."""
    return {
        **OK,
        **buyer_fields(rows, trade.payer or ""),
        "out_trade_no": trade.out_trade_no,
        "trade_no": trade.trade_no,
        "fund_change": "Y" if moved else "N",
        "refund_fee": yuan(refunded_fen(rows, trade)),
        "send_back_fee": yuan(done.amount_fen if moved else 0),
    }
