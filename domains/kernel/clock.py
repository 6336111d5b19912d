"""The clock (时钟): instants in UTC, business dates in Asia/Shanghai, both injected.

Code asks this module for the time and never the system, so that a test or a rehearsal
of month-end can hold it still.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Anything that tells the time."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""


class SystemClock:
    """The time of the machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is told to move. `at` must be aware."""

    def __init__(self, at: datetime) -> None:
        self._at = _as_utc(at)

    def now(self) -> datetime:
        return self._at

    def advance(self, step: timedelta) -> None:
        """Move on by `step`; a negative one moves the clock back."""
        self._at += step


_ClockT = TypeVar("_ClockT", bound=Clock)
_SYSTEM = SystemClock()
_current: ContextVar[Clock] = ContextVar("clock", default=_SYSTEM)


@contextmanager
def use(clock: _ClockT) -> Iterator[_ClockT]:
    """Let `clock` tell the time in this context and in the tasks started from it."""
    token = _current.set(clock)
    try:
        yield clock
    finally:
        _current.reset(token)


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return _current.get().now()


def today() -> date:
    """The present business date (营业日) in Asia/Shanghai."""
    return business_date(now())


def business_date(at: datetime) -> date:
    """The date in Asia/Shanghai on which the aware instant `at` falls. ValueError when it is naive."""
    return _as_utc(at).astimezone(SHANGHAI).date()


def business_day_bounds(day: date) -> tuple[datetime, datetime]:
    """The half-open interval [start, end) of a business date, as UTC instants."""
    start, end = (
        datetime.combine(each, time.min, SHANGHAI).astimezone(UTC) for each in (day, day + timedelta(days=1))
    )
    return start, end


def _as_utc(at: datetime) -> datetime:
    if at.utcoffset() is None:
        raise ValueError("a naive datetime names no instant")
    return at.astimezone(UTC)
