"""Months that a person chooses (账期), as a month field sends them."""

from __future__ import annotations

from datetime import date, timedelta

from api.pages.page import Page
from api.pages.staff.spans import day_of
from domains.kernel import clock


def month_of(page: Page, written: str | None) -> str | None:
    """The first day of 2026-03; None for nothing. Raises Refusal DATE_INVALID."""
    return day_of(page, f"{written}-01").isoformat() if written else None


def this_month() -> str:
    """The month of today, as a month field holds it."""
    return clock.today().isoformat()[:7]


def last_month() -> str:
    """The last month that is over."""
    first: date = clock.today().replace(day=1)
    return (first - timedelta(days=1)).isoformat()[:7]
