"""What a compound spends (支出): entered with its voucher, removed while its month is not published, taken back after."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from uuid import UUID

import asyncpg

from domains.billing import book_sql as sql
from domains.billing import permissions
from domains.billing.book_models import Expense
from domains.billing.queries.books import require_books
from domains.billing.rules import EXPENSES
from domains.billing.service.vouchers import kept
from domains.kernel import clock, database, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid, NotFound
from domains.kernel.files import storage
from domains.kernel.money import within_range
from domains.residents.service.photos import Upload

_FIRST_DAY = date(2000, 1, 1)
_NOTE_LENGTH = 200


async def add_expense(
    actor: Actor,
    *,
    compound_id: UUID,
    spent_on: date,
    category: str,
    amount_fen: int,
    note: str,
    voucher: Upload | None,
) -> UUID:
    """Enter what was spent on a day, in fen; its id.

    Raises EXPENSE_DATE, EXPENSE_CATEGORY, EXPENSE_AMOUNT, AMOUNT_OUT_OF_RANGE, a TEXT_ code, FILE_TYPE_REFUSED,
    FILE_TOO_LARGE (over 5 MB), FILE_STORE_UNAVAILABLE.
    """
    async with kept(voucher) as key:
        return await _add(
            actor, compound_id=compound_id, spent_on=spent_on, category=category, amount_fen=amount_fen, note=note,
            voucher_key=key,
        )  # fmt: skip


async def correct_expense(
    actor: Actor, *, expense_id: UUID, amount_fen: int, note: str, voucher: Upload | None
) -> UUID:
    """Take back so many fen of an expense that is published, as an expense below zero of today; its id.

    Raises EXPENSE_NOT_FOUND, EXPENSE_NOT_PUBLISHED, EXPENSE_CORRECTED, and what `add_expense` raises.
    """
    async with kept(voucher) as key:
        return await _correct(actor, expense_id=expense_id, amount_fen=amount_fen, note=note, voucher_key=key)


@command("expense.add", caller="staff", permission=permissions.BOOKS_WRITE)
async def _add(
    actor: Actor,
    *,
    compound_id: UUID,
    spent_on: date,
    category: str,
    amount_fen: int,
    note: str,
    voucher_key: str | None,
) -> UUID:
    require_books(actor, compound_id, permissions.BOOKS_WRITE)
    if not _FIRST_DAY <= spent_on <= clock.today():
        raise Invalid("EXPENSE_DATE", "支出日期不能晚于今天,请检查日期", "spent_on")
    if category not in EXPENSES:
        raise Invalid("EXPENSE_CATEGORY", "请选择支出类别", "category")
    await database.execute(sql.TURN, compound_id)
    entry = _Entry(spent_on, category, _positive(amount_fen), note, voucher_key)
    return await _write(actor, compound_id, entry)


@command("expense.correct", caller="staff", permission=permissions.BOOKS_WRITE)
async def _correct(
    actor: Actor, *, expense_id: UUID, amount_fen: int, note: str, voucher_key: str | None
) -> UUID:
    row = await _locked(actor, expense_id)
    if not row["is_published"]:
        raise Conflict("EXPENSE_NOT_PUBLISHED", "这笔支出还没有公示,可以直接删除后重新登记", "expense")
    if row["corrects_id"] is not None or _positive(amount_fen) > row["amount_fen"] + row["corrected_fen"]:
        raise Conflict("EXPENSE_CORRECTED", "冲减金额超过了这笔支出的余额,请检查金额", "amount_fen")
    entry = _Entry(clock.today(), row["category"], -amount_fen, note, voucher_key, expense_id)
    return await _write(actor, row["compound_id"], entry)


@command("expense.remove", caller="staff", permission=permissions.BOOKS_WRITE)
async def remove_expense(actor: Actor, *, expense_id: UUID) -> UUID:
    """Remove an expense that was entered by mistake; its voucher goes with it.

    Raises EXPENSE_NOT_FOUND, EXPENSE_PUBLISHED.
    """
    row = await _locked(actor, expense_id)
    if row["is_published"]:
        raise Conflict("EXPENSE_PUBLISHED", "这笔支出已经公示,不能删除,请登记冲减", "expense")
    concerns(
        "Expense", expense_id, row["compound_id"], amount_fen=row["amount_fen"], category=row["category"]
    )
    await Expense.filter(id=expense_id).update(removed_at=clock.now(), voucher_key=None)
    current = database.open_transaction()
    if row["voucher_key"] is not None and current is not None:
        current.after_commit(partial(storage().delete, row["voucher_key"]))
    return expense_id


async def _locked(actor: Actor, expense_id: UUID) -> asyncpg.Record:
    place = await Expense.get_or_none(id=expense_id).values("compound_id")
    if place is None:
        raise _not_found()
    concerns("Expense", expense_id, place["compound_id"])
    require_books(actor, place["compound_id"], permissions.BOOKS_WRITE)
    await database.execute(sql.TURN, place["compound_id"])
    row = await database.fetchrow(sql.LOCK_EXPENSE, expense_id)
    if row is None or row["removed_at"] is not None:
        raise _not_found()
    return row


def _not_found() -> NotFound:
    return NotFound("EXPENSE_NOT_FOUND", "没有找到这笔支出,请刷新后重试", "expense")


def _positive(amount_fen: int) -> int:
    if amount_fen <= 0:
        raise Invalid("EXPENSE_AMOUNT", "金额须大于零,请重新填写", "amount_fen")
    return within_range(amount_fen, field="amount_fen")


@dataclass(frozen=True, slots=True)
class _Entry:
    spent_on: date
    category: str
    amount_fen: int
    note: str
    voucher_key: str | None
    corrects_id: UUID | None = None


async def _write(actor: Actor, compound_id: UUID, entry: _Entry) -> UUID:
    columns = {**asdict(entry), "note": text.clean(entry.note, max_length=_NOTE_LENGTH, field="note")}
    made = await Expense.create(
        compound_id=compound_id, entered_by=actor.account_id, entered_at=clock.now(), **columns
    )
    facts = {"amount_fen": entry.amount_fen, "category": entry.category, "spent_on": entry.spent_on}
    concerns("Expense", made.id, compound_id, **facts)
    return made.id
