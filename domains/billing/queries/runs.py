"""Reads of runs (出账批次), for staff who work with them in the whole compound."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import asyncpg
import orjson

from domains.billing import permissions
from domains.billing.queries import bills
from domains.billing.service.previewing import ItemTotal, Problem, ProblemCount
from domains.kernel import database
from domains.kernel.actor import Actor

READERS = (permissions.RUNS_START, permissions.RUNS_APPROVE, permissions.BILLS_READ)


@dataclass(frozen=True, slots=True)
class BillingRun:
    """A run as it is read; `items` and `problems` are those of its preview."""

    id: UUID
    compound_id: UUID
    month: date
    from_month: date
    fee_item_ids: list[UUID]
    issued_on: date
    due_on: date | None
    state: str
    is_scheduled: bool
    discount_percent: Decimal
    expected_fen: int
    houses: int
    houses_done: int
    bill_count: int
    line_count: int
    posted_fen: int
    exception_count: int
    created_by_name: str | None
    created_at: datetime
    approved_by_name: str | None
    approved_at: datetime | None
    returned_at: datetime | None
    ended_at: datetime | None
    items: list[ItemTotal]
    problems: list[ProblemCount]

    @property
    def progress(self) -> float:
        """From 0 to 1."""
        return self.houses_done / self.houses if self.houses else float(self.state == "posted")


_ROW = """r.id, r.compound_id, r.month, r.from_month, r.fee_item_ids, r.issued_on, r.due_on, r.state, r.is_scheduled,
    r.discount_percent, r.expected_fen, r.houses, r.houses_done, r.bills AS bill_count, r.lines AS line_count, r.posted_fen,
    r.exceptions AS exception_count, c.name AS created_by_name, r.created_at, a.name AS approved_by_name, r.approved_at,
    r.returned_at, r.ended_at, r.preview::text AS preview"""
_FROM = "billing_run r LEFT JOIN account c ON c.id = r.created_by LEFT JOIN account a ON a.id = r.approved_by"

# What was billed at once for one house is no run over the compound.
OF_COMPOUND = f"""
SELECT {_ROW} FROM {_FROM}
WHERE r.compound_id = $1 AND r.house_id IS NULL AND ($2::timestamptz IS NULL OR (r.created_at, r.id) < ($2, $3::uuid))
ORDER BY r.created_at DESC, r.id DESC LIMIT $4
"""

BY_ID = f"SELECT {_ROW} FROM {_FROM} WHERE r.id = ANY($1::uuid[]) AND r.compound_id = ANY($2::uuid[])"

# A page of each run, by the index of its runs.
EXCEPTIONS = """
SELECT e.run_id, e.id, e.house_id, h.number AS house_number, e.fee_item_id, i.name AS fee_item_name, e.period_from, e.code
FROM unnest($1::uuid[]) AS r (id) CROSS JOIN LATERAL (
    SELECT * FROM run_exception e WHERE e.run_id = r.id AND ($2::text IS NULL OR e.code = $2)
        AND ($3::text IS NULL OR (e.code, e.id) > ($3, $4::uuid))
    ORDER BY e.code, e.id LIMIT $5) AS e
JOIN house h ON h.id = e.house_id JOIN fee_item i ON i.id = e.fee_item_id ORDER BY e.run_id, e.code, e.id
"""

BILLS = """
SELECT r.id AS run_id, b.id FROM unnest($1::uuid[]) AS r (id) CROSS JOIN LATERAL (
    SELECT id, number FROM bill WHERE run_id = r.id AND number > $2 ORDER BY number LIMIT $3) AS b
ORDER BY r.id, b.number
"""

OF_RUN = "SELECT id FROM bill WHERE run_id = $1 ORDER BY number"


@dataclass(frozen=True, slots=True)
class RunException:
    """A line that the run could not make (出账异常)."""

    id: UUID
    problem: Problem


async def billing_runs(
    actor: Actor, compound_id: UUID, *, after: tuple[object, ...] | None, limit: int
) -> list[BillingRun]:
    """A page of a compound's runs, the last one first; others than READERS are refused."""
    if compound_id not in _compounds(actor):
        actor.refuse(compound_id)
    rows = await database.fetch(OF_COMPOUND, compound_id, *(after or (None, None)), limit)
    return [_run(row) for row in rows]


async def by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, BillingRun]:
    """Those the caller may see."""
    rows = await database.fetch(BY_ID, list(ids), _compounds(actor))
    return {row["id"]: _run(row) for row in rows}


async def exceptions(
    run_ids: Sequence[UUID], code: str | None, *, after: tuple[object, ...] | None, limit: int
) -> Mapping[UUID, list[RunException]]:
    """A page of what each run could not charge, for who has read the runs."""
    found: defaultdict[UUID, list[RunException]] = defaultdict(list)
    for row in await database.fetch(EXCEPTIONS, run_ids, code, *(after or (None, None)), limit):
        problem = Problem(**{name: row[name] for name in Problem.__slots__})
        found[row["run_id"]].append(RunException(row["id"], problem))
    return found


def require_bills(actor: Actor, run: BillingRun) -> None:
    """Refuse whoever may not read the bills of a run."""
    actor.require(permissions.BILLS_READ, run.compound_id)


async def bills_of(
    actor: Actor, run_ids: Sequence[UUID], *, after: tuple[object, ...] | None, limit: int
) -> Mapping[UUID, list[bills.Bill]]:
    """A page of each run's bills by number, those that the caller may see."""
    rows = await database.fetch(BILLS, run_ids, *(after or (0,)), limit)
    read = await bills.by_id(actor, [row["id"] for row in rows])
    found: defaultdict[UUID, list[bills.Bill]] = defaultdict(list)
    for row in rows:
        if row["id"] in read:
            found[row["run_id"]].append(read[row["id"]])
    return found


async def bills_made(actor: Actor, run_id: UUID) -> list[bills.Bill]:
    """The bills of a run of one house, those of them that the caller may see."""
    ids = [row["id"] for row in await database.fetch(OF_RUN, run_id)]
    found = await bills.by_id(actor, ids)
    return [found[id] for id in ids if id in found]


def _compounds(actor: Actor) -> list[UUID]:
    """Where the caller holds one of the permissions in all buildings."""
    return list({id for permission in READERS for id in actor.reach(permission).compounds})


def _run(row: asyncpg.Record) -> BillingRun:
    values = dict(row)
    preview = orjson.loads(values.pop("preview"))
    items = [
        ItemTotal(**{**each, "fee_item_id": UUID(each["fee_item_id"])}) for each in preview.get("items", ())
    ]
    problems = [ProblemCount(*each) for each in sorted(preview.get("problems", {}).items())]
    return BillingRun(**values, items=items, problems=problems)
