"""A monthly run over a large compound, beside one copy of the rows it leaves, and over a long history.

The copy is `INSERT … SELECT` of the very rows of the run (accounts, bills, lines, payables, journals, entries) from heaps
without an index into the same tables, emptied, with the same indexes, foreign keys and triggers: what the database
takes for keeping them, without a word of computing or of numbering them.
"""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from api.instance import Addresses
from domains.billing.proration import months_after
from domains.billing.queries import bills as bill_queries
from domains.billing.service import posting
from domains.kernel import database
from domains.kernel.actor import SYSTEM, Actor
from tests.bench.figures import Figures
from tests.bench.paired import Side, take_turns, wall_ratio
from tests.conftest import administer
from tests.factories import bills, charges, estate, residents, runs
from tests.factories.identity import places

SMALL, LARGE, ITEMS = 10_000, 100_000, 3
HISTORY_HOUSES, MONTHS = 400, 60
GOAL_RATIO, GOAL_HISTORY, GOAL_MEMORY = 0.5, 1.15, 1.1
MONTH = date(2026, 11, 1)
ROUNDS, TIMES = 7, 20

HOUSES = """
INSERT INTO house (id, compound_id, building_id, unit_id, room, room_key, number, sort, built_area_m2, use, state,
    is_rented, title_document, source, recorded_at)
SELECT make_uuid7(), u.compound_id, b.id, u.id, n::text, n::text, b.name || u.name || n,
    b.sort || '/' || u.sort || '/' || lpad(n::text, 6, '0'), 60.53 + n % 90, 'residential', 'self_occupied', false, '',
    'import', now()
FROM unit u JOIN building b ON b.id = u.building_id CROSS JOIN generate_series(1, $2::int) AS n WHERE u.compound_id = $1
"""

# Every house has an owner who is named as the one who pays, as the register leaves it.
OWNERS = """
WITH owner AS (
    INSERT INTO person (id, compound_id, name, tags, source, recorded_at, nationality, ethnicity, native_place,
        registered_address, work_unit)
    SELECT id, compound_id, '业主', '{}', 'import', now(), '', '', '', '', '' FROM house WHERE compound_id = $1)
INSERT INTO liability (id, compound_id, house_id, payer, person_id, from_on, note, recorded_at)
SELECT make_uuid7(), compound_id, id, 'owner', id, '2015-01-01', '', now() FROM house WHERE compound_id = $1
"""

COPIED = ("ledger_account", "bill", "bill_line", "journal", "payable", "entry")

REFERRING = """
SELECT DISTINCT c.conrelid::regclass::text AS name FROM pg_constraint c JOIN pg_class t ON t.oid = c.confrelid
WHERE c.contype = 'f' AND t.relname = ANY($1::text[])
"""

SETTLE_HISTORY = (
    "UPDATE payable SET settled_fen = due_fen WHERE compound_id = $1 AND opened_on < $2",
    "UPDATE bill SET state = 'paid', paid_at = now() WHERE compound_id = $1 AND month < $2",
)


@dataclass(frozen=True, slots=True)
class Town:
    """A compound with its fee items, and somebody who lives in one of its houses."""

    compound_id: UUID
    resident: Actor


async def measure(figures: Figures, addresses: Addresses) -> None:
    """Everything, in an instance whose slots are filled. Bills that are there are lost."""
    await _history(figures, addresses)
    small = await town(SMALL, addresses)
    await timed(small)
    at_small = peak_mb()
    large = await town(LARGE, addresses)
    seconds = await timed(large)
    figures.add(
        f"monthly run, {LARGE:,} houses × {ITEMS} items",
        f"{LARGE * ITEMS / seconds:,.0f} lines/s ({seconds:.1f} s)",
    )
    figures.add(
        f"peak memory of the process, {SMALL:,} → {LARGE:,} houses", f"{at_small} → {peak_mb()} MB",
        f"≤ ×{GOAL_MEMORY}", peak_mb() <= at_small * GOAL_MEMORY,
    )  # fmt: skip
    copied = await _copy(addresses)
    figures.add(
        "speed against one INSERT … SELECT of the same rows", f"×{copied / seconds:.2f} ({copied:.1f} s)",
        f"≥ ×{GOAL_RATIO}", copied / seconds >= GOAL_RATIO,
    )  # fmt: skip


async def town(houses: int, addresses: Addresses, starts_on: date = date(2026, 1, 1)) -> Town:
    """A compound of so many houses: by area, fixed, and by area again."""
    at = await places()
    first = await estate.house(at.building_id, "999999")
    occupant = await residents.occupant(first)
    await database.execute(HOUSES, at.compound_id, houses - 1)
    await database.execute(OWNERS, at.compound_id)
    for price, method in (("280", "built_area"), ("3000", "fixed"), ("65.5", "built_area")):
        await charges.item(at.compound_id, price, method=method, anchor_on=starts_on, starts_on=starts_on)
    await bills.late_fee_rule(at.compound_id)
    await administer(addresses.owner_url, "VACUUM ANALYZE")
    return Town(at.compound_id, await residents.resident(occupant.account_id))


async def timed(town: Town, month: date = MONTH) -> float:
    """Seconds from an approved run to its end."""
    run_id = await runs.approved(town.compound_id, month)
    started = time.perf_counter()
    await posting.post(SYSTEM, run_id)
    return time.perf_counter() - started


def peak_mb() -> int:
    """The most memory that this process has ever had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (1024 * 1024 if sys.platform == "darwin" else 1024)


async def _copy(addresses: Addresses) -> float:
    """Seconds for the same rows; by the application's role, in one transaction."""
    stage = [f"CREATE TABLE staged_{name} AS SELECT * FROM {name}" for name in COPIED]
    await administer(
        addresses.owner_url, *stage, *[f"GRANT SELECT ON staged_{name} TO PUBLIC" for name in COPIED]
    )
    await _empty(addresses)
    connection = await asyncpg.connect(addresses.app_url)  # of its own: a statement may take minutes
    try:
        started = time.perf_counter()
        async with connection.transaction():
            for name in COPIED:
                await connection.execute(f"INSERT INTO {name} SELECT * FROM staged_{name}")
        seconds = time.perf_counter() - started
    finally:
        await connection.close()
    await administer(addresses.owner_url, *[f"DROP TABLE staged_{name}" for name in COPIED])
    return seconds


async def _empty(addresses: Addresses) -> None:
    """Journals refuse to be emptied while their triggers are on."""
    names = {row["name"] for row in await database.fetch(REFERRING, list(COPIED))} | set(COPIED)
    await administer(
        addresses.owner_url,
        *[f"ALTER TABLE {name} DISABLE TRIGGER USER" for name in names],
        f"TRUNCATE {', '.join(COPIED)} CASCADE",
        *[f"ALTER TABLE {name} ENABLE TRIGGER USER" for name in names],
    )


async def _history(figures: Figures, addresses: Addresses) -> None:
    """Two compounds that are alike but for how many months were billed and paid."""
    first = months_after(MONTH, 1 - MONTHS)
    young = await town(HISTORY_HOUSES, addresses, first)
    old = await town(HISTORY_HOUSES, addresses, first)
    for month in range(MONTHS):
        await runs.posted(old.compound_id, months_after(first, month))
    await runs.posted(young.compound_id, MONTH)
    for each in (young, old):
        for statement in SETTLE_HISTORY:
            await database.execute(statement, each.compound_id, MONTH)
    await administer(addresses.owner_url, "VACUUM ANALYZE")
    for name, side in (("viewer.bills", _own), ("home: what is due", _due)):
        costs = await take_turns([side(young), side(old)], rounds=ROUNDS, times=TIMES)
        _add(figures, name, wall_ratio(costs[1], costs[0]))
    pairs = [
        (await timed(young, month), await timed(old, month))
        for month in (months_after(MONTH, ahead) for ahead in range(1, 8))
    ]
    ratios = sorted(after / before for before, after in pairs)
    _add(figures, "the run itself", ratios[len(ratios) // 2])


def _own(town: Town) -> Side:
    async def work() -> object:
        return await bill_queries.own(town.resident, states=None, house_ids=None, after=None, limit=21)

    return Side(work)


def _due(town: Town) -> Side:
    async def work() -> object:
        return await bill_queries.due(town.resident)

    return Side(work)


def _add(figures: Figures, name: str, ratio: float) -> None:
    figures.add(
        f"{name}, after {MONTHS} months against 1", f"×{ratio:.2f}", f"≤ ×{GOAL_HISTORY}", ratio <= GOAL_HISTORY
    )  # fmt: skip
