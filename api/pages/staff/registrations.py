"""Registrations to review (登记审核)."""

from __future__ import annotations

from starlette.responses import Response

from api.pages.cookies import Flash
from api.pages.page import Page
from api.pages.staff.place import place_of

ROWS = 20
STATES = ("PENDING", "APPROVED", "REJECTED", "WITHDRAWN")
LIST = "/staff/registrations"


async def show(page: Page) -> Response:
    """The registrations of the compound, the longest waiting first; those that wait unless asked otherwise."""
    place = await place_of(page)
    state = page.asked("state")
    wanted = {"state": state if state in STATES else "PENDING", "building": page.asked("building")}
    found = await page.ask(
        "Registrations", compound=place.id, first=ROWS, after=page.asked("after"), **wanted
    )
    template = "staff/registration_cases.html" if page.is_partial else "staff/registrations.html"
    values = {"place": place, "wanted": wanted, "states": STATES, "found": found["registrations"]}
    return page.show(template, **values)


async def review(page: Page) -> Response:
    """Approve or reject one: the card as it is now, or why it stays as it was."""
    given = {name: page.typed(name) for name in ("registration", "decision", "reason")}
    payload = (await page.ask("ReviewRegistration", input=given))["reviewRegistration"]
    if payload["errors"]:
        return _not_reviewed(page, payload["errors"][0]["message"])
    if page.is_partial:
        return page.show("staff/registration_case.html", case=payload["registration"])
    return page.go(LIST, "success", page.texts("审核完成"))


def _not_reviewed(page: Page, message: str) -> Response:
    if not page.is_partial:
        return page.go(LIST, "danger", message)
    return page.notify(Flash("danger", message))
