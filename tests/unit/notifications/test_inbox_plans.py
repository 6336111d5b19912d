"""A hundred thousand notices: a page reads itself, the badge what is unread, a kind its own rows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domains.kernel import clock, database
from notifications import inbox
from notifications.inbox import UNREAD_CAP
from tests.factories import crowds
from tests.unit.estate.test_plans import Plan, plan, read_rows, scans

pytestmark = pytest.mark.usefixtures("instance")

UNREAD, LIMIT = 300, 21
# Five accounts with twenty thousand notices each, of which one in a thousand is rare, and few are unread.
FILL = (
    """
INSERT INTO notice (id, kind, dedupe_key, urgency, data, subject_type, created_at, expires_at)
SELECT gen_random_uuid(), CASE WHEN n % 1000 = 0 THEN 'test.rare' WHEN n % 2 = 0 THEN 'test.even' ELSE 'test.odd' END,
    n::text, 'normal', '{}', '', now() - n * interval '1 minute', now()
FROM generate_series(1, 20000) AS n
""",
    """
INSERT INTO notification (id, notice_id, account_id, kind, created_at, read_at)
SELECT gen_random_uuid(), c.id, md5(a::text)::uuid, c.kind, c.created_at,
    CASE WHEN c.dedupe_key::int > 300 THEN c.created_at END
FROM generate_series(1, 5) AS a, notice c
""",
)


@pytest.fixture(scope="module")
async def me(instance: object, addresses: Any) -> UUID:  # Any: as the fixture gives it
    from tests.conftest import administer

    async with crowds.unchecked():
        for statement in FILL:
            await database.execute(statement)
    assert await database.fetchval("SELECT count(*) FROM notification") == 100_000
    await administer(addresses.owner_url, "VACUUM ANALYZE")
    account: UUID = await database.fetchval("SELECT account_id FROM notification LIMIT 1")
    return account


def reads(top: Plan, table: str = "notification") -> int:
    found = scans(top, table)
    assert found
    assert all(scan["Node Type"] != "Seq Scan" for scan in found)
    return sum(map(read_rows, found))


@pytest.fixture
async def deep(me: UUID) -> tuple[object, object]:
    row = await database.fetchrow(
        "SELECT created_at, id FROM notification WHERE account_id = $1 ORDER BY created_at OFFSET 9000", me
    )
    assert row is not None
    return row["created_at"], row["id"]


async def test_a_page_reads_its_own_rows(me: UUID, deep: tuple[object, object]) -> None:
    for place in ((None, None), deep):
        top = await plan(inbox.PAGE, me, *place, LIMIT)
        assert reads(top) <= LIMIT
        assert reads(top, "notice") <= LIMIT


async def test_a_page_of_what_is_unread_reads_no_more_than_that(me: UUID) -> None:
    last = await database.fetchval(
        "SELECT min(created_at) FROM notification WHERE account_id = $1 AND read_at IS NULL", me
    )
    for place in ((None, None), (last, UUID(int=0))):
        assert reads(await plan(inbox.UNREAD_PAGE, me, *place, LIMIT)) <= LIMIT


async def test_the_badge_reads_what_is_unread_at_most(me: UUID) -> None:
    assert reads(await plan(inbox.UNREAD, me, UNREAD_CAP)) == UNREAD


@pytest.mark.parametrize("kinds", [["test.rare"], ["test.rare", "test.odd"], ["test.none"]])
async def test_kinds_read_a_page_of_each(me: UUID, deep: tuple[object, object], kinds: list[str]) -> None:
    for place in ((None, None), deep):
        assert reads(await plan(inbox.PAGE_OF_KINDS, me, *place, LIMIT, kinds)) <= LIMIT * len(kinds)


async def test_unread_kinds_read_what_is_unread_or_of_the_kind(me: UUID) -> None:
    for kinds in (["test.rare"], ["test.odd", "test.even"]):
        top = await plan(inbox.UNREAD_PAGE_OF_KINDS, me, None, None, LIMIT, kinds)
        assert reads(top) <= UNREAD * len(kinds)


async def test_marking_reads_what_it_marks(me: UUID, deep: tuple[object, object]) -> None:
    now = clock.now()
    assert reads(await plan(inbox.PLACE, deep[1], me)) == 1
    async with database.transaction():
        top = await plan(inbox.MARK_SOME, me, now, [deep[1]])
        assert reads(top) <= 2
    top = await plan(inbox.MARK_THROUGH, me, now, *deep)
    assert reads(top) <= 2
