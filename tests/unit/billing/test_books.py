"""A month's accounts: they add up over any history, and each fen of a payment is some item's."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from random import Random
from uuid import UUID

import orjson
import pytest

from domains.billing.books import Books, from_content, months_after, rate, to_content
from domains.billing.documents.papers import digest
from domains.billing.queries.books import compute
from domains.kernel import database
from payments.service import payables
from payments.service.ledger import Account
from tests.factories import bills, books, estate, identity, ledger
from tests.factories.books import Walk, on

pytestmark = pytest.mark.usefixtures("instance")
JANUARY, FEBRUARY, MARCH, APRIL = (date(2026, month, 1) for month in (1, 2, 3, 4))

OPEN_AT = """
SELECT coalesce(sum(e.amount_fen), 0)::bigint FROM entry e JOIN payable p ON p.id = e.payable_id
WHERE p.compound_id = $1 AND e.posted_on < $2
"""
SETTLED = """
SELECT s.amount_fen, p.subject_type, p.subject_id, j.posted_on FROM settlement s JOIN payable p ON p.id = s.payable_id
JOIN journal j ON j.id = s.journal_id WHERE s.compound_id = $1
"""
NET_LINES = "SELECT fee_item_id, sum(amount_fen)::bigint AS fen FROM bill_line WHERE bill_id = $1 GROUP BY 1"


async def walk(seed: int) -> Walk:
    at = await identity.places()
    items = [await bills.item(at.compound_id, category) for category in ("property", "water", "parking")]
    deposit = await bills.item(at.compound_id, "deposit")
    return Walk(Random(seed), at.compound_id, at.building_id, items, deposit)


@pytest.mark.parametrize("seed", range(6))
async def test_what_was_open_and_billed_less_waived_and_collected_is_what_is_open(seed: int) -> None:
    walked = await walk(seed)
    for day in range(0, 88, 2):
        await walked.move(JANUARY + timedelta(days=day))
    await ledger.check_books()
    settled = await database.fetch(SETTLED, walked.compound_id)
    for month in (JANUARY, FEBRUARY, MARCH):
        made, end = await compute(walked.compound_id, month), months_after(month, 1)
        assert made.open_before_fen == await database.fetchval(OPEN_AT, walked.compound_id, month)
        assert made.open_after_fen == await database.fetchval(OPEN_AT, walked.compound_id, end)
        assert (
            made.open_before_fen + made.billed_fen - made.waived_fen - made.collected_fen
            == made.open_after_fen
        )
        assert made.carried_in_fen == 0
        of_month = [row for row in settled if month <= row["posted_on"] < end]
        assert made.collected_fen == sum(row["amount_fen"] for row in of_month)
        assert made.late_fees.collected_fen == sum(
            row["amount_fen"] for row in of_month if row["subject_type"] == "late_fee"
        )
        shown = made.months[-1]
        assert (shown.month, shown.billed_fen, shown.collected_fen) == (
            month,
            made.billed_fen,
            made.collected_fen,
        )


@pytest.mark.parametrize("seed", range(6, 9))
async def test_bills_that_end_paid_were_collected_as_their_lines_say(seed: int) -> None:
    walked = await walk(seed)
    for day in range(0, 60, 2):
        with on(JANUARY + timedelta(days=day)):
            await walked.random.choice((walked.bill, walked.pay, walked.pay))(JANUARY + timedelta(days=day))
    with on(date(2026, 3, 20)):
        for state in (await payables.of_subjects("bill", walked.known)).values():
            if state.outstanding_fen:
                await bills.pay(state.subject_id, state.outstanding_fen, date(2026, 3, 20))
    collected: dict[UUID, int] = defaultdict(int)
    deposits = 0
    for month in (JANUARY, FEBRUARY, MARCH):
        made = await compute(walked.compound_id, month)
        deposits += made.deposits.collected_fen
        for income in made.incomes:
            collected[income.fee_item_id] += income.collected_fen
    expected: dict[UUID, int] = defaultdict(int)
    for bill_id in walked.known:
        for row in await database.fetch(NET_LINES, bill_id):
            expected[row["fee_item_id"]] += row["fen"]
    assert deposits == expected.pop(walked.deposit, 0)
    assert dict(collected) == dict(expected)


async def january() -> tuple[UUID, UUID, UUID, Books]:
    """Two bills of 300.00 and 100.00; of the first a third is paid, of the second 10.00 are waived; 50.00 are spent."""
    at = await identity.places()
    house = await estate.house(at.building_id)
    property_fee, water = (
        await bills.item(at.compound_id, name="物业费"),
        await bills.item(at.compound_id, "water", name="水费"),
    )
    with on(JANUARY):
        first = await bills.bill(house, {property_fee: 20_000, water: 10_000}, month=JANUARY)
        next_door = await estate.house(at.building_id, "102")
        second = await bills.bill(next_door, {property_fee: 10_000}, month=JANUARY)
    with on(date(2026, 1, 20)):
        await bills.pay(first, 10_000, date(2026, 1, 20))
        state = (await payables.of_subjects("bill", [second]))[second]
        async with database.transaction():
            await payables.change(
                ledger.posting(at.compound_id, "waiver"), state.id, -1_000, Account("waiver")
            )
        await books.expense(at.compound_id, 3_000, date(2026, 1, 21))
        await books.expense(at.compound_id, 2_000, date(2026, 1, 31), "energy")
    return at.compound_id, first, second, await compute(at.compound_id, JANUARY)


async def test_a_month_is_told_item_by_item() -> None:
    _, _, _, made = await january()
    assert [(each.name, each.billed_fen, each.collected_fen) for each in made.incomes] == [
        ("物业费", 30_000, 6_667),
        ("水费", 10_000, 3_333),
    ]
    assert (made.billed_fen, made.waived_fen, made.collected_fen, made.open_after_fen) == (
        40_000,
        1_000,
        10_000,
        29_000,
    )
    assert (made.month_due_fen, made.month_settled_fen, made.month_rate) == (39_000, 10_000, 2_564)
    assert made.whole_rate == 2_564
    assert [(each.category, each.amount_fen) for each in made.spent_on] == [
        ("cleaning", 3_000),
        ("energy", 2_000),
    ]
    assert (made.income_fen, made.spent_fen, made.balance_after_fen) == (10_000, 5_000, 5_000)
    assert [(each.billed_fen, each.spent_fen) for each in made.months] == [(0, 0)] * 11 + [(40_000, 5_000)]


async def test_later_payments_change_no_month_that_is_over() -> None:
    compound_id, first, _, made = await january()
    with on(date(2026, 2, 10)):
        await bills.pay(first, 20_000, date(2026, 2, 10))
    assert await compute(compound_id, JANUARY) == made
    later = await compute(compound_id, FEBRUARY)
    assert [(each.name, each.billed_fen, each.collected_fen) for each in later.incomes] == [
        ("物业费", 0, 13_333),
        ("水费", 0, 6_667),
    ]
    assert (later.open_before_fen, later.open_after_fen) == (29_000, 9_000)
    assert (later.month_due_fen, later.month_rate) == (0, None)
    assert later.whole_rate == rate(20_000, 29_000)


async def test_deposits_are_collected_and_are_nobodys_income() -> None:
    at = await identity.places()
    house, deposit = await estate.house(at.building_id), await bills.item(at.compound_id, "deposit")
    with on(JANUARY):
        bill = await bills.bill(house, {deposit: 50_000}, month=JANUARY)
        await bills.pay(bill, 50_000, JANUARY)
    made = await compute(at.compound_id, JANUARY)
    assert (made.deposits.billed_fen, made.deposits.collected_fen, made.incomes) == (50_000, 50_000, ())
    assert (made.collected_fen, made.income_fen, made.balance_after_fen, made.month_rate) == (
        50_000,
        0,
        0,
        10_000,
    )


async def test_of_a_void_bill_nothing_is_left_in_the_sums() -> None:
    at = await identity.places()
    house, item = await estate.house(at.building_id), await bills.item(at.compound_id)
    with on(JANUARY):
        bill = await bills.bill(house, {item: 30_000}, month=JANUARY)
        await bills.pay(bill, 10_000, JANUARY)
        state = (await payables.of_subjects("bill", [bill]))[bill]
        async with database.transaction():
            void = ledger.posting(at.compound_id, "void")
            await payables.change(void, state.id, -20_000, Account("income", item))
            void = ledger.posting(at.compound_id, "void")
            to = Account("prepayment", house)
            await payables.give_back(void, state.id, 10_000, to, Account("income", item))
    made = await compute(at.compound_id, JANUARY)
    assert (made.billed_fen, made.collected_fen, made.open_after_fen, made.carried_in_fen) == (0, 0, 0, 0)
    assert (made.month_due_fen, made.month_rate) == (0, None)


async def test_another_compounds_moves_are_not_counted() -> None:
    await january()
    at = await identity.places()
    made = await compute(at.compound_id, JANUARY)
    assert (made.incomes, made.expenses, made.open_after_fen, made.balance_after_fen) == ((), (), 0, 0)


async def test_accounts_are_the_same_after_they_were_kept() -> None:
    _, _, _, made = await january()
    kept = orjson.loads(orjson.dumps(to_content(made)))
    assert from_content(kept) == made
    assert digest(kept) == digest(to_content(made))


async def test_accounts_cost_the_same_number_of_statements_however_long_the_history() -> None:
    compound_id, first, *_ = await january()
    async with database.counted() as short:
        await compute(compound_id, JANUARY)
    for day in range(1, 20):
        with on(date(2026, 1, 20)):
            await bills.pay(first, day, date(2026, 1, 20))
    async with database.counted() as long:
        await compute(compound_id, JANUARY)
    assert short.count == long.count == 8


@pytest.mark.parametrize(
    ("part", "whole", "shown"), [(0, 0, None), (1, 3, 3333), (2, 3, 6667), (5, 5, 10_000), (-5, 5, -10_000)]
)
def test_rates_are_hundredths_of_a_percent(part: int, whole: int, shown: int | None) -> None:
    assert rate(part, whole) == shown


def test_months_are_counted_over_years() -> None:
    assert [months_after(JANUARY, count) for count in (-1, 0, 11, 12)] == [
        date(2025, 12, 1), JANUARY, date(2026, 12, 1), date(2027, 1, 1)]  # fmt: skip
