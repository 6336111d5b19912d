"""Arrears (欠费): what is past its due date, by house, by how long, by building. Principal by the ledger; the late fee
is that of today, computed for the page that is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Literal
from uuid import UUID

import asyncpg

from domains.billing import permissions
from domains.billing.dunning import AGE_EDGES, AGES, age_of
from domains.billing.payers import debtors
from domains.billing.queries import promises
from domains.billing.queries.promises import PaymentPromise
from domains.billing.standing import COLUMNS, JOINS, standing
from domains.estate.queries import contains
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.command import concerns, sensitive_read
from domains.residents import sealed

Sort = Literal["age", "amount"]


@dataclass(frozen=True, slots=True)
class ArrearsFilter:
    """What is looked for: days past due at least, fen of principal at least; words are a part of the house's number or
    of a name, or a phone or its last four digits."""

    building_id: UUID | None = None
    age_at_least: int | None = None
    fen_at_least: int | None = None
    payer: str | None = None
    words: str | None = None

    @property
    def used(self) -> list[str]:
        """Names of what narrows, for the audit."""
        return [each.name for each in fields(self) if getattr(self, each.name) is not None]


@dataclass(frozen=True, slots=True)
class Aged:
    """What has been owed for so many days, both included; `until_days` None is no end. Fen of principal."""

    from_days: int
    until_days: int | None
    bills: int
    principal_fen: int


@dataclass(frozen=True, slots=True)
class Debtor:
    """Somebody who is to pay; the phone is masked."""

    capacity: str
    name: str
    phone: str | None


@dataclass(frozen=True, slots=True)
class HouseArrears:
    """What a house owes past its due dates, in fen."""

    house_id: UUID
    house_number: str
    building_name: str
    bill_ids: tuple[UUID, ...]
    principal_fen: int
    late_fee_fen: int
    oldest_due_on: date
    ages: tuple[Aged, ...]
    people: tuple[Debtor, ...]
    promise: PaymentPromise | None
    reminded_on: date | None

    @property
    def total_fen(self) -> int:
        """All of it."""
        return self.principal_fen + self.late_fee_fen

    @property
    def age_days(self) -> int:
        """For how long the oldest has been owed."""
        return (clock.today() - self.oldest_due_on).days


@dataclass(frozen=True, slots=True)
class ArrearsSum:
    """What is owed past its due date in a building, or in all of them where it is None."""

    building_id: UUID | None
    building_name: str | None
    houses: int
    bills: int
    principal_fen: int
    ages: tuple[Aged, ...]


_OPEN = """p.compound_id = $1 AND p.subject_type IN ('bill', 'late_fee') AND p.settled_fen < p.due_fen
    AND p.due_on < $2"""
_REACHED = "($3::uuid[] IS NULL OR h.building_id = ANY($3::uuid[]))"
_PRINCIPAL = "coalesce(sum(p.due_fen - p.settled_fen) FILTER (WHERE p.subject_type = 'bill'), 0)::bigint"

# From what the ledger has open, so that it reads as much after years as in the first month.
_OWING = f"""
WITH found AS MATERIALIZED (
    SELECT id FROM house WHERE compound_id = $1 AND number LIKE $8
    UNION
    SELECT o.house_id FROM person r JOIN occupancy o ON o.person_id = r.id AND o.ended_at IS NULL
    WHERE r.compound_id = $1 AND (r.name LIKE $8 OR r.phone_tail_index = $9 OR r.phone_index = $10)
    UNION
    SELECT b.house_id FROM person r JOIN bill b ON b.person_id = r.id AND b.state IN ('open', 'partly_paid')
    WHERE r.compound_id = $1 AND (r.name LIKE $8 OR r.phone_tail_index = $9 OR r.phone_index = $10)),
owing AS MATERIALIZED (
    SELECT p.holder_id AS house_id, {_PRINCIPAL} AS principal_fen, min(p.due_on) AS oldest_due_on FROM payable p
    WHERE {_OPEN} AND ($7::text IS NULL OR EXISTS (SELECT FROM bill b WHERE b.id = p.subject_id AND b.payer = $7))
      AND ($8::text IS NULL OR p.holder_id IN (SELECT id FROM found))
    GROUP BY p.holder_id
    HAVING ($5::date IS NULL OR min(p.due_on) <= $5) AND ($6::bigint IS NULL OR {_PRINCIPAL} >= $6))"""
_HOUSES = (
    f"owing o JOIN house h ON h.id = o.house_id AND {_REACHED} AND ($4::uuid IS NULL OR h.building_id = $4)"
)


def _page(key: str, kind: str, way: str, sign: str) -> str:
    return f"""{_OWING}
SELECT o.*, h.number AS house_number, d.name AS building_name
FROM {_HOUSES} JOIN building d ON d.id = h.building_id
WHERE $11::{kind} IS NULL OR (o.{key}, o.house_id) {sign} ($11, $12::uuid)
ORDER BY o.{key} {way}, o.house_id {way} LIMIT $13
"""


PAGES: Mapping[Sort, str] = {
    "age": _page("oldest_due_on", "date", "ASC", ">"), "amount": _page("principal_fen", "bigint", "DESC", "<"),
}  # fmt: skip

COUNT = f"{_OWING} SELECT count(*) FROM {_HOUSES}"

BILLS = f"""
SELECT b.id, b.house_id, b.payer, b.person_id, {COLUMNS} FROM bill b {JOINS}
WHERE b.id IN (
    SELECT o.subject_id FROM payable o WHERE o.holder_id = ANY($1::uuid[]) AND o.settled_fen < o.due_fen AND o.due_on < $2
      AND o.subject_type IN ('bill', 'late_fee'))
  AND ($3::text IS NULL OR b.payer = $3)
ORDER BY b.due_on, b.id
"""

REMINDED = """
SELECT w.house_id, greatest(
    (SELECT max(r.sent_on) FROM house_reminder r WHERE r.house_id = w.house_id),
    (SELECT max(d.sent_on) FROM bill b JOIN dunning_sent d ON d.bill_id = b.id
     WHERE b.house_id = w.house_id AND NOT d.is_skipped)) AS reminded_on
FROM unnest($1::uuid[]) AS w (house_id)
"""

SUMMARY = f"""
SELECT g.*, d.name AS building_name FROM (
    SELECT x.building_id, x.age, grouping(x.building_id) = 1 AS is_all, grouping(x.age) = 1 AS is_every_age,
        count(DISTINCT x.house_id) AS houses, count(DISTINCT x.subject_id) AS bills, sum(x.fen)::bigint AS principal_fen
    FROM (SELECT h.building_id, p.holder_id AS house_id, p.subject_id, width_bucket($2 - p.due_on, $4::int[]) AS age,
            CASE p.subject_type WHEN 'bill' THEN p.due_fen - p.settled_fen ELSE 0 END AS fen
        FROM payable p JOIN house h ON h.id = p.holder_id WHERE {_OPEN} AND {_REACHED}) x
    GROUP BY GROUPING SETS ((x.building_id, x.age), (x.building_id), (x.age), ())) g
LEFT JOIN building d ON d.id = g.building_id ORDER BY g.is_all DESC, d.sort, d.id, g.age
"""


@sensitive_read("arrears.list", caller="staff", permission=permissions.BILLS_READ)
async def arrears(
    actor: Actor,
    compound_id: UUID,
    narrowed: ArrearsFilter,
    *,
    sort: Sort,
    after: tuple[object, ...] | None,
    limit: int,
) -> list[HouseArrears]:
    """A page of the houses that owe something past its due date: the longest first, or the most principal first.
    The number of statements does not depend on that of the houses."""
    concerns("House", None, compound_id, filters=narrowed.used, sort=sort)
    return await page(actor, compound_id, narrowed, sort=sort, after=after, limit=limit)


async def page(
    actor: Actor,
    compound_id: UUID,
    narrowed: ArrearsFilter,
    *,
    sort: Sort,
    after: tuple[object, ...] | None,
    limit: int,
) -> list[HouseArrears]:
    """As `arrears`, for a caller whose reading is on record already."""
    found = await database.fetch(
        PAGES[sort], *_arguments(actor, compound_id, narrowed), *(after or (None, None)), limit
    )
    houses = [row["house_id"] for row in found]
    bills = await _bills(houses, narrowed.payer)
    people, promised = await _people(bills), await promises.latest_of(houses)
    reminded = {row["house_id"]: row["reminded_on"] for row in await database.fetch(REMINDED, houses)}
    return [
        _house(row, bills[id], people[id], promised.get(id), reminded[id])
        for row in found
        if (id := row["house_id"])
    ]


async def count(actor: Actor, compound_id: UUID, narrowed: ArrearsFilter) -> int:
    """How many houses there are over all pages."""
    return int(await database.fetchval(COUNT, *_arguments(actor, compound_id, narrowed)))


async def summary(actor: Actor, compound_id: UUID) -> list[ArrearsSum]:
    """All of a compound that the caller may see, then by building; one statement."""
    today, reached = clock.today(), _reached(actor, compound_id)
    rows = await database.fetch(SUMMARY, compound_id, today, reached, AGE_EDGES)
    ages: defaultdict[UUID | None, dict[int, asyncpg.Record]] = defaultdict(dict)
    for row in rows:
        if not row["is_every_age"]:
            ages[row["building_id"]][row["age"]] = row
    return [_sum(row, ages[row["building_id"]]) for row in rows if row["is_every_age"]]


def _sum(row: asyncpg.Record, ages: Mapping[int, asyncpg.Record]) -> ArrearsSum:
    aged = tuple(
        Aged(first, last, ages[age]["bills"], ages[age]["principal_fen"])
        if age in ages
        else Aged(first, last, 0, 0)
        for age, (first, last) in enumerate(AGES)
    )
    return ArrearsSum(
        row["building_id"], row["building_name"], row["houses"], row["bills"], row["principal_fen"] or 0, aged
    )


def _reached(actor: Actor, compound_id: UUID) -> list[UUID] | None:
    actor.require(permissions.BILLS_READ, compound_id)
    reached = actor.buildings(permissions.BILLS_READ, compound_id)
    return None if reached is None else list(reached)


def _arguments(actor: Actor, compound_id: UUID, narrowed: ArrearsFilter) -> tuple[object, ...]:
    today, words = clock.today(), (narrowed.words or "").strip()
    digits = words if words.isascii() and words.isdigit() else ""
    due_by = None if narrowed.age_at_least is None else _days_before(today, narrowed.age_at_least)
    return (
        compound_id, today, _reached(actor, compound_id), narrowed.building_id, due_by, narrowed.fen_at_least,
        narrowed.payer, contains(words), sealed.phone_tail_index(digits) if len(digits) == 4 else None,
        sealed.phone_index(digits) if len(digits) == 11 else None,
    )  # fmt: skip


def _days_before(today: date, days: int) -> date:
    """Whatever is longer than a calendar can say finds nothing, and below zero is no bound: all of it is past due."""
    return date.min if days >= (today - date.min).days else today - timedelta(days=max(days, 0))


async def _bills(houses: Sequence[UUID], payer: str | None) -> Mapping[UUID, list[asyncpg.Record]]:
    by_house: defaultdict[UUID, list[asyncpg.Record]] = defaultdict(list)
    for row in await database.fetch(BILLS, houses, clock.today(), payer):
        by_house[row["house_id"]].append(row)
    return by_house


async def _people(bills: Mapping[UUID, Sequence[asyncpg.Record]]) -> Mapping[UUID, list[Debtor]]:
    found = await debtors([row["id"] for rows in bills.values() for row in rows])
    rows = {(row["house_id"], row["payer"], row["person_id"]): row for each in found.values() for row in each}
    people: defaultdict[UUID, list[Debtor]] = defaultdict(list)
    for row in sorted(rows.values(), key=lambda row: (row["payer"], row["name"], row["person_id"])):
        debtor = Debtor(row["payer"], row["name"], sealed.masked_phone(row["phone_sealed"]))
        people[row["house_id"]].append(debtor)
    return people


def _house(
    row: asyncpg.Record,
    bills: Sequence[asyncpg.Record],
    people: Sequence[Debtor],
    promise: PaymentPromise | None,
    reminded_on: date | None,
) -> HouseArrears:
    today = clock.today()
    stands = [(bill, standing(bill, today)) for bill in bills]
    aged = [(age_of((today - bill["due_on"]).days), each.principal_outstanding_fen) for bill, each in stands]
    return HouseArrears(
        row["house_id"], row["house_number"], row["building_name"], tuple(bill["id"] for bill in bills),
        row["principal_fen"], sum(each.late_fee_outstanding_fen for _, each in stands), row["oldest_due_on"],
        tuple(_aged(aged)), tuple(people), promise, reminded_on,
    )  # fmt: skip


def _aged(bills: Sequence[tuple[int, int]]) -> Iterable[Aged]:
    for place, (first, last) in enumerate(AGES):
        owed = [fen for age, fen in bills if age == place]
        yield Aged(first, last, len(owed), sum(owed))
