"""Previewing a run (出账预览): the charges that a posting would write, added up, and nothing written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from domains.billing.charges.formulas import formulas_of
from domains.billing.charges.posting import adding_up
from domains.billing.charges.statement import BEFORE_ALL, FOR_LARGE_STATEMENTS, Charging
from domains.billing.run_parts import CHUNK, Part
from domains.kernel import database

MOST_SAMPLES = 100

ITEMS = "SELECT id, name FROM fee_item WHERE compound_id = $1"

# Bill by bill, and its lines by one index: right after a posting the planner knows nothing of the new rows, and would go
# through all lines for every bill.
BEFORE = """
SELECT l.fee_item_id, count(*) AS lines, sum(l.amount_fen)::bigint AS fen
FROM bill b CROSS JOIN LATERAL (
    SELECT fee_item_id, amount_fen, kind FROM bill_line WHERE bill_id = b.id OFFSET 0) AS l
WHERE b.compound_id = $1 AND b.month = $2 AND b.state <> 'void' AND l.kind = 'charge' GROUP BY l.fee_item_id
"""

NUMBERS = "SELECT id, number FROM house WHERE id = ANY($1::uuid[])"


@dataclass(frozen=True, slots=True)
class ItemTotal:
    """What a fee item comes to in a run, and what it came to in the month before."""

    fee_item_id: UUID
    name: str
    lines: int
    fen: int
    previous_lines: int
    previous_fen: int

    @property
    def difference_fen(self) -> int:
        """More, or less where it is below zero, than in the month before."""
        return self.fen - self.previous_fen


@dataclass(frozen=True, slots=True)
class ProblemCount:
    """How many lines cannot be made for one reason (see rules.EXCEPTIONS)."""

    code: str
    count: int


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that cannot be made, and why (出账异常)."""

    house_id: UUID
    house_number: str
    fee_item_id: UUID
    fee_item_name: str
    period_from: date
    code: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a run would come to; its parts are what a posting is held to."""

    houses: int
    total_fen: int
    lines: int
    items: tuple[ItemTotal, ...]
    problems: tuple[ProblemCount, ...]
    samples: tuple[Problem, ...]
    parts: tuple[Part, ...]

    @property
    def as_json(self) -> dict[str, Any]:  # Any: JSON
        """As the run keeps it."""
        return {
            "items": [
                {
                    "fee_item_id": str(each.fee_item_id), "name": each.name, "lines": each.lines, "fen": each.fen,
                    "previous_lines": each.previous_lines, "previous_fen": each.previous_fen,
                }
                for each in self.items
            ],
            "problems": {each.code: each.count for each in self.problems},
        }  # fmt: skip


@dataclass(slots=True)
class _Sums:
    parts: list[Part] = field(default_factory=list)
    lines: Counter[UUID] = field(default_factory=Counter)
    fen: Counter[UUID] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    samples: list[tuple[UUID, date, UUID, str]] = field(default_factory=list)

    def add(self, row: asyncpg.Record) -> None:
        item_id, code = row["item_id"], row["problem"]
        if item_id is None:
            return
        if code is None:
            self.lines[item_id] += row["lines"]
            self.fen[item_id] += row["fen"]
            return
        self.problems[code] += row["lines"]
        for each in row["samples"][: max(0, MOST_SAMPLES - len(self.samples))]:
            house, _, day = each.partition(" ")
            self.samples.append((UUID(house), date.fromisoformat(day), item_id, code))


async def preview(charging: Charging, chunk: int = CHUNK) -> Preview:
    """Add up a run's charges, part by part as it would be posted, in the open transaction or one of its own."""
    async with database.transaction():
        await database.execute(FOR_LARGE_STATEMENTS)
        sums = await _add_up(charging, chunk)
        return await _in_words(charging, sums)


async def _add_up(charging: Charging, chunk: int) -> _Sums:
    of_one_house = charging.house_id is not None
    text = adding_up(await formulas_of(charging.compound_id), of_one_house=of_one_house)
    sums, after = _Sums(), BEFORE_ALL
    while True:
        rows = await database.fetch(text, *charging.arguments(after, chunk))
        part = replace(Part.of(rows[0]), digest=sum(int(row["digest"]) for row in rows))
        if part.houses or not sums.parts:
            sums.parts.append(part)
        for row in rows:
            sums.add(row)
        if of_one_house or part.houses < chunk:
            return sums
        after = rows[0]["last_sort"], rows[0]["last_id"]


async def _in_words(charging: Charging, sums: _Sums) -> Preview:
    names = {row["id"]: row["name"] for row in await database.fetch(ITEMS, charging.compound_id)}
    month_before = (charging.month - timedelta(days=1)).replace(day=1)
    before = {
        row["fee_item_id"]: row for row in await database.fetch(BEFORE, charging.compound_id, month_before)
    }
    items = [_total(id, names[id], sums, before) for id in sorted(sums.lines, key=lambda id: (names[id], id))]
    rows = await database.fetch(NUMBERS, list({house for house, *_ in sums.samples}))
    numbers = {row["id"]: row["number"] for row in rows}
    samples = [
        Problem(house, numbers[house], item, names[item], day, code)
        for house, day, item, code in sums.samples
    ]
    return Preview(
        sum(part.houses for part in sums.parts), sums.fen.total(), sums.lines.total(), tuple(items),
        tuple(ProblemCount(*each) for each in sorted(sums.problems.items())), tuple(samples), tuple(sums.parts),
    )  # fmt: skip


def _total(id: UUID, name: str, sums: _Sums, before: Mapping[UUID, asyncpg.Record]) -> ItemTotal:
    previous = (before[id]["lines"], before[id]["fen"]) if id in before else (0, 0)
    return ItemTotal(id, name, sums.lines[id], sums.fen[id], *previous)
