"""A month's accounts (月度账目): what was billed, collected and spent, as it is published to residents.

Everything counts on the day on which the ledger has it. What was open before, and everything billed since, less what
was waived and what was collected, is what is open after; a deposit (押金) is collected too and is nobody's income.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from domains.billing.fee_terms import FIRST_DAY, LAST_DAY
from domains.kernel.errors import Invalid

MONTHS = 12
"""How far back the charts go, the month itself included."""
_WHOLE = 10_000


def month_of(day: date) -> date:
    """The first day of its month. Invalid MONTH_OUT_OF_RANGE before 2000 or after 2100."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise Invalid("MONTH_OUT_OF_RANGE", "月份须在 2000 年到 2100 年之间,请重新选择", "month")
    return day.replace(day=1)


def months_after(month: date, count: int) -> date:
    """The month so many months later, or earlier where it is below zero."""
    years, index = divmod(month.year * 12 + month.month - 1 + count, 12)
    return date(years, index + 1, 1)


@dataclass(frozen=True, slots=True)
class Flow:
    """Fen billed, corrections included, and fen collected."""

    billed_fen: int = 0
    collected_fen: int = 0


@dataclass(frozen=True, slots=True)
class Income:
    """A fee item's part: what was collected on a bill is allotted to its items by what they are of it."""

    fee_item_id: UUID
    name: str
    category: str
    billed_fen: int
    collected_fen: int


@dataclass(frozen=True, slots=True)
class Spent:
    """An expense as it is published; below zero where it takes back some of another."""

    id: UUID
    spent_on: date
    category: str
    amount_fen: int
    note: str
    voucher_key: str | None


@dataclass(frozen=True, slots=True)
class SpentOn:
    """What was spent on something in a month."""

    category: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class MonthSums:
    """A month on the charts: all that was billed, collected and spent, deposits and late fees included."""

    month: date
    billed_fen: int = 0
    collected_fen: int = 0
    spent_fen: int = 0


@dataclass(frozen=True, slots=True)
class Books:
    """The accounts of a compound's month, in fen. `carried_in_fen` is debt that came from elsewhere than a bill."""

    month: date
    open_before_fen: int
    incomes: tuple[Income, ...]
    deposits: Flow
    late_fees: Flow
    waived_fen: int
    open_after_fen: int
    month_due_fen: int
    month_settled_fen: int
    expenses: tuple[Spent, ...]
    balance_before_fen: int
    months: tuple[MonthSums, ...]

    @property
    def billed_fen(self) -> int:
        """Everything billed, late fees and deposits included."""
        billed = self.deposits.billed_fen + self.late_fees.billed_fen
        return billed + sum(income.billed_fen for income in self.incomes)

    @property
    def collected_fen(self) -> int:
        """Everything collected, late fees and deposits included."""
        return self.income_fen + self.deposits.collected_fen

    @property
    def income_fen(self) -> int:
        """What was collected and is the compound's: all but deposits."""
        return self.late_fees.collected_fen + sum(income.collected_fen for income in self.incomes)

    @property
    def carried_in_fen(self) -> int:
        """What is open without having been billed here: debts taken over (期初欠费)."""
        return (
            self.open_after_fen
            - self.open_before_fen
            - self.billed_fen
            + self.waived_fen
            + self.collected_fen
        )

    @property
    def spent_fen(self) -> int:
        """Everything spent."""
        return sum(spent.amount_fen for spent in self.expenses)

    @property
    def spent_on(self) -> tuple[SpentOn, ...]:
        """By category, the most first."""
        sums: dict[str, int] = defaultdict(int)
        for spent in self.expenses:
            sums[spent.category] += spent.amount_fen
        ordered = sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))
        return tuple(SpentOn(category, fen) for category, fen in ordered)

    @property
    def balance_after_fen(self) -> int:
        """What is left after income and expenses of this month, with what the last published month left (结余)."""
        return self.balance_before_fen + self.income_fen - self.spent_fen

    @property
    def month_rate(self) -> int | None:
        """What was collected of the bills for this month, in hundredths of a percent (当期收缴率); None without any."""
        return rate(self.month_settled_fen, self.month_due_fen)

    @property
    def whole_rate(self) -> int | None:
        """What was collected of all that was to be collected, older debts included (综合收缴率); None without any."""
        return rate(self.collected_fen, self.collected_fen + self.open_after_fen)


def rate(part_fen: int, whole_fen: int) -> int | None:
    """A part of a whole in hundredths of a percent, half up; None of nothing."""
    return (2 * part_fen * _WHOLE + whole_fen) // (2 * whole_fen) if whole_fen > 0 else None


def to_content(books: Books) -> dict[str, Any]:  # Any: JSON
    """As it is kept and hashed."""
    kept: dict[str, Any] = orjson.loads(orjson.dumps(asdict(books), default=str))
    return kept


def from_content(content: Mapping[str, Any]) -> Books:  # Any: JSON
    """Accounts as they were published."""
    return Books(
        **{
            **content,
            "month": date.fromisoformat(content["month"]),
            "incomes": tuple(
                Income(**{**each, "fee_item_id": UUID(each["fee_item_id"])}) for each in content["incomes"]
            ),
            "deposits": Flow(**content["deposits"]),
            "late_fees": Flow(**content["late_fees"]),
            "expenses": tuple(
                Spent(**{**each, "id": UUID(each["id"]), "spent_on": date.fromisoformat(each["spent_on"])})
                for each in content["expenses"]
            ),
            "months": tuple(
                MonthSums(**{**each, "month": date.fromisoformat(each["month"])})
                for each in content["months"]
            ),
        }
    )
