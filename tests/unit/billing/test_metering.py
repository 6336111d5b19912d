"""What a reading means, case by case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.billing import metering
from domains.billing.metering import Past, Point, Register
from domains.kernel.errors import Invalid

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
WATER = Register("water", 5, Decimal(1), None)
BOUNDED = Register("water", 5, Decimal(1), Decimal(20))
MAINS = Register("electricity", 4, Decimal(40), None)


def at(days: float) -> datetime:
    return BEGIN + timedelta(days=days)


def point(days: float, value: float, total: float | None = None) -> Point:
    return Point(at(days), Decimal(str(value)), Decimal(str(value if total is None else total)))


def monthly(*values: int, begin: int = 0) -> Past:
    """A reading every thirty days."""
    points = tuple(point(30 * place, value, value - begin) for place, value in enumerate(values))
    return Past(points[-1], points[-7:])


@pytest.mark.parametrize(
    ("register", "past", "value", "days", "expected"),
    [
        pytest.param(WATER, monthly(0, 10, 20, 30), 40, 120, (40, ""), id="as usual"),
        pytest.param(WATER, monthly(0, 10, 20, 30), 30, 120, (30, ""), id="nothing was used"),
        pytest.param(WATER, monthly(0, 60, 120, 180), 480, 120, (480, ""), id="five times the usual"),
        pytest.param(WATER, monthly(0, 60, 120, 180), 481, 120, (481, "IMPLAUSIBLE"), id="more than that"),
        pytest.param(WATER, monthly(0, 1, 2, 3), 33, 120, (33, ""), id="five times little is still little"),
        pytest.param(WATER, monthly(0, 1, 2, 3), 34, 120, (34, "IMPLAUSIBLE"), id="above the floor"),
        pytest.param(WATER, monthly(0, 10), 310, 60, (310, ""), id="few uses are known"),
        pytest.param(WATER, monthly(0, 10), 311, 60, (311, "IMPLAUSIBLE"), id="ten floors, few known"),
        pytest.param(BOUNDED, monthly(0, 10, 20, 30), 630, 120, (630, ""), id="what a day may be at most"),
        pytest.param(BOUNDED, monthly(0, 10, 20, 30), 631, 120, (631, "IMPLAUSIBLE"), id="above it"),
        pytest.param(WATER, monthly(0, 10, 20, 30), 29, 120, (100029, "BACKWARDS"), id="backwards"),
        pytest.param(
            WATER, monthly(99700, 99800, 99900, 99990, begin=99700), 80, 120, (380, ""), id="it began again"
        ),
        pytest.param(
            WATER, monthly(99700, 99800, 99900, 99990, begin=99700), 300, 120, (600, "BACKWARDS"),
            id="more than three times the usual",
        ),
        pytest.param(WATER, monthly(99990), 5, 30, (100005, "BACKWARDS"), id="began again, nothing known"),
        pytest.param(BOUNDED, monthly(99990, begin=99990), 500, 30, (510, ""), id="began again within the day's"),
        pytest.param(BOUNDED, monthly(99990, begin=99990), 700, 30, (710, "BACKWARDS"), id="or not"),
        pytest.param(
            Register("water", 4, Decimal(1), Decimal(50)), monthly(3000), 2999, 300, (12999, "BACKWARDS"),
            id="a register in its middle does not begin again",
        ),
        pytest.param(MAINS, monthly(0), 10, 30, (400, ""), id="the multiplier counts"),
    ],
)  # fmt: skip
def test_a_reading_is_judged(
    register: Register, past: Past, value: int, days: int, expected: tuple[int, str]
) -> None:
    verdict = metering.judge(register, past, Decimal(value), at(days))
    assert (verdict.total, verdict.problem) == (Decimal(expected[0]), expected[1])


def test_what_comes_within_an_hour_counts_from_the_day_before() -> None:
    past = Past(point(10.1, 130), (point(9, 110),))
    assert metering.judge(BOUNDED, past, Decimal(132), at(10.2)).problem == ""
    assert metering.judge(BOUNDED, past, Decimal(135), at(10.2)).problem == "IMPLAUSIBLE"


@pytest.mark.parametrize(
    ("value", "is_billed", "problem"),
    [
        (120, False, ""),
        (100, False, ""),
        (140, False, ""),
        (141, False, "LATE"),
        (99, False, "LATE"),
        (120, True, "LATE"),
    ],
)
def test_a_late_one_stands_between_its_neighbours(value: int, is_billed: bool, problem: str) -> None:
    past = Past(point(0, 100), (), point(60, 140), is_billed)
    assert metering.judge(WATER, past, Decimal(value), at(30)).problem == problem


def test_a_late_one_may_stand_where_the_register_began_again() -> None:
    past = Past(point(0, 99990, 0), (), point(60, 20, 30))
    assert [metering.judge(WATER, past, Decimal(value), at(30)).problem for value in (5, 99995, 50)] == [
        "", "", "LATE",
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["-0.1", "100000", "99999.99995", "NaN", "Infinity", "1e30"])
def test_a_register_shows_no_such_number(value: str) -> None:
    with pytest.raises(Invalid, match="READING_OUT_OF_RANGE"):
        metering.checked_value(Decimal(value), 5)


def test_a_value_is_kept_to_four_decimals() -> None:
    assert metering.checked_value(Decimal("12.34565"), 5) == Decimal("12.3457")


@given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(0, 99999)), min_size=1, max_size=30),
    st.sampled_from([WATER, BOUNDED, Register("gas", 5, Decimal("0.3333"), None)]),
)
def test_totals_of_what_is_accepted_never_fall(readings: list[tuple[int, int]], register: Register) -> None:
    points = [point(0, 0)]
    for gap, value in readings:
        when = points[-1].at + timedelta(days=gap)
        verdict = metering.judge(register, Past(points[-1], tuple(points[-7:])), Decimal(value), when)
        assert verdict.total >= points[-1].total
        if not verdict.problem:
            points.append(Point(when, Decimal(value), verdict.total))
