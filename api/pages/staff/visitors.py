"""Visitors at the desk (访客管理): passes of a compound as a table, decided and taken back."""

from __future__ import annotations

from starlette.responses import Response

from api.pages.asking import Data
from api.pages.cookies import Flash
from api.pages.page import Page
from api.pages.staff.alarms import known
from api.pages.staff.place import place_of
from api.pages.staff.post import holds
from api.pages.staff.spans import day_of
from domains.access import permissions as access
from domains.kernel import clock

ROWS = 30
LIST = "/staff/visitors"
STATES = ("REQUESTED", "ACTIVE", "USED_UP", "EXPIRED", "REVOKED", "REJECTED")
FIELDS = ("q", "day", "state", "after")


async def show(page: Page) -> Response:
    """The visitors of today."""
    return await _list(page, {"day": str(clock.today())})


async def find(page: Page) -> Response:
    """What was searched for. It is posted, so that names and plates stay out of addresses and logs."""
    return await _list(page, {name: page.typed(name) for name in FIELDS})


async def _list(page: Page, typed: dict[str, str]) -> Response:
    wanted = {name: typed.get(name, "") for name in FIELDS}
    place, state = await place_of(page), known(wanted["state"], STATES)
    answer = await page.ask(
        "VisitorPasses", compound=place.id, day=str(day_of(page, wanted["day"])) if wanted["day"] else None,
        states=[state] if state else None, search=wanted["q"] or None, first=ROWS, after=wanted["after"] or None,
    )  # fmt: skip
    template = "staff/visitor_rows.html" if page.is_partial else "staff/visitors.html"
    return page.show(
        template, place=place, wanted=wanted, states=STATES, found=answer["visitorPasses"],
        may_admit=holds(page, place, access.VISITORS_ADMIT),
    )  # fmt: skip


async def decide(page: Page) -> Response:
    """Let in who asks, or not."""
    approve = page.typed("decision") == "approve"
    given = {"visitorPass": page.typed("visitor"), "approve": approve, "reason": page.typed("reason")}
    payload = (await page.ask("DecideVisitorPass", input=given))["decideVisitorPass"]
    return await _changed(page, payload, page.texts("已同意来访") if approve else page.texts("已拒绝来访"))


async def revoke(page: Page) -> Response:
    """Take a pass back; gates with a network know it within seconds."""
    given = {"visitorPass": page.typed("visitor"), "reason": page.typed("reason")}
    payload = (await page.ask("RevokeVisitorPass", input=given))["revokeVisitorPass"]
    return await _changed(page, payload, page.texts("通行证已吊销"))


async def _changed(page: Page, payload: Data, done: str) -> Response:
    """The row as it is after the change, or why nothing was changed."""
    if payload["errors"]:
        message = payload["errors"][0]["message"]
        return page.notify(Flash("danger", message)) if page.is_partial else page.go(LIST, "danger", message)
    if not page.is_partial:
        return page.go(LIST, "success", done)
    visit = (await page.ask("GuardVisitor", id=page.typed("visitor")))["node"]
    return page.show("staff/visitor_row.html", visit=visit, may_admit=True)
