"""Reads of bills (账单): by the people who pay them, and by staff. The late fee is that of today; nothing is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from domains.billing import permissions
from domains.billing.late_fees import LateFee, Terms
from domains.billing.payer_sql import MINE, is_mine, may_see
from domains.billing.standing import COLUMNS, JOINS, standing
from domains.estate.queries import contains
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.command import concerns, sensitive_read
from domains.residents.queries.reading import note


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill as it stands today, amounts in fen."""

    id: UUID
    compound_id: UUID
    house_id: UUID
    house_number: str
    number: int
    payer: str
    month: date
    covers_from: date
    covers_until: date
    issued_on: date
    due_on: date
    issued_fen: int
    state: str
    paid_at: datetime | None
    terms: Terms | None
    late_fee: LateFee
    principal_due_fen: int
    principal_settled_fen: int
    late_fee_fen: int
    late_fee_settled_fen: int
    is_being_paid: bool

    @property
    def principal_outstanding_fen(self) -> int:
        """What is to be paid of the principal."""
        return self.principal_due_fen - self.principal_settled_fen

    @property
    def late_fee_outstanding_fen(self) -> int:
        """What is to be paid of the late fee."""
        return self.late_fee_fen - self.late_fee_settled_fen

    @property
    def outstanding_fen(self) -> int:
        """What is to be paid in all."""
        return self.principal_outstanding_fen + self.late_fee_outstanding_fen

    @property
    def is_overdue(self) -> bool:
        """Something is to be paid and the due date is past (逾期)."""
        return self.outstanding_fen > 0 and self.due_on < clock.today()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a bill; `basis` is what it was computed from."""

    id: UUID
    kind: str
    fee_item_id: UUID
    fee_item_name: str
    category: str
    period_from: date
    period_until: date
    amount_fen: int
    basis: Mapping[str, Any]  # Any: JSON, as charges.explanation reads it


@dataclass(frozen=True, slots=True)
class Payment:
    """What one posting paid of a bill (缴费记录), below zero where it was taken back."""

    id: UUID
    paid_on: date
    kind: str
    principal_fen: int
    late_fee_fen: int


@dataclass(frozen=True, slots=True)
class Effect:
    """A correction that took effect; fen that are owed more, below zero: less."""

    id: UUID
    kind: str
    concerns: str
    effect_fen: int
    reason: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """What the caller has to pay now: how many bills, fen in all, and since when the oldest is due."""

    count: int
    total_fen: int
    due_on: date


@dataclass(frozen=True, slots=True)
class Search:
    """What staff look for; `words` is a part of the house's number."""

    month: date | None = None
    states: Collection[str] | None = None
    words: str | None = None
    overdue: bool = False

    @property
    def kind(self) -> tuple[bool, bool]:
        """Which statement finds it."""
        return contains(self.words) is not None, self.overdue


_ROW = f"""b.id, b.compound_id, b.house_id, h.number AS house_number, b.number, b.payer, b.month, b.covers_from,
    b.covers_until, b.issued_on, b.paid_at, {COLUMNS}"""
_FROM = f"bill b JOIN house h ON h.id = b.house_id {JOINS}"

_WANTED = """($3::text[] IS NULL OR w.state = ANY($3::text[])) AND ($4::uuid[] IS NULL OR w.house_id = ANY($4::uuid[]))
    AND ($5::date IS NULL OR (w.month, w.id) < ($5, $6::uuid))"""

# Each tie to a house, and each record of the caller, by its own index: a page reads a page of each, not all there ever was.
OWN = f"""
WITH {MINE},
page AS (
    SELECT one.id, one.month FROM mine CROSS JOIN LATERAL (
        SELECT w.id, w.month FROM bill w
        WHERE w.house_id = mine.house_id AND {may_see("w", "mine", "$2")} AND {_WANTED}
        ORDER BY w.month DESC, w.id DESC LIMIT $7) one
    UNION
    SELECT one.id, one.month FROM me CROSS JOIN LATERAL (
        SELECT w.id, w.month FROM bill w WHERE w.person_id = me.id AND {_WANTED}
        ORDER BY w.month DESC, w.id DESC LIMIT $7) one
    ORDER BY month DESC, id DESC LIMIT $7)
SELECT {_ROW} FROM page JOIN bill b ON b.id = page.id JOIN house h ON h.id = b.house_id {JOINS}
ORDER BY b.month DESC, b.id DESC
"""

BY_ID = f"""
WITH {MINE}
SELECT {_ROW} FROM {_FROM} WHERE b.id = ANY($3::uuid[])
  AND (b.compound_id = ANY($4::uuid[]) OR b.building_id = ANY($5::uuid[]) OR {is_mine("b")})
"""

# By what is open, so that it reads as much after years as in the first month.
DUE = f"""
WITH {MINE},
open AS MATERIALIZED (
    SELECT p.subject_id FROM payable p WHERE p.holder_id IN (SELECT house_id FROM mine) AND p.settled_fen < p.due_fen
    UNION
    SELECT w.id FROM bill w WHERE w.person_id IN (SELECT id FROM me) AND w.state IN ('open', 'partly_paid'))
SELECT {COLUMNS} FROM bill b {JOINS}
WHERE b.id IN (SELECT subject_id FROM open) AND b.state <> 'void' AND {is_mine("b")}
"""

_NARROWED = """b.compound_id = $1 AND ($2::uuid[] IS NULL OR b.building_id = ANY($2::uuid[]))
    AND ($3::date IS NULL OR b.month = $3) AND ($4::text[] IS NULL OR b.state = ANY($4::text[]))"""
_OVERDUE = "AND b.state IN ('open', 'partly_paid') AND b.due_on < $6::date"
_ANY_DATE = "AND $6::date IS NOT NULL"

_AFTER = (
    "AND ($7::date IS NULL OR (b.month, b.id) < ($7, $8::uuid)) ORDER BY b.month DESC, b.id DESC LIMIT $9"
)

# A part of a number finds some houses, each of whose bills are read by its own index: what is looked for in vain by
# month would be looked for in all months there are.
_FOUND = "(SELECT id FROM house WHERE compound_id = $1 AND number LIKE $5::text) found"


def _page(narrowing: str) -> str:
    return f"SELECT b.id, b.month FROM bill b WHERE $5::text IS NULL AND {_NARROWED} {narrowing} {_AFTER}"


def _page_of_found(narrowing: str) -> str:
    return f"""SELECT b.id, b.month FROM {_FOUND} CROSS JOIN LATERAL (
        SELECT b.id, b.month FROM bill b WHERE b.house_id = found.id AND {_NARROWED} {narrowing} {_AFTER}) b
    ORDER BY b.month DESC, b.id DESC LIMIT $9"""


def _shown(page: str) -> str:
    return f"""
WITH page AS MATERIALIZED ({page})
SELECT {_ROW} FROM page JOIN bill b ON b.id = page.id JOIN house h ON h.id = b.house_id {JOINS}
ORDER BY b.month DESC, b.id DESC
"""


def _count(source: str, narrowing: str) -> str:
    return f"SELECT count(*) FROM {source} AND {_NARROWED} {narrowing}"


_KINDS = {False: _ANY_DATE, True: _OVERDUE}
_COUNTED = {
    False: "bill b WHERE $5::text IS NULL",
    True: f"{_FOUND} JOIN bill b ON b.house_id = found.id WHERE true",
}
FOR_STAFF = {
    (words, overdue): _shown((_page_of_found if words else _page)(narrowing))
    for words in (False, True)
    for overdue, narrowing in _KINDS.items()
}
COUNT_FOR_STAFF = {
    (words, overdue): _count(source, narrowing)
    for words, source in _COUNTED.items()
    for overdue, narrowing in _KINDS.items()
}
"""By whether houses are looked for by number, and whether only what is overdue."""

LINES = """
SELECT l.bill_id, l.id, l.kind, l.fee_item_id, i.name AS fee_item_name, i.category, l.period_from, l.period_until,
    l.amount_fen, l.basis::text AS basis
FROM bill_line l JOIN fee_item i ON i.id = l.fee_item_id
WHERE l.bill_id = ANY($1::uuid[]) ORDER BY l.bill_id, l.period_from, i.name, l.id
"""

PAYMENTS = """
SELECT p.subject_id AS bill_id, j.id, s.settled_on AS paid_on, j.kind,
    coalesce(sum(s.amount_fen) FILTER (WHERE p.subject_type = 'bill'), 0)::bigint AS principal_fen,
    coalesce(sum(s.amount_fen) FILTER (WHERE p.subject_type = 'late_fee'), 0)::bigint AS late_fee_fen
FROM payable p JOIN settlement s ON s.payable_id = p.id JOIN journal j ON j.id = s.journal_id
WHERE p.subject_id = ANY($1::uuid[]) AND p.subject_type IN ('bill', 'late_fee')
GROUP BY p.subject_id, j.id, s.settled_on ORDER BY p.subject_id, j.posted_at, j.id
"""

EFFECTS = """
SELECT bill_id, id, kind, concerns, effect_fen, reason, decided_at FROM correction
WHERE bill_id = ANY($1::uuid[]) AND state = 'approved' ORDER BY bill_id, decided_at, id
"""


async def own(
    actor: Actor,
    *,
    states: Collection[str] | None,
    house_ids: Collection[UUID] | None,
    after: tuple[object, ...] | None,
    limit: int,
) -> list[Bill]:
    """A page of the bills that are the caller's to pay, as `payer_sql` has it, the newest first."""
    wanted = [None if each is None else list(each) for each in (states, house_ids)]
    rows = await database.fetch(OWN, actor.id, clock.today(), *wanted, *(after or (None, None)), limit)
    return [_bill(row) for row in rows]


async def due(actor: Actor) -> Due | None:
    """What the caller has to pay in all, or None; one statement."""
    rows = await database.fetch(DUE, actor.id, clock.today())
    open_ = [(row["due_on"], standing(row, clock.today()).outstanding_fen) for row in rows]
    open_ = [(due_on, fen) for due_on, fen in open_ if fen > 0]
    if not open_:
        return None
    return Due(len(open_), sum(fen for _, fen in open_), min(due_on for due_on, _ in open_))


async def by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Bill]:
    """Those the caller may see: by paying them, or by permission, which leaves its trace."""
    reach = actor.reach(permissions.BILLS_READ)
    async with database.transaction():
        rows = await database.fetch(
            BY_ID, actor.account_id, clock.today(), ids, reach.compounds, reach.buildings
        )
        found = {row["id"]: _bill(row) for row in rows}
        if actor.kind == "staff":
            await note(actor, "bill.read", "Bill", found.values())
    return found


@sensitive_read("bill.list", caller="staff", permission=permissions.BILLS_READ)
async def for_staff(
    actor: Actor, compound_id: UUID, search: Search, *, after: tuple[object, ...] | None, limit: int
) -> list[Bill]:
    """A page of a compound's bills, the newest first."""
    month = None if search.month is None else str(search.month)
    concerns("Bill", None, compound_id, month=month, searched=search.words is not None)
    statement = FOR_STAFF[search.kind]
    arguments = _arguments(actor, compound_id, search)
    return [
        _bill(row) for row in await database.fetch(statement, *arguments, *(after or (None, None)), limit)
    ]


async def count_for_staff(actor: Actor, compound_id: UUID, search: Search) -> int:
    """How many there are over all pages."""
    return int(await database.fetchval(COUNT_FOR_STAFF[search.kind], *_arguments(actor, compound_id, search)))


def _arguments(actor: Actor, compound_id: UUID, search: Search) -> tuple[object, ...]:
    actor.require(permissions.BILLS_READ, compound_id)
    reached = actor.buildings(permissions.BILLS_READ, compound_id)
    return (
        compound_id, None if reached is None else list(reached), search.month,
        None if search.states is None else list(search.states), contains(search.words), clock.today(),
    )  # fmt: skip


async def lines(bill_ids: Sequence[UUID]) -> Mapping[UUID, list[Line]]:
    """The lines of bills that the caller has read, by bill."""
    rows = await database.fetch(LINES, bill_ids)
    return _by_bill(Line, [{**row, "basis": orjson.loads(row["basis"])} for row in rows])


async def payments(bill_ids: Sequence[UUID]) -> Mapping[UUID, list[Payment]]:
    """What was paid of bills that the caller has read, by bill, the first payment first."""
    return _by_bill(Payment, [dict(row) for row in await database.fetch(PAYMENTS, bill_ids)])


async def effects(bill_ids: Sequence[UUID]) -> Mapping[UUID, list[Effect]]:
    """The corrections that took effect on bills that the caller has read, by bill, the first one first."""
    return _by_bill(Effect, [dict(row) for row in await database.fetch(EFFECTS, bill_ids)])


def _by_bill(
    kind: Any, rows: Sequence[Mapping[str, Any]]
) -> Mapping[UUID, list[Any]]:  # Any: one of the above
    found: defaultdict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        values = dict(row)
        found[values.pop("bill_id")].append(kind(**values))
    return found


_PLAIN = (
    "id", "compound_id", "house_id", "house_number", "number", "payer", "month", "covers_from", "covers_until",
    "issued_on", "due_on", "issued_fen", "state", "paid_at",
)  # fmt: skip


def _bill(row: asyncpg.Record) -> Bill:
    stands = standing(row, clock.today())
    return Bill(
        **{name: row[name] for name in _PLAIN}, terms=stands.terms, late_fee=stands.late_fee,
        principal_due_fen=stands.principal_due_fen, principal_settled_fen=stands.principal_settled_fen,
        late_fee_fen=stands.late_fee_fen, late_fee_settled_fen=stands.late_fee_settled_fen,
        is_being_paid=stands.is_held,
    )  # fmt: skip
