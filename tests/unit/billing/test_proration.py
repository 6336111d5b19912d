"""Months, days and the one rounding, by exact fractions."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.billing.proration import (
    Segment,
    exact,
    half_up,
    month_shares,
    months,
    months_after,
    parts,
    periods,
)
from domains.kernel import database

DAYS = st.dates(date(2020, 1, 1), date(2032, 12, 31))
ANCHORS = st.dates(date(2015, 1, 1), date(2020, 12, 31)) | st.sampled_from(
    [date(2016, 2, 29), date(2019, 8, 31)]
)
PRICES = st.decimals(0, 100_000, places=6)


@pytest.mark.parametrize(
    ("anchor", "later", "day"),
    [
        (date(2024, 2, 29), 12, date(2025, 2, 28)), (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)), (date(2026, 1, 31), 2, date(2026, 3, 31)),
        (date(2026, 1, 31), -2, date(2025, 11, 30)), (date(2026, 12, 1), 1, date(2027, 1, 1)),
    ],
)  # fmt: skip
def test_the_same_day_of_a_later_month_or_its_last(anchor: date, later: int, day: date) -> None:
    assert months_after(anchor, later) == day


def test_periods_fall_due_before_or_after_them() -> None:
    anchor, first, last = date(2026, 1, 1), date(2026, 3, 1), date(2026, 7, 1)
    quarters = [(date(2026, 4, 1), date(2026, 7, 1)), (date(2026, 7, 1), date(2026, 10, 1))]
    assert list(periods(anchor, 3, "advance", first, last)) == quarters
    assert list(periods(anchor, 3, "arrears", first, last)) == [(anchor, date(2026, 4, 1)), quarters[0]]
    assert list(periods(anchor, 1, "advance", date(2025, 10, 1), date(2025, 12, 1))) == []


@given(ANCHORS, DAYS, st.integers(1, 900), st.integers(0, 900))
def test_a_span_split_anywhere_is_as_many_months(anchor: date, start: date, days: int, at: int) -> None:
    until = start + timedelta(days=days)
    between = min(start + timedelta(days=at), until)
    assert months(anchor, start, between) + months(anchor, between, until) == months(anchor, start, until)


@given(ANCHORS, st.integers(0, 100), st.integers(1, 36))
def test_a_period_is_as_many_months_as_its_cycle(anchor: date, number: int, cycle: int) -> None:
    start, until = (months_after(anchor, (number + more) * cycle) for more in (0, 1))
    assert months(anchor, start, until) == cycle
    assert all(share.days == share.of for share in month_shares(anchor, start, until))


@given(ANCHORS, st.lists(DAYS, min_size=2, max_size=7, unique=True), st.data())
def test_parts_sum_to_the_whole_to_the_fen(anchor: date, cuts: list[date], data: st.DataObject) -> None:
    segments = [
        Segment(start, until, data.draw(PRICES), data.draw(st.decimals(0, 500, places=2)), Decimal(100),
                data.draw(st.sampled_from("ab")))
        for start, until in pairwise(sorted(cuts))
    ]  # fmt: skip
    whole = half_up(sum((exact(anchor, each) for each in segments), Fraction(0)))
    assert sum(parts(anchor, segments)) == whole
    assert all(fen >= 0 for fen in parts(anchor, segments))


@pytest.mark.usefixtures("instance")
async def test_the_database_counts_the_same_parts_of_a_month() -> None:
    anchors = [date(2024, 2, 29), date(2023, 8, 31), date(2026, 1, 1), date(2025, 6, 15)]
    statement = """SELECT a AS anchor, (a + n)::date AS day, month_parts(a, (a + n)::date) AS parts
        FROM unnest($1::date[]) AS a, generate_series(0, 1500) AS n"""
    for row in await database.fetch(statement, anchors):
        assert Fraction(row["parts"], 377580) == months(row["anchor"], row["anchor"], row["day"]), row
