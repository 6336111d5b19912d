"""A connection lasts as long as its session: longer than its access token, and it does not prolong it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import cast

import pytest
from starlette.types import Receive, Send
from starlette.websockets import WebSocket

from api import edge
from domains.identity.models import Session as SessionRow
from domains.kernel import clock
from domains.kernel.clock import FixedClock
from domains.kernel.errors import Unauthenticated
from tests.factories import identity
from tests.factories.identity import places, staff

pytestmark = pytest.mark.usefixtures("instance")


def socket() -> WebSocket:
    scope = {"type": "websocket", "headers": [], "path": "/graphql", "client": ("127.0.0.1", 1)}
    return WebSocket(scope, cast("Receive", None), cast("Send", None))


async def opened(token: str) -> edge.Session:
    return await edge.session_for({"authorization": f"Bearer {token}"}, socket())


async def test_the_access_token_may_run_out_and_the_session_counts() -> None:
    token = await identity.token(await identity.resident())
    with clock.use(FixedClock(clock.now())) as now:
        session = await opened(token)
        now.advance(timedelta(minutes=20))
        with pytest.raises(Unauthenticated, match="TOKEN_EXPIRED"):
            await opened(token)
        assert (await session.context()).actor.kind == "resident"


async def test_a_connection_that_is_only_open_lets_the_session_idle_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(edge, "WATCH_S", 0.02)
    account = await staff(await places(), ["estate.read"])
    token = await identity.token(account)
    with clock.use(FixedClock(clock.now())) as now:
        session = await opened(token)
        stream = edge.session_ended(await session.context())
        both = asyncio.gather(session.ended(), stream)
        before = (await SessionRow.get(account_id=account)).last_seen_at
        now.advance(timedelta(minutes=4))
        await asyncio.sleep(0.2)
        assert not both.done()
        assert (await SessionRow.get(account_id=account)).last_seen_at == before
        now.advance(timedelta(hours=12))
        await asyncio.wait_for(both, 5)
        with pytest.raises(Unauthenticated, match="SESSION_ENDED"):
            await session.context()


async def test_nobody_is_watched_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "WATCH_S", 0.02)
    session = await edge.session_for({}, socket())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(session.ended(), 0.2)
