"""The inbox: one's own, in one's language, page by page; read once, whoever races."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from domains.kernel import clock, database
from domains.kernel.actor import ANONYMOUS, Actor, Origin
from domains.kernel.errors import Forbidden, Invalid, NotFound, Unauthenticated
from notifications import inbox
from notifications.inbox import InboxFilter, Notification
from notifications.kinds import FieldType, Text
from tests.factories import notifications as made
from tests.factories.notifications import OTHER, PLAIN, told

pytestmark = pytest.mark.usefixtures("instance")

EVERYTHING = InboxFilter()


@pytest.fixture(autouse=True)
def kinds() -> None:
    made.use()


def somebody(language: str = "zh") -> Actor:
    return Actor("resident", uuid4(), uuid4(), origin=Origin(language=language))


async def page(
    actor: Actor, wanted: InboxFilter = EVERYTHING, after: Notification | None = None, limit: int = 100
) -> list[Notification]:
    place = (after.created_at, after.id) if after else None
    return await inbox.page(actor, wanted, after=place, limit=limit)


async def test_the_newest_first_page_by_page_without_a_gap_where_instants_are_equal() -> None:
    me = somebody()
    with clock.use(clock.FixedClock(datetime(2026, 11, 21, tzinfo=UTC))) as then:
        ids = [await told(me.id) for _ in range(4)]
        then.advance(timedelta(seconds=1))
        ids += [await told(me.id) for _ in range(3)]
    seen: list[Notification] = []
    while more := await page(me, after=seen[-1] if seen else None, limit=2):
        seen += more
    assert [each.id for each in seen] == sorted(ids, reverse=True)
    assert await inbox.total(me, EVERYTHING) == 7


async def test_words_are_of_the_readers_language_and_of_todays_template() -> None:
    me = somebody()
    await told(me.id, OTHER, subject=("House", me.id))
    (zh,) = await page(me)
    (en,) = await page(replace(me, origin=Origin(language="en")))
    assert (zh.label, zh.title, zh.body) == ("其他", "3-1-101 有新消息", "请查看 3-1-101")
    assert (en.label, en.title, en.body) == ("Other", "News of 3-1-101", "Look at 3-1-101")
    assert (zh.link, zh.subject_type, zh.subject_id) == ("/pages/house?number=3-1-101", "House", me.id)
    made.use([made.kind(OTHER.name, title=Text("改了", "Mended"))])
    assert (await page(me))[0].title == "改了"


async def test_what_another_program_told_still_shows() -> None:
    me = somebody()
    await told(me.id, OTHER, house="很快")
    made.use([])
    (unknown,) = await page(me)
    assert (unknown.kind, unknown.title, unknown.body) == (OTHER.name, "通知", "")
    fields = {"house": FieldType.INSTANT, "door": FieldType.TEXT}
    made.use([made.kind(OTHER.name, fields=fields, link="/door/{door}", title=Text("{house}{door}", ""))])
    (changed,) = await page(me)
    assert (changed.title, changed.link) == ("很快", "/door/")


async def test_filters_narrow_page_and_total_alike() -> None:
    me = somebody()
    for kind in (PLAIN, OTHER, PLAIN):
        await told(me.id, kind)
    first = (await page(me))[-1]
    await inbox.mark_read(me, ids=[first.id])
    for wanted, count in (
        (InboxFilter(unread_only=True), 2), (InboxFilter(kinds=(PLAIN.name,)), 2), (InboxFilter(kinds=()), 0),
        (InboxFilter(kinds=(PLAIN.name, PLAIN.name, OTHER.name)), 3), (InboxFilter(kinds=("no.such",)), 0),
        (InboxFilter(unread_only=True, kinds=(PLAIN.name,)), 1),
    ):  # fmt: skip
        rows = await page(me, wanted)
        assert len(rows) == await inbox.total(me, wanted) == count, wanted
        assert [each.id for each in rows] == sorted((each.id for each in rows), reverse=True)
    with pytest.raises(Invalid) as refused:
        await page(me, InboxFilter(kinds=tuple(map(str, range(21)))))
    assert refused.value.code == "TOO_MANY_KINDS"


async def test_of_kinds_the_next_page_goes_on_where_the_last_ended() -> None:
    me = somebody()
    ids = [await told(me.id, kind) for kind in (PLAIN, OTHER, OTHER, PLAIN, PLAIN)]
    await told(me.id, made.FIXED)
    wanted = InboxFilter(kinds=(OTHER.name, PLAIN.name))
    seen: list[Notification] = []
    while more := await page(me, wanted, seen[-1] if seen else None, limit=2):
        seen += more
    assert [each.id for each in seen] == sorted(ids, reverse=True)


async def test_nobody_sees_what_another_was_told() -> None:
    me, you = somebody(), somebody()
    id = await told(me.id)
    assert list(await inbox.by_id(me, [id, uuid4()])) == [id]
    for other in (you, ANONYMOUS, replace(me, confined=True)):
        assert await inbox.by_id(other, [id]) == {}
    assert await page(you) == []
    with pytest.raises(Unauthenticated):
        await page(ANONYMOUS)


async def test_the_unread_count_ends_at_a_thousand() -> None:
    me = somebody()
    await database.execute(
        """
WITH raised AS (
    INSERT INTO notice (id, kind, dedupe_key, urgency, data, subject_type, created_at, expires_at)
    SELECT gen_random_uuid(), 'test.plain', 'many' || n, 'normal', '{}', '', now(), now()
    FROM generate_series(1, 1005) AS n RETURNING id)
INSERT INTO notification (id, notice_id, account_id, kind, created_at)
SELECT gen_random_uuid(), id, $1, 'test.plain', now() FROM raised
""",
        me.id,
    )
    assert await inbox.unread_count(me) == 1000
    assert await inbox.total(me, EVERYTHING) == 1005
    newest = (await page(me, limit=1))[0]
    marked = await inbox.mark_read(me, through=newest.id)
    assert (marked.count, len(marked.notifications), marked.unread_count) == (1005, 100, 0)
    assert [each.id for each in marked.notifications] == [each.id for each in await page(me)]


async def test_a_page_costs_one_statement_however_long() -> None:
    me = somebody()
    for _ in range(12):
        await told(me.id)
    for limit in (1, 12):
        async with database.counted() as cost:
            await page(me, limit=limit)
            await inbox.unread_count(me)
        assert cost.count == 2


async def test_reading_is_told_once_and_counted_down() -> None:
    me = somebody()
    first, second, third = [await told(me.id) for _ in range(3)]
    marked = await inbox.mark_read(me, ids=[first, third, third])
    assert [each.id for each in marked.notifications] == [third, first]
    assert all(each.read_at for each in marked.notifications)
    assert (marked.count, marked.unread_count) == (2, 1)
    at = (await inbox.by_id(me, [first]))[first].read_at
    again = await inbox.mark_read(me, ids=[first])
    assert (again.count, again.notifications, again.unread_count) == (0, (), 1)
    assert (await inbox.by_id(me, [first]))[first].read_at == at
    assert await made.events(me.id, "inbox.read") == 1
    assert [each.id for each in await page(me, InboxFilter(unread_only=True))] == [second]


async def test_through_marks_what_is_not_newer() -> None:
    me = somebody()
    ids = [await told(me.id) for _ in range(4)]
    marked = await inbox.mark_read(me, through=ids[2])
    assert [each.id for each in marked.notifications] == [ids[2], ids[1], ids[0]]
    assert marked.unread_count == 1


async def test_what_is_another_persons_is_as_if_unknown() -> None:
    me, you = somebody(), somebody()
    mine, yours = await told(me.id), await told(you.id)
    before = await made.fingerprint()
    for ids in ([yours], [uuid4()], []):
        assert (await inbox.mark_read(me, ids=ids)).count == 0
    for through in (yours, uuid4()):
        with pytest.raises(NotFound) as refused:
            await inbox.mark_read(me, through=through)
        assert refused.value.code == "NOTIFICATION_NOT_FOUND"
    with pytest.raises(Invalid) as many:
        await inbox.mark_read(me, ids=[mine] * 101)
    assert many.value.code == "TOO_MANY_IDS"
    with pytest.raises(Unauthenticated):
        await inbox.mark_read(ANONYMOUS, ids=[mine])
    with pytest.raises(Forbidden):
        await inbox.mark_read(replace(me, kind="staff", confined=True), ids=[mine])
    assert await made.fingerprint() == before


async def test_who_marks_the_same_rows_at_once_marks_each_once() -> None:
    me = somebody()
    ids = [await told(me.id) for _ in range(20)]

    async def some(order: list[UUID]) -> int:
        return (await inbox.mark_read(me, ids=order)).count

    async def all_of_them() -> int:
        return (await inbox.mark_read(me, through=ids[-1])).count

    counts = await asyncio.gather(some(ids), some(ids[::-1]), all_of_them(), some(ids[5:]), all_of_them())
    assert sum(counts) == 20
    assert await inbox.unread_count(me) == 0
    assert await made.events(me.id, "inbox.read") == sum(count > 0 for count in counts)


async def test_what_arrives_meanwhile_stays_unread() -> None:
    me = somebody()
    last = [await told(me.id) for _ in range(5)][-1]
    results = await asyncio.gather(
        *(told(me.id) for _ in range(10)), *(inbox.mark_read(me, through=last) for _ in range(3))
    )
    fresh = set(results[:10])
    assert {each.id for each in await page(me, InboxFilter(unread_only=True))} == fresh
    assert await inbox.unread_count(me) == 10
