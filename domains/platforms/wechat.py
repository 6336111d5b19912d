"""WeChat (微信小程序): one mini-program's server API, and its access token (接口调用凭据).

Refusals are answers: HTTP 200 with `errcode`. The token is getStableAccessToken's: asking for it normally
gives everybody the same one; `force_refresh` makes everybody's die, and is allowed 20 times a day.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from domains.kernel import sealing
from domains.kernel.crypto import DecryptionFailed
from domains.platforms.calling import NotSent, PlatformFailure, fields_of, no_answer, send

log = structlog.get_logger(__name__)

DEAD_TOKEN = frozenset({40001, 40014, 42001})
_PURPOSE = "wechat.access_token"
# A token this close to its end is not used: it could end on its way.
_MARGIN_S = 300
# Twenty a day, spread: a refusal that no new token cures must not use them up.
_BETWEEN_FORCED_S = 86_400 // 20
# Longer than two requests take, so that a renewal is never joined by a second one.
_LEASE_S, _TURN_S = 15, 5
_CACHE_PATIENCE_S = 0.5

Answer = dict[str, Any]  # Any: a platform's JSON


class WeChat:
    """One mini-program. Whatever is called raises NotSent or OutcomeUnknown; an errcode is returned."""

    def __init__(self, http: httpx.AsyncClient, cache: Redis, *, url: str, app_id: str, secret: str) -> None:
        self._http, self._cache = http, cache
        self._url, self.app_id, self._secret = url.rstrip("/"), app_id, secret

    async def call(self, path: str, body: dict[str, object]) -> Answer:
        """The answer to a call by access token. A token that died is renewed, and once more by force
        where the platform gives the dead one again: it did nothing then, so that no call is made twice."""
        token = await self._token()
        for _ in range(2):
            answer = await self._post(path, {"access_token": token}, body)
            if errcode_of(answer) not in DEAD_TOKEN:
                return answer
            token = await self._renewed(token)
        return await self._post(path, {"access_token": token}, body)

    async def get(self, path: str, query: dict[str, str]) -> Answer:
        """The answer to a call that the app's own secret proves, such as code2Session."""
        query = {"appid": self.app_id, "secret": self._secret, **query}
        return await self._answer(self._http.build_request("GET", self._url + path, params=query))

    async def _post(self, path: str, query: dict[str, str], body: dict[str, object]) -> Answer:
        content = orjson.dumps(body)
        return await self._answer(
            self._http.build_request("POST", self._url + path, params=query, content=content)
        )

    async def _answer(self, request: httpx.Request) -> Answer:
        response = await send(self._http, "wechat", request)
        if response.status_code != 200:
            raise no_answer("wechat", response)
        return fields_of("wechat", response)

    async def _token(self) -> str:
        try:
            async with asyncio.timeout(_CACHE_PATIENCE_S):
                kept = await self._kept()
        except (RedisError, OSError) as error:
            return await self._unshared(error)
        return kept or await self._renewed(None)

    async def _renewed(self, dead: str | None) -> str:
        """A token other than the dead one. Of all who find it dead at once, in any process, one asks the
        platform while the others wait for what it is given."""
        lock = self._cache.lock(f"{self._key}:renewal", _LEASE_S)
        try:
            async with asyncio.timeout(_TURN_S):
                while not await lock.acquire(blocking=False):
                    if kept := await self._kept(other_than=dead):
                        return kept
                    await asyncio.sleep(0.05)
            try:
                return await self._kept(other_than=dead) or await self._replaced(dead)
            finally:
                await lock.release()
        except (RedisError, OSError) as error:
            return await self._unshared(error)

    async def _unshared(self, error: Exception) -> str:
        """A token while Valkey is down, or whoever renews it is slow: the platform gives all the same one."""
        log.warning("wechat.token_not_shared", error=type(error).__name__)
        return (await self._issued(force=False))[0]

    async def _replaced(self, dead: str | None) -> str:
        token, lifetime_s = await self._issued(force=False)
        if token == dead and not await self._cache.exists(f"{self._key}:forced"):
            log.warning("wechat.token_forced")
            token, lifetime_s = await self._issued(force=True)
            await self._cache.set(f"{self._key}:forced", 1, ex=_BETWEEN_FORCED_S)
        if lifetime_s > _MARGIN_S:
            await self._cache.set(self._key, sealing.seal(token, _PURPOSE), ex=lifetime_s - _MARGIN_S)
        return token

    async def _issued(self, *, force: bool) -> tuple[str, int]:
        """A token and its lifetime in seconds. Without one the call it is for was not sent."""
        body = {
            "grant_type": "client_credential",
            "appid": self.app_id,
            "secret": self._secret,
            "force_refresh": force,
        }
        try:
            answer = await self._post("/cgi-bin/stable_token", {}, body)
        except PlatformFailure as failure:
            raise NotSent("wechat", f"token {failure.reason}") from None
        token, lifetime_s = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not isinstance(lifetime_s, int):
            raise NotSent("wechat", f"token errcode {errcode_of(answer)}")
        return token, lifetime_s

    async def _kept(self, other_than: str | None = None) -> str | None:
        sealed = await self._cache.get(self._key)
        try:
            token = sealing.unseal(sealed, _PURPOSE) if isinstance(sealed, bytes) else None
        except DecryptionFailed:  # by a key that this installation has no more
            return None
        return None if token == other_than else token

    @property
    def _key(self) -> str:
        return f"wechat:token:{self.app_id}"


def errcode_of(answer: Answer) -> int:
    """0 where there is none, -1 (the platform's own word for trouble) where it is no number."""
    errcode = answer.get("errcode", 0)
    return errcode if isinstance(errcode, int) else -1
