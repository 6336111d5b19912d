"""The visitor's page (访客页): for whoever has the link, without signing in."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime
from functools import lru_cache

import orjson
from starlette.responses import Response

from api.pages.asking import Data, Refusal
from api.pages.landing import drawing
from api.pages.page import Page
from api.pages.rendering import CHINA
from api.pages.visiting.window import Window, clock
from domains.kernel import clock as clocks

PRIVATE = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow, noarchive"}
"""The address alone opens the gate: it goes to nobody else, and no search engine keeps it."""
KEPT_DRAWINGS = 128
_drawn = lru_cache(KEPT_DRAWINGS)(drawing)


async def show(page: Page) -> Response:
    """The pass as it is now."""
    try:
        found = (await page.ask("VisitorPage", secret=page.request.path_params["secret"]))["visitorPage"]
    except Refusal as refusal:
        # What is too long or no text at all is a link that nobody was given, too.
        status = 404 if refusal.status == 400 else refusal.status
        return private(page.show("visitor/refused.html", status, is_unknown=status == 404, refusal=refusal))
    now = clocks.now()
    window = Window.of(found["startsAt"], found["endsAt"], page.texts)
    return private(page.show(
        "visitor/pass.html", shown=found, screen=screen_of(found, window, now), window=window, now=now,
        clock=clock, entered=_entered(found, window), version=version_of(found),
        phase="before" if now < window.starts_at else "now",
        code=await _code(found),
    ))  # fmt: skip


async def listen(page: Page) -> Response:
    """The version of the page whenever it changes, as server-sent events; what it says is read anew."""
    try:
        return await page.follow("VisitorPassChanged", _version, secret=page.request.path_params["secret"])
    except Refusal:
        # No content: a browser does not ask again, and the page looks by turns.
        return Response(status_code=204)


def private(response: Response) -> Response:
    """What only whoever has the address may know of."""
    response.headers.update(PRIVATE)
    return response


def screen_of(shown: Data, window: Window, now: datetime) -> str:
    """Which of its screens the page shows: a state of the pass, or `unmade` for one without a code."""
    state = str(shown["state"]).lower()
    if state == "active" and window.ends_at <= now:
        return "expired"
    return "unmade" if state == "active" and shown["text"] is None else state


def version_of(shown: Data) -> str:
    """Equal for pages that say the same."""
    return hashlib.sha256(orjson.dumps(shown, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


async def _code(shown: Data) -> tuple[int, str]:
    """The drawing of the still code; an empty one where the phone draws a moving one, or there is none."""
    if shown["screenKey"] or not shown["text"]:
        return 1, ""
    return await asyncio.to_thread(_drawn, shown["text"])


def _version(answer: Data) -> bytes:
    # With our clock, for a phone whose own is wrong: moving codes are made by it.
    at = int(clocks.now().timestamp() * 1000)
    return f"event: page\ndata: {version_of(answer['visitorPassChanged'])} {at}\n\n".encode()


def _entered(shown: Data, window: Window) -> str:
    """When and where the visitor last came in: 14:03 南门."""
    entry = shown["lastEntry"]
    if entry is None:
        return ""
    at = datetime.fromisoformat(entry["at"]).astimezone(CHINA)
    is_today = at.date() == clocks.today()
    return " ".join(("" if is_today else window.day(at.date()), clock(at), entry["door"])).strip()
