"""Reads of a house's own money (预存款、押金): what there is, and what moved it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from domains.billing import permissions
from domains.billing.payer_sql import ties
from domains.estate.models import House
from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.command import concerns, sensitive_read
from domains.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class Prepayment:
    """Money paid ahead for a purpose, a category of fees or empty for anything; fen."""

    purpose: str
    balance_fen: int


@dataclass(frozen=True, slots=True)
class HouseAccount:
    """The money of a house; `since` is the first day whose movements the caller may see, None for all."""

    house_id: UUID
    house_number: str
    prepayments: list[Prepayment]
    deposit_fen: int
    since: date | None

    @property
    def prepaid_fen(self) -> int:
        """All that was paid ahead and is there."""
        return sum(each.balance_fen for each in self.prepayments)


@dataclass(frozen=True, slots=True)
class Movement:
    """Something that raised an account, or lowered it where it is below zero; fen."""

    id: UUID
    moved_on: date
    posted_at: datetime
    account: str
    purpose: str
    kind: str
    amount_fen: int
    memo: str


ACCOUNTS = """
SELECT h.id, h.number, h.compound_id, h.building_id, a.code, a.purpose, a.balance_fen FROM house h
LEFT JOIN ledger_account a ON a.subject_id = h.id AND a.compound_id = h.compound_id AND a.code IN ('prepayment', 'deposit')
WHERE h.id = $1 ORDER BY a.code, a.purpose
"""

# Of its owners and their family while they are there; unknown is always.
SINCE = f"""
SELECT count(*) > 0 AS is_theirs, nullif(min(t.since), '-infinity') AS since
FROM person p CROSS JOIN LATERAL ({ties("m.person_id = p.id AND m.house_id = $2")}) t
WHERE p.account_id = $1 AND t.payer = 'owner' AND t.until = 'infinity'
"""

# Family whose owner left still lives there and sees the money no more.
FIRST = f"""
SELECT h.id AS house_id, nullif(min(t.since), '-infinity') AS since
FROM unnest($2::uuid[]) WITH ORDINALITY AS h(id, place) JOIN person p ON p.account_id = $1
CROSS JOIN LATERAL ({ties("m.person_id = p.id AND m.house_id = h.id")}) t
WHERE t.payer = 'owner' AND t.until = 'infinity'
GROUP BY h.id, h.place ORDER BY h.place LIMIT 1
"""

# Each account by its own index.
MOVEMENTS = """
SELECT e.id, e.posted_on AS moved_on, j.posted_at, a.code AS account, a.purpose, j.kind, -e.amount_fen AS amount_fen, j.memo
FROM ledger_account a CROSS JOIN LATERAL (
    SELECT * FROM entry m WHERE m.account_id = a.id AND ($2::date IS NULL OR m.posted_on >= $2)
      AND ($3::date IS NULL OR (m.posted_on, m.id) < ($3, $4::uuid))
    ORDER BY m.posted_on DESC, m.id DESC LIMIT $5) e
JOIN journal j ON j.id = e.journal_id
WHERE a.subject_id = $1 AND a.code IN ('prepayment', 'deposit')
ORDER BY e.posted_on DESC, e.id DESC LIMIT $5
"""


async def own(actor: Actor, house_id: UUID) -> HouseAccount:
    """The money of a house of the caller's; for its owners and their family, others are refused."""
    row = await database.fetchrow(SINCE, actor.id, house_id)
    if row is None or not row["is_theirs"]:
        actor.refuse()
    return await _account(house_id, row["since"])


async def own_first(actor: Actor) -> HouseAccount | None:
    """The same of the first house whose money is the caller's to see; None without one."""
    row = await database.fetchrow(FIRST, actor.id, [tie.house_id for tie in actor.houses])
    return None if row is None else await _account(row["house_id"], row["since"])


@sensitive_read("house_account.read", caller="staff", permission=permissions.BILLS_READ)
async def for_staff(actor: Actor, house_id: UUID) -> HouseAccount:
    """The money of a house, for staff. Raises HOUSE_NOT_FOUND."""
    place = await House.get_or_none(pk=house_id).values("compound_id", "building_id")
    if place is None:
        raise NotFound("HOUSE_NOT_FOUND", "没有找到这套房屋,请刷新后重试", "house")
    concerns("House", house_id, place["compound_id"])
    actor.require(permissions.BILLS_READ, place["compound_id"], place["building_id"])
    return await _account(house_id, None)


async def readable(actor: Actor, house_id: UUID) -> HouseAccount | None:
    """The same where the caller may read it, else None."""
    place = await House.get(pk=house_id).values("compound_id", "building_id")
    if not actor.may(permissions.BILLS_READ, place["compound_id"], place["building_id"]):
        return None
    return await for_staff(actor, house_id)


async def _account(house_id: UUID, since: date | None) -> HouseAccount:
    rows = await database.fetch(ACCOUNTS, house_id)
    prepayments = [
        Prepayment(row["purpose"], row["balance_fen"]) for row in rows if row["code"] == "prepayment"
    ]
    deposit = sum(row["balance_fen"] for row in rows if row["code"] == "deposit")
    return HouseAccount(house_id, rows[0]["number"], prepayments, deposit, since)


async def movements(
    account: HouseAccount, *, after: tuple[object, ...] | None, limit: int
) -> Sequence[Movement]:
    """A page of what moved the money of an account that the caller has read, the last one first."""
    rows = await database.fetch(MOVEMENTS, account.house_id, account.since, *(after or (None, None)), limit)
    return [Movement(**row) for row in rows]
