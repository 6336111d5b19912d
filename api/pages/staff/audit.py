"""Who did what (操作审计)."""

from __future__ import annotations

from datetime import date, timedelta

from starlette.responses import Response

from api.pages.asking import Refusal
from api.pages.page import Page
from api.pages.staff.place import place_of
from api.pages.texts import actions

ROWS = 30


async def show(page: Page) -> Response:
    """The audit of the compound, or of accounts and roles, the newest first."""
    place = await place_of(page)
    wanted = {name: page.asked(name) for name in ("about", "action", "since", "until", "after")}
    try:
        period = {"from": _midnight(wanted["since"], 0), "to": _midnight(wanted["until"], 1)}
    except (ValueError, OverflowError):
        raise Refusal("DATE_INVALID", page.texts("日期不正确，请重新选择"), 400) from None
    compound = None if wanted["about"] == "accounts" else place.id
    narrowed = {"action": wanted["action"], **period}
    answer = await page.ask("AuditLog", compound=compound, filter=narrowed, first=ROWS, after=wanted["after"])
    template = "staff/audit_rows.html" if page.is_partial else "staff/audit.html"
    return page.show(template, place=place, wanted=wanted, actions=actions(), found=answer["auditLog"])


def _midnight(day: str | None, later: int) -> str | None:
    """The start of a day in China, or of the day so many after it."""
    return f"{date.fromisoformat(day) + timedelta(days=later)}T00:00:00+08:00" if day else None
