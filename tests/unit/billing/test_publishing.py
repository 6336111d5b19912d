"""Accounts that are published: frozen, published anew when something changed, read by whoever lives there."""

from __future__ import annotations

import asyncio
from datetime import date
from uuid import UUID

import asyncpg
import pytest

from domains.billing import permissions
from domains.billing.book_handlers import tell_of_accounts
from domains.billing.events import AccountsPublished
from domains.billing.queries import books as queries
from domains.billing.service.publishing import publish_accounts
from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from domains.kernel.ids import uuid7
from tests.factories import bills, books, residents
from tests.factories.books import on
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
JANUARY = date(2026, 1, 1)


@pytest.fixture
async def scene() -> Scene:
    made = await residents.scene()
    with on(JANUARY):
        bill = await bills.bill(made.house_id, 30_000, month=JANUARY)
        await bills.pay(bill, 10_000, JANUARY)
    await books.expense(made.compound_id, 4_000, JANUARY, voucher_key="vouchers/2026/01/" + "a" * 32 + ".pdf")
    return made


@pytest.fixture
def publisher(scene: Scene) -> Actor:
    return scene.staff(permissions.BOOKS_PUBLISH)


async def test_what_is_published_stays_and_is_published_anew(scene: Scene, publisher: Actor) -> None:
    id = await publish_accounts(
        publisher, compound_id=scene.compound_id, month=date(2026, 1, 17), note="请各位业主监督"
    )
    shown = await queries.open_books(publisher, scene.compound_id, None)
    assert (shown.id, shown.month, shown.revision, shown.note) == (id, JANUARY, 1, "请各位业主监督")
    assert (shown.books.income_fen, shown.books.spent_fen, shown.books.balance_after_fen) == (
        10_000,
        4_000,
        6_000,
    )
    await books.expense(scene.compound_id, 1_000, JANUARY)
    assert (await queries.open_books(publisher, scene.compound_id, JANUARY)).books.spent_fen == 4_000
    await publish_accounts(publisher, compound_id=scene.compound_id, month=JANUARY)
    again = await queries.open_books(publisher, scene.compound_id, JANUARY)
    assert (again.revision, again.books.spent_fen) == (2, 5_000)
    assert [
        (each.month, each.revision) for each in await queries.published_months(publisher, scene.compound_id)
    ] == [(JANUARY, 2)]


async def test_the_same_accounts_are_not_published_twice(scene: Scene, publisher: Actor) -> None:
    await publish_accounts(publisher, compound_id=scene.compound_id, month=JANUARY)
    with pytest.raises(Conflict) as refused:
        await publish_accounts(publisher, compound_id=scene.compound_id, month=JANUARY, note="再公示一次")
    assert refused.value.code == "PUBLICATION_UNCHANGED"


async def test_of_two_who_publish_at_once_one_does(scene: Scene, publisher: Actor) -> None:
    both = (publish_accounts(publisher, compound_id=scene.compound_id, month=JANUARY) for _ in range(2))
    ended = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(each).__name__ for each in ended) == ["Conflict", "UUID"]


async def test_a_month_that_is_not_over_waits(scene: Scene, publisher: Actor) -> None:
    with on(date(2026, 1, 31)), pytest.raises(Invalid) as refused:
        await publish_accounts(publisher, compound_id=scene.compound_id, month=JANUARY)
    assert refused.value.code == "MONTH_NOT_OVER"
    with on(date(2026, 2, 1)):
        await publish_accounts(publisher, compound_id=scene.compound_id, month=JANUARY)


async def test_what_a_month_left_is_carried_into_the_next_one(scene: Scene, publisher: Actor) -> None:
    await publish_accounts(publisher, compound_id=scene.compound_id, month=JANUARY)
    made = await queries.books(publisher, scene.compound_id, date(2026, 2, 1))
    assert (made.balance_before_fen, made.balance_after_fen) == (6_000, 6_000)


async def test_the_database_keeps_what_was_published(scene: Scene, publisher: Actor) -> None:
    id = await publish_accounts(publisher, compound_id=scene.compound_id, month=JANUARY)
    for change in ("UPDATE accounts_publication SET note = 'x'", "DELETE FROM accounts_publication"):
        with pytest.raises(asyncpg.PostgresError):
            await database.execute(f"{change} WHERE id = $1", id)


@pytest.mark.parametrize("kind", residents.CALLERS)
async def test_staff_with_the_permission_publish_and_who_lives_there_reads(scene: Scene, kind: str) -> None:
    actor = await residents.caller(scene, kind, permissions.BOOKS_PUBLISH)
    if kind != "staff":
        for refused in (
            publish_accounts(actor, compound_id=scene.compound_id, month=JANUARY),
            queries.books(actor, scene.compound_id, JANUARY),
        ):
            with pytest.raises((Forbidden, Unauthenticated)):
                await refused
        assert await published(scene.compound_id) == 0
    publisher = scene.staff(permissions.BOOKS_PUBLISH)
    await publish_accounts(publisher, compound_id=scene.compound_id, month=JANUARY)
    if kind in ("owner", "family", "tenant", "neighbour", "staff"):
        shown = await queries.open_books(actor, scene.compound_id, JANUARY)
        (spent,) = shown.books.expenses
        voucher = queries.voucher(actor, spent.voucher_key)
        assert voucher is not None
        assert voucher.content_type == "application/pdf"
        assert len(await queries.published_months(actor, scene.compound_id)) == 1
        return
    for read in (
        queries.open_books(actor, scene.compound_id, None),
        queries.published_months(actor, scene.compound_id),
    ):
        with pytest.raises((Forbidden, Unauthenticated)):
            await read


async def published(compound_id: UUID) -> int:
    return int(
        await database.fetchval(
            "SELECT count(*) FROM accounts_publication WHERE compound_id = $1", compound_id
        )
    )


async def test_staff_of_one_building_see_no_sums_of_the_whole(scene: Scene) -> None:
    narrow = residents.staff(
        permissions.BOOKS_PUBLISH, compound_id=scene.compound_id, building_id=scene.building_id
    )
    with pytest.raises(Forbidden):
        await queries.books(narrow, scene.compound_id, JANUARY)
    with pytest.raises(Forbidden):
        await publish_accounts(narrow, compound_id=scene.compound_id, month=JANUARY)
    assert await published(scene.compound_id) == 0


async def test_a_month_that_nobody_published_is_not_there(scene: Scene) -> None:
    owner = await residents.resident(scene.owner.account_id)
    for month in (None, JANUARY):
        with pytest.raises(NotFound) as refused:
            await queries.open_books(owner, scene.compound_id, month)
        assert refused.value.code == "ACCOUNTS_NOT_PUBLISHED"


async def test_everybody_who_lives_there_is_told_once(scene: Scene, publisher: Actor) -> None:
    id = await publish_accounts(publisher, compound_id=scene.compound_id, month=JANUARY)
    assert len(await residents.events("AccountsPublished", id)) == 1
    for _ in range(2):
        async with database.transaction():
            await tell_of_accounts(AccountsPublished(id, scene.compound_id, JANUARY, 1), uuid7())
    told = await database.fetch(
        """SELECT n.account_id FROM notification n JOIN notice c ON c.id = n.notice_id
        WHERE c.kind = 'accounts.published' AND c.compound_id = $1""", scene.compound_id,
    )  # fmt: skip
    lives_there = (scene.owner, scene.family, scene.tenant, scene.neighbour)
    assert sorted(row["account_id"] for row in told) == sorted(each.account_id for each in lives_there)
