"""Reads of a compound's accounts: as they are now for staff, as they were published for everybody there (账目公示)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import asyncpg
import orjson

from domains.billing import book_sql as sql
from domains.billing import permissions
from domains.billing.books import (
    MONTHS,
    Books,
    Flow,
    Income,
    MonthSums,
    Spent,
    from_content,
    month_of,
    months_after,
)
from domains.kernel import clock, database, files
from domains.kernel.actor import Actor
from domains.kernel.errors import NotFound
from domains.kernel.storage.keys import check_key

LIFETIME = timedelta(minutes=10)
READERS = (permissions.BOOKS_WRITE, permissions.BOOKS_PUBLISH, permissions.BILLS_READ)
"""Staff who read what was published; its residents do anyway."""


@dataclass(frozen=True, slots=True)
class Published:
    """A month's accounts as residents read them: the last revision."""

    id: UUID
    compound_id: UUID
    month: date
    revision: int
    note: str
    published_at: datetime
    sha256: str
    books: Books


@dataclass(frozen=True, slots=True)
class PublishedMonth:
    """That a month was published, and when the revision that counts was."""

    month: date
    revision: int
    published_at: datetime


@dataclass(frozen=True, slots=True)
class OwnBooks:
    """What a resident reads of a compound's accounts: the months there are, and those of one; None where it has none."""

    compound_id: UUID
    months: list[PublishedMonth]
    accounts: Published | None


@dataclass(frozen=True, slots=True)
class Voucher:
    """A voucher (凭证) under an address that opens for the caller alone, until `expires_at`."""

    address: str
    content_type: str
    expires_at: datetime


def require_books(actor: Actor, compound_id: UUID, *held: str) -> None:
    """Refuse who does not hold one of the permissions over the whole compound: sums tell of every building."""
    if not any(actor.may(each, compound_id) and _is_whole(actor, each, compound_id) for each in held):
        actor.refuse(compound_id)


def _is_whole(actor: Actor, permission: str, compound_id: UUID) -> bool:
    return actor.kind == "system" or actor.buildings(permission, compound_id) is None


async def books(actor: Actor, compound_id: UUID, month: date) -> Books:
    """A month's accounts as they are now, for staff who enter or publish them."""
    require_books(actor, compound_id, permissions.BOOKS_WRITE, permissions.BOOKS_PUBLISH)
    return await compute(compound_id, month_of(month))


async def open_books(actor: Actor, compound_id: UUID, month: date | None) -> Published:
    """What was published of a month, or of the last one. Raises NotFound ACCOUNTS_NOT_PUBLISHED."""
    _require_reader(actor, compound_id)
    found = await published(compound_id, month and month_of(month))
    if found is None:
        raise NotFound("ACCOUNTS_NOT_PUBLISHED", "这个月的账目还没有公示,请选择其他月份", "month")
    return found


async def published_months(actor: Actor, compound_id: UUID) -> list[PublishedMonth]:
    """The months that can be read, the last one first."""
    _require_reader(actor, compound_id)
    return [PublishedMonth(**row) for row in await database.fetch(sql.PUBLISHED_MONTHS, compound_id)]


async def own(actor: Actor, compound_id: UUID | None, month: date | None) -> OwnBooks | None:
    """What was published of a month, or last, in a compound of the caller's, by default that of their first house. None
    for who has no house."""
    chosen = compound_id or next((tie.compound_id for tie in actor.houses), None)
    if chosen is None:
        return None
    months = await published_months(actor, chosen)
    return OwnBooks(chosen, months, await published(chosen, month and month_of(month)))


def may_read(actor: Actor, compound_id: UUID) -> bool:
    """Whether the caller lives in the compound, or is staff who reads what was published there."""
    lives_there = any(tie.compound_id == compound_id for tie in actor.houses)
    return lives_there or any(actor.may(each, compound_id) for each in READERS)


def _require_reader(actor: Actor, compound_id: UUID) -> None:
    if not may_read(actor, compound_id):
        actor.refuse(compound_id)


async def published(compound_id: UUID, month: date | None) -> Published | None:
    """The revision that counts, of a month or of the last one published."""
    row = await database.fetchrow(sql.PUBLISHED, compound_id, month)
    if row is None:
        return None
    return Published(
        row["id"], compound_id, row["month"], row["revision"], row["note"], row["published_at"], row["sha256"],
        from_content(orjson.loads(row["content"])),
    )  # fmt: skip


def voucher(actor: Actor, key: str | None) -> Voucher | None:
    """The voucher under a key that the caller was found to be allowed to see."""
    if key is None:
        return None
    # An address knows whole seconds only.
    expires_at = (clock.now() + LIFETIME).replace(microsecond=0)
    address = files.links().address(key, expires_at=expires_at, audience=files.audience_of(actor))
    return Voucher(address, check_key(key), expires_at)


async def compute(compound_id: UUID, month: date) -> Books:
    """A month's accounts from the ledger and the expenses; `month` is its first day."""
    span = compound_id, month, months_after(month, 1)
    billed, collected = await database.fetch(sql.BILLED, *span), await database.fetch(sql.COLLECTED, *span)
    open_, bills = (
        await database.fetchrow(sql.OPEN, *span),
        await database.fetchrow(sql.OF_MONTHS_BILLS, *span),
    )
    assert open_ is not None, "an aggregate has a row"
    assert bills is not None, "an aggregate has a row"
    by_code = _by_code(billed)
    late = Flow(by_code.get("late_fee_income", 0), await database.fetchval(sql.LATE_FEES_COLLECTED, *span))
    deposits = Flow(
        by_code.get("deposit_due", 0), sum(r["fen"] for r in collected if r["category"] == "deposit")
    )
    before = await published(compound_id, months_after(month, -1))
    spent = [Spent(**row) for row in await database.fetch(sql.EXPENSES_OF_MONTH, *span)]
    return Books(
        month, open_["before_fen"], tuple(_incomes(billed, collected)), deposits, late, -by_code.get("waiver", 0),
        open_["after_fen"], bills["due_fen"], bills["settled_fen"], tuple(spent),
        before.books.balance_after_fen if before else 0, tuple(await _months(compound_id, month)),
    )  # fmt: skip


def _by_code(billed: Sequence[asyncpg.Record]) -> Mapping[str, int]:
    return {row["code"]: row["fen"] for row in billed if row["fee_item_id"] is None}


def _incomes(billed: Sequence[asyncpg.Record], collected: Sequence[asyncpg.Record]) -> Iterable[Income]:
    items = {row["fee_item_id"]: row for row in (*billed, *collected) if row["fee_item_id"] is not None}
    due = {row["fee_item_id"]: row["fen"] for row in billed}
    paid = {row["fee_item_id"]: row["fen"] for row in collected}
    for id, row in sorted(items.items(), key=lambda pair: (pair[1]["category"], pair[1]["name"])):
        if row["category"] != "deposit":
            yield Income(id, row["name"], row["category"], due.get(id, 0), paid.get(id, 0))


async def _months(compound_id: UUID, month: date) -> Iterable[MonthSums]:
    first = months_after(month, 1 - MONTHS)
    rows = await database.fetch(sql.MONTHS, compound_id, first, months_after(month, 1))
    known = {row["month"]: MonthSums(**row) for row in rows}
    each = (months_after(first, count) for count in range(MONTHS))
    return [known.get(day, MonthSums(day)) for day in each]
