"""Posting a run: what it writes, in chunks or at once, once or twice, by one or by two."""

from __future__ import annotations

import asyncio
from datetime import date
from uuid import UUID

import pytest

from domains.billing.models import Bill, BillingRun
from domains.billing.service import posting
from domains.kernel import database
from domains.kernel.actor import SYSTEM
from tests.factories import bills, charges, estate, runs
from tests.factories.identity import Places, places
from tests.factories.ledger import check_books, trial_balance
from tests.factories.residents import person

pytestmark = pytest.mark.usefixtures("instance")
OCT, NOV, DEC = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)


async def street(houses: int = 5) -> tuple[Places, list[UUID]]:
    """A compound of a few houses with a bit of everything."""
    at = await places()
    ids = [
        await estate.house(at.building_id, str(101 + number), area=f"{80 + number}.5")
        for number in range(houses)
    ]
    await charges.item(at.compound_id, name="1 物业费")
    await charges.item(at.compound_id, "3000", name="2 车位费", method="fixed", bears_late_fee=False)
    await charges.item(
        at.compound_id, "345", name="3 水费", method="metered", meter_kind="water", timing="arrears", category="water"
    )  # fmt: skip
    for number, house in enumerate(ids):
        meter = await charges.meter(house, number=f"W{number}")
        if number % 2 == 0:
            await charges.reading(meter, date(2026, 10, 31), f"{number}.5")
    await charges.liable(
        ids[0], "tenant", date(2026, 11, 16), person_id=await person(at.compound_id, "赵租客")
    )
    await charges.agreed(ids[1], (await _named(at, "1 物业费")), "0", date(2026, 1, 1))
    await charges.agreed(ids[1], (await _named(at, "2 车位费")), "0", date(2026, 1, 1))
    await bills.late_fee_rule(at.compound_id)
    return at, ids


async def _named(at: Places, name: str) -> UUID:
    statement = "SELECT id FROM fee_item WHERE compound_id = $1 AND name = $2"
    found: UUID = await database.fetchval(statement, at.compound_id, name)
    return found


async def test_bills_lines_payables_and_books() -> None:
    at, ids = await street(2)
    run_id = await runs.posted(at.compound_id, NOV, issued_on=date(2026, 11, 5))
    found = await runs.left(at.compound_id)
    numbers = {(row[1], row[2]): row for row in found["bills"]}
    assert [row[0] for row in found["bills"]] == list(range(1, len(found["bills"]) + 1))
    # 80.5 m² × 2.80 = 225.40: half of November for the owner, half for the tenant; water whole to the last day's payer.
    lines = [row[:2] + row[5:7] for row in found["lines"]]
    assert ("1 物业费", 0, 11270) in [row[1:] for row in lines]
    assert ("1 物业费", 1, 11270) in [row[1:] for row in lines]
    assert len({row[1] for row in found["bills"]}) == 2
    assert numbers
    for row in found["bills"]:
        assert row[8] == date(2026, 11, 20), "fifteen days, where the compound has no rules of its own"
        assert row[11] == ("open" if row[10] else "paid")
    owed = sum(row[10] for row in found["bills"])
    assert sum(row[6] for row in found["lines"]) == owed
    assert [row[0] for row in found["payables"]] == [row[0] for row in found["bills"] if row[10]]
    assert await trial_balance(at.compound_id) == {"income": -owed, "receivable": owed}
    await check_books()
    run = await BillingRun.get(pk=run_id)
    assert (run.state, run.houses_done, run.posted_fen, run.lines) == ("posted", 2, owed, len(found["lines"]))
    assert run.bills == len(found["bills"])
    assert [row[3] for row in found["exceptions"]] == ["NO_READING"]
    assert ids


async def test_a_bill_of_nothing_is_paid_and_owes_nothing() -> None:
    at, ids = await street(2)
    await runs.posted(at.compound_id, NOV)
    of_second = await Bill.filter(house_id=ids[1]).values("state", "issued_fen", "paid_at")
    assert [(row["state"], row["issued_fen"]) for row in of_second] == [("paid", 0), ("paid", 0)]
    assert all(row["paid_at"] for row in of_second)


async def test_deposits_are_no_income() -> None:
    at = await places()
    house = await estate.house(at.building_id)
    item = await charges.item(at.compound_id, None, method="one_off", category="deposit", cycle_months=None)
    await charges.one_off(house, item, date(2026, 11, 9), 200_000, "装修押金")
    await runs.posted(at.compound_id, NOV)
    assert await trial_balance(at.compound_id) == {"deposit_due": -200_000, "receivable": 200_000}
    await check_books()


async def test_chunks_of_any_size_leave_the_same() -> None:
    left = []
    for chunk in (1, 2, 5, 1000):
        at, _ = await street()
        await runs.posted(at.compound_id, NOV, OCT, chunk=chunk)
        found = await runs.left(at.compound_id, "lines", "entries", "exceptions", "payables", "runs", "rules")
        # One journal a chunk: income is credited in as many pieces.
        found["entries"] = [row for row in found["entries"] if row[1] == "receivable"]
        left.append(found)
    for other in left[1:]:
        assert other == left[0]


async def test_posting_twice_adds_nothing() -> None:
    at, _ = await street()
    run_id = await runs.posted(at.compound_id, NOV)
    before = await runs.left(at.compound_id)
    await posting.post(SYSTEM, run_id)
    again = await runs.posted(at.compound_id, NOV)
    after = await runs.left(at.compound_id, "bills", "lines", "payables", "entries", "uses", "rules")
    assert after == {name: rows for name, rows in before.items() if name in after}
    run = await BillingRun.get(pk=again)
    assert (run.state, run.bills, run.lines, run.posted_fen) == ("posted", 0, 0, 0)


@pytest.mark.parametrize(
    "order",
    [
        [(OCT, OCT), (NOV, NOV), (DEC, DEC)], [(DEC, DEC), (OCT, OCT), (NOV, NOV)], [(OCT, DEC)],
        [(DEC, DEC), (OCT, DEC)],
    ],
)  # fmt: skip
async def test_the_order_of_runs_changes_no_line(order: list[tuple[date, date]]) -> None:
    at = await places()
    house = await estate.house(at.building_id)
    await charges.item(at.compound_id, name="1")
    await charges.item(at.compound_id, name="2", cycle_months=2, timing="arrears", anchor_on=date(2026, 8, 31),
                       starts_on=date(2026, 8, 31))  # fmt: skip
    await charges.liable(house, "tenant", date(2026, 11, 16))
    for first, last in order:
        await runs.posted(at.compound_id, last, first)
    lines = [row[1:] for row in (await runs.left(at.compound_id, "lines"))["lines"]]
    assert sorted((row[0], str(row[2]), row[4], row[5]) for row in lines) == [
        ("1", "2026-10-01", 0, 25060), ("1", "2026-11-01", 0, 12530), ("1", "2026-11-01", 1, 12530),
        ("1", "2026-12-01", 0, 25060), ("2", "2026-08-31", 0, 50120),
        ("2", "2026-10-31", 0, 13365), ("2", "2026-10-31", 1, 36755),
    ]  # fmt: skip


async def test_two_posters_at_once() -> None:
    at, _ = await street()
    run_id = await runs.approved(at.compound_id, NOV, OCT, chunk=1)
    await asyncio.gather(*(posting.post(SYSTEM, run_id) for _ in range(4)))
    beside, _ = await street()
    await runs.posted(beside.compound_id, NOV, OCT, chunk=1)
    both = [
        await runs.left(each.compound_id, "lines", "payables", "exceptions", "runs", "rules")
        for each in (at, beside)
    ]
    assert both[0] == both[1]
    await check_books()


async def test_two_runs_at_once_bill_a_period_once() -> None:
    at, _ = await street()
    ids = [await runs.approved(at.compound_id, NOV, chunk=2) for _ in range(3)]
    await asyncio.gather(*(posting.post(SYSTEM, id) for id in ids))
    beside, _ = await street()
    await runs.posted(beside.compound_id, NOV)
    both = [await runs.left(each.compound_id, "uses", "payables") for each in (at, beside)]
    assert len(both[0]["payables"]) >= len(both[1]["payables"])
    totals = [
        sum(row[6] for row in (await runs.left(each.compound_id, "lines"))["lines"]) for each in (at, beside)
    ]
    assert totals[0] == totals[1]
    numbers = [row[0] for row in (await runs.left(at.compound_id, "bills"))["bills"]]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_a_cancelled_run_stops_after_its_chunk() -> None:
    at, _ = await street()
    run_id = await runs.approved(at.compound_id, NOV, chunk=2)
    assert await posting.post_part(SYSTEM, run_id)
    await BillingRun.filter(pk=run_id).update(
        state="cancelled", ended_at=(await BillingRun.get(pk=run_id)).approved_at
    )
    before = await runs.left(at.compound_id)
    await posting.post(SYSTEM, run_id)
    assert await runs.left(at.compound_id) == before
    assert before["runs"][0][2:5] == ("cancelled", 5, 2)


async def test_houses_added_meanwhile_were_not_approved() -> None:
    at, _ = await street(3)
    run_id = await runs.approved(at.compound_id, NOV, chunk=2)
    assert await posting.post_part(SYSTEM, run_id)
    added = [await estate.house(at.building_id, room) for room in ("901", "902")]
    await posting.post(SYSTEM, run_id)
    run = await BillingRun.get(pk=run_id)
    assert (run.state, run.houses, run.houses_done) == ("posted", 3, 3)
    assert not await Bill.exists(house_id__in=added)


async def test_nothing_of_another_compound() -> None:
    at, _ = await street(2)
    other, _ = await street(2)
    before = await runs.left(other.compound_id)
    await runs.posted(at.compound_id, NOV)
    assert await runs.left(other.compound_id) == before


async def test_a_part_takes_as_many_statements_whatever_is_in_it() -> None:
    counts = []
    for houses in (2, 12):
        at, _ = await street(houses)
        run_id = await runs.approved(at.compound_id, NOV)
        async with database.counted() as statements:
            await posting.post_part(SYSTEM, run_id)
        counts.append(statements.count)
    assert counts[0] == counts[1] <= 20
