"""Places and pages of what changed: whatever commits when, each event comes once and none is missed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from domains.kernel import clock, database, live
from domains.kernel.errors import Invalid, Unavailable
from domains.kernel.live import Hub
from notifications import feeds as following
from notifications import viewer_events
from notifications.feeds import Feeds, feeds
from notifications.viewer_events import PAGE, Place, ViewerEvent, here, since, tell

pytestmark = pytest.mark.usefixtures("instance")


async def told(account: UUID, *names: str) -> None:
    async with database.transaction():
        for name in names:
            await tell([account], name)


async def all_since(account: UUID, place: Place) -> list[ViewerEvent]:
    """What a listener gets who comes back until there is nothing."""
    found: list[ViewerEvent] = []
    while True:
        events, place = await since(account, place)
        if not events and place.upto is None:
            return found
        found += events


def names(events: list[ViewerEvent]) -> list[str]:
    return [each.name for each in events]


async def test_from_the_place_of_each_event_the_rest_follows_and_nothing_else() -> None:
    me, start = uuid4(), await here()
    expected = [f"e{n:03}" for n in range(2 * PAGE + 30)]
    await told(me, *expected[:PAGE])
    await told(me, *expected[PAGE:])
    events = await all_since(me, start)
    assert names(events) == expected
    await told(me, "later")
    for index in (0, 1, PAGE - 1, PAGE, 2 * PAGE, len(events) - 2, len(events) - 1):
        assert names(await all_since(me, events[index].place)) == [*expected[index + 1 :], "later"]


async def test_resuming_between_transactions_that_finish_out_of_order() -> None:
    me, start = uuid4(), await here()
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with database.transaction():
            await tell([me], "slow")
            began.set()
            await go_on.wait()

    task = asyncio.create_task(slow())
    await began.wait()
    await told(me, "a", "b", "c")
    first, after_all = await since(me, start)
    assert names(first) == ["a", "b", "c"]
    go_on.set()
    await task
    await told(me, "d")
    # Whoever stopped after `a` has the rest of that page before what was finished later.
    assert names(await all_since(me, first[0].place)) == ["b", "c", "slow", "d"]
    assert names(await all_since(me, after_all)) == ["slow", "d"]


async def test_fifty_at_once_each_exactly_once_for_who_stops_anywhere() -> None:
    me, start = uuid4(), await here()

    async def tell_slowly(n: int) -> None:
        async with database.transaction():
            await tell([me], f"e{n}")
            await asyncio.sleep((n % 7) / 200)

    async def listen() -> list[str]:
        heard: list[str] = []
        place = start
        while len(heard) < 50:
            events, end = await since(me, place)
            # As a client that is cut after some of what it was sent.
            kept = events[: 1 + len(heard) % 3]
            heard += names(kept)
            place = kept[-1].place if kept else end
        return heard

    async with asyncio.timeout(20):
        telling = asyncio.gather(*(tell_slowly(n) for n in range(50)))
        heard = await listen()
        await telling
    assert sorted(heard) == sorted(f"e{n}" for n in range(50))
    assert await all_since(me, await here()) == []


async def test_many_listeners_read_in_one_statement_each_from_its_own_place() -> None:
    me, you, start = uuid4(), uuid4(), await here()
    await told(me, "mine")
    middle = await here()
    await told(you, "yours")
    old = replace(start, at=start.at - timedelta(days=4))
    async with database.counted() as statements:
        seen = await viewer_events.since_all(
            [(me, start), (me, middle), (you, middle), (you, old), (you, None)]
        )
    assert statements.count == 1
    assert [each and names(each.events) for each in seen] == [["mine"], [], ["yours"], None, []]


async def test_anothers_place_shows_one_nothing_of_theirs() -> None:
    me, you, start = uuid4(), uuid4(), await here()
    await told(me, "mine")
    [event], _ = await since(me, start)
    assert await all_since(you, start) == await all_since(you, event.place) == []


async def test_a_place_that_is_too_old_or_of_another_database_is_refused() -> None:
    place = await here()
    for other in (
        replace(place, cluster=place.cluster + 1),
        replace(place, at=place.at - viewer_events.KEPT - timedelta(seconds=1)),
    ):
        with pytest.raises(Invalid, match="CURSOR_EXPIRED"):
            await since(uuid4(), other)


async def test_what_nobody_can_ask_for_is_forgotten() -> None:
    me = uuid4()
    with clock.use(clock.FixedClock(clock.now() - viewer_events.KEPT - timedelta(hours=2))):
        start = await here()
        await told(me, "older")
        await told(me, "old")
    await told(me, "new")
    assert await viewer_events.purge(batch=1) >= 2
    assert names(await all_since(me, replace(start, at=clock.now()))) == ["new"]


@pytest.fixture
async def listening(instance: object) -> AsyncIterator[Feeds]:
    """Feeds over a hub that no wake-up reaches but its own turns."""
    hub = Hub(live.hub()._client)
    yield Feeds(hub)
    await hub.aclose()


async def test_a_feed_gives_what_was_missed_then_what_happens() -> None:
    me, start = uuid4(), await here()
    await told(me, "missed")
    async with aclosing(await feeds().follow(me, start)) as events:
        assert (await anext(events)).name == "missed"
        await told(me, "now")
        async with asyncio.timeout(5):
            assert (await anext(events)).name == "now"
    async with aclosing(await feeds().follow(me, None)) as events:
        await told(me, "from now on")
        async with asyncio.timeout(5):
            assert (await anext(events)).name == "from now on"


async def test_followers_read_together_and_leave_nothing_behind() -> None:
    accounts = [uuid4() for _ in range(40)]
    before = live.hub().listeners()
    async with database.counted() as statements:
        opened = await asyncio.gather(*(feeds().follow(each, None) for each in accounts))
    assert statements.count == 1
    waiting = [asyncio.ensure_future(anext(each)) for each in opened]
    await asyncio.sleep(0.3)
    async with database.transaction():
        await tell(accounts, "everybody")
    async with asyncio.timeout(5):
        assert {each.name for each in await asyncio.gather(*waiting)} == {"everybody"}
    for each in opened:
        await each.aclose()
    assert live.hub().listeners() == before


async def test_a_lost_wake_up_costs_time_and_no_event(
    monkeypatch: pytest.MonkeyPatch, listening: Feeds
) -> None:
    monkeypatch.setattr(live, "TURN_S", 0.02)
    me = uuid4()
    async with aclosing(await listening.follow(me, None)) as events:
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.2)
        with monkeypatch.context() as unheard:
            unheard.setattr(live, "CHANNEL", "test:nobody")
            await told(me, "quiet")
        async with asyncio.timeout(5):
            assert (await waiting).name == "quiet"


async def test_the_database_may_be_away_for_a_moment_and_not_for_long(
    monkeypatch: pytest.MonkeyPatch, listening: Feeds
) -> None:
    monkeypatch.setattr(following, "LOOK_AGAIN_S", 0.05)
    monkeypatch.setattr(live, "TURN_S", 0.02)
    me, failures = uuid4(), [OSError("away"), asyncpg.CannotConnectNowError("starting")]
    since_all = viewer_events.since_all

    async def sometimes(asked: list[viewer_events.Asked]) -> list[viewer_events.Seen | None]:
        if failures:
            raise failures.pop()
        return await since_all(asked)

    async with aclosing(await listening.follow(me, None)) as events:
        monkeypatch.setattr(viewer_events, "since_all", sometimes)
        await told(me, "after all")
        async with asyncio.timeout(5):
            assert (await anext(events)).name == "after all"
        assert failures == []
        failures += [OSError("away")] * 10_000
        monkeypatch.setattr(following, "PATIENCE_S", 0.3)
        with pytest.raises(Unavailable, match="LIVE_INTERRUPTED"):
            async with asyncio.timeout(5):
                await anext(events)
