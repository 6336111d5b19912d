"""What houses owe, computed the slow way: day by day in exact fractions, without a word of the statement's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from math import floor

DAY = timedelta(days=1)
Span = tuple[date, date | None]


@dataclass(frozen=True, slots=True)
class Case:
    """A fee item and a house, with everything that changes what is owed."""

    method: str
    cycle: int
    timing: str
    anchor: date
    starts_on: date
    ends_on: date | None
    price_months: int
    prices: tuple[tuple[date, Decimal], ...]
    area: Decimal
    inner_area: Decimal | None
    item_payer: str = "owner"
    bills_unsold: bool = False
    handed_over_on: date | None = None
    anchored_to_hand_over: bool = False
    vacancy_percent: Decimal = Decimal(100)
    discount: Decimal = Decimal(0)
    liabilities: tuple[tuple[str, bool, Span], ...] = ()
    vacancies: tuple[tuple[date, date], ...] = ()
    agreements: tuple[tuple[Decimal, Span], ...] = ()
    tenancies: tuple[Span, ...] = ()
    cars: tuple[Span, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Owed:
    """A line, or why there is none."""

    period_from: date
    part: int
    payer: str
    fen: int | None
    problem: str | None = None


def _covers(span: Span, day: date) -> bool:
    return span[0] <= day and (span[1] is None or day < span[1])


def later(anchor: date, months: int) -> date:
    """The anchor's day in a later month, or that month's last."""
    number = anchor.year * 12 + anchor.month - 1 + months
    year, month = divmod(number, 12)
    for day in range(anchor.day, 0, -1):
        try:
            return date(year, month + 1, day)
        except ValueError:
            continue
    raise AssertionError("every month has a first day")


def periods(case: Case, first: date, last: date) -> Iterator[tuple[date, date]]:
    """Every period there ever was, kept where it falls due in these months."""
    anchor = case.handed_over_on if case.anchored_to_hand_over else case.anchor
    if anchor is None:
        return
    for number in range(600):
        start, until = later(anchor, number * case.cycle), later(anchor, (number + 1) * case.cycle)
        due = (start if case.timing == "advance" else until).replace(day=1)
        if due > last:
            return
        if due >= first:
            yield start, until


def _payer(case: Case, day: date) -> str:
    if case.handed_over_on is not None and day < case.handed_over_on:
        return "developer"
    for own in (True, False):
        for payer, is_own, span in case.liabilities:
            if is_own is own and _covers(span, day):
                return payer
    if case.item_payer == "tenant" and any(_covers(span, day) for span in case.tenancies):
        return "tenant"
    return "owner"


def _days(case: Case, start: date, until: date) -> Iterator[date]:
    day = max(start, case.starts_on)
    while day < min(until, case.ends_on or date.max):
        if case.bills_unsold or case.handed_over_on is None or day >= case.handed_over_on:
            yield day
        day += DAY


def _share_of_month(anchor: date, day: date) -> Fraction:
    number = 0
    while later(anchor, number + 1) <= day:
        number += 1
    return Fraction(1, (later(anchor, number + 1) - later(anchor, number)).days)


def _fen(case: Case, anchor: date, day: date) -> Fraction | str:
    quantity = {
        "built_area": case.area, "inner_area": case.inner_area, "fixed": Decimal(1),
        "vehicle": Decimal(sum(_covers(span, day) for span in case.cars)),
    }[case.method]  # fmt: skip
    price = next((fen for from_on, fen in reversed(case.prices) if from_on <= day), None)
    if case.method == "vehicle" and quantity == 0:
        return "NO_CAR"
    if price is None:
        return "NO_PRICE"
    if quantity is None:
        return "NO_INNER_AREA"
    percent = Fraction(100 - case.discount) / 100
    percent *= next(
        (Fraction(share) / 100 for share, span in case.agreements if _covers(span, day)), Fraction(1)
    )
    if any(start <= day < until for start, until in case.vacancies):
        percent *= Fraction(case.vacancy_percent) / 100
    return Fraction(price) * Fraction(quantity) * percent * _share_of_month(anchor, day) / case.price_months


def owed(case: Case, first: date, last: date) -> list[Owed]:
    """What a run over these months makes of the case."""
    return [line for start, until in periods(case, first, last) for line in _line(case, start, until)]


def _line(case: Case, start: date, until: date) -> list[Owed]:
    anchor = case.handed_over_on if case.anchored_to_hand_over else case.anchor
    assert anchor is not None
    days = [(_payer(case, day), _fen(case, anchor, day)) for day in _days(case, start, until)]
    days = [each for each in days if each[1] != "NO_CAR"]
    problems = sorted({fen for _, fen in days if isinstance(fen, str)})
    if problems:
        return [Owed(start, 0, "", None, problems[-1])]
    return list(_parts(start, [(payer, fen) for payer, fen in days if not isinstance(fen, str)]))


def _parts(start: date, days: Sequence[tuple[str, Fraction]]) -> Iterator[Owed]:
    total, rounded = Fraction(0), 0
    for part, (payer, stretch) in enumerate(groupby(days, key=lambda each: each[0])):
        total += sum(fen for _, fen in stretch)
        whole = floor(total + Fraction(1, 2))
        yield Owed(start, part, payer, whole - rounded)
        rounded = whole
