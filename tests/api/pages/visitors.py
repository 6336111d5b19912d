"""A browser without its pictures: keeps cookies, finds the form token, follows nothing by itself."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from html import unescape

import httpx
from starlette.types import ASGIApp

from tests.factories import identity

_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
_TEXT = re.compile(r"<script.*?</script>|<[^>]+>", re.DOTALL)
HTMX = {"hx-request": "true"}


class Visitor:
    """Somebody at a browser."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.token = ""

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Open a page; its form token is kept."""
        shown = await self.http.get(path, headers={"accept": "text/html", **headers})
        if found := _TOKEN.search(shown.text):
            self.token = found[1]
        return shown

    async def post(
        self, path: str, fields: Mapping[str, str], *, token: str | None = None, **headers: str
    ) -> httpx.Response:
        """Send a form as the page that was opened last would."""
        sent = {**fields, "form_token": self.token if token is None else token}
        return await self.http.post(path, data=sent, headers={"accept": "text/html", **headers})

    async def sign_in(self, login: str, password: str = identity.PASSWORD, **fields: str) -> httpx.Response:
        """Through the form."""
        await self.get("/staff/sign-in")
        done = await self.post("/staff/sign-in", {"login": login, "password": password, **fields})
        if done.status_code == 303:
            await self.get("/staff/password")
        return done

    def cookie(self, name: str) -> str | None:
        """The value of one of our cookies."""
        return self.http.cookies.get(f"linli-{name}")


@asynccontextmanager
async def visiting(app: ASGIApp, base_url: str = "http://linli.test") -> AsyncIterator[Visitor]:
    """A browser with an address of its own: what others take from the limits of an address is not taken here."""
    address = f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
    transport = httpx.ASGITransport(app, client=(address, 40000))
    async with httpx.AsyncClient(transport=transport, base_url=base_url) as http:
        yield Visitor(http)


def seen(response: httpx.Response) -> str:
    """What a person reads."""
    return " ".join(unescape(_TEXT.sub(" ", response.text)).split())
