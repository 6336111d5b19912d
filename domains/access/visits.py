"""Decisions about a visit, without any state of their own (来访规则): when it may be, how often, on which days."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from domains.access.rules import Window
from domains.kernel.clock import SHANGHAI, business_date
from domains.kernel.errors import Conflict, Invalid

USUAL_LENGTH = timedelta(hours=2)
SHORTEST = timedelta(minutes=1)
"""What is signed knows whole seconds only."""
FURTHEST_AHEAD = timedelta(days=30)
"""A visit later than that is made when it comes nearer, or by a template."""
TYPED_LATE = timedelta(minutes=5)
"""A beginning that passed while somebody filled in the form counts as now."""
LONGEST_REQUEST = timedelta(hours=12)
"""What a visitor may ask for; longer visits are made by who lives there."""
MOST_USES, MOST_COMPANIONS, MOST_DOORS = 999, 50, 16
"""A signed pass holds no more uses and doors."""
MOST_TEMPLATES = 20
"""Running ones of a house."""
LONGEST_TEMPLATE = timedelta(days=366)
A_WEEK = timedelta(days=8)
"""Within it every template has a visit."""
AHEAD = timedelta(days=2)
"""So early the passes of a template are made."""
KEPT = timedelta(days=180)
"""So long after its end a pass says who came: as long as the records of the doors."""
DAY_MINUTES = 24 * 60


def window(starts_at: datetime | None, ends_at: datetime | None, now: datetime, longest_h: int) -> Window:
    """When a visit is: from now for two hours, unless told.

    Raises Invalid VISIT_IN_PAST, VISIT_TOO_FAR, VISIT_ENDS_EARLY, VISIT_TOO_LONG.
    """
    start = now if starts_at is None else starts_at
    if start < now - TYPED_LATE:
        raise Invalid("VISIT_IN_PAST", "来访开始时间已经过去,请重新选择", "starts_at")
    if start > now + FURTHEST_AHEAD:
        raise Invalid("VISIT_TOO_FAR", "最多提前 30 天邀请,请改近一些,或使用常访模板", "starts_at")
    start = max(start, now)
    end = start + USUAL_LENGTH if ends_at is None else ends_at
    if end < start + SHORTEST:
        raise Invalid("VISIT_ENDS_EARLY", "结束时间须晚于现在和开始时间,请重新选择", "ends_at")
    check_length(end - start, longest_h)
    return Window(start, end)


def requested_window(
    starts_at: datetime | None, ends_at: datetime | None, now: datetime, longest_h: int
) -> Window:
    """When a visitor asks to come: today, for twelve hours at most. Raises Invalid VISIT_NOT_TODAY, or as `window`."""
    asked = window(starts_at, ends_at, now, longest_h)
    if business_date(asked.starts_at) != business_date(now):
        raise Invalid("VISIT_NOT_TODAY", "只能申请今天的来访,改天请由住户邀请", "starts_at")
    if asked.ends_at - asked.starts_at > LONGEST_REQUEST:
        raise Invalid("VISIT_TOO_LONG", "来访申请最长 12 小时,请缩短时间", "ends_at")
    return asked


def check_length(length: timedelta, longest_h: int) -> None:
    """Raises Invalid VISIT_TOO_LONG."""
    if length > timedelta(hours=longest_h):
        raise Invalid("VISIT_TOO_LONG", f"本小区访客通行证最长 {longest_h} 小时,请缩短时间", "ends_at")


def check_uses(uses: int, most: int) -> None:
    """A resident says how many times, within what the compound allows. Raises Invalid VISIT_USES_RANGE."""
    if not 1 <= uses <= min(most, MOST_USES):
        raise Invalid("VISIT_USES_RANGE", f"通行次数须在 1 到 {min(most, MOST_USES)} 之间", "uses")


def check_companions(companions: int) -> None:
    """Raises Invalid VISIT_COMPANIONS_RANGE."""
    if not 0 <= companions <= MOST_COMPANIONS:
        raise Invalid("VISIT_COMPANIONS_RANGE", f"同行人数须在 0 到 {MOST_COMPANIONS} 之间", "companions")


def check_daily(made: int, most: int) -> None:
    """Raises Conflict VISITS_TOO_MANY."""
    if made >= most:
        raise Conflict("VISITS_TOO_MANY", f"这套房屋今天已发出 {made} 张访客通行证,请明天再试或联系物业")


@dataclass(frozen=True, slots=True)
class Weekly:
    """Which days and hours a visit repeats (每周几点): `weekdays` has bit 0 for Monday, minutes are of the day in
    Asia/Shanghai, `until_on` is the last day, included."""

    weekdays: int
    from_minute: int
    until_minute: int
    until_on: date

    def check(self, today: date, longest_h: int) -> None:
        """Raises Invalid TEMPLATE_HOURS, TEMPLATE_DAYS, VISIT_TOO_LONG."""
        if not 0 <= self.from_minute < self.until_minute <= DAY_MINUTES:
            raise Invalid("TEMPLATE_HOURS", "结束时间须晚于开始时间,且在同一天内", "until_minute")
        if not 1 <= self.weekdays <= 127 or not today <= self.until_on <= today + LONGEST_TEMPLATE:
            raise Invalid("TEMPLATE_DAYS", "请至少选择一个星期几,最后一天须在一年之内", "weekdays")
        check_length(timedelta(minutes=self.until_minute - self.from_minute), longest_h)

    def occasions(self, now: datetime, ahead: timedelta) -> Iterator[Window]:
        """The visits that are not over and begin within `ahead`, the next one first."""
        first, last = business_date(now), min(business_date(now + ahead), self.until_on)
        for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
            found = self._on(day)
            if found and found.ends_at > now and found.starts_at < now + ahead:
                yield found

    def _on(self, day: date) -> Window | None:
        if not self.weekdays >> day.weekday() & 1:
            return None
        midnight = datetime.combine(day, time.min, SHANGHAI)
        start, end = (
            midnight + timedelta(minutes=minute) for minute in (self.from_minute, self.until_minute)
        )
        return Window(start, end)


def weekday_bits(weekdays: Collection[int]) -> int:
    """Monday is 1, as in ISO 8601. Raises Invalid TEMPLATE_DAYS."""
    if not weekdays or not set(weekdays) <= set(range(1, 8)):
        raise Invalid("TEMPLATE_DAYS", "请至少选择一个星期几,最后一天须在一年之内", "weekdays")
    return sum(1 << (day - 1) for day in set(weekdays))


def weekdays_of(bits: int) -> list[int]:
    """The other way about, in order."""
    return [day for day in range(1, 8) if bits >> (day - 1) & 1]
