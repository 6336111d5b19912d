"""Signing in to another site with the platform's account, in a browser (网页授权登录).

The site leads the browser here with `app_id`, `return_to` and `state`. Who agrees goes back with a code that is good
once; who does not with `error=access_denied`. Both go to the end of `return_to`, behind a `#` where it has one, and
so a code is told to no server but the one that redeems it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from miniprogram_stub.platform.alipay_signing import sealed_phone
from miniprogram_stub.platform.books import Books
from miniprogram_stub.platform.codes import issue_code
from miniprogram_stub.platform.credentials import AlipayKeys, Credentials
from miniprogram_stub.platform.door_fields import UnusableError, given_phone, given_text
from miniprogram_stub.platform.files import WatchedFile
from miniprogram_stub.platform.people import link_phone
from miniprogram_stub.platform.sign_in_page import (
    Given,
    Platform,
    Somebody,
    refusal_page,
    sign_in_page,
)

CODE_SECONDS: Final = 300
_STATE: Final = re.compile(r"[\w-]{16,128}", re.ASCII)
_ADDRESS: Final = re.compile(r"[!-~]{1,512}")


class _RefusedError(Exception):
    """The browser was led here wrongly; the text says how."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """Where the browser comes from and goes back to."""

    platform: Platform
    return_to: str
    state: str

    def back(self, **answer: str) -> RedirectResponse:
        """Back to where it came from, with an answer."""
        query = urlencode({**answer, "state": self.state})
        return RedirectResponse(f"{self.return_to}{'&' if '?' in self.return_to else '?'}{query}", 303)


class SignInDoor:
    """Both platforms' pages. The site's addresses (授权回调地址) and the people to choose from are files of the home."""

    def __init__(self, home: Path, credentials: Credentials, keys: AlipayKeys, books: Books) -> None:
        self._addresses = WatchedFile(home / "return_addresses.json", _texts)
        self._people = WatchedFile(home / "people.json", _somebodies)
        self._app_ids = {"wechat": credentials.wechat.appid, "alipay": credentials.alipay.app_id}
        self._aes_key = credentials.alipay.aes_key
        self._keys = keys
        self._books = books

    def routes(self) -> list[Route]:
        """A page for each platform."""
        return [
            Route("/sign-in/{platform}", self._page, methods=["GET"]),
            Route("/sign-in/{platform}", self._submit, methods=["POST"]),
        ]

    async def _page(self, request: Request) -> Response:
        platform = _platform(request)
        try:
            asked = self._asked(platform, request.query_params)
        except _RefusedError as refusal:
            return HTMLResponse(refusal_page(platform, str(refusal)), 400)
        return HTMLResponse(sign_in_page(platform, _site(asked), self._choices()))

    async def _submit(self, request: Request) -> Response:
        platform = _platform(request)
        # Of the body alone: what led here must not answer for the person.
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        try:
            asked = self._asked(platform, request.query_params)
        except _RefusedError as refusal:
            return HTMLResponse(refusal_page(platform, str(refusal)), 400)
        if form.get("answer") != "allow":
            return asked.back(error="access_denied")
        person, name, phone = (form.get(field, "").strip() for field in ("person", "name", "phone"))
        given = Given(person, name, phone, "with_phone" in form)
        try:
            who = self._chosen(given)
        except UnusableError as unusable:
            page = sign_in_page(platform, _site(asked), self._choices(), given, str(unusable))
            return HTMLResponse(page, 400)
        return asked.back(**await self._codes(platform, who, given.with_phone))

    def _asked(self, platform: Platform, query: Mapping[str, str]) -> _Asked:
        return_to, state = query.get("return_to", ""), query.get("state", "")
        if query.get("app_id") != self._app_ids[platform]:
            raise _RefusedError("app_id 不正确。请从应用的登录页面重新进入。")
        # To the letter: what merely looks like a registered address may be read by a browser as another one.
        site = return_to.partition("#")[0]
        if not _ADDRESS.fullmatch(return_to) or site not in (self._addresses.current() or ()):
            raise _RefusedError("登录后要返回的地址没有登记，不会带您过去。请从应用的登录页面重新进入。")
        if not _STATE.fullmatch(state):
            raise _RefusedError("缺少 state 参数。请从应用的登录页面重新进入。")
        return _Asked(platform, return_to, state)

    def _choices(self) -> tuple[Somebody, ...]:
        return self._people.current() or ()

    def _chosen(self, given: Given) -> Somebody:
        known = {each.name: each for each in self._choices()}
        if given.person:
            if given.person not in known:
                raise UnusableError("请重新选择您是谁")
            return known[given.person]
        if not given.name:
            raise UnusableError("请选择您是谁，或填写另一个人的姓名")
        name = given_text({"姓名": given.name}, "姓名")
        return Somebody(name, given_phone({"phone": given.phone}) if given.with_phone else "")

    async def _codes(self, platform: Platform, who: Somebody, with_phone: bool) -> dict[str, str]:
        """What the site redeems: as in the mini-program, the number is a code at WeChat and sealed at Alipay."""
        if platform == "wechat":
            code = await self._books.transact(issue_code, "wechat_login", who.name, CODE_SECONDS)
            if not with_phone:
                return {"code": code}
            phone = await self._books.transact(issue_code, "wechat_phone", who.name, CODE_SECONDS, who.phone)
            return {"code": code, "phone_code": phone}
        code = await self._books.transact(issue_code, "alipay_login", who.name, CODE_SECONDS)
        if not with_phone:
            return {"code": code}
        await self._books.transact(link_phone, who.name, who.phone)
        sealed = sealed_phone(self._aes_key, self._keys.private, who.phone)
        return {"code": code, "phone_response": str(sealed["response"]), "phone_sign": str(sealed["sign"])}


def _platform(request: Request) -> Platform:
    for each in get_args(Platform):
        if request.path_params["platform"] == each:
            found: Platform = each
            return found
    raise UnusableError(f"没有这个平台，只有 {'、'.join(get_args(Platform))}")


def _site(asked: _Asked) -> str:
    return urlsplit(asked.return_to).netloc


def _texts(text: str) -> tuple[str, ...]:
    """An unreadable file registers nothing."""
    try:
        found = json.loads(text)
    except ValueError:
        return ()
    return tuple(filter(lambda each: isinstance(each, str), found)) if isinstance(found, list) else ()


def _somebodies(text: str) -> tuple[Somebody, ...]:
    """`[{"name": …, "phone": …}]`; an unreadable file names nobody."""
    try:
        return tuple(Somebody(str(each["name"]), str(each["phone"])) for each in json.loads(text))
    except (ValueError, KeyError, TypeError):
        return ()
