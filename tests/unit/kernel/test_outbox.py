"""The outbox: recorded with its cause, delivered once, in order, whatever fails beside it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import redis.asyncio as aioredis

from api import delivering
from api.instance import cache
from domains.estate.models import Company
from domains.kernel import database, outbox, waking
from domains.kernel.events import Event, Registry
from domains.kernel.outbox import Handler, Relay
from tests.factories.kernel import AlarmRaised, NotePosted, Seen, deliver_all, hurry, message

pytestmark = pytest.mark.usefixtures("instance")

REGISTRY = Registry([NotePosted, AlarmRaised])


@pytest.fixture(autouse=True)
async def nothing_left(instance: object) -> AsyncIterator[None]:
    """Every test begins with an empty outbox."""
    yield
    await database.execute("DELETE FROM outbox_message")
    await database.execute("DELETE FROM handled_event")


def relay(*handlers: Handler, urgent: bool = False, park_after: int = 3, lease_s: float = 30.0) -> Relay:
    by_kind = dict.fromkeys((NotePosted, AlarmRaised), handlers)
    return Relay(REGISTRY, by_kind, urgent=urgent, park_after=park_after, lease_s=lease_s, handler_limit_s=5)


async def post(note_id: str, place: int = 0) -> UUID:
    async with database.transaction():
        return await outbox.record(NotePosted(note_id, place))


async def alarm(note_id: str, place: int = 0) -> UUID:
    async with database.transaction():
        return await outbox.record(AlarmRaised(note_id, place), urgent=True)


async def states(note_id: str) -> list[str]:
    rows = await database.fetch(
        "SELECT state FROM outbox_message WHERE subject = $1 ORDER BY id", f"note_id:{note_id}"
    )
    return [row["state"] for row in rows]


async def test_an_event_is_recorded_with_its_cause_or_not_at_all() -> None:
    with pytest.raises(ValueError, match="stop"):
        async with database.transaction():
            await outbox.record(NotePosted("undone"))
            raise ValueError("stop")
    assert await states("undone") == []
    with pytest.raises(RuntimeError, match="in the transaction"):
        await outbox.record(NotePosted("outside"))
    async with database.transaction():
        event_id = await outbox.record(NotePosted("done", 7))
    row = await message(event_id)
    assert (row["event"], row["subject"], row["state"]) == ("NotePosted", "note_id:done", "pending")


async def test_order_of_ids_is_order_of_commits_for_each_subject() -> None:
    """Writers take a number under a row lock, which is the order of facts, and commit when they like."""
    company = await Company.create(name="0")

    async def write() -> None:
        async with database.transaction():
            await asyncio.sleep(random.random() / 100)
            current = await Company.select_for_update().get(pk=company.id)
            current.name = str(int(current.name) + 1)
            await current.save()
            await outbox.record(NotePosted("ordered", int(current.name)))
            await outbox.record(NotePosted(random.choice("abc")))
            await asyncio.sleep(random.random() / 100)

    await asyncio.gather(*(write() for _ in range(40)))
    rows = await database.fetch(
        "SELECT payload->>'place' AS place FROM outbox_message WHERE subject = 'note_id:ordered' ORDER BY id"
    )
    assert [int(row["place"]) for row in rows] == list(range(1, 41))
    await company.delete()


async def test_writers_of_the_same_subjects_in_any_order_do_not_lock_each_other_out() -> None:
    names = [f"subject-{number}" for number in range(6)]

    async def write() -> None:
        async with database.transaction():
            for name in random.sample(names, len(names)):
                await outbox.record(NotePosted(name))
                await asyncio.sleep(0)

    await asyncio.wait_for(asyncio.gather(*(write() for _ in range(40))), 10)
    assert await database.fetchval("SELECT count(*) FROM outbox_message") == 240


async def test_relays_beside_each_other_deliver_each_event_once_and_in_order() -> None:
    seen, others = Seen(), [f"n{number}" for number in range(12)]
    await asyncio.gather(*(post(name, -1) for name in others))
    for place in range(8):
        await asyncio.gather(*(post(name, place) for name in others))
    await asyncio.gather(*(deliver_all(relay(seen.note)) for _ in range(4)))
    assert len(seen.calls) == 12 * 9
    for name in others:
        assert seen.of(name) == list(range(-1, 8))
    assert (await outbox.backlog()).pending == 0


async def test_a_handler_that_fails_is_tried_again_later_and_its_writes_are_undone() -> None:
    seen = Seen()
    seen.failing.add(("late", 0))
    event_id = await post("late")
    before = datetime.now(UTC)
    assert await deliver_all(relay(seen.note)) == 1
    row = await message(event_id)
    assert (row["state"], row["attempts"], row["lease_id"] is not None) == ("pending", 1, True)
    assert row["available_at"] >= before + timedelta(seconds=0.9)
    assert row["error"].startswith("ValueError at ")
    assert "not now" not in row["error"]
    assert not await Company.exists(name=f"late#0#{event_id}")
    seen.failing.clear()
    assert await deliver_all(relay(seen.note)) == 0
    await hurry()
    assert await deliver_all(relay(seen.note)) == 1
    assert await Company.exists(name=f"late#0#{event_id}")
    assert (await message(event_id))["error"] is None


def test_the_time_between_attempts_doubles_up_to_five_minutes() -> None:
    assert [outbox.backoff_s(attempt) for attempt in (1, 2, 3, 8, 9, 10, 60)] == [1, 2, 4, 128, 256, 300, 300]


async def test_a_parked_message_blocks_its_own_subject_and_is_resumed_in_order() -> None:
    seen = Seen()
    seen.failing.add(("stuck", 1))
    for place in range(4):
        await post("stuck", place)
        await post("free", place)
    for _ in range(12):
        await deliver_all(relay(seen.note))
        await hurry()
    assert await states("stuck") == ["done", "parked", "pending", "pending"]
    assert await states("free") == ["done"] * 4
    assert seen.of("stuck") == [0, 1, 1, 1]
    (parked,) = await outbox.parked()
    assert (parked.subject, parked.event, parked.attempts) == ("note_id:stuck", "NotePosted", 3)

    seen.failing.clear()
    assert await outbox.retry(parked.id) is True
    assert await outbox.retry(parked.id) is False
    await deliver_all(relay(seen.note))
    assert seen.of("stuck") == [0, 1, 1, 1, 1, 2, 3]
    assert await states("stuck") == ["done"] * 4


async def test_all_that_is_parked_can_be_retried_together() -> None:
    seen = Seen()
    seen.failing |= {("p", 0), ("q", 0)}
    await post("p")
    await post("q")
    await deliver_all(relay(seen.note, park_after=1))
    assert len(await outbox.parked()) == 2
    assert len(await outbox.parked(1)) == 1
    seen.failing.clear()
    assert await outbox.retry_all() == 2
    assert await deliver_all(relay(seen.note)) == 2


async def test_of_two_handlers_the_one_that_succeeded_is_not_run_again() -> None:
    first, second = Seen(), Seen()
    second.failing.add(("two", 0))

    async def also(event: Event, event_id: UUID) -> None:
        await second.note(event, event_id)

    await post("two")
    await deliver_all(relay(first.note, also))
    second.failing.clear()
    await hurry()
    await deliver_all(relay(first.note, also))
    assert (first.of("two"), second.of("two")) == ([0], [0, 0])


async def test_two_handlers_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="one name"):
        relay(Seen().note, Seen().note)


async def test_what_is_urgent_overtakes_and_does_not_wait_for_what_is_parked() -> None:
    seen = Seen()
    seen.failing.add(("house", 0))
    await post("house", 0)
    await deliver_all(relay(seen.note, park_after=1))
    for number in range(30):
        await post(f"queue{number}")
    await alarm("house", 1)
    await alarm("house", 2)
    assert await deliver_all(relay(seen.note, urgent=True)) == 2
    assert seen.of("house") == [0, 1, 2]
    assert (await outbox.backlog()).pending == 30


async def test_what_follows_an_urgent_event_of_its_subject_waits_for_it() -> None:
    seen = Seen()
    await alarm("sos", 0)
    await post("sos", 1)
    assert await deliver_all(relay(seen.note)) == 0
    assert await deliver_all(relay(seen.note, urgent=True)) == 1
    assert await deliver_all(relay(seen.note)) == 1
    assert seen.of("sos") == [0, 1]


async def test_a_slow_handler_keeps_its_message_longer_than_a_lease() -> None:
    slow, other = Seen(pause_s=1.2), Seen()
    await post("slow")
    working = asyncio.create_task(relay(slow.note, lease_s=0.3).deliver())
    await asyncio.sleep(0.8)
    assert await relay(other.note, lease_s=0.3).deliver() == 0
    assert await working == 1
    assert (slow.of("slow"), other.calls) == ([0], [])
    assert await states("slow") == ["done"]


async def test_a_lease_nobody_renews_runs_out_and_the_next_relay_delivers() -> None:
    dead, alive = Seen(pause_s=30), Seen()
    event_id = await post("leased")
    working = asyncio.create_task(relay(dead.note, lease_s=0.4).deliver())
    await asyncio.sleep(0.2)
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working
    assert await relay(alive.note).deliver() == 0
    await asyncio.sleep(0.4)
    assert await relay(alive.note).deliver() == 1
    assert await Company.filter(name=f"leased#0#{event_id}").count() == 1


async def test_a_relay_that_lost_its_lease_settles_nothing() -> None:
    event_id = await post("lost")
    seen = Seen(pause_s=0.2)
    working = asyncio.create_task(relay(seen.note).deliver())
    await asyncio.sleep(0.1)
    await database.execute("UPDATE outbox_message SET lease_id = $1 WHERE event_id = $2", uuid4(), event_id)
    await working
    assert (await message(event_id))["state"] == "pending"


async def test_a_handler_beyond_its_limit_is_stopped_and_tried_again() -> None:
    endless = Seen(pause_s=60)
    event_id = await post("endless")
    one = relay(endless.note)
    one.handler_limit_s = 0.1
    assert await deliver_all(one) == 1
    row = await message(event_id)
    assert (row["state"], row["error"].split(" at ")[0]) == ("pending", "TimeoutError")
    assert not await Company.exists(name=f"endless#0#{event_id}")


async def test_a_name_nobody_knows_is_parked_in_the_end() -> None:
    async with database.transaction():
        event_id = await outbox.record(NotePosted("unknown"))
    await database.execute("UPDATE outbox_message SET event = 'NeverHeardOf' WHERE event_id = $1", event_id)
    for _ in range(6):
        await deliver_all(relay())
        await hurry()
    row = await message(event_id)
    assert (row["state"], row["attempts"]) == ("parked", 3)
    assert row["error"].startswith("KeyError at ")


async def test_an_event_that_kills_its_relay_every_time_is_parked_unhandled() -> None:
    seen, event_id = Seen(), await post("poison")
    await database.execute("UPDATE outbox_message SET attempts = 3 WHERE event_id = $1", event_id)
    await deliver_all(relay(seen.note))
    assert ((await message(event_id))["state"], seen.calls) == ("parked", [])


async def test_an_event_without_handlers_is_done() -> None:
    event_id = await post("nobody")
    assert await deliver_all(relay()) == 1
    assert (await message(event_id))["state"] == "done"


async def test_the_backlog_is_counted_in_one_statement() -> None:
    assert await outbox.backlog() == outbox.Backlog(0, 0, 0.0)
    seen = Seen()
    seen.failing.add(("b", 0))
    await post("b")
    await deliver_all(relay(seen.note, park_after=1))
    event_id = await post("c")
    await database.execute(
        "UPDATE outbox_message SET recorded_at = now() - interval '90 seconds' WHERE event_id = $1", event_id
    )
    async with database.counted() as statements:
        backlog = await outbox.backlog()
    assert statements.count == 1
    assert (backlog.pending, backlog.parked) == (1, 1)
    assert 90 <= backlog.oldest_s < 95


async def test_what_was_delivered_long_ago_is_forgotten_and_nothing_else() -> None:
    seen = Seen()
    old = [await post(f"old{number}") for number in range(7)]
    fresh = await post("fresh")
    await deliver_all(relay(seen.note))
    waiting = await post("waiting")
    await database.execute(
        "UPDATE outbox_message SET done_at = now() - interval '15 days' WHERE event_id = ANY($1)", old
    )
    assert await outbox.purge(datetime.now(UTC) - timedelta(days=14), batch=3) == 7
    left = [
        row["event_id"] for row in await database.fetch("SELECT event_id FROM outbox_message ORDER BY id")
    ]
    assert left == [fresh, waiting]
    assert [row["event_id"] for row in await database.fetch("SELECT event_id FROM handled_event")] == [fresh]


async def test_recording_many_events_costs_two_statements() -> None:
    async with database.counted() as statements, database.transaction():
        for number in range(50):
            await outbox.record(NotePosted(f"many{number}"))
    assert statements.count == 2


async def run_worker(stop: asyncio.Event, seen: Seen, poll_s: float) -> None:
    woken = asyncio.Event()
    one = relay(seen.note)
    one.poll_s = poll_s
    async with asyncio.TaskGroup() as group:
        group.create_task(one.run(stop, woken))
        group.create_task(delivering._listen({outbox.LANES[False]: woken}, stop))
        await stop.wait()
        woken.set()


async def until(condition: Seen, note_id: str, limit_s: float) -> float:
    began = asyncio.get_running_loop().time()
    while not condition.of(note_id) and asyncio.get_running_loop().time() < began + limit_s:
        await asyncio.sleep(0.01)
    return asyncio.get_running_loop().time() - began


async def test_a_commit_wakes_the_relay_and_without_the_cache_it_polls() -> None:
    seen, stop = Seen(), asyncio.Event()
    delivering.wake_others()
    working = asyncio.create_task(run_worker(stop, seen, poll_s=60))
    try:
        await asyncio.sleep(0.3)
        await post("woken")
        assert await until(seen, "woken", 5) < 2
    finally:
        stop.set()
        await working
        waking._wakers.clear()
    assert seen.of("woken") == [0]


async def test_with_the_cache_away_commits_are_not_held_up_and_relays_poll() -> None:
    seen, stop, there = Seen(), asyncio.Event(), cache()
    away = aioredis.Redis.from_url("redis://127.0.0.1:1/0")
    delivering.wake_others()
    cache.fill(away)
    try:
        working = asyncio.create_task(run_worker(stop, seen, poll_s=0.1))
        began = asyncio.get_running_loop().time()
        await post("polled")
        assert asyncio.get_running_loop().time() - began < 1
        assert await until(seen, "polled", 5) < 3
        assert not working.done()
        stop.set()
        await working
    finally:
        cache.fill(there)
        waking._wakers.clear()
        await away.aclose()
    assert seen.of("polled") == [0]
