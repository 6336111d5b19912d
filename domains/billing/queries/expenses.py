"""Reads of what a compound spends (支出), for staff who enter or publish it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import asyncpg

from domains.billing import permissions
from domains.billing.books import month_of, months_after
from domains.billing.queries.books import Voucher, require_books, voucher
from domains.kernel import database
from domains.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Expense:
    """What was spent on a day, in fen, below zero where it takes back some of `corrects_id`; `is_published`: residents
    read it."""

    id: UUID
    compound_id: UUID
    spent_on: date
    category: str
    amount_fen: int
    note: str
    corrects_id: UUID | None
    entered_at: datetime
    entered_by_name: str | None
    is_published: bool
    voucher: Voucher | None


_ROW = """e.id, e.compound_id, e.spent_on, e.category, e.amount_fen, e.note, e.corrects_id, e.entered_at,
    a.name AS entered_by_name, e.voucher_key, EXISTS (SELECT FROM accounts_publication p
        WHERE p.compound_id = e.compound_id AND p.month = date_trunc('month', e.spent_on)::date
          AND p.published_at >= e.entered_at) AS is_published"""

PAGE = f"""
SELECT {_ROW} FROM expense e LEFT JOIN account a ON a.id = e.entered_by
WHERE e.compound_id = $1 AND e.removed_at IS NULL AND e.spent_on >= coalesce($2::date, '-infinity')
  AND e.spent_on < coalesce($3::date, 'infinity') AND ($4::text IS NULL OR e.category = $4)
  AND (e.spent_on, e.id) < (coalesce($5::date, 'infinity'), coalesce($6::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
ORDER BY e.spent_on DESC, e.id DESC LIMIT $7
"""

BY_ID = f"""
SELECT {_ROW} FROM expense e LEFT JOIN account a ON a.id = e.entered_by
WHERE e.id = ANY($1::uuid[]) AND e.removed_at IS NULL AND e.compound_id = ANY($2::uuid[])
"""


async def expenses(
    actor: Actor,
    compound_id: UUID,
    *,
    month: date | None,
    category: str | None,
    after: tuple[object, ...] | None,
    limit: int,
) -> list[Expense]:
    """A page of a compound's expenses, the last one first, of a month or of all time."""
    require_books(actor, compound_id, permissions.BOOKS_WRITE, permissions.BOOKS_PUBLISH)
    span = (month_of(month), months_after(month_of(month), 1)) if month else (None, None)
    rows = await database.fetch(PAGE, compound_id, *span, category, *(after or (None, None)), limit)
    return [_expense(actor, row) for row in rows]


async def by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Expense]:
    """Those of compounds all of whose books the caller may see."""
    held = {
        *actor.reach(permissions.BOOKS_WRITE).compounds,
        *actor.reach(permissions.BOOKS_PUBLISH).compounds,
    }
    rows = await database.fetch(BY_ID, ids, list(held))
    return {row["id"]: _expense(actor, row) for row in rows}


def _expense(actor: Actor, row: asyncpg.Record) -> Expense:
    columns = dict(row)
    return Expense(voucher=voucher(actor, columns.pop("voucher_key")), **columns)
