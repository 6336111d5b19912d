"""Posting journals (记账): balanced, once per key and for ever, inside the caller's transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from domains.kernel import clock, database, outbox
from domains.kernel.errors import Conflict
from domains.kernel.ids import uuid7
from payments import sql
from payments.events import BalanceChanged
from payments.rules import ACCOUNTS, FLOORED, KINDS


@dataclass(frozen=True, slots=True)
class Account:
    """An account by what it is for: a code of rules.ACCOUNTS, whom or what it is kept for, and a purpose."""

    code: str
    subject_id: UUID | None = None
    purpose: str = ""

    def __post_init__(self) -> None:
        if self.code not in ACCOUNTS:
            raise ValueError(f"no account is named {self.code}")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a journal: fen, debit above zero and credit below; a receivable names its payable."""

    account: Account
    fen: int
    payable_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Posting:
    """What a journal is the posting of. `key` names it in its compound, once and for ever."""

    compound_id: UUID
    kind: str
    key: str
    posted_on: date
    memo: str = ""
    actor_id: UUID | None = None
    reverses_id: UUID | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no journal is of the kind {self.kind}")


async def post(posting: Posting, lines: Sequence[Line]) -> UUID:
    """Post a journal; its id. The same key again writes nothing and gives the first one's id.

    Raises Conflict BALANCE_TOO_LOW where a prepayment or deposit would fall below zero. ValueError for lines that do
    not sum to zero, and for a receivable without its payable.
    """
    if any((line.account.code == "receivable") != (line.payable_id is not None) for line in lines):
        raise ValueError("receivable accounts, and no others, are posted to by payable")
    ids = await account_ids(posting.compound_id, {line.account for line in lines})
    journal_id, is_new = await begin(posting)
    if is_new:
        await enter(posting, journal_id, [(ids[line.account], line.payable_id, line.fen) for line in lines])
    return journal_id


async def begin(posting: Posting) -> tuple[UUID, bool]:
    """A journal's row: its id, and whether it is new. Whoever posts the same key at once waits for the first."""
    made = await database.fetchval(
        sql.POST, uuid7(), posting.compound_id, posting.kind, posting.key, posting.posted_on, clock.now(),
        posting.memo, posting.actor_id, posting.reverses_id,
    )  # fmt: skip
    if made is not None:
        return made, True
    return await database.fetchval(sql.POSTED, posting.compound_id, posting.key), False


async def enter(posting: Posting, journal_id: UUID, entries: Sequence[tuple[UUID, UUID | None, int]]) -> None:
    """Write all entries of a journal (account, payable, fen), and tell of the balances that moved."""
    if not entries or sum(fen for _, _, fen in entries) != 0:
        raise ValueError("a journal's entries sum to zero")
    columns = [list(column) for column in zip(*entries, strict=True)]
    try:
        await database.execute(sql.ENTER, journal_id, posting.posted_on, *columns)
    except asyncpg.CheckViolationError as error:
        if error.constraint_name == "ledger_account_floor":
            raise Conflict("BALANCE_TOO_LOW", "账户余额不足,请刷新后重试") from error
        raise
    await _tell_balances(posting, entries)


async def _tell_balances(posting: Posting, entries: Iterable[tuple[UUID, UUID | None, int]]) -> None:
    moved: dict[UUID, int] = defaultdict(int)
    for account_id, payable_id, fen in entries:
        if payable_id is None:
            moved[account_id] -= fen
    for row in await database.fetch(sql.BALANCES, [account_id for account_id, fen in moved.items() if fen]):
        account_id, balance_fen = row["id"], row["balance_fen"]
        changed = moved[account_id]
        await outbox.record(
            BalanceChanged(
                account_id, posting.compound_id, row["subject_id"], balance_fen, changed, posting.kind
            )
        )


async def account_ids(compound_id: UUID, accounts: Collection[Account]) -> Mapping[Account, UUID]:
    """Ids of accounts; those that are missing are opened."""
    found = await _find(compound_id, accounts)
    missing = [account for account in accounts if account not in found]
    if missing:
        floored = sorted(FLOORED)
        await database.execute(sql.OPEN_ACCOUNTS, compound_id, *_columns(missing), floored, clock.now())
        found |= await _find(compound_id, missing)
    return found


async def _find(compound_id: UUID, accounts: Collection[Account]) -> dict[Account, UUID]:
    rows = await database.fetch(sql.ACCOUNTS, compound_id, *_columns(accounts))
    return {Account(row["code"], row["subject_id"], row["purpose"]): row["id"] for row in rows}


def _columns(accounts: Collection[Account]) -> tuple[list[str], list[UUID | None], list[str]]:
    return [a.code for a in accounts], [a.subject_id for a in accounts], [a.purpose for a in accounts]


async def balance(compound_id: UUID, account: Account) -> int:
    """What a prepayment or deposit holds, in fen; zero where there is none."""
    args = (compound_id, account.code, account.subject_id, account.purpose)
    return int(await database.fetchval(sql.BALANCE, *args) or 0)
