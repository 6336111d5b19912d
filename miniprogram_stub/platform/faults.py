"""Faults ordered in advance (故障注入), which the next calls of an interface meet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import ceil
from typing import Final, Literal, get_args

from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from miniprogram_stub.platform.books import Books
from miniprogram_stub.platform.tokens import Kind as TokenKind
from miniprogram_stub.platform.tokens import kill_tokens

Platform = Literal["wechat", "alipay", "sms", "voice", "push", "hooks"]
FaultKind = Literal["http_429", "http_500", "slow", "drop", "busy", "dead_token", "gone"]

APIS: Final[dict[str, tuple[str, ...]]] = {
    "wechat": ("jscode2session", "stable_token", "getuserphonenumber", "subscribe/send"),
    "alipay": ("alipay.system.oauth.token", "alipay.open.app.mini.templatemessage.send"),
    "sms": ("SendSms", "QuerySendDetails"),
    "voice": ("SingleCallByTts",),
    "push": ("send",),
    "hooks": ("deliver",),
}
KINDS: Final[tuple[str, ...]] = get_args(FaultKind)
_TOKENS: Final[dict[str, TokenKind]] = {
    **dict.fromkeys(APIS["wechat"], "wechat_access"),
    "alipay.system.oauth.token": "alipay_refresh",
}


@dataclass(slots=True)
class Fault:
    """`times` calls of one interface meet it.

    `seconds` is how long a slow one waits, and what Retry-After says with a 429.
    """

    platform: str
    api: str
    kind: str
    times: int = 1
    seconds: float = 0.0

    @property
    def possible(self) -> bool:
        """Whether there is such an interface, and such a fault on it."""
        if self.kind not in KINDS or self.api not in APIS.get(self.platform, ()):
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

    def add(self, fault: Fault) -> None:
        """Let the next `fault.times` calls meet it."""
        self._waiting.append(fault)

    def clear(self) -> None:
        """Forget them all."""
        self._waiting.clear()

    async def meet(
        self,
        platform: Platform,
        api: str,
        answer: Callable[[], Awaitable[Response]],
        busy: Callable[[], Response],
        drop_subscription: Callable[[], Awaitable[None]] | None = None,
    ) -> Response:
        """The answer, or what the fault makes of it.

        `drop` does the work and loses the answer: the caller cannot know which it was.
        `dead_token` revokes the platform's tokens before the call is looked at, `gone` drops the
        subscription it goes to.
        """
        fault = self._take(platform, api)
        if fault is None:
            return await answer()
        match fault.kind:
            case "http_429":
                return PlainTextResponse(
                    "Too Many Requests", 429, {"Retry-After": str(max(1, ceil(fault.seconds)))}
                )
            case "http_500":
                return PlainTextResponse("Internal Server Error", 500)
            case "busy":
                return busy()
            case "drop":
                await answer()
                return _Severed()
            case "slow":
                await asyncio.sleep(fault.seconds)
            case "dead_token":
                await self._books.transact(kill_tokens, _TOKENS[api])
            case "gone" if drop_subscription:
                await drop_subscription()
        return await answer()

    def _take(self, platform: str, api: str) -> Fault | None:
        for fault in self._waiting:
            if (fault.platform, fault.api) == (platform, api):
                fault.times -= 1
                if fault.times == 0:
                    self._waiting.remove(fault)
                return fault
        return None
