"""Alipay (支付宝): trades of the mini-program, of a browser and of a code at the desk.

Source: alipay.trade.create, .wap.pay, .precreate, .query, .close, .refund, .fastpay.refund.query, and its asynchronous
notifications (异步通知), all signed RSA2. The SDK's classes name the parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from urllib.parse import parse_qsl

import orjson

from domains.kernel import clock
from domains.kernel.money import parse_yuan, plain_yuan
from domains.platforms.alipay import Alipay
from domains.platforms.calling import NotSent, OutcomeUnknown
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

_CREATE: Final = "alipay.trade.create"
_PRECREATE: Final = "alipay.trade.precreate"
_WAP: Final = "alipay.trade.wap.pay"
# A pending trade is paid by its buyer and waits for the seller's account.
_STATES: Final[Mapping[str, Literal["paid", "waiting", "closed"]]] = {
    "TRADE_SUCCESS": "paid", "TRADE_FINISHED": "paid", "WAIT_BUYER_PAY": "waiting", "TRADE_PENDING": "waiting",
    "TRADE_CLOSED": "closed",
}  # fmt: skip
# A title may not hold these (订单标题不可使用特殊字符).
_PLAIN: Final = str.maketrans("/=&", "／＝＆")
# What a failure means, by its sub_code or else by its code; every other is for good.
# Something may have happened: the trade is asked about. The last two say that there is a trade, on other terms.
_UNCLEAR: Final = frozenset(
    {
        "10003", "20000", "ACQ.SYSTEM_ERROR", "isp.unknow-error", "ACQ.TRADE_HAS_SUCCESS",
        "ACQ.CONTEXT_INCONSISTENT", "ACQ.TRADE_BUYER_NOT_MATCH",
    }
)  # fmt: skip
# Nothing was done: too many calls, or keys and a clock of ours that the operator mends. No payment is spoilt by it.
_UNREAD: Final = frozenset(
    {
        "40005", "isv.app-call-limited", "isv.invalid-signature", "isv.missing-signature-key", "isv.invalid-timestamp",
        "isv.invalid-app-id",
    }
)  # fmt: skip
_NO_TRADE: Final = "ACQ.TRADE_NOT_EXIST"
_NO_REFUND: Final = frozenset({_NO_TRADE, "ACQ.REFUND_NOT_EXIST", "TRADE_NOT_EXIST"})
# A notification is delivered for that long; what is older is somebody's repetition.
_DELIVERED_FOR: Final = timedelta(hours=25)

Node = Mapping[str, Any]  # Any: a platform's JSON


class AlipayGateway:
    """One seller's trades in one application. `notify_url` is a whole address, as what `return_url` gives."""

    channel = "alipay"
    products: frozenset[str] = frozenset({"mini_program", "h5", "qr"})

    def __init__(self, alipay: Alipay, *, seller_id: str, notify_url: str, return_url: Return) -> None:
        self._alipay, self.app_id, self.payee = alipay, alipay.app_id, seller_id
        self.notify_url, self._return_url = notify_url, return_url

    async def create(self, ask: Ask) -> Mapping[str, str]:
        """`tradeNO` for my.tradePay, `qrCode` to show, or the `url` of the page to open."""
        if ask.product == "h5":
            return {"url": self._alipay.page_url(_WAP, self._params(ask))}
        method = _CREATE if ask.product == "mini_program" else _PRECREATE
        node = _done(await self._alipay.execute(method, self._params(ask)))
        with _understood():
            return (
                {"tradeNO": str(node["trade_no"])} if method == _CREATE else {"qrCode": str(node["qr_code"])}
            )

    def _params(self, ask: Ask) -> dict[str, str]:
        model, request = _request(ask.product)
        model.out_trade_no, model.total_amount = ask.out_trade_no, plain_yuan(ask.amount_fen)
        model.subject, model.time_expire = ask.title.translate(_PLAIN), _beijing(ask.expires_at)
        if ask.product == "mini_program":
            model.product_code, model.op_app_id = "JSAPI_PAY", self.app_id
            if _is_user_id(ask.buyer):
                model.buyer_id = ask.buyer
            else:
                model.buyer_open_id = ask.buyer
        elif ask.product == "h5":
            model.product_code = "QUICK_WAP_WAY"
            request.return_url = self._return_url(ask.payment_id)
        request.notify_url = self.notify_url
        params: dict[str, str] = request.get_params()
        return params

    async def query(self, out_trade_no: str) -> Sighting:
        """alipay.trade.query."""
        node = await self._ask("alipay.trade.query", out_trade_no=out_trade_no)
        if node.get("sub_code") == _NO_TRADE:
            return Sighting(out_trade_no, "absent", body=orjson.dumps(node))
        with _understood():
            seen = _sighting(_done(node), "send_pay_date", orjson.dumps(node))
            if seen.out_trade_no != out_trade_no:
                raise ValueError("an answer about another trade")
            return seen

    async def close(self, out_trade_no: str) -> bool:
        """alipay.trade.close. A trade that nobody has opened yet is not there to be closed, and may be opened later."""
        node = await self._ask("alipay.trade.close", out_trade_no=out_trade_no)
        return node.get("code") == "10000"

    async def refund(self, ask: RefundAsk) -> RefundSighting:
        """alipay.trade.refund. Only `fund_change` Y says that money moved now: else it is to be asked about."""
        node = _done(
            await self._ask(
                "alipay.trade.refund", **_trade_of(ask), refund_amount=plain_yuan(ask.amount_fen),
                out_request_no=ask.out_refund_no, refund_reason=ask.reason,
            )
        )  # fmt: skip
        state = "succeeded" if node.get("fund_change") == "Y" else "processing"
        return _refund(ask, state, node, ask.amount_fen)

    async def query_refund(self, ask: RefundAsk) -> RefundSighting:
        """alipay.trade.fastpay.refund.query: done only where it gives the amount back."""
        node = await self._ask(
            "alipay.trade.fastpay.refund.query", **_trade_of(ask), out_request_no=ask.out_refund_no
        )  # fmt: skip
        if node.get("sub_code") in _NO_REFUND:
            return _refund(ask, "absent", node)
        given = _done(node).get("refund_amount")
        if not given or node.get("refund_status", "REFUND_SUCCESS") != "REFUND_SUCCESS":
            return _refund(ask, "absent", node)
        with _understood():
            there = {name: node[name] for name in _trade_of(ask)}
            if (there, node["out_request_no"]) != (_trade_of(ask), ask.out_refund_no):
                raise ValueError("an answer about another refund")
            return _refund(ask, "succeeded", node, parse_yuan(str(given)))

    async def _ask(self, method: str, **content: object) -> Node:
        return await self._alipay.execute(method, biz_content=content)

    def read(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """An asynchronous notification: a form, signed without `sign` and `sign_type`."""
        try:
            params = dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))
        except ValueError:
            raise Refused("malformed") from None
        out_trade_no = params.get("out_trade_no", "")
        if params.get("sign_type") != "RSA2" or not self._is_signed(params):
            raise Refused("signature", out_trade_no)
        if params.get("app_id") != self.app_id or (self.payee and params.get("seller_id") != self.payee):
            raise Refused("not for us", out_trade_no)
        try:
            if not _is_fresh(params["notify_time"]):
                raise Refused("stale", out_trade_no)
            return Notice(params["notify_id"], _about(params, body))
        except (KeyError, ValueError):
            raise Refused("malformed", out_trade_no) from None

    def _is_signed(self, params: Mapping[str, str]) -> bool:
        signed = {
            name: value for name, value in params.items() if value and name not in ("sign", "sign_type")
        }
        text = "&".join(f"{name}={value}" for name, value in sorted(signed.items()))
        return self._alipay.is_genuine(text.encode(), params.get("sign", ""))

    def reply(self, *, taken: bool) -> Reply:
        """Exactly `success`, or it comes again."""
        return Reply(200, b"success", "text/plain") if taken else Reply(400, b"failure", "text/plain")


def _request(product: Product) -> tuple[Any, Any]:  # Any: classes of the SDK, which are not typed
    """A model and its request. Imported when they are needed: the SDK is large."""
    if product == "mini_program":
        from alipay.aop.api.domain.AlipayTradeCreateModel import AlipayTradeCreateModel as Model
        from alipay.aop.api.request.AlipayTradeCreateRequest import AlipayTradeCreateRequest as Request
    elif product == "h5":
        from alipay.aop.api.domain.AlipayTradeWapPayModel import AlipayTradeWapPayModel as Model
        from alipay.aop.api.request.AlipayTradeWapPayRequest import AlipayTradeWapPayRequest as Request
    else:
        from alipay.aop.api.domain.AlipayTradePrecreateModel import AlipayTradePrecreateModel as Model
        from alipay.aop.api.request.AlipayTradePrecreateRequest import AlipayTradePrecreateRequest as Request
    model = Model()
    return model, Request(model)


def _done(node: Node) -> Node:
    code, sub_code = str(node.get("code")), str(node.get("sub_code") or "")
    if code == "10000":
        return node
    if not _UNREAD.isdisjoint((code, sub_code)):
        raise NotSent("alipay", sub_code or code)
    if not _UNCLEAR.isdisjoint((code, sub_code)):
        raise OutcomeUnknown("alipay", sub_code or code)
    raise Declined(sub_code or code)


@contextmanager
def _understood() -> Iterator[None]:
    """An answer that is not as it should be tells nothing."""
    try:
        yield
    except (KeyError, ValueError, TypeError):
        raise OutcomeUnknown("alipay", "malformed answer") from None


def _sighting(node: Node, paid_at_name: str, body: bytes) -> Sighting:
    """A trade. A closed one that was paid before was given back whole: it was paid all the same."""
    state, paid_at = _STATES[node["trade_status"]], _instant(node.get(paid_at_name))
    number, channel_no = str(node["out_trade_no"]), str(node.get("trade_no", ""))
    amount_fen = parse_yuan(str(node["total_amount"]))
    if state == "paid":
        return Sighting(number, "paid", channel_no, amount_fen, paid_at or clock.now(), body=body)
    if state == "closed" and paid_at:
        return Sighting(number, "paid", channel_no, amount_fen, paid_at, amount_fen, body)
    return Sighting(number, state, channel_no, body=body)


def _about(params: Mapping[str, str], body: bytes) -> Sighting | RefundSighting:
    """What a notification is about. `refund_fee` is all that was given back so far, so that a refund is asked about."""
    if params.get("gmt_refund") or params.get("refund_fee"):
        total = parse_yuan(params.get("refund_fee", "0"))
        refund_no = params.get("out_biz_no", "")
        return RefundSighting(
            params["out_trade_no"], refund_no, "processing", body=body, given_back_fen=total,
            channel_no=params.get("trade_no", ""),
        )  # fmt: skip
    return _sighting(params, "gmt_payment", body)


def _trade_of(ask: RefundAsk) -> dict[str, str]:
    return {"trade_no": ask.channel_no} if ask.channel_no else {"out_trade_no": ask.out_trade_no}


def _refund(ask: RefundAsk, state: Any, node: Node, fen: int = 0) -> RefundSighting:  # Any: one of the states
    number = str(node.get("trade_no", ""))
    return RefundSighting(
        ask.out_trade_no,
        ask.out_refund_no,
        state,
        fen,
        f"{number}:{ask.out_refund_no}",
        orjson.dumps(node),
    )


def _is_user_id(buyer: str) -> bool:
    return len(buyer) == 16 and buyer.isdecimal() and buyer.startswith("2088")


def _beijing(at: datetime) -> str:
    return f"{at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M:%S}"


def _is_fresh(sent: str) -> bool:
    at = _instant(sent)
    return at is not None and abs(clock.now() - at) <= _DELIVERED_FOR


def _instant(written: object) -> datetime | None:
    if not isinstance(written, str) or not written:
        return None
    naive = datetime.strptime(written.partition(".")[0], "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007  # it is Beijing's
    return naive.replace(tzinfo=clock.SHANGHAI)
