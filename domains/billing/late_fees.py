"""Late fees (滞纳金): what a bill bears for being paid late, a function of dates and amounts alone.

Every day after the due date, the day of payment included, bears the daily rate on the principal (本金) that was
still outstanding on it: what is paid on a day counts as outstanding on that day. Nothing is borne by late fees
themselves (不计复利). Days of grace (宽限期) are free; or, where the rule says so, what outlasts them is charged from
the first day on, and what is paid within them never is. A correction of the principal holds from the beginning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from domains.kernel import money

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Terms:
    """A rule of late fees: the rate is a share of the principal per day, the cap percent of what was issued."""

    daily_rate: Decimal
    grace_days: int = 0
    is_grace_charged: bool = False
    cap_percent: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Debt:
    """A bill's principal in fen: as issued, as it is after corrections, and what was paid of it on which days, below
    zero where it was taken back."""

    issued_fen: int
    due_fen: int
    due_on: date
    payments: tuple[tuple[date, int], ...] = ()

    def outstanding_on(self, day: date) -> int:
        """The principal that a day bears on: all but what was paid on earlier days."""
        return max(self.due_fen - sum(fen for paid_on, fen in self.payments if paid_on < day), 0)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days in a row, both included, with the same principal outstanding."""

    first_on: date
    last_on: date
    principal_fen: int

    @property
    def days(self) -> int:
        """How many days."""
        return (self.last_on - self.first_on).days + 1


@dataclass(frozen=True, slots=True)
class LateFee:
    """A late fee in fen, and how it came."""

    amount_fen: int = 0
    is_capped: bool = False
    stretches: tuple[Stretch, ...] = ()


def late_fee(terms: Terms | None, debt: Debt, as_of: date) -> LateFee:
    """What has been borne up to a day, that day included; nothing without terms. One half-up rounding, at the end."""
    if terms is None:
        return LateFee()
    stretches = tuple(_merged(_charged(terms, debt, as_of)))
    amount = money.multiply(
        terms.daily_rate, Decimal(sum(each.days * each.principal_fen for each in stretches))
    )
    cap = _cap(terms, debt)
    return LateFee(min(amount, cap), amount > cap, stretches)


def after_waivers(borne_fen: int, waived_fen: int, settled_fen: int) -> int:
    """What is owed of a late fee: waivers taken off, and never less than what was paid of it already."""
    return max(borne_fen - waived_fen, settled_fen)


def _cap(terms: Terms, debt: Debt) -> int:
    if terms.cap_percent is None:
        return money.MAX_FEN
    return money.multiply(terms.cap_percent / 100, Decimal(debt.issued_fen))


def _charged(terms: Terms, debt: Debt, as_of: date) -> list[Stretch]:
    after_grace = debt.due_on + timedelta(days=terms.grace_days + 1)
    start = debt.due_on + DAY if terms.is_grace_charged else after_grace
    if as_of < after_grace:
        return []
    cuts = {start, after_grace, as_of + DAY, *(paid_on + DAY for paid_on, _ in debt.payments)}
    edges = sorted(each for each in cuts if start <= each <= as_of + DAY)
    # Whatever was paid within the days of grace bears nothing for them.
    kept = debt.outstanding_on(after_grace)
    return [
        Stretch(first, until - DAY, min(debt.outstanding_on(first), kept) if first < after_grace
                else debt.outstanding_on(first))
        for first, until in pairwise(edges)
    ]  # fmt: skip


def _merged(stretches: Sequence[Stretch]) -> list[Stretch]:
    merged: list[Stretch] = []
    for each in stretches:
        if (
            merged
            and merged[-1].principal_fen == each.principal_fen
            and merged[-1].last_on + DAY == each.first_on
        ):
            merged[-1] = replace(merged[-1], last_on=each.last_on)
        elif each.principal_fen:
            merged.append(each)
    return merged


def explain(fee: LateFee, terms: Terms, language: Literal["zh", "en"]) -> str:
    """How a late fee came, for a resident to read; empty where there is none."""
    if not fee.stretches:
        return ""
    rate = f"{_plain(terms.daily_rate * 100)}%"
    cap = _plain(terms.cap_percent or Decimal(0))
    if language == "en":
        days = "; ".join(
            f"{each.first_on} to {each.last_on}: {money.display(each.principal_fen)} × {each.days} days"
            for each in fee.stretches
        )
        end = f", limited to {cap}% of the bill" if fee.is_capped else ""
        return f"{days}; {rate} a day{end}: {money.display(fee.amount_fen)}"
    days = "；".join(
        f"{each.first_on} 至 {each.last_on} 未缴本金 {money.display(each.principal_fen)} × {each.days} 天"
        for each in fee.stretches
    )
    end = f"，不超过账单金额的 {cap}%" if fee.is_capped else ""
    return f"{days}；每日 {rate}{end}，共 {money.display(fee.amount_fen)}"


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
