"""微信支付退款: a request is only accepted; what becomes of it shows later."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Mapping
from typing import Any, Final

from miniprogram_stub.platform.faults import REFUND_FAULTS, Faults
from miniprogram_stub.platform.happenings import REFUND_SECONDS
from miniprogram_stub.platform.refunds import Refund, add_refund, outcome_of, taken_fen
from miniprogram_stub.platform.trades import Trade, find_trade, trade
from miniprogram_stub.platform.wechat_pay_orders import given, given_amount, unusable, web_address
from miniprogram_stub.platform.wechat_pay_refusal import WeChatPayRefusalError
from miniprogram_stub.platform.wechat_pay_states import refund_answer

_OUT_REFUND_NO: Final = re.compile(r"[A-Za-z0-9_\-|*@]{1,64}")
_LONGEST_REASON: Final = 80
_BY_NUMBER: Final = """
SELECT refunds.* FROM refunds JOIN trades ON trades.id = refunds.trade
WHERE platform = 'wechatpay' AND out_refund_no = ?
"""


class WeChatPayRefunds:
    """Money going back; it takes `delay_seconds`, unless a fault says otherwise."""

    def __init__(self, faults: Faults, delay_seconds: float) -> None:
        self._faults = faults
        self._delay = delay_seconds

    def refund(self, rows: sqlite3.Connection, fields: Mapping[str, Any]) -> dict[str, object]:
        """Accept a refund; the same number again answers how that one is."""
        number = given(fields, "out_refund_no", 64, _OUT_REFUND_NO)
        paid, amount = _paid(rows, fields), given_amount(fields.get("amount"), "refund")
        if given_amount(fields.get("amount"), "total") != paid.amount_fen:
            raise WeChatPayRefusalError("PARAM_ERROR", "订单金额与原订单不一致")
        there = _by_number(rows, number)
        if there is not None:
            if (there.trade, there.amount_fen) != (paid.id, amount):
                raise WeChatPayRefusalError("INVALID_REQUEST", "退款单号已用于其他退款，参数不一致")
            return refund_answer(paid, there)
        if paid.paid_at is None or paid.paid_at <= time.time() - REFUND_SECONDS:
            raise WeChatPayRefusalError("INVALID_REQUEST", "订单已超过可退款的最大期限")
        if taken_fen(rows, paid) + amount > paid.amount_fen:
            raise WeChatPayRefusalError("INVALID_REQUEST", "申请退款金额超过订单可退金额")
        return refund_answer(paid, self._accepted(rows, paid, number, amount, fields))

    def query(self, rows: sqlite3.Connection, out_refund_no: str) -> dict[str, object]:
        """The refund as it is."""
        found = _by_number(rows, out_refund_no)
        if found is None:
            raise WeChatPayRefusalError("RESOURCE_NOT_EXISTS", "退款单不存在")
        return refund_answer(trade(rows, found.trade), found)

    def _accepted(
        self, rows: sqlite3.Connection, paid: Trade, number: str, amount: int, fields: Mapping[str, Any]
    ) -> Refund:
        reason = given(fields, "reason", _LONGEST_REASON) if fields.get("reason") else ""
        notify_url = web_address(fields, "notify_url") if fields.get("notify_url") else ""
        fault = self._faults.take("wechatpay", "refund", REFUND_FAULTS)
        if fault and fault.kind == "not_enough":
            raise WeChatPayRefusalError("NOT_ENOUGH", "商户可用退款余额不足")
        now = time.time()
        return add_refund(
            rows,
            paid,
            out_refund_no=number,
            amount_fen=amount,
            reason=reason,
            notify_url=notify_url,
            becomes=outcome_of(fault.kind if fault else ""),
            now=now,
            settles_at=now + (fault.seconds if fault and fault.seconds else self._delay),
        )


def _paid(rows: sqlite3.Connection, fields: Mapping[str, Any]) -> Trade:
    numbers = {name: str(fields[name]) for name in ("out_trade_no", "transaction_id") if fields.get(name)}
    if len(numbers) != 1:
        raise unusable("transaction_id")
    found = find_trade(
        rows,
        "wechatpay",
        out_trade_no=numbers.get("out_trade_no", ""),
        trade_no=numbers.get("transaction_id", ""),
    )
    if found is None:
        raise WeChatPayRefusalError("RESOURCE_NOT_EXISTS", "订单不存在")
    if found.status != "paid":
        raise WeChatPayRefusalError("INVALID_REQUEST", "订单未支付，不能退款")
    return found


def _by_number(rows: sqlite3.Connection, out_refund_no: str) -> Refund | None:
    row = rows.execute(_BY_NUMBER, (out_refund_no,)).fetchone()
    return Refund(**row) if row else None
