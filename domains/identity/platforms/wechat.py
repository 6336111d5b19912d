"""WeChat (微信小程序): code2Session, getStableAccessToken, getPhoneNumber of developers.weixin.qq.com."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from domains.identity.platforms.calling import PlatformPerson, fields_of, send, unavailable
from domains.kernel import phones, sealing
from domains.kernel.crypto import DecryptionFailed
from domains.kernel.errors import DomainError, Invalid, Throttled

log = structlog.get_logger(__name__)

_BAD_CODE = frozenset({40029, 40163, 41008})
_DEAD_TOKEN = frozenset({40001, 40014, 42001})
_TOO_OFTEN = 45011
_PURPOSE = "wechat.access_token"
# A token this close to its end is not used: it could end on its way.
_MARGIN_S = 300


class WeChat:
    """One mini-program's server API."""

    def __init__(self, http: httpx.AsyncClient, cache: Redis, *, url: str, app_id: str, secret: str) -> None:
        self._http, self._cache = http, cache
        self._url, self._app_id, self._secret = url.rstrip("/"), app_id, secret

    async def person(self, js_code: str) -> PlatformPerson:
        """Who `wx.login` stands for. Invalid SIGN_IN_CODE_INVALID for an unknown, old or spent code."""
        query = {
            "appid": self._app_id,
            "secret": self._secret,
            "js_code": js_code,
            "grant_type": "authorization_code",
        }
        answer = await self._call("GET", "/sns/jscode2session", query)
        if errcode := _errcode(answer):
            raise _refusal(
                errcode, Invalid("SIGN_IN_CODE_INVALID", "微信登录已失效,请重新点击登录", "js_code")
            )
        if not isinstance(answer.get("openid"), str):
            raise unavailable("wechat", "no openid")
        return PlatformPerson("wechat", self._app_id, answer["openid"], answer.get("unionid"))

    async def phone(self, code: str) -> str:
        """The number the person agreed to give (获取手机号). Invalid PHONE_CODE_INVALID for a bad code."""
        answer = await self._disclosed(code, await self._token())
        if _errcode(answer) in _DEAD_TOKEN:
            answer = await self._disclosed(code, await self._fresh_token())
        if _errcode(answer) in _DEAD_TOKEN:
            answer = await self._disclosed(code, await self._fresh_token(force=True))
        if errcode := _errcode(answer):
            refusal = Invalid("PHONE_CODE_INVALID", "手机号授权已失效,请重新授权", "phone_code")
            raise _refusal(errcode, refusal)
        try:
            number = str(answer["phone_info"]["purePhoneNumber"])
        except (KeyError, TypeError):
            raise unavailable("wechat", "no phone number") from None
        return phones.normalise(number, field="phone_code")

    async def _disclosed(self, code: str, token: str) -> dict[str, Any]:
        path = "/wxa/business/getuserphonenumber"
        return await self._call("POST", path, {"access_token": token}, {"code": code})

    async def _token(self) -> str:
        try:
            if isinstance(sealed := await self._cache.get(self._key), bytes):
                return sealing.unseal(sealed, _PURPOSE)
        except (RedisError, OSError, DecryptionFailed) as error:
            log.warning("wechat.token_not_cached", error=type(error).__name__)
        return await self._fresh_token()

    async def _fresh_token(self, *, force: bool = False) -> str:
        """Processes that ask at once are given the same token; only `force` makes the others' one die."""
        body = {
            "grant_type": "client_credential",
            "appid": self._app_id,
            "secret": self._secret,
            "force_refresh": force,
        }
        answer = await self._call("POST", "/cgi-bin/stable_token", {}, body)
        token, lifetime = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not isinstance(lifetime, int):
            raise unavailable("wechat", f"token errcode {_errcode(answer)}")
        await self._keep(token, lifetime - _MARGIN_S)
        return token

    async def _keep(self, token: str, lifetime_s: int) -> None:
        if lifetime_s <= 0:
            return
        try:
            await self._cache.set(self._key, sealing.seal(token, _PURPOSE), ex=lifetime_s)
        except (RedisError, OSError) as error:
            log.warning("wechat.token_not_cached", error=type(error).__name__)

    @property
    def _key(self) -> str:
        return f"wechat:token:{self._app_id}"

    async def _call(
        self, method: str, path: str, query: dict[str, str], body: dict[str, object] | None = None
    ) -> dict[str, Any]:
        content = None if body is None else orjson.dumps(body)
        request = self._http.build_request(method, self._url + path, params=query, content=content)
        response = await send(self._http, "wechat", request)
        if response.status_code != 200:
            raise unavailable("wechat", f"http {response.status_code}")
        return fields_of("wechat", response)


def _errcode(answer: dict[str, Any]) -> int:
    errcode = answer.get("errcode", 0)
    return errcode if isinstance(errcode, int) else -1


def _refusal(errcode: int, bad_code: Invalid) -> DomainError:
    if errcode in _BAD_CODE:
        return bad_code
    if errcode == _TOO_OFTEN:
        return Throttled("THROTTLED", "登录太频繁,请一分钟后再试", 60.0)
    return unavailable("wechat", f"errcode {errcode}")
