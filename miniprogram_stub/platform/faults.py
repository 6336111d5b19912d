"""Faults ordered in advance (故障注入), which the next calls of an interface meet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import ceil
from threading import Lock
from typing import Final, Literal, get_args

from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from miniprogram_stub.platform.books import Books
from miniprogram_stub.platform.tokens import Kind as TokenKind
from miniprogram_stub.platform.tokens import kill_tokens

Platform = Literal["wechat", "alipay", "wechatpay", "sms", "voice", "push", "hooks"]
CallFault = Literal["http_429", "http_500", "slow", "drop", "cut", "busy", "busy_done", "dead_token", "gone"]
NoticeFault = Literal[
    "duplicate", "reorder", "delay", "drop", "wrong_amount", "wrong_app", "wrong_seller", "bad_signature",
    "sha1_signature", "stale",
]  # fmt: skip
RefundFault = Literal["pending", "abnormal", "closed", "not_enough"]
PayFault = Literal["late"]

CALL_FAULTS: Final[tuple[str, ...]] = get_args(CallFault)
NOTICE_FAULTS: Final[tuple[str, ...]] = get_args(NoticeFault)
REFUND_FAULTS: Final[tuple[str, ...]] = get_args(RefundFault)
PAY_FAULTS: Final[tuple[str, ...]] = get_args(PayFault)
KINDS: Final = tuple(dict.fromkeys(CALL_FAULTS + NOTICE_FAULTS + REFUND_FAULTS + PAY_FAULTS))

APIS: Final[dict[str, tuple[str, ...]]] = {
    "wechat": ("jscode2session", "stable_token", "getuserphonenumber", "subscribe/send"),
    "alipay": (
        "alipay.system.oauth.token",
        "alipay.open.app.mini.templatemessage.send",
        "alipay.trade.create",
        "alipay.trade.precreate",
        "alipay.trade.wap.pay",
        "alipay.trade.query",
        "alipay.trade.close",
        "alipay.trade.refund",
        "alipay.trade.fastpay.refund.query",
        "alipay.data.dataservice.bill.downloadurl.query",
        "bill",
        "pay",
        "notify",
    ),
    "wechatpay": (
        "prepay", "query", "close", "refund", "refund_query", "tradebill", "billdownload", "pay", "notify",
    ),
    "sms": ("SendSms", "QuerySendDetails"),
    "voice": ("SingleCallByTts",),
    "push": ("send",),
    "hooks": ("deliver",),
}  # fmt: skip
_UNDONE: Final = ("http_429", "http_500", "cut", "busy")
_OWN_FAULTS: Final = {"pay": PAY_FAULTS, "notify": NOTICE_FAULTS}
_REFUNDS: Final = ("alipay.trade.refund", "refund")
_TOKENS: Final[dict[str, TokenKind]] = {
    **dict.fromkeys(APIS["wechat"], "wechat_access"),
    "alipay.system.oauth.token": "alipay_refresh",
}


@dataclass(slots=True)
class Fault:
    """`times` calls of one interface meet it, or so many notifications, payments or refunds.

    `seconds` is how long a slow one waits, what Retry-After says with a 429, how long a notification is
    delayed or waits to be overtaken, and how long a refund is pending. `copies` is how often a notification
    is sent once more.
    """

    platform: str
    api: str
    kind: str
    times: int = 1
    seconds: float = 0.0
    copies: int = 1

    @property
    def possible(self) -> bool:
        """Whether there is such an interface, and such a fault on it."""
        if self.api not in APIS.get(self.platform, ()):
            return False
        if self.api in _OWN_FAULTS or self.kind in REFUND_FAULTS:
            return self.kind in _OWN_FAULTS.get(self.api, REFUND_FAULTS if self.api in _REFUNDS else ())
        if self.kind not in CALL_FAULTS:
            return False
        if self.kind == "gone":
            return self.platform == "push"
        return self.kind != "dead_token" or self.api in _TOKENS


class _Severed(Response):
    """No answer at all: the connection is cut."""

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        scope["state"]["sever"]()
        while (await receive())["type"] != "http.disconnect":
            pass


class Faults:
    """The faults still to be met, in the order they were asked for; a restart forgets them."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._waiting: list[Fault] = []
        self._lock = Lock()  # refunds meet theirs inside a transaction, on the thread of the books

    def add(self, fault: Fault) -> None:
        """Let the next `fault.times` calls meet it."""
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._waiting.clear()

    async def meet(
        self,
        platform: Platform,
        api: str,
        answer: Callable[[], Awaitable[Response]],
        busy: Callable[[], Response],
        *,
        drop_subscription: Callable[[], Awaitable[None]] | None = None,
        limited: Callable[[], Response] | None = None,
    ) -> Response:
        """The answer, or what the fault makes of it.

        `drop` does the work and loses the answer, `cut` loses the call: the caller cannot know which it was,
        nor with `busy_done`, which does the work and calls the platform busy. `dead_token` revokes the
        platform's tokens before the call is looked at, `gone` drops the subscription it goes to.
        `limited` is what a platform says in place of a bare 429.
        """
        fault = self.take(platform, api, CALL_FAULTS)
        if fault is None:
            return await answer()
        if fault.kind in _UNDONE:
            return _instead(fault, busy, limited)
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        elif fault.kind == "dead_token":
            await self._books.transact(kill_tokens, _TOKENS[api])
        elif fault.kind == "gone" and drop_subscription:
            await drop_subscription()
        response = await answer()
        if fault.kind == "drop":
            return _Severed()
        return busy() if fault.kind == "busy_done" else response

    def take(self, platform: str, api: str, kinds: tuple[str, ...]) -> Fault | None:
        """The next one of these kinds that this interface is to meet, one time less from now on."""
        with self._lock:
            for fault in self._waiting:
                if (fault.platform, fault.api) == (platform, api) and fault.kind in kinds:
                    fault.times -= 1
                    if fault.times == 0:
                        self._waiting.remove(fault)
                    return fault
        return None


def _instead(fault: Fault, busy: Callable[[], Response], limited: Callable[[], Response] | None) -> Response:
    """What is said in place of doing the work."""
    match fault.kind:
        case "http_429" if limited:
            return limited()
        case "http_429":
            retry_after = str(max(1, ceil(fault.seconds)))
            return PlainTextResponse("Too Many Requests", 429, {"Retry-After": retry_after})
        case "http_500":
            return PlainTextResponse("Internal Server Error", 500)
        case "cut":
            return _Severed()
    return busy()
