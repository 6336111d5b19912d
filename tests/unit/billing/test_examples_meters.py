"""The worked examples of the guide to meters, figure by figure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from domains.billing import metering
from domains.billing.metering import Past, Point, Register

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def at(day: int) -> datetime:
    return BEGIN + timedelta(days=day)


def test_units_with_a_multiplier() -> None:
    register = Register("electricity", 5, Decimal(40), None)
    first = Point(at(0), Decimal(1200), Decimal(0))
    assert metering.total_of(register, first, Decimal("1231.5")) == 1260


def test_a_register_that_began_again() -> None:
    register, past = Register("water", 5, Decimal(1), Decimal(2)), Point(at(0), Decimal(99985), Decimal(1985))
    verdict = metering.judge(register, Past(past, (past,)), Decimal(12), at(30))
    assert (verdict.total, verdict.total - past.total, verdict.problem) == (Decimal(2012), Decimal(27), "")


def test_a_use_that_is_unusual() -> None:
    register = Register("water", 5, Decimal(1), None)
    months = tuple(Point(at(30 * n), Decimal(200 + 12 * n), Decimal(12 * n)) for n in range(7))
    past = Past(months[-1], months)
    assert metering.usual_a_day(past) == Decimal("0.4")
    assert metering.judge(register, past, Decimal(332), at(210)).problem == ""
    assert metering.judge(register, past, Decimal(333), at(210)).problem == "IMPLAUSIBLE"


def test_a_reading_that_comes_late() -> None:
    register = Register("water", 5, Decimal(1), None)
    past = Past(Point(at(0), Decimal(200), Decimal(0)), (), Point(at(60), Decimal(230), Decimal(30)))
    verdicts = [metering.judge(register, past, Decimal(value), at(30)) for value in (215, 231)]
    assert [(each.total, each.problem) for each in verdicts] == [(Decimal(15), ""), (Decimal(31), "LATE")]
