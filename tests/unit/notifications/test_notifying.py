"""Telling people: the inbox with its cause and once, ways out planned as rows, listeners without a gap."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from uuid import UUID, uuid4

import pytest

from domains.kernel import clock, database
from domains.kernel.errors import Invalid
from notifications import viewer_events
from notifications.kinds import Channel, FieldType, Kind, Registry, Text, registry
from notifications.notifying import notify, templates
from notifications.viewer_events import Place, since

pytestmark = pytest.mark.usefixtures("instance")

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)
PLAIN = Kind(
    "test.plain", Text("测试", "Test"), {"house": FieldType.TEXT}, Text("{house} 有新消息", "News of {house}"),
    Text("请查看", "Please look"),
)  # fmt: skip
CHATTY = Kind(
    "test.chatty", Text("闲聊", "Chat"), {"house": FieldType.TEXT}, Text("{house}", "{house}"), Text("", ""),
    slots=(time(18),),
)  # fmt: skip


@pytest.fixture(autouse=True)
async def rows(instance: object) -> AsyncIterator[None]:
    registry.fill(Registry([PLAIN, CHATTY]))
    templates.fill({})
    yield
    await database.execute("DELETE FROM delivery")
    for table in ("notification", "notice", "viewer_event", "recipient", "push_subscription"):
        await database.execute(f"DELETE FROM {table}")


async def tell(*accounts: UUID, kind: Kind = PLAIN, key: str = "once") -> int:
    async with database.transaction():
        return await notify(accounts, kind, {"house": "3-1-101"}, dedupe_key=key, compound_id=None)


async def browser(account: UUID) -> UUID:
    id = uuid4()
    await database.execute(
        "INSERT INTO push_subscription VALUES ($1, $2, $3, $4, $5, $6, now())",
        id, account, uuid4(), b"e", id.bytes, b"k",
    )  # fmt: skip
    return id


async def test_it_stands_and_falls_with_its_cause() -> None:
    me = uuid4()
    with pytest.raises(RuntimeError, match="in the transaction"):
        await notify([me], PLAIN, {"house": "1"}, dedupe_key="a", compound_id=None)
    with pytest.raises(ZeroDivisionError):
        async with database.transaction():
            await notify([me], PLAIN, {"house": "1"}, dedupe_key="a", compound_id=None)
            raise ZeroDivisionError
    for table in ("notice", "notification", "viewer_event"):
        assert await database.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_the_same_key_is_the_same_notice_for_whoever_has_it() -> None:
    me, you = uuid4(), uuid4()
    told = await asyncio.gather(*(tell(me) for _ in range(8)))
    assert sorted(told) == [0] * 7 + [1]
    assert await tell(me, you) == 1
    assert await tell(me, key="twice") == 1
    assert await database.fetchval("SELECT count(*) FROM notice") == 2
    assert await database.fetchval("SELECT count(*) FROM notification") == 3


async def test_who_is_closed_is_told_nothing() -> None:
    me = uuid4()
    await database.execute(
        "INSERT INTO recipient (account_id, language, is_quiet_at_night, quiet_from, quiet_until, closed_at, updated_at) "
        "VALUES ($1, 'zh', true, 0, 0, now(), now())", me,
    )  # fmt: skip
    assert await tell(me) == 0


async def test_ways_out_are_rows_per_device_and_a_digest_is_one() -> None:
    me = uuid4()
    devices = {await browser(me), await browser(me)}
    with clock.use(clock.FixedClock(NOON)):
        await tell(me)
        for key in "abc":
            await tell(me, kind=CHATTY, key=key)
    rows = await database.fetch("SELECT * FROM delivery ORDER BY kind")
    chatty, plain = [[r for r in rows if r["kind"] == k.name] for k in (CHATTY, PLAIN)]
    assert {r["target_id"] for r in plain} == {r["target_id"] for r in chatty} == devices
    assert {r["due_at"] for r in plain} == {NOON}
    assert {r["due_at"] for r in chatty} == {NOON + timedelta(hours=6)}
    assert all(r["is_digest"] and r["channel"] == Channel.WEB_PUSH for r in chatty)


async def test_data_must_be_what_the_kind_declares() -> None:
    async with database.transaction():
        for wrong in ({}, {"house": 3}, {"house": "1", "flat": "2"}):
            with pytest.raises(ValueError, match=r"test\.plain"):
                await notify([uuid4()], PLAIN, wrong, dedupe_key="a", compound_id=None)


async def test_a_listener_misses_nothing_of_what_commits_out_of_order() -> None:
    me, place = uuid4(), await viewer_events.here()
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with database.transaction():
            await notify([me], PLAIN, {"house": "slow"}, dedupe_key="slow", compound_id=None)
            began.set()
            await go_on.wait()

    task = asyncio.create_task(slow())
    await began.wait()
    await tell(me, key="fast")
    first, place = await since(me, place)
    go_on.set()
    await task
    second, place = await since(me, place)
    third, _ = await since(me, place)
    assert [len(first), len(second), third] == [1, 1, []]
    assert first[0].subject_id != second[0].subject_id


async def test_a_place_that_is_too_old_or_of_another_database_is_refused() -> None:
    place = await viewer_events.here()
    for other in (
        Place(place.cluster + 1, place.snapshot, place.at),
        Place(place.cluster, place.snapshot, place.at - timedelta(days=4)),
    ):
        with pytest.raises(Invalid) as refused:
            await since(uuid4(), other)
        assert refused.value.code == "CURSOR_EXPIRED"
