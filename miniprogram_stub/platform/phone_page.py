"""The phones as people see them (手机上的消息): one page, one list, and the switch of each line."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from html import escape
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from miniprogram_stub.platform.books import Books
from miniprogram_stub.platform.clock import beijing_time
from miniprogram_stub.platform.door_fields import UnusableError, given_choice, given_fields, given_phone
from miniprogram_stub.platform.inbox import CHANNELS, shown
from miniprogram_stub.platform.phone_lines import STATES, set_line_state
from miniprogram_stub.platform.sms import deliver_waiting

_CHANNEL_NAMES: Final = {
    "wechat": "微信服务通知",
    "alipay": "支付宝消息",
    "push": "浏览器通知",
    "sms": "短信",
    "voice": "语音电话",
}
_ON_PAGE: Final = 100
_PAGE: Final = """<!doctype html><html lang="zh-CN">
<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="refresh" content="3"><title>手机消息</title>
<style>
body{{font:16px/1.6 sans-serif;margin:0 auto;padding:1rem;max-width:40rem;background:#f2f3f5;color:#1f2329}}
h1{{font-size:1.25rem;margin:0}} header{{display:flex;justify-content:space-between;align-items:baseline}}
article{{background:#fff;border-radius:.75rem;padding:.75rem 1rem;margin:.75rem 0;overflow-wrap:anywhere}}
article p{{margin:.25rem 0 0;white-space:pre-line}} strong{{display:block}}
small{{color:#4e5969}}
</style>
<header><h1>手机消息</h1><a href="/sms">只看短信</a></header>
<main>{messages}</main></html>"""


class PhonePage:
    """What everybody's phone shows."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def routes(self) -> list[Route]:
        """For programs, for people, and the lines."""
        return [
            Route("/open/messages", self._list),
            Route("/open/phones", self._switch, methods=["POST"]),
            Route("/phone", self._page),
        ]

    async def _list(self, request: Request) -> Response:
        query = request.query_params
        channel, after = query.get("channel", ""), query.get("after")
        if channel and channel not in CHANNELS:
            raise UnusableError(f"channel 须为 {'、'.join(CHANNELS)} 之一")
        if after is not None and not (after.isascii() and after.isdigit() and len(after) <= 18):
            raise UnusableError("after 须为上一条消息的 id")
        last = int(after) if after is not None else None
        messages = await self._books.transact(shown, query.get("person", ""), channel, last)
        return JSONResponse({"messages": messages})

    async def _page(self, request: Request) -> Response:
        messages = await self._books.transact(shown, request.query_params.get("person", ""))
        cards = [_card(message) for message in reversed(messages[-_ON_PAGE:])]
        return HTMLResponse(_PAGE.format(messages="".join(cards) or "<p>还没有消息。</p>"))

    async def _switch(self, request: Request) -> Response:
        fields = await given_fields(request)
        await self._books.transact(_switch, given_phone(fields), given_choice(fields, "state", STATES))
        return Response(status_code=204)


def _switch(rows: sqlite3.Connection, phone: str, state: str) -> None:
    set_line_state(rows, phone, state)
    if state == "on":
        deliver_waiting(rows, phone)


def _card(message: Mapping[str, object]) -> str:
    whose = " ".join(str(message[name]) for name in ("person", "phone") if message[name])
    channel, at = _CHANNEL_NAMES[str(message["channel"])], beijing_time(float(str(message["sent_at"])))
    title = f"<strong>{escape(str(message['title']))}</strong>" if message["title"] else ""
    return (
        f"<article><small>{channel} · {escape(whose)} · {at[5:]}</small>"
        f"{title}<p>{escape(str(message['text']))}</p></article>"
    )
