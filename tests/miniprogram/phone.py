"""A phone with the mini-program in its browser (手机): signed in or not, online, slow or without a network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from playwright.async_api import Browser, Locator, Page, Route

from tests.browser.driving import NARROW, Window, window
from tests.factories import identity

WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
NEVER_MS = 4_000_000_000_000
OFFLINE = "net::ERR_INTERNET_DISCONNECTED"
LARGEST = {"shade": "dark", "type": "largest", "contrast": True}


def session_of(account_id: UUID, token: str) -> dict[str, object]:
    """What a device keeps of a session that was begun with this access token, and is not renewed."""
    return {"accessToken": token, "refreshToken": "none", "owner": str(account_id), "until": NEVER_MS}


@dataclass
class Phone:
    """A window of a phone's size at the address of the mini-program."""

    window: Window
    url: str

    @property
    def page(self) -> Page:
        """What the window shows."""
        return self.window.page

    async def open(self, path: str = "home") -> None:
        """A page of the mini-program by its folder, with what follows it."""
        folder, _, query = path.partition("?")
        address = f"{self.url}/app/#/pages/{folder}/index"
        await self.page.goto(f"{address}?{query}" if query else address)

    async def sign_in(self, account_id: UUID) -> None:
        """As if the person had signed in here before."""
        await self._store("linli.session", session_of(account_id, await identity.token(account_id)))

    async def look(self, chosen: dict[str, object]) -> None:
        """As if the person had chosen so on this device."""
        await self._store("linli.look", chosen)

    async def _store(self, place: str, kept: dict[str, object]) -> None:
        value = json.dumps(json.dumps({"type": "object", "data": kept}))
        once = f"if (!sessionStorage.getItem('set {place}')) localStorage.setItem('{place}', {value});"
        await self.page.add_init_script(f"{once} sessionStorage.setItem('set {place}', '1')")

    def says(self, words: str) -> Locator:
        """These very words in sight: pages that lie behind this one keep theirs."""
        return self.page.get_by_text(words, exact=True).locator("visible=true")

    async def taps(self) -> None:
        """From now on taps are counted; call before the first page."""
        # What the program hands on of a tap is no tap of its own.
        counting = (
            "addEventListener('click', (e) => { window.taps = (window.taps ?? 0) + e.isTrusted }, true)"
        )
        await self.page.add_init_script(counting)

    async def tapped(self) -> int:
        """How many taps it took."""
        return int(await self.page.evaluate("window.taps ?? 0"))

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Until what is opened meanwhile hears of changes as they happen."""
        acknowledged = asyncio.Event()

        def look(frame: str | bytes) -> None:
            if "connection_ack" in str(frame):
                acknowledged.set()

        self.page.once("websocket", lambda socket: socket.on("framereceived", look))
        yield
        await asyncio.wait_for(acknowledged.wait(), 15)

    async def fail(self) -> None:
        """From now on the server has a fault."""
        (await self.delay(fails=True)).set()

    async def delay(self, *, fails: bool = False) -> asyncio.Event:
        """From now on answers wait until the event is set, and are a fault then if it `fails`."""
        go_on = asyncio.Event()
        if fails:
            self.window.provoked.append("503")

        async def late(route: Route) -> None:
            await go_on.wait()
            if fails:
                await route.fulfill(status=503, body="<html>", content_type="text/html")
            else:
                await route.continue_()

        await self.page.route("**/graphql", late)
        return go_on

    async def leave_network(self) -> None:
        """Into the lift."""
        self.window.provoked += [OFFLINE, "WebSocket connection"]
        await self.window.context.set_offline(True)


@asynccontextmanager
async def phone(
    started: Browser, url: str, account_id: UUID | None = None, look: dict[str, object] | None = None
) -> AsyncIterator[Phone]:
    """A phone that complains of nothing but what the test provokes."""
    async with window(started, NARROW) as opened:
        held = Phone(opened, url)
        # Who leaves at once takes a socket along that is still being opened.
        opened.provoked.append("WebSocket is closed before the connection is established")
        if account_id is not None:
            await held.sign_in(account_id)
        if look is not None:
            await held.look(look)
        yield held
