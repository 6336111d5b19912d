"""A connection lasts as long as its session: longer than its access token, and it does not prolong it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import cast

import pytest
from starlette.types import Receive, Send
from starlette.websockets import WebSocket

from api import edge, watching
from domains.identity.models import Account
from domains.identity.models import Session as SessionRow
from domains.identity.queries import live_among
from domains.identity.tokens import Claims
from domains.kernel import clock, database
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
    monkeypatch.setattr(watching, "WATCH_S", 0.02)
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
    monkeypatch.setattr(watching, "WATCH_S", 0.02)
    session = await edge.session_for({}, socket())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(session.ended(), 0.2)


async def test_all_sessions_are_looked_after_by_one_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "WATCH_S", 0.02)
    monkeypatch.setattr(watching, "MOST_AT_ONCE", 5)
    accounts = [await identity.resident() for _ in range(8)]
    sessions = [await opened(await identity.token(each)) for each in accounts]
    async with database.counted() as statements:
        watch = watching.Watch()
        ends = [asyncio.create_task(watch.ended(each.claims)) for each in sessions for _ in range(3)]
        await asyncio.sleep(0.2)
    looks = [each for each in statements.texts if "session s" in each]
    assert 4 <= len(looks) <= 20
    assert not any(each.done() for each in ends)
    await SessionRow.filter(account_id=accounts[0]).update(ended_at=clock.now(), end_reason="signed_out")
    await Account.filter(id=accounts[1]).update(disabled_at=clock.now())
    await asyncio.wait_for(asyncio.gather(*ends[:6]), 5)
    await asyncio.sleep(0.1)
    assert not any(each.done() for each in ends[6:])
    for each in ends:
        each.cancel()


async def test_a_session_is_the_account_s_whose_it_is() -> None:
    mine = await opened(await identity.token(await identity.resident()))
    yours = await opened(await identity.token(await identity.resident()))
    assert mine.claims is not None
    assert yours.claims is not None
    mixed = Claims(yours.claims.account_id, mine.claims.session_id)
    assert await live_among([mine.claims, mixed]) == {mine.claims}


async def test_the_database_may_be_away_while_sessions_are_looked_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watching, "WATCH_S", 0.02)
    session = await opened(await identity.token(await identity.resident()))
    asked: list[object] = []

    async def away(sessions: object) -> set[Claims]:
        asked.append(sessions)
        raise OSError("away")

    monkeypatch.setattr(watching, "live_among", away)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(watching.Watch().ended(session.claims), 0.3)
    assert len(asked) > 1


async def test_an_actor_that_is_read_again_for_an_event_is_not_a_request() -> None:
    account = await staff(await places(), ["estate.read"])
    with clock.use(FixedClock(clock.now())) as now:
        context = await (await opened(await identity.token(account))).context()
        before = (await SessionRow.get(account_id=account)).last_seen_at
        now.advance(timedelta(minutes=4))
        await context.renew()
        assert (await SessionRow.get(account_id=account)).last_seen_at == before
        assert context.actor.account_id == account
