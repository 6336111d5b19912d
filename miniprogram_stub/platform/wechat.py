"""微信: sign-in, tokens, phone numbers and subscribe messages of the mini-program server API.

Refusals are HTTP 200 with `errcode` and `errmsg`, as in developers.weixin.qq.com.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from miniprogram_stub.platform.books import Books
from miniprogram_stub.platform.codes import CodeUnknownError, CodeUsedError, redeem_code, redeemed_within
from miniprogram_stub.platform.credentials import WeChatApp
from miniprogram_stub.platform.faults import Faults
from miniprogram_stub.platform.files import WatchedFile
from miniprogram_stub.platform.people import Person, person_called
from miniprogram_stub.platform.templates import MessageTemplate
from miniprogram_stub.platform.tokens import (
    Token,
    find_token,
    forced_within,
    issue_token,
    kill_tokens,
    newest_live_token,
)
from miniprogram_stub.platform.wechat_errors import RefusedError
from miniprogram_stub.platform.wechat_subscribe import send_subscribe_message

_LOGINS_PER_MINUTE: Final = 100
_TOKEN_SECONDS: Final = 7200
_RENEWAL_SECONDS: Final = 300  # a token this close to its end is replaced, and stays good until then
_FORCED_PER_DAY: Final = 20
_FORCED_GAP_SECONDS: Final = 30  # asking again sooner answers with the token there is

Answer = dict[str, object]


class WeChat:
    """One mini-program's server API."""

    def __init__(
        self, app: WeChatApp, templates: WatchedFile[dict[str, MessageTemplate]], books: Books, faults: Faults
    ) -> None:
        self._app = app
        self._templates = templates
        self._books = books
        self._faults = faults

    def routes(self) -> list[Route]:
        """The paths of api.weixin.qq.com."""
        return [
            self._route("GET", "/sns/jscode2session", self._session, "text/plain"),
            self._route("POST", "/cgi-bin/stable_token", self._stable_token),
            self._route("POST", "/wxa/business/getuserphonenumber", self._phone_number),
            self._route(
                "POST", "/cgi-bin/message/subscribe/send", self._subscribe_message, api="subscribe/send"
            ),
        ]

    def _route(
        self,
        method: str,
        path: str,
        command: Callable[[Request], Awaitable[Answer]],
        media_type: str = "application/json; encoding=utf-8",
        api: str = "",
    ) -> Route:
        async def endpoint(request: Request) -> Response:
            await request.body()  # before a fault makes it slow: its sender may be gone by then

            async def answer() -> Response:
                try:
                    return _wire(await command(request), media_type)
                except RefusedError as refusal:
                    return _wire(_error(refusal), media_type)

            def busy() -> Response:
                return _wire(_error(RefusedError(-1)), media_type)

            return await self._faults.meet("wechat", api or path.rpartition("/")[2], answer, busy)

        return Route(path, endpoint, methods=[method])

    async def _session(self, request: Request) -> Answer:
        query = request.query_params
        self._require_app(query)
        if query.get("grant_type") != "authorization_code":
            raise RefusedError(40002)
        person = await self._books.transact(_log_in, query.get("js_code", ""))
        return {
            "session_key": base64.b64encode(secrets.token_bytes(16)).decode(),
            "openid": person.wechat_openid,
            "unionid": person.wechat_unionid,
        }

    async def _stable_token(self, request: Request) -> Answer:
        fields = _json(await request.body())
        if fields.get("grant_type") != "client_credential":
            raise RefusedError(40002)
        self._require_app(fields)
        issue = _forced_token if fields.get("force_refresh") is True else _normal_token
        token = await self._books.transact(issue)
        return {"access_token": token.token, "expires_in": round(token.seconds_left)}

    async def _phone_number(self, request: Request) -> Answer:
        token = request.query_params.get("access_token", "")
        await self._books.transact(_require_token, token)
        code = _json(await request.body()).get("code")
        phone = await self._books.transact(_disclose_phone, code if isinstance(code, str) else "")
        return {
            "errcode": 0,
            "errmsg": "ok",
            "phone_info": {
                "phoneNumber": phone,
                "purePhoneNumber": phone,
                "countryCode": "86",
                "watermark": {"timestamp": int(time.time()), "appid": self._app.appid},
            },
        }

    async def _subscribe_message(self, request: Request) -> Answer:
        token, body = request.query_params.get("access_token", ""), await request.body()
        templates = self._templates.current() or {}
        msgid = await self._books.transact(_send, token, templates, body)
        return {"errcode": 0, "errmsg": "ok", "msgid": msgid}

    def _require_app(self, fields: Mapping[str, object]) -> None:
        for name, expected, missing, wrong in (
            ("appid", self._app.appid, 41002, 40013),
            ("secret", self._app.secret, 41004, 40125),
        ):
            given = fields.get(name)
            if not given:
                raise RefusedError(missing)
            if not hmac.compare_digest(str(given).encode("utf-8", "replace"), expected.encode()):
                raise RefusedError(wrong)


def _log_in(rows: sqlite3.Connection, code: str) -> Person:
    if not code:
        raise RefusedError(41008)
    try:
        login = redeem_code(rows, "wechat_login", code)
    except CodeUnknownError as error:
        raise RefusedError(40029) from error
    except CodeUsedError as error:
        raise RefusedError(40163) from error
    if redeemed_within(rows, "wechat_login", login.person, 60) > _LOGINS_PER_MINUTE:
        raise RefusedError(45011)
    return person_called(rows, login.person)


def _normal_token(rows: sqlite3.Connection) -> Token:
    token = newest_live_token(rows, "wechat_access")
    if token and token.seconds_left > _RENEWAL_SECONDS:
        return token
    return issue_token(rows, "wechat_access", _TOKEN_SECONDS)


def _forced_token(rows: sqlite3.Connection) -> Token:
    if forced_within(rows, "wechat_access", _FORCED_GAP_SECONDS):
        return _normal_token(rows)
    if forced_within(rows, "wechat_access", 86400) >= _FORCED_PER_DAY:
        raise RefusedError(45009)
    kill_tokens(rows, "wechat_access")
    return issue_token(rows, "wechat_access", _TOKEN_SECONDS, forced=True)


def _require_token(rows: sqlite3.Connection, text: str) -> None:
    if not text:
        raise RefusedError(41001)
    token = find_token(rows, "wechat_access", text)
    if token is None or token.dead_at is not None:
        raise RefusedError(40001)
    if token.seconds_left <= 0:
        raise RefusedError(42001)


def _disclose_phone(rows: sqlite3.Connection, code: str) -> str:
    try:
        return redeem_code(rows, "wechat_phone", code).phone
    except (CodeUnknownError, CodeUsedError, UnicodeEncodeError) as error:
        raise RefusedError(40029) from error


def _send(rows: sqlite3.Connection, token: str, templates: Mapping[str, MessageTemplate], body: bytes) -> int:
    _require_token(rows, token)
    return send_subscribe_message(rows, templates, _json(body))


def _json(body: bytes) -> Answer:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusedError(47001) from error
    if not isinstance(fields, dict):
        raise RefusedError(47001)
    return fields


def _error(refusal: RefusedError) -> Answer:
    rid = "-".join(secrets.token_hex(4) for _ in range(3))
    return {"errcode": refusal.errcode, "errmsg": f"{refusal.errmsg}, rid: {rid}"}


def _wire(answer: Answer, media_type: str) -> Response:
    return Response(json.dumps(answer, ensure_ascii=False), media_type=media_type)
