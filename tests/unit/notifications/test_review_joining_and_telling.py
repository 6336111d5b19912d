"""Who is told, joined and reads at once: nobody misses a notice, and nobody waits in a circle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, time, timedelta
from uuid import UUID, uuid4

import pytest

from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.ids import uuid7
from notifications import addresses, inbox
from notifications.kinds import Channel, Climb, Kind
from notifications.notifying import notify
from notifications.preferences import all_wishes, preferences
from tests.factories import notifications as made

pytestmark = pytest.mark.usefixtures("instance")

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)
CHATTY = made.kind("test.chatty", slots=(time(18),), channels=frozenset({Channel.SMS, Channel.WEB_PUSH}))


# What only the account has that nobody opens any more.
LOST = """
SELECT count(*) FROM notification n WHERE account_id = $1
    AND NOT EXISTS (SELECT FROM notification k WHERE k.account_id = $2 AND k.notice_id = n.notice_id)
"""


@pytest.fixture(autouse=True)
async def rows(instance: object) -> AsyncIterator[None]:
    made.use((*made.KINDS, CHATTY), {Channel.SMS: {CHATTY.name: "SMS_1"}})
    yield
    await database.execute("DELETE FROM delivery")
    for table in ("notification", "notice", "viewer_event", "recipient", "push_subscription", "contact"):
        await database.execute(f"DELETE FROM {table}")


async def tell(*accounts: UUID, kind: Kind = made.PLAIN, key: str | None = None) -> int:
    async with database.transaction():
        return await notify(accounts, kind, {"house": "1"}, dedupe_key=key or str(uuid4()), compound_id=None)


async def join(kept: UUID, closed: UUID) -> None:
    async with database.transaction():
        await addresses.join(kept, closed)


async def known() -> UUID:
    """An account that can be told things, by SMS as well."""
    account = uuid7()
    await addresses.know(account, "zh")
    await made.contact(account, Channel.SMS, "13900000001")
    return account


async def browser(account: UUID) -> None:
    id = uuid4()
    await database.execute(
        "INSERT INTO push_subscription VALUES ($1, $2, $3, $4, $5, $6, now())",
        id, account, uuid4(), b"e", id.bytes, b"k",
    )  # fmt: skip


async def in_inboxes(*accounts: UUID) -> list[int]:
    statement = "SELECT count(*) FROM notification WHERE account_id = $1"
    return [int(await database.fetchval(statement, each)) for each in accounts]


async def waiting(account: UUID) -> int:
    statement = "SELECT count(*) FROM delivery WHERE account_id = $1 AND state = 'pending'"
    return int(await database.fetchval(statement, account))


async def while_telling(
    account: UUID, then: Callable[[], Awaitable[None]], kind: Kind = made.PLAIN, key: str | None = None
) -> None:
    """Do something while a transaction that has told the account is open, and see both end."""
    began, go_on = asyncio.Event(), asyncio.Event()

    async def telling() -> None:
        async with database.transaction():
            await notify([account], kind, {"house": "1"}, dedupe_key=key or str(uuid4()), compound_id=None)
            began.set()
            await go_on.wait()

    async def meanwhile() -> None:
        await began.wait()
        doing = asyncio.ensure_future(then())
        await asyncio.sleep(0.2)
        go_on.set()
        await doing

    await asyncio.gather(telling(), meanwhile())


async def test_what_is_told_while_accounts_are_joined_is_in_no_inbox_that_nobody_opens() -> None:
    for _ in range(20):
        kept, closed = await known(), await known()
        told, _ = await asyncio.gather(tell(closed), join(kept, closed))
        assert await in_inboxes(closed, kept) == [0, told]


@pytest.mark.parametrize("is_older", [True, False])
async def test_a_notice_that_began_before_a_joining_comes_along(is_older: bool) -> None:
    kept, closed = sorted([await known(), await known()], reverse=is_older)
    await while_telling(closed, lambda: join(kept, closed))
    assert await in_inboxes(closed, kept) == [0, 1]


async def test_a_joining_outlives_that_the_kept_account_is_told_the_same() -> None:
    kept, closed = await known(), await known()
    await tell(closed, kind=CHATTY, key="same")
    await while_telling(kept, lambda: join(kept, closed), CHATTY, "same")
    assert (await in_inboxes(kept), await waiting(kept)) == ([1], 1)


async def test_a_joining_outlives_a_digest_that_begins_to_wait() -> None:
    kept, closed = await known(), await known()
    await tell(closed, kind=CHATTY)
    await while_telling(kept, lambda: join(kept, closed), CHATTY)
    assert (await in_inboxes(kept), await waiting(kept), await waiting(closed)) == ([2], 1, 0)


async def test_many_may_be_joined_while_all_of_them_are_told() -> None:
    people = [await known() for _ in range(12)]
    pairs = list(zip(people[::2], people[1::2], strict=True))
    await asyncio.gather(
        *(join(*pair) for pair in pairs), *(tell(*people[n:], kind=CHATTY) for n in range(8))
    )
    for kept, closed in pairs:
        assert await database.fetchval(LOST, closed, kept) == 0


async def test_reading_and_joining_lock_in_one_order() -> None:
    for _ in range(10):
        kept, closed = await known(), await known()
        for _ in range(40):
            await tell(closed)
        # The order of the rows in the table is not that of their ids.
        await database.execute(
            "UPDATE notification SET created_at = created_at WHERE account_id = $1 AND random() < 0.5", closed
        )
        found = await database.fetch("SELECT id FROM notification WHERE account_id = $1", closed)
        reader = Actor("resident", closed, uuid4())
        await asyncio.gather(inbox.mark_read(reader, ids=[row["id"] for row in found]), join(kept, closed))
        assert await in_inboxes(kept) == [40]


async def test_digests_of_the_same_people_are_touched_in_one_order() -> None:
    people = [await known() for _ in range(40)]
    for each in reversed(people):
        await browser(each)
        await browser(each)
    await tell(*people, kind=CHATTY)
    subsets = [people, people[:3], people[20:], people[::2]] * 6
    told = await asyncio.gather(*(tell(*each, kind=CHATTY) for each in subsets))
    assert told == [len(each) for each in subsets]
    assert [await waiting(each) for each in people] == [3] * len(people)


async def test_a_digest_is_worth_sending_as_long_as_the_last_of_it() -> None:
    me = await known()
    with clock.use(clock.FixedClock(NOON)) as now:
        await tell(me, kind=CHATTY)
        now.advance(timedelta(hours=1))
        await tell(me, kind=CHATTY)
    [row] = await database.fetch("SELECT created_at, expires_at FROM delivery WHERE account_id = $1", me)
    assert tuple(row.values()) == (NOON, NOON + timedelta(hours=1) + CHATTY.worth)


async def test_a_channel_that_only_a_newer_program_knows_hinders_nobody() -> None:
    me = await known()
    await database.execute(
        "INSERT INTO notification_preference VALUES ($1, $2, $3, 'later', true, now())",
        uuid4(),
        me,
        CHATTY.name,
    )
    assert await tell(me, kind=CHATTY) == 1
    assert [row.kind for row in (await preferences(Actor("resident", me, uuid4()))).kinds]
    assert await all_wishes(me) == {}
    await database.execute("DELETE FROM notification_preference")


def test_a_climb_that_would_never_come_is_a_mistake() -> None:
    hour = timedelta(hours=1)
    for climbs in (
        (Climb(hour, Channel.SMS),),
        (Climb(hour / 2, Channel.SMS), Climb(hour / 3, Channel.SMS)),
    ):
        with pytest.raises(ValueError, match="climb"):
            made.kind("test.climb", worth=hour, climbs=climbs, sms={"house": "{house}"})
