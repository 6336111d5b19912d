"""What a period costs, by exact fractions (按日折算): the rule that the charges' statement follows.

A period is counted from its anchor; its months run from the anchor's day to the same day of the next month, and where a
month has no such day, to its last. A day is one of its month's days. The price of a part of the period is the sum of
its months' fractions; a line is rounded half up once, at its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import floor


def months_after(anchor: date, months: int) -> date:
    """The same day so many months later; where the month has no such day, its last: 29 February stays 29 where
    there is one, for it is always counted from the anchor itself."""
    years, month = divmod(anchor.month - 1 + months, 12)
    first = date(anchor.year + years, month + 1, 1)
    after = date(first.year + month // 11, (month + 1) % 12 + 1, 1)
    return first.replace(day=min(anchor.day, (after - first).days))


def month_number(day: date) -> int:
    """Months counted from year 0, so that two of them can be subtracted."""
    return day.year * 12 + day.month - 1


@dataclass(frozen=True, slots=True)
class MonthShare:
    """Some days of one of the months that a period consists of."""

    days: int
    of: int

    @property
    def fraction(self) -> Fraction:
        """The share of the month."""
        return Fraction(self.days, self.of)


def month_shares(anchor: date, start: date, until: date) -> Iterator[MonthShare]:
    """The days from `start` until the day before `until`, by the months counted from `anchor`."""
    whole = month_number(start) - month_number(anchor) - 1
    while (end := months_after(anchor, whole + 1)) <= start:
        whole += 1
    begin = months_after(anchor, whole)
    while begin < until:
        end = months_after(anchor, whole + 1)
        days = (min(end, until) - max(begin, start)).days
        yield MonthShare(days, (end - begin).days)
        begin, whole = end, whole + 1


def months(anchor: date, start: date, until: date) -> Fraction:
    """How many months there are between the two days, exactly."""
    return sum((share.fraction for share in month_shares(anchor, start, until)), Fraction(0))


@dataclass(frozen=True, slots=True)
class Segment:
    """Days at one price that one pays: fen per unit and `price_months`, units, percent of the price."""

    start: date
    until: date
    price_fen: Decimal
    quantity: Decimal
    percent: Decimal
    payer: object = "owner"


def exact(anchor: date, segment: Segment, price_months: int = 1) -> Fraction:
    """Fen of a segment, not rounded."""
    price = Fraction(segment.price_fen) * Fraction(segment.quantity) * Fraction(segment.percent) / 100
    return price * months(anchor, segment.start, segment.until) / price_months


def half_up(value: Fraction) -> int:
    """Whole fen of an amount that is not below zero (四舍五入)."""
    return floor(value + Fraction(1, 2))


def parts(anchor: date, segments: Sequence[Segment], price_months: int = 1) -> list[int]:
    """Fen of each stretch of segments that one pays: they sum to the whole line's, the odd fen falls to the later."""
    amounts: list[int] = []
    total, rounded = Fraction(0), 0
    for place, segment in enumerate(segments):
        total += exact(anchor, segment, price_months)
        is_last = place + 1 == len(segments) or segments[place + 1].payer != segment.payer
        if is_last:
            amounts.append(half_up(total) - rounded)
            rounded = half_up(total)
    return amounts


def periods(
    anchor: date, cycle_months: int, timing: str, first: date, last: date
) -> Iterator[tuple[date, date]]:
    """Periods that fall due in the months from `first` to `last`: paid in advance in that of their first day, in
    arrears in that of the first day after them."""
    since = month_number(anchor)
    for month in range(month_number(first) - since, month_number(last) - since + 1):
        whole, rest = divmod(month, cycle_months)
        number = whole - (timing == "arrears")
        if rest == 0 and number >= 0:
            yield (
                months_after(anchor, number * cycle_months),
                months_after(anchor, (number + 1) * cycle_months),
            )
