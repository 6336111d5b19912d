"""A person pays (付款): whether this person can pay this trade now, and the payment itself."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from typing import Final, Literal

from miniprogram_stub.platform.credentials import MerchantKey
from miniprogram_stub.platform.happenings import paid
from miniprogram_stub.platform.people import person_called
from miniprogram_stub.platform.rsa_signing import rsa2_verified
from miniprogram_stub.platform.trades import Trade, show_to_buyer

PREPAY_SECONDS: Final = 7200
Reason = Literal["unknown", "paid", "closed", "another", "stale", "forged"]
REASONS: Final[dict[Reason, str]] = {
    "unknown": "订单不存在，请返回商家重新下单。",
    "paid": "订单已经支付，请勿重复付款。",
    "closed": "订单已关闭，请返回商家重新下单。",
    "another": "这笔订单只能由下单的人支付。",
    "stale": "支付页面已过期，请返回商家重新发起支付。",
    "forged": "支付验证签名失败，请联系商家。",
}


class CannotPayError(Exception):
    """The cashier refuses; the reason is a key of REASONS."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(REASONS[reason])
        self.reason = reason


def pay(rows: sqlite3.Connection, found: Trade, person: str, amount_fen: int | None, late: bool) -> Trade:
    """Pay the whole, or what no real cashier would let them pay: `amount_fen` in its place.

    A `late` payer had the cashier open when the time was over, and is let through.
    """
    require_payable(found, late)
    name, now = person_called(rows, person).name, time.time()
    if found.buyer and found.buyer != name:
        raise CannotPayError("another")
    shown = show_to_buyer(rows, found, now)
    return paid(rows, shown, name, found.total_fen if amount_fen is None else amount_fen, now)


def require_payable(found: Trade, late: bool = False) -> None:
    """Neither paid nor closed, unless closed by time and the payer is late."""
    if found.status in ("paid", "finished"):
        raise CannotPayError("paid")
    if found.status == "closed" and not (late and found.closed_by == "time"):
        raise CannotPayError("closed")
    if found.kind == "JSAPI" and found.prepaid_at + PREPAY_SECONDS <= time.time() and not late:
        raise CannotPayError("stale")


def require_signed(found: Trade, key: MerchantKey | None, given: Mapping[str, object]) -> None:
    """What WeChat's client looks at before it opens the cashier of a mini-program (调起支付签名)."""
    if found.kind != "JSAPI":
        return
    stamp, nonce, package, kind, sign = (
        str(given.get(name, "")) for name in ("timeStamp", "nonceStr", "package", "signType", "paySign")
    )
    text = f"{found.app_id}\n{stamp}\n{nonce}\n{package}\n"
    if (
        kind != "RSA"
        or package != f"prepay_id={found.token}"
        or not (stamp.isdigit() and nonce)
        or key is None
    ):
        raise CannotPayError("forged")
    if not rsa2_verified(key.key, text.encode("utf-8", "replace"), sign):
        raise CannotPayError("forged")
