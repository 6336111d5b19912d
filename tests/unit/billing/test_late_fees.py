"""Late fees: a table of dates and amounts, and what holds of all of them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.billing.late_fees import Debt, Terms, after_waivers, explain, late_fee

DUE = date(2026, 3, 15)
PLAIN = Terms(Decimal("0.0005"))
GRACE = Terms(Decimal("0.0005"), grace_days=10)
AFTER = Terms(Decimal("0.0005"), grace_days=10, is_grace_charged=True)
CAPPED = Terms(Decimal("0.01"), cap_percent=Decimal(10))


def day(offset: int) -> date:
    """So many days after the due date."""
    return DUE + timedelta(days=offset)


def debt(fen: int = 30_000, *payments: tuple[int, int], due_fen: int | None = None) -> Debt:
    """A debt of which so much was paid so many days after the due date."""
    paid = tuple((day(offset), each) for offset, each in payments)
    return Debt(fen, fen if due_fen is None else due_fen, DUE, paid)


@pytest.mark.parametrize(
    ("terms", "owed", "as_of", "expected"),
    [
        (None, debt(), day(100), 0),
        (PLAIN, debt(), day(0), 0),
        (PLAIN, debt(), day(-30), 0),
        (PLAIN, debt(), day(1), 15),
        (PLAIN, debt(), day(10), 150),
        # The day of payment bears still, and what came before the due date never did.
        (PLAIN, debt(30_000, (5, 30_000)), day(10), 75),
        (PLAIN, debt(30_000, (0, 30_000)), day(10), 0),
        (PLAIN, debt(30_000, (-4, 10_000)), day(10), 100),
        (PLAIN, debt(30_000, (5, 10_000)), day(10), 75 + 50),
        # Taken back on the eighth day: from the ninth on it is owed again.
        (PLAIN, debt(30_000, (5, 30_000), (8, -30_000)), day(10), 75 + 30),
        # One rounding, at the end: 3 × 0.5 fen are 1.5, and so 2.
        (PLAIN, debt(1_000), day(3), 2),
        (PLAIN, debt(1_000), day(1), 1),
        (PLAIN, debt(999), day(1), 0),
        # A correction holds from the beginning.
        (PLAIN, debt(30_000, due_fen=20_000), day(10), 100),
        (PLAIN, debt(30_000, due_fen=0), day(10), 0),
        (PLAIN, debt(30_000, (5, 30_000), (20, -10_000), due_fen=20_000), day(30), 50),
        (GRACE, debt(), day(10), 0),
        (GRACE, debt(), day(11), 15),
        (GRACE, debt(30_000, (10, 30_000)), day(40), 0),
        (AFTER, debt(), day(10), 0),
        (AFTER, debt(), day(11), 165),
        # What was paid within the days of grace is free; the rest bears from the first day.
        (AFTER, debt(30_000, (10, 30_000)), day(40), 0),
        (AFTER, debt(30_000, (4, 20_000)), day(11), 55),
        (CAPPED, debt(), day(9), 2_700),
        (CAPPED, debt(), day(10), 3_000),
        (CAPPED, debt(), day(400), 3_000),
        (CAPPED, debt(30_000, due_fen=20_000), day(400), 3_000),
    ],
)
def test_days_and_amounts(terms: Terms | None, owed: Debt, as_of: date, expected: int) -> None:
    assert late_fee(terms, owed, as_of).amount_fen == expected


def test_a_leap_day_is_a_day() -> None:
    leap = Debt(100_000, 100_000, date(2028, 2, 27))
    assert late_fee(PLAIN, leap, date(2028, 3, 1)).amount_fen == 150
    plain = Debt(100_000, 100_000, date(2027, 2, 27))
    assert late_fee(PLAIN, plain, date(2027, 3, 1)).amount_fen == 100


def test_a_due_date_on_a_holiday_stays() -> None:
    """Due on the National Day itself: the second of October bears."""
    assert late_fee(PLAIN, Debt(100_000, 100_000, date(2026, 10, 1)), date(2026, 10, 2)).amount_fen == 50


def test_amounts_beyond_any_bill_are_exact() -> None:
    huge = Debt(9_007_199_254_740_991, 9_007_199_254_740_991, DUE)
    assert late_fee(Terms(Decimal("0.0000001")), huge, day(1)).amount_fen == 900_719_925


def test_words_say_how_it_came() -> None:
    fee = late_fee(PLAIN, debt(30_000, (5, 10_000)), day(10))
    assert explain(fee, PLAIN, "zh") == (
        "2026-03-16 至 2026-03-20 未缴本金 ¥300.00 × 5 天；2026-03-21 至 2026-03-25 未缴本金 ¥200.00 × 5 天；"
        "每日 0.05%，共 ¥1.25"
    )
    assert explain(fee, PLAIN, "en").endswith("0.05% a day: ¥1.25")
    assert "不超过账单金额的 10%" in explain(late_fee(CAPPED, debt(), day(30)), CAPPED, "zh")
    assert explain(late_fee(PLAIN, debt(), day(0)), PLAIN, "zh") == ""


def test_waived_once_and_never_below_what_was_paid() -> None:
    assert after_waivers(100, 30, 0) == 70
    assert after_waivers(100, 200, 0) == 0
    assert after_waivers(100, 90, 40) == 40


TERMS = st.builds(
    Terms,
    st.decimals("0.0000001", "0.01", places=7),
    st.integers(0, 40),
    st.booleans(),
    st.none() | st.decimals("0.01", "200", places=2),
)
DEBTS = st.builds(
    lambda fen, parts: debt(fen, *((offset, fen * share // 100) for offset, share in parts)),
    st.integers(0, 10**11),
    st.lists(st.tuples(st.integers(-20, 60), st.integers(0, 25)), max_size=4),
)
DAYS = st.integers(-10, 120)


@given(TERMS, DEBTS, DAYS, DAYS)
def test_it_never_falls_with_time(terms: Terms, owed: Debt, one: int, other: int) -> None:
    early, late = sorted((one, other))
    assert late_fee(terms, owed, day(early)).amount_fen <= late_fee(terms, owed, day(late)).amount_fen


@given(TERMS, DEBTS, DAYS)
def test_it_is_the_sum_of_its_days_and_bears_nothing_itself(terms: Terms, owed: Debt, offset: int) -> None:
    fee = late_fee(terms, owed, day(offset))
    fen_days = sum(each.days * each.principal_fen for each in fee.stretches)
    assert fen_days <= max(offset, 0) * owed.due_fen
    exact = terms.daily_rate * fen_days
    if not fee.is_capped:
        assert abs(exact - fee.amount_fen) <= Decimal("0.5")
    assert all(each.principal_fen > 0 and each.first_on > owed.due_on for each in fee.stretches)


@given(TERMS, DEBTS, DAYS)
def test_it_stays_within_its_cap(terms: Terms, owed: Debt, offset: int) -> None:
    fee = late_fee(terms, owed, day(offset))
    if terms.cap_percent is not None:
        assert fee.amount_fen <= terms.cap_percent * owed.issued_fen / 100 + Decimal("0.5")


@given(DEBTS, st.integers(1, 60), st.integers(1, 60))
def test_two_parts_of_a_time_sum_to_the_whole(owed: Debt, first: int, second: int) -> None:
    """Without a cap and to within the one rounding: the fen-days of the whole are those of its parts."""

    def fen_days(until: int) -> int:
        fee = late_fee(PLAIN, owed, day(until))
        return sum(each.days * each.principal_fen for each in fee.stretches)

    later = sum(owed.outstanding_on(day(each)) for each in range(first + 1, first + second + 1))
    assert fen_days(first + second) == fen_days(first) + later
