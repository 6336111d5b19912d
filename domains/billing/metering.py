"""What a reading means (读数判定): roll-overs, what is plausible, and units since installation.

Totals never fall: whatever a register shows, a reading that is accepted stands between its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from domains.kernel.errors import Invalid

FLOORS: Mapping[str, Decimal] = {
    "water": Decimal(1), "hot_water": Decimal("0.5"), "electricity": Decimal(30), "gas": Decimal(3),
    "heat": Decimal(100),
}  # fmt: skip
"""Units a day (m³, kWh) up to which a use that is unusual for its meter is still nothing to look into."""

USES = 6
"""Of so many uses the usual one is the average."""
FEWEST_USES = 3
UNUSUAL = 5
"""Times the usual use beyond which a reading waits."""
UNUSUAL_OF_NEW = 10
"""Times the floor beyond which one waits while too few uses are known for a usual one."""
ROLLED_OVER = 3
"""Times the usual use up to which a register is believed to have begun again at zero."""
NEAR_END = Decimal("0.8")
"""Only a register in its last fifth can be about to."""

_STEP = Decimal("0.0001")
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Register:
    """What of a meter its readings are judged by; `daily_most` in units a day, None where nobody set one."""

    kind: str
    digits: int
    multiplier: Decimal
    daily_most: Decimal | None

    @property
    def capacity(self) -> Decimal:
        """The first number that the register cannot show: 5 digits, 100000."""
        return Decimal(10) ** self.digits


@dataclass(frozen=True, slots=True)
class Point:
    """An accepted reading: what the register showed, and units since installation."""

    at: datetime
    value: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class Past:
    """What is accepted around an instant: the reading before it, the last one of each earlier day (up to seven,
    the oldest first), the one after it, and whether a bill's line has taken a later one."""

    last: Point
    closings: tuple[Point, ...] = ()
    following: Point | None = None
    is_billed: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """The total of a reading if it is accepted, and why it has to wait for review; empty if it need not."""

    total: Decimal
    problem: str = ""


def checked_value(value: Decimal, digits: int, field: str | None = "value") -> Decimal:
    """The value to four decimals. Invalid READING_OUT_OF_RANGE for one that the register cannot show."""
    capacity = Decimal(10) ** digits
    if not value.is_finite() or not 0 <= value < capacity or _rounded(value) == capacity:
        raise Invalid(
            "READING_OUT_OF_RANGE", f"读数应在 0 到 {'9' * digits} 之间,请看清表盘后重新填写", field
        )
    return _rounded(value)


def total_of(register: Register, last: Point, value: Decimal) -> Decimal:
    """Units since installation at `value`: a register that shows less than before has begun again at zero."""
    step = value - last.value
    return _rounded(last.total + (step if step >= 0 else step + register.capacity) * register.multiplier)


def judge(register: Register, past: Past, value: Decimal, at: datetime) -> Verdict:
    """Whether a reading is accepted at once, or waits: see rules.READING_PROBLEMS."""
    total = total_of(register, past.last, value)
    if past.following is not None:
        contradicts = past.is_billed or total > past.following.total
        return Verdict(total, "LATE" if contradicts else "")
    before = past.closings[-1] if past.closings else past.last
    units, days = total - before.total, _days(before.at, at)
    if value < past.last.value:
        return Verdict(total, "" if _has_rolled_over(register, past, units, days) else "BACKWARDS")
    return Verdict(total, "IMPLAUSIBLE" if units > _most_a_day(register, past) * days else "")


def usual_a_day(past: Past) -> Decimal | None:
    """Units a day on average over the last six uses; None while fewer than three are known."""
    known = past.closings[-USES - 1 :]
    if len(known) <= FEWEST_USES:
        return None
    return (known[-1].total - known[0].total) / _days(known[0].at, known[-1].at)


def _most_a_day(register: Register, past: Past) -> Decimal:
    if register.daily_most is not None:
        return register.daily_most
    usual, floor = usual_a_day(past), FLOORS[register.kind]
    return UNUSUAL_OF_NEW * floor if usual is None else max(UNUSUAL * usual, floor)


def _has_rolled_over(register: Register, past: Past, units: Decimal, days: Decimal) -> bool:
    if past.last.value < NEAR_END * register.capacity:
        return False
    most, usual = register.daily_most, usual_a_day(past)
    if most is None and usual is not None:
        most = ROLLED_OVER * usual
    return most is not None and units <= most * days


def _days(since: datetime, until: datetime) -> Decimal:
    """One at least: what is used within an hour says nothing of a day."""
    return max(Decimal(1), Decimal(int((until - since).total_seconds())) / _DAY_S)


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(_STEP, ROUND_HALF_UP)
