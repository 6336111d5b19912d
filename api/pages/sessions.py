"""The session behind a page's cookies (页面会话): read anew for each request, renewed when its token ran out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from api import edge
from api.graphql.engine import Engine
from api.pages.asking import Data, Refusal, ask
from api.pages.cookies import Jar
from domains.kernel.actor import Actor, Origin
from domains.kernel.errors import Unauthenticated
from schema.context import Context, language_of

Pair = tuple[str, str]


class Ended(Unauthenticated):
    """The session that the cookies hold is over: idle, signed out elsewhere, or its account disabled."""

    def __init__(self) -> None:
        super().__init__("SESSION_ENDED", "登录已失效,请重新登录")


def stranger(origin: Origin) -> Context:
    """The surroundings of a caller who is nobody yet."""
    language = language_of(origin.language)
    return Context(Actor(origin=origin), origin.request_id, language, budget_key=origin.ip)


@dataclass(frozen=True, slots=True)
class Sessions:
    """Opens the session that a jar holds."""

    engine: Engine
    renewals: dict[str, asyncio.Task[Pair | None]] = field(default_factory=dict)

    async def open(self, jar: Jar, origin: Origin) -> Context:
        """The caller's surroundings. Raises Ended for a session that is over, which is forgotten."""
        access, refresh = jar.get("access"), jar.get("refresh")
        if access is None and refresh is None:
            return stranger(origin)
        try:
            return await edge.context_of(access or "", origin)
        except Unauthenticated:
            pair = await self._renewed(refresh, origin) if refresh else None
        if pair is None:
            jar.forget()
            raise Ended()
        jar.renew(*pair)
        return await edge.context_of(pair[0], origin)

    async def _renewed(self, refresh: str, origin: Origin) -> Pair | None:
        # A page that asks for several parts at once presents one token several times, which looks
        # like a token in two hands: the requests of this process share the first one's answer.
        task = self.renewals.get(refresh)
        if task is None:
            task = self.renewals[refresh] = asyncio.create_task(self._renew(refresh, origin))
            task.add_done_callback(lambda _: self.renewals.pop(refresh, None))
        return await asyncio.shield(task)

    async def _renew(self, refresh: str, origin: Origin) -> Pair | None:
        variables = {"input": {"refreshToken": refresh}}
        try:
            answer = await ask(self.engine, stranger(origin), "RefreshSession", variables)
        except Refusal:
            return None
        return pair_of(answer["refreshSession"])


def pair_of(payload: Data) -> Pair | None:
    """The tokens of a sign-in; None when it was refused."""
    held = payload["credentials"]
    return (held["accessToken"], held["refreshToken"]) if held else None
