"""Reads of the books (总账): balances by account, and journals with their entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.command import concerns, sensitive_read
from payments import permissions


@dataclass(frozen=True, slots=True)
class LedgerBalance:
    """What stands on a code of accounts at the end of a day, fen: debit above zero."""

    code: str
    purpose: str
    debit_fen: int
    credit_fen: int

    @property
    def balance_fen(self) -> int:
        """Debits less credits."""
        return self.debit_fen - self.credit_fen


@dataclass(frozen=True, slots=True)
class Journal:
    """One posting (记账凭证)."""

    id: UUID
    compound_id: UUID
    kind: str
    posted_on: date
    posted_at: datetime
    memo: str
    reverses_id: UUID | None


@dataclass(frozen=True, slots=True)
class Entry:
    """Lines of a journal on one side of a code of accounts, fen: debit above zero."""

    journal_id: UUID
    code: str
    purpose: str
    amount_fen: int


BALANCES = """
SELECT a.code, CASE WHEN a.code = 'clearing' THEN a.purpose ELSE '' END AS purpose,
    coalesce(sum(e.amount_fen) FILTER (WHERE e.amount_fen > 0), 0)::bigint AS debit_fen,
    coalesce(-sum(e.amount_fen) FILTER (WHERE e.amount_fen < 0), 0)::bigint AS credit_fen
FROM ledger_account a JOIN entry e ON e.account_id = a.id AND e.posted_on <= $2
WHERE a.compound_id = $1 GROUP BY 1, 2 ORDER BY 1, 2
"""

JOURNALS = """
SELECT id, compound_id, kind, posted_on, posted_at, memo, reverses_id FROM journal
WHERE compound_id = $1 AND posted_on BETWEEN $2 AND $3 AND ($4::text[] IS NULL OR kind = ANY($4))
    AND ($5::date IS NULL OR (posted_on, id) < ($5, $6::uuid))
ORDER BY posted_on DESC, id DESC LIMIT $7
"""

JOURNAL = "SELECT id, compound_id, kind, posted_on, posted_at, memo, reverses_id FROM journal WHERE id = $1"

ENTRIES = """
SELECT e.journal_id, a.code, CASE WHEN a.code = 'clearing' THEN a.purpose ELSE '' END AS purpose,
    sum(e.amount_fen)::bigint AS amount_fen
FROM entry e JOIN ledger_account a ON a.id = e.account_id WHERE e.journal_id = ANY($1::uuid[])
GROUP BY 1, 2, 3, sign(e.amount_fen) ORDER BY e.journal_id, sum(e.amount_fen) DESC, a.code
"""


@sensitive_read("ledger.read", caller="staff", permission=permissions.LEDGER_READ)
async def balances(actor: Actor, compound_id: UUID, *, on: date | None = None) -> list[LedgerBalance]:
    """The trial balance (试算平衡) at the end of a day, today unless told; its sum is zero."""
    concerns("Ledger", None, compound_id)
    actor.require_whole(permissions.LEDGER_READ, compound_id)
    rows = await database.fetch(BALANCES, compound_id, on or clock.today())
    return [LedgerBalance(**row) for row in rows]


@sensitive_read("ledger.read", caller="staff", permission=permissions.LEDGER_READ)
async def journals(
    actor: Actor,
    compound_id: UUID,
    *,
    from_on: date,
    until_on: date,
    kinds: Sequence[str] | None,
    after: tuple[object, ...] | None,
    limit: int,
) -> list[Journal]:
    """A page of a compound's journals of some days, both included, the newest first."""
    concerns("Ledger", None, compound_id)
    actor.require_whole(permissions.LEDGER_READ, compound_id)
    page = (*(after or (None, None)), limit)
    rows = await database.fetch(JOURNALS, compound_id, from_on, until_on, kinds, *page)
    return [Journal(**row) for row in rows]


@sensitive_read("ledger.read", caller="staff", permission=permissions.LEDGER_READ)
async def journal(actor: Actor, journal_id: UUID) -> Journal | None:
    """A journal; None where there is none that the caller may read."""
    row = await database.fetchrow(JOURNAL, journal_id)
    if row is not None and not actor.may_whole(permissions.LEDGER_READ, row["compound_id"]):
        row = None
    concerns("Journal", journal_id, row["compound_id"] if row else None)
    return Journal(**row) if row else None


async def entries(journal_ids: Sequence[UUID]) -> Mapping[UUID, list[Entry]]:
    """Lines of journals that the caller has read, summed by code and side, debits first: however many houses a journal is
    for, they are few."""
    found: dict[UUID, list[Entry]] = {id: [] for id in journal_ids}
    for row in await database.fetch(ENTRIES, journal_ids):
        found[row["journal_id"]].append(Entry(**row))
    return found
