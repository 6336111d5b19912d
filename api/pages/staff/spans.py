"""Days that a person chooses (日期范围), in China."""

from __future__ import annotations

from datetime import date, timedelta

from api.pages.asking import Refusal
from api.pages.page import Page

EARLIEST, LATEST = date(2000, 1, 1), date(2200, 1, 1)


def period(page: Page, since: str | None, until: str | None) -> dict[str, str | None]:
    """From the start of a day to the end of another, as instants. Raises Refusal DATE_INVALID."""
    return {"from": _midnight(page, since, 0), "until": _midnight(page, until, 1)}


def _midnight(page: Page, day: str | None, later: int) -> str | None:
    return f"{day_of(page, day) + timedelta(days=later)}T00:00:00+08:00" if day else None


def day_of(page: Page, day: str) -> date:
    """A day as a date field sends it. Raises Refusal DATE_INVALID."""
    try:
        read = date.fromisoformat(day)
    except ValueError:
        read = date.min
    # At the ends of the calendar there is no midnight in another time zone.
    if not EARLIEST <= read < LATEST:
        raise Refusal("DATE_INVALID", page.texts("日期不正确，请重新选择"), 400)
    return read
