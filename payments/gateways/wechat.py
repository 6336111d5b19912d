"""WeChat Pay (微信支付 APIv3): orders of the mini-program (JSAPI), of a browser (H5) and of a code at the desk (Native).

Source: /v3/pay/transactions/…, /v3/refund/domestic/refunds and its notifications (支付与退款结果通知). Amounts are fen,
instants RFC 3339.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, Literal, NoReturn
from urllib.parse import quote
from uuid import UUID

import orjson

from domains.kernel import clock
from domains.platforms.calling import NotSent, OutcomeUnknown
from domains.platforms.wechatpay import NotGenuine, WeChatPay, WeChatPayRefusal
from payments.gateways import (
    Ask,
    Declined,
    Notice,
    Product,
    RefundAsk,
    RefundSighting,
    Refused,
    Reply,
    Return,
    Sighting,
)

_PAY: Final = "/v3/pay/transactions"
_REFUNDS: Final = "/v3/refund/domestic/refunds"
_PATHS: Final[Mapping[Product, str]] = {"mini_program": "jsapi", "qr": "native", "h5": "h5"}
# The platform counts bytes of UTF-8, not characters.
_LONGEST_TITLE: Final = 127
_LONGEST_REASON: Final = 80

# What a refusal means; one that is not listed is `declined`, or `unknown` where its HTTP status is 500 or more.
#   unread    nothing was done: the same call may be made again
#   unknown   something may have happened: the channel is asked
#   absent    there is no such order, or refund
#   declined  for good
_Meaning = Literal["unread", "unknown", "absent", "declined"]
_MEANINGS: Final[Mapping[str, _Meaning]] = {
    "FREQUENCY_LIMITED": "unread", "RATELIMIT_EXCEEDED": "unread", "RATE_LIMITED": "unread",
    "SIGN_ERROR": "unread",  # our key or serial number, which the operator mends: no payment is spoilt by it
    "SYSTEM_ERROR": "unknown", "BANK_ERROR": "unknown", "BANKERROR": "unknown",
    "ORDERPAID": "unknown", "USERPAYING": "unknown", "USER_PAYING": "unknown",
    "ORDER_NOT_EXIST": "absent", "ORDERNOTEXIST": "absent", "RESOURCE_NOT_EXISTS": "absent",
    # These come with a status of 500, though nothing is in trouble.
    "OPENID_MISMATCH": "declined", "INVALID_TRANSACTIONID": "declined",
    "PARAM_ERROR": "declined", "INVALID_REQUEST": "declined", "APPID_MCHID_NOT_MATCH": "declined",
    "MCH_NOT_EXISTS": "declined", "NO_AUTH": "declined", "ACCOUNT_ERROR": "declined", "TRADE_ERROR": "declined",
    "RULE_LIMIT": "declined", "RULELIMIT": "declined", "ORDER_CLOSED": "declined", "ORDERCLOSED": "declined",
    "OUT_TRADE_NO_USED": "declined", "NOT_ENOUGH": "declined", "USER_ACCOUNT_ABNORMAL": "declined",
    "REQUEST_BLOCKED": "declined",
}  # fmt: skip
_CLOSED: Final = frozenset({"ORDER_CLOSED", "ORDERCLOSED"})
_TOO_LATE: Final = frozenset({"ORDERPAID", "USERPAYING", "USER_PAYING"})

# An order with any refund is REFUND, however much of it went back: it was paid all the same.
_ORDER_STATES: Final[Mapping[str, Literal["paid", "waiting", "closed"]]] = {
    "SUCCESS": "paid", "REFUND": "paid", "NOTPAY": "waiting", "USERPAYING": "waiting", "PAYERROR": "waiting",
    "CLOSED": "closed", "REVOKED": "closed",
}  # fmt: skip
# Asking for a refund has it accepted, which is PROCESSING; ABNORMAL may yet succeed, by somebody at the platform.
_REFUND_STATES: Final[Mapping[str, Literal["succeeded", "processing", "abnormal", "closed"]]] = {
    "SUCCESS": "succeeded", "PROCESSING": "processing", "ABNORMAL": "abnormal", "CLOSED": "closed",
}  # fmt: skip

Fields = Mapping[str, Any]  # Any: a platform's JSON


class WeChatGateway:
    """One merchant's orders in one application. `notify_url` is a whole address, as what `return_url` gives."""

    channel = "wechat"
    products: frozenset[str] = frozenset(_PATHS)

    def __init__(self, wechat_pay: WeChatPay, *, app_id: str, notify_url: str, return_url: Return) -> None:
        self._pay, self.app_id, self.payee = wechat_pay, app_id, wechat_pay.mch_id
        self.notify_url, self._return_url = notify_url, return_url

    async def create(self, ask: Ask) -> Mapping[str, str]:
        """The arguments of wx.requestPayment, signed now; `qrCode` to show; or the `url` of the page to open.

        A prepay_id is good for two hours, which is longer than any payment of ours lives.
        """
        try:
            made = await self._call("POST", f"{_PAY}/{_PATHS[ask.product]}", self._order(ask))
        except Declined as refusal:
            # What was asked before may be there on other terms: that this was refused says nothing of it.
            if (await self.query(ask.out_trade_no)).state not in ("absent", "closed"):
                raise OutcomeUnknown("wechatpay", refusal.code) from None
            raise
        with _understood():
            if ask.product == "mini_program":
                return self._pay.client_parameters(self.app_id, _text(made["prepay_id"]))
            if ask.product == "qr":
                return {"qrCode": _text(made["code_url"])}
            return {"url": self._page(_text(made["h5_url"]), ask.payment_id)}

    def _order(self, ask: Ask) -> dict[str, object]:
        order: dict[str, object] = {
            "appid": self.app_id, "mchid": self.payee, "description": _cut(ask.title, _LONGEST_TITLE),
            "out_trade_no": ask.out_trade_no, "time_expire": _beijing(ask.expires_at), "notify_url": self.notify_url,
            "amount": {"total": ask.amount_fen, "currency": "CNY"},
        }  # fmt: skip
        if ask.product == "mini_program":
            order["payer"] = {"openid": ask.buyer}
        elif ask.product == "h5":
            order["scene_info"] = {"payer_client_ip": ask.client_ip, "h5_info": {"type": "Wap"}}
        return order

    def _page(self, url: str, payment_id: UUID) -> str:
        back = quote(self._return_url(payment_id), safe="")
        return f"{url}{'&' if '?' in url else '?'}redirect_url={back}"

    async def query(self, out_trade_no: str) -> Sighting:
        """The order as it is."""
        try:
            order = await self._call("GET", f"{_PAY}/out-trade-no/{out_trade_no}?mchid={self.payee}")
        except _Absent:
            return Sighting(out_trade_no, "absent")
        with _understood():
            self._require_ours(order, out_trade_no)
            return _sighting(order, orjson.dumps(order))

    async def close(self, out_trade_no: str) -> bool:
        """An order that is closed already is closed; one that nobody has made yet may still be made."""
        target = f"{_PAY}/out-trade-no/{out_trade_no}/close"
        try:
            await self._pay.call("POST", target, {"mchid": self.payee})
        except WeChatPayRefusal as refusal:
            if refusal.code in _CLOSED:
                return True
            if refusal.code in _TOO_LATE or _meaning(refusal) == "absent":
                return False
            _raise(refusal)
        return True

    async def refund(self, ask: RefundAsk) -> RefundSighting:
        """Accepted at the best; asked for again by the same number it is the same refund."""
        wanted = {
            **_paid(ask), "out_refund_no": ask.out_refund_no, "reason": _cut(ask.reason, _LONGEST_REASON),
            "notify_url": self.notify_url,
            "amount": {"refund": ask.amount_fen, "total": ask.paid_fen, "currency": "CNY"},
        }  # fmt: skip
        return _refund(ask, await self._call("POST", _REFUNDS, wanted))

    async def query_refund(self, ask: RefundAsk) -> RefundSighting:
        """The refund as it is."""
        try:
            answer = await self._call("GET", f"{_REFUNDS}/{ask.out_refund_no}")
        except _Absent:
            return RefundSighting(ask.out_trade_no, ask.out_refund_no, "absent")
        return _refund(ask, answer)

    async def _call(
        self, method: Literal["GET", "POST"], target: str, body: dict[str, Any] | None = None
    ) -> Fields:
        try:
            return await self._pay.call(method, target, body)
        except WeChatPayRefusal as refusal:
            _raise(refusal)

    def read(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """A notification: signed, and with what it is about sealed."""
        try:
            self._pay.require_genuine(headers, body)
            message = orjson.loads(body)
            fields = self._pay.opened(message["resource"])
            external_id, event = str(message["id"]), str(message["event_type"])
        except NotGenuine as doubt:
            raise Refused(doubt.reason) from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Refused("malformed") from None
        number = str(fields.get("out_trade_no", ""))
        if fields.get("mchid") != self.payee:
            raise Refused("not for us", number)
        try:
            return Notice(external_id, self._about(event, fields, body))
        except (ValueError, KeyError, TypeError):
            raise Refused("malformed", number) from None

    def _about(self, event: str, fields: Fields, body: bytes) -> Sighting | RefundSighting:
        number = str(fields["out_trade_no"])
        if event.startswith("TRANSACTION."):
            if fields.get("appid") != self.app_id:
                raise Refused("not for us", number)
            return _sighting(fields, body)
        if event.startswith("REFUND."):
            return _refund_sighting(fields, fields["refund_status"], body)
        raise Refused("unknown event", number)

    def reply(self, *, taken: bool) -> Reply:
        """Any success, or it comes again."""
        if taken:
            return Reply(204, b"", "application/json")
        return Reply(400, '{"code":"FAIL","message":"未受理"}'.encode(), "application/json")

    def _require_ours(self, order: Fields, out_trade_no: str) -> None:
        ours = (out_trade_no, self.payee, self.app_id)
        if (order["out_trade_no"], order["mchid"], order["appid"]) != ours:
            raise ValueError("an answer about another order")


class _Absent(Declined):
    """There is no such order, or refund."""


def _meaning(refusal: WeChatPayRefusal) -> _Meaning:
    return _MEANINGS.get(refusal.code) or ("unknown" if refusal.status >= 500 else "declined")


def _raise(refusal: WeChatPayRefusal) -> NoReturn:
    meaning = _meaning(refusal)
    if meaning == "unread":
        raise NotSent("wechatpay", refusal.code, refusal.status) from None
    if meaning == "unknown":
        raise OutcomeUnknown("wechatpay", refusal.code, refusal.status) from None
    raise (_Absent if meaning == "absent" else Declined)(refusal.code) from None


@contextmanager
def _understood() -> Iterator[None]:
    """An answer that is not as it should be tells nothing."""
    try:
        yield
    except (KeyError, ValueError, TypeError):
        raise OutcomeUnknown("wechatpay", "malformed answer") from None


def _sighting(order: Fields, body: bytes) -> Sighting:
    state, number = _ORDER_STATES[order["trade_state"]], _text(order["out_trade_no"])
    if state != "paid":
        return Sighting(number, state, body=body)
    amount_fen, paid_at = _fen(order["amount"], "total"), _instant(order["success_time"])
    return Sighting(number, "paid", _text(order["transaction_id"]), amount_fen, paid_at, body=body)


def _refund(ask: RefundAsk, answer: Fields) -> RefundSighting:
    with _understood():
        seen = _refund_sighting(answer, answer["status"], orjson.dumps(answer))
        there = {name: answer[name] for name in _paid(ask)}
        if (there, seen.out_refund_no) != (_paid(ask), ask.out_refund_no):
            raise ValueError("an answer about another refund")
        return seen


def _paid(ask: RefundAsk) -> dict[str, str]:
    return {"transaction_id": ask.channel_no} if ask.channel_no else {"out_trade_no": ask.out_trade_no}


def _refund_sighting(fields: Fields, status: str, body: bytes) -> RefundSighting:
    return RefundSighting(
        _text(fields["out_trade_no"]),
        _text(fields["out_refund_no"]),
        _REFUND_STATES[status],
        _fen(fields["amount"], "refund"),
        channel_refund_no=_text(fields["refund_id"]),
        body=body,
        channel_no=str(fields.get("transaction_id", "")),
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a text is missing")
    return value


def _fen(amount: Fields, name: str) -> int:
    """Whole fen: neither a fraction nor another currency is ever taken for them."""
    value = amount[name]
    if type(value) is not int or value < 0 or amount.get("currency", "CNY") != "CNY":
        raise ValueError("not an amount in fen")
    return value


def _instant(written: str) -> datetime:
    at = datetime.fromisoformat(written)
    if at.utcoffset() is None:
        raise ValueError("a time without its zone names no instant")
    return at


def _beijing(at: datetime) -> str:
    return at.astimezone(clock.SHANGHAI).isoformat(timespec="seconds")


def _cut(text: str, most: int) -> str:
    """As much of a text as fits in so many bytes."""
    return text.encode()[:most].decode(errors="ignore")
