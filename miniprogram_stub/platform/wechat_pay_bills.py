"""微信支付交易账单 (tradebill): 27 columns, every value behind a backtick, amounts in yuan."""

from __future__ import annotations

import gzip
import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from miniprogram_stub.platform.bill_files import (
    bill_day,
    is_ready,
    keep_file,
    payments_on,
    refunds_accepted_on,
)
from miniprogram_stub.platform.clock import beijing_time
from miniprogram_stub.platform.money import FEE_RATE, fee_fen, yuan
from miniprogram_stub.platform.people import person_called
from miniprogram_stub.platform.refunds import Refund
from miniprogram_stub.platform.trades import Trade, trade
from miniprogram_stub.platform.wechat_pay_refusal import WeChatPayRefusalError

_ADDRESS_SECONDS: Final = 300
_COLUMNS: Final = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
_SUMMARY_COLUMNS: Final = (
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
)
# The bill has words of its own for what the interfaces call ABNORMAL and CLOSED.
_REFUND_WORDS: Final = {
    "processing": "PROCESSING",
    "success": "SUCCESS",
    "abnormal": "CHANGE",
    "closed": "FAIL",
}
_KINDS: Final = ("ALL", "SUCCESS", "REFUND")


@dataclass(frozen=True, slots=True)
class _Day:
    payments: Sequence[Trade]
    refunds: Sequence[tuple[Trade, Refund]]


@dataclass(frozen=True, slots=True)
class WeChatPayBills:
    """The bills of one merchant, at this address."""

    address: str

    def address_of(self, rows: sqlite3.Connection, query: Mapping[str, str]) -> dict[str, object]:
        """Draw the day's bill; the hash is of the file before it is packed."""
        day, kind, packed = _asked(query)
        if not is_ready(rows, day):
            raise WeChatPayRefusalError(
                "STATEMENT_CREATING", "账单生成中，请先检查当天是否有成功交易，后重试"
            )
        found = _day(rows, day, kind)
        if not (found.payments or found.refunds):
            raise WeChatPayRefusalError(
                "NO_STATEMENT_EXIST", "账单文件不存在，请检查当前商户号在指定日期内是否有成功的交易"
            )
        text = _bill(rows, found)
        content = gzip.compress(text, mtime=0) if packed else text
        token = keep_file(rows, "wechatpay", f"{day:%Y%m%d}.csv", content, _ADDRESS_SECONDS)
        return {
            "download_url": f"{self.address}/v3/billdownload/file?token={token}",
            "hash_type": "SHA1",
            "hash_value": hashlib.sha1(text, usedforsecurity=False).hexdigest(),
        }


def _asked(query: Mapping[str, str]) -> tuple[date, str, bool]:
    day, kind = bill_day(query.get("bill_date", "")), query.get("bill_type", "ALL")
    if day is None:
        raise WeChatPayRefusalError("PARAM_ERROR", "bill_date 格式须为 yyyy-MM-DD")
    if kind not in _KINDS:
        raise WeChatPayRefusalError("PARAM_ERROR", "bill_type 须为 ALL、SUCCESS 或 REFUND")
    if query.get("tar_type", "GZIP") != "GZIP":
        raise WeChatPayRefusalError("PARAM_ERROR", "tar_type 须为 GZIP")
    return day, kind, "tar_type" in query


def _day(rows: sqlite3.Connection, day: date, kind: str) -> _Day:
    payments = payments_on(rows, "wechatpay", day) if kind != "REFUND" else []
    refunds = refunds_accepted_on(rows, "wechatpay", day) if kind != "SUCCESS" else []
    return _Day(payments, [(trade(rows, one.trade), one) for one in refunds])


def _bill(rows: sqlite3.Connection, day: _Day) -> bytes:
    lines = [
        _COLUMNS,
        *(_row(_payment_row(rows, one)) for one in day.payments),
        *(_row(_refund_row(rows, *one)) for one in day.refunds),
        _SUMMARY_COLUMNS,
        _row(_summary(day)),
    ]
    return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()


def _summary(day: _Day) -> tuple[str, ...]:
    received = sum(one.amount_fen for one in day.payments)
    back = sum(one.amount_fen for _, one in day.refunds)
    fees = sum(fee_fen(one.amount_fen) for one in day.payments)
    fees -= sum(fee_fen(one.amount_fen) for _, one in day.refunds)
    count = len(day.payments) + len(day.refunds)
    return str(count), yuan(received), yuan(back), "0.00", _fee(fees), yuan(received), yuan(back)


def _payment_row(rows: sqlite3.Connection, one: Trade) -> tuple[str, ...]:
    amount = yuan(one.amount_fen)
    return (
        *_order_columns(rows, one, one.paid_at or 0, "SUCCESS"),
        amount, "0.00", "0", "0", "0.00", "0.00", "", "", one.subject, one.attach,
        _fee(fee_fen(one.amount_fen)), FEE_RATE, amount, "0.00", "",
    )  # fmt: skip


def _refund_row(rows: sqlite3.Connection, one: Trade, refund: Refund) -> tuple[str, ...]:
    amount = yuan(refund.amount_fen)
    return (
        *_order_columns(rows, one, refund.requested_at, "REFUND"),
        "0.00", "0.00", refund.refund_no, refund.out_refund_no, amount, "0.00", "ORIGINAL",
        _REFUND_WORDS[refund.state], one.subject, one.attach, _fee(-fee_fen(refund.amount_fen)), FEE_RATE,
        "0.00", amount, "",
    )  # fmt: skip


def _order_columns(rows: sqlite3.Connection, one: Trade, at: float, state: str) -> tuple[str, ...]:
    openid = person_called(rows, one.payer or "").wechat_openid
    return (
        beijing_time(at), one.app_id, one.seller, "0", "", one.trade_no or "", one.out_trade_no, openid, one.kind,
        state, "OTHERS", "CNY",
    )  # fmt: skip


def _fee(amount_fen: int) -> str:
    return f"{yuan(amount_fen)}000"


def _row(cells: Sequence[str]) -> str:
    """Nothing is quoted in this file, so a comma in a name would be a column: it becomes a space."""
    return ",".join("`" + cell.replace(",", " ") for cell in cells)
