"""微信支付下单: prepay in a mini-program, by a code or in a browser; query and close."""

from __future__ import annotations

import re
import secrets
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from miniprogram_stub.platform.paying import PREPAY_SECONDS
from miniprogram_stub.platform.trades import (
    Kind,
    Order,
    Trade,
    add_trade,
    close_trade,
    find_trade,
    renew_prepay,
)
from miniprogram_stub.platform.wechat_pay_refusal import WeChatPayRefusalError
from miniprogram_stub.platform.wechat_pay_states import transaction

Fields = Mapping[str, Any]  # what json.loads gives
_OUT_TRADE_NO: Final = re.compile(r"[A-Za-z0-9_\-|*]{6,32}")
_ORDER_SECONDS: Final = 7 * 86400
_LONGEST_DESCRIPTION: Final = 127
_LONGEST_ATTACH: Final = 128
_LONGEST_ADDRESS: Final = 255
_MOST_FEN: Final = 10_000_000_000


def unusable(name: str) -> WeChatPayRefusalError:
    """A parameter is not as it should be."""
    return WeChatPayRefusalError("PARAM_ERROR", f"输入源“/body/{name}”映射到字段“{name}”规则校验失败")


def given(fields: Fields, name: str, longest: int, form: re.Pattern[str] | None = None) -> str:
    """A text of 1 to `longest` bytes of UTF-8, which is what the real platform counts."""
    value = fields.get(name)
    if not isinstance(value, str) or not value.isprintable() or not 1 <= len(value.encode()) <= longest:
        raise unusable(name)
    if form and not form.fullmatch(value):
        raise unusable(name)
    return value


def given_amount(amount: object, name: str) -> int:
    """Whole fen; currency is CNY where it is given."""
    if not isinstance(amount, dict) or amount.get("currency", "CNY") != "CNY":
        raise unusable("amount")
    value = amount.get(name)
    if type(value) is not int or not 1 <= value <= _MOST_FEN:
        raise unusable(f"amount.{name}")
    return value


def web_address(fields: Fields, name: str) -> str:
    """Where callbacks go: an address without a query."""
    value = given(fields, name, _LONGEST_ADDRESS)
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query:
        raise unusable(name)
    return value


@dataclass(frozen=True, slots=True)
class WeChatPayOrders:
    """The orders of one merchant with one mini-program."""

    appid: str
    mchid: str

    def prepay(self, rows: sqlite3.Connection, kind: Kind, fields: Fields) -> Trade:
        """The order of that number, new unless there is one on the same terms."""
        if fields.get("appid") != self.appid or fields.get("mchid") != self.mchid:
            raise WeChatPayRefusalError("APPID_MCHID_NOT_MATCH", "appid和mchid不匹配，请检查后再试")
        order = Order(
            platform="wechatpay",
            kind=kind,
            app_id=self.appid,
            seller=self.mchid,
            out_trade_no=given(fields, "out_trade_no", 32, _OUT_TRADE_NO),
            subject=given(fields, "description", _LONGEST_DESCRIPTION),
            attach=given(fields, "attach", _LONGEST_ATTACH) if fields.get("attach") else "",
            total_fen=given_amount(fields.get("amount"), "total"),
            buyer=_payer(rows, fields) if kind == "JSAPI" else "",
            notify_url=web_address(fields, "notify_url"),
            return_url="",
            expires_at=_expires_at(fields),
        )
        if kind == "MWEB":
            _require_scene(fields.get("scene_info"))
        now, token = time.time(), _prepay_id()
        there = find_trade(rows, "wechatpay", out_trade_no=order.out_trade_no)
        if there is None:
            return add_trade(rows, order, "waiting", token, now)
        _require_same(there, order)
        return renew_prepay(rows, there, token, now) if there.prepaid_at + PREPAY_SECONDS <= now else there

    def query(
        self, rows: sqlite3.Connection, *, out_trade_no: str = "", trade_no: str = ""
    ) -> dict[str, object]:
        """The order as it is."""
        return transaction(rows, self._known(rows, out_trade_no=out_trade_no, trade_no=trade_no))

    def close(self, rows: sqlite3.Connection, out_trade_no: str, fields: Fields) -> None:
        """An unpaid order can be closed; WeChat tells nobody."""
        if fields.get("mchid") != self.mchid:
            raise unusable("mchid")
        found = self._known(rows, out_trade_no=out_trade_no)
        if found.status == "paid":
            raise WeChatPayRefusalError("ORDERPAID", "该订单已支付")
        if found.status == "closed":
            raise WeChatPayRefusalError("ORDER_CLOSED", "该订单已关闭")
        close_trade(rows, found, "merchant", time.time())

    def _known(self, rows: sqlite3.Connection, *, out_trade_no: str = "", trade_no: str = "") -> Trade:
        found = find_trade(rows, "wechatpay", out_trade_no=out_trade_no, trade_no=trade_no)
        if found is None:
            raise WeChatPayRefusalError("ORDER_NOT_EXIST", "订单不存在")
        return found


def _require_same(there: Trade, order: Order) -> None:
    if there.status == "paid":
        raise WeChatPayRefusalError("ORDERPAID", "该订单已支付")
    if there.status == "closed":
        raise WeChatPayRefusalError("ORDER_CLOSED", "该订单已关闭")
    if there.kind != order.kind:
        raise WeChatPayRefusalError("OUT_TRADE_NO_USED", "商户订单号重复")
    if there.terms != order.terms:
        raise WeChatPayRefusalError("INVALID_REQUEST", "请求重入时，参数与首次请求时不一致")


def _require_scene(scene: object) -> None:
    """A browser's payment names the payer's address and the kind of page."""
    if not isinstance(scene, dict) or not isinstance(scene.get("h5_info"), dict):
        raise unusable("scene_info")
    given(scene, "payer_client_ip", 45)
    given(scene["h5_info"], "type", 32)


def _payer(rows: sqlite3.Connection, fields: Fields) -> str:
    payer = fields.get("payer")
    openid = payer.get("openid") if isinstance(payer, dict) else None
    if not isinstance(openid, str) or not openid:
        raise unusable("payer.openid")
    row = rows.execute("SELECT name FROM people WHERE wechat_openid = ?", (openid,)).fetchone()
    if row is None:
        raise WeChatPayRefusalError("PARAM_ERROR", "无效的openid")
    return str(row["name"])


def _expires_at(fields: Fields) -> float:
    text, now = fields.get("time_expire"), time.time()
    if text is None:
        return now + _ORDER_SECONDS
    try:
        instant = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise unusable("time_expire") from error
    if instant.tzinfo is None or not now < instant.timestamp() <= now + _ORDER_SECONDS:
        raise unusable("time_expire")
    return instant.timestamp()


def _prepay_id() -> str:
    return "wx" + secrets.token_hex(17)
