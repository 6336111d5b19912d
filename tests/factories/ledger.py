"""Books the short way, and what must always hold of them."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

from domains.kernel import clock, database
from payments.service import ledger, payables
from payments.service.ledger import Account, Line, Posting
from payments.service.payables import NewPayable

TRIAL_BALANCE = """
SELECT a.code, sum(e.amount_fen)::bigint AS fen FROM entry e JOIN ledger_account a ON a.id = e.account_id
WHERE a.compound_id = $1 GROUP BY a.code HAVING sum(e.amount_fen) <> 0 ORDER BY a.code
"""

UNBALANCED = """
SELECT count(*) FROM (
    SELECT journal_id FROM entry GROUP BY journal_id HAVING sum(amount_fen) <> 0
    UNION ALL SELECT id FROM journal j WHERE NOT EXISTS (SELECT FROM entry e WHERE e.journal_id = j.id)) wrong
"""

WRONG_PAYABLES = """
SELECT count(*) FROM payable p
WHERE p.due_fen - p.settled_fen
      <> (SELECT coalesce(sum(e.amount_fen), 0) FROM entry e WHERE e.payable_id = p.id)
   OR p.settled_fen <> (SELECT coalesce(sum(s.amount_fen), 0) FROM settlement s WHERE s.payable_id = p.id)
   OR p.account_id <> ALL (SELECT e.account_id FROM entry e WHERE e.payable_id = p.id)
"""

WRONG_BALANCES = """
SELECT count(*) FROM ledger_account a
WHERE a.balance_fen <> -(SELECT coalesce(sum(e.amount_fen), 0) FROM entry e WHERE e.account_id = a.id)
"""


async def check_books() -> None:
    """Every journal balances, every payable and every kept balance is what its entries say."""
    for statement in (UNBALANCED, WRONG_PAYABLES, WRONG_BALANCES):
        assert await database.fetchval(statement) == 0, statement


async def trial_balance(compound_id: UUID) -> dict[str, int]:
    """Sums by code, debit above zero; codes that are even are left out."""
    return {row["code"]: row["fen"] for row in await database.fetch(TRIAL_BALANCE, compound_id)}


def posting(
    compound_id: UUID, kind: str = "opening", key: str | None = None, on: date | None = None
) -> Posting:
    """A posting of today under a key of its own."""
    return Posting(compound_id, kind, key or str(uuid4()), on or clock.today())


async def prepay(compound_id: UUID, house_id: UUID, fen: int, purpose: str = "") -> UUID:
    """Money that a house has paid in beforehand; the journal's id."""
    lines = [
        Line(Account("opening"), fen),
        Line(Account("prepayment", house_id, purpose), -fen),
    ]
    async with database.transaction():
        return await ledger.post(posting(compound_id), lines)


async def payable(
    compound_id: UUID,
    holder_id: UUID,
    fen: int,
    due_on: date | None = None,
    subject: tuple[str, UUID] | None = None,
) -> UUID:
    """Something that is owed; its id."""
    kind, subject_id = subject or ("bill", uuid4())
    new = NewPayable(subject_id, holder_id, fen, due_on or clock.today())
    async with database.transaction():
        await payables.open_many(
            posting(compound_id, "bills"), kind, [new], {Account("income", compound_id): fen}
        )
    return (await payables.of_subjects(kind, [subject_id]))[subject_id].id
