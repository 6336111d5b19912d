"""Corrections of bills that wait for a decision (账单更正审批)."""

from __future__ import annotations

from starlette.responses import Response

from api.pages.asking import Data
from api.pages.page import Page
from api.pages.staff.answering import told
from api.pages.staff.place import place_of
from api.pages.staff.post import holds
from domains.billing import permissions as billing

ROWS = 20
LIST = "/staff/corrections"
STATES = ("REQUESTED", "APPROVED", "REJECTED", "WITHDRAWN")


async def show(page: Page) -> Response:
    """What was asked for, the last first; what waits unless asked otherwise."""
    place, state = await place_of(page), page.asked("state")
    wanted = {"state": state if state in STATES else STATES[0], "after": page.asked("after")}
    answer = await page.ask(
        "Corrections", compound=place.id, states=[wanted["state"]], first=ROWS, after=wanted["after"]
    )
    template = "staff/correction_cards.html" if page.is_partial else "staff/corrections.html"
    return page.show(
        template, place=place, wanted=wanted, states=STATES, found=answer["corrections"],
        may_decide=holds(page, place, billing.CORRECTIONS_DECIDE),
    )  # fmt: skip


async def decide(page: Page) -> Response:
    """Approve or reject what another asked for."""
    decision = "APPROVE" if page.typed("decision") == "APPROVE" else "REJECT"
    given = {"correction": page.typed("correction"), "decision": decision, "note": page.typed("note")}
    payload = (await page.ask("DecideCorrection", input=given))["decideCorrection"]
    done = page.texts("已同意，账单已更正") if decision == "APPROVE" else page.texts("已驳回，账单不变")
    return _changed(page, payload, done)


async def withdraw(page: Page) -> Response:
    """Take one's own request back."""
    given = {"correction": page.typed("correction")}
    payload = (await page.ask("WithdrawCorrection", input=given))["withdrawCorrection"]
    return _changed(page, payload, page.texts("申请已撤回"))


def _changed(page: Page, payload: Data, done: str) -> Response:
    """The card as it is after the change, or why nothing was changed."""
    if refused := told(page, payload, LIST):
        return refused
    # Who decides without being allowed to read bills is not shown the bill.
    if not page.is_partial or payload["correction"] is None:
        return page.go(LIST, "success", done)
    return page.show("staff/correction_card.html", each=payload["correction"], may_decide=True)
