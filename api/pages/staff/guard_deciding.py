"""What a guard decides (放行、拒绝、离开、审批): one tap, once."""

from __future__ import annotations

from starlette.responses import Response

from api.pages.asking import Data
from api.pages.cookies import Flash
from api.pages.page import Page, local
from api.pages.staff.guard import REFUSALS, SCAN
from api.pages.staff.post import door_of, post_of
from api.pages.texts import Texts

BACK_S, READ_S = 2, 5
"""How long a verdict stands before the page goes on by itself: a good one, and one that has to be read."""


async def admit(page: Page) -> Response:
    """Let a visitor in."""
    companions = page.typed("companions")
    given = {
        **await _who_and_where(page), "plate": page.typed("plate"), "documentChecked": page.typed("checked") == "on",
        "companions": int(companions) if companions.isdecimal() else None,
        "idempotencyKey": page.typed("key"),
    }  # fmt: skip
    payload = (await page.ask("AdmitVisitor", input=given))["admitVisitor"]
    return _told(page, payload, page.texts("已放行"))


async def refuse(page: Page) -> Response:
    """Send a visitor away, and say why."""
    given = {**await _who_and_where(page), "reason": reason(page), "idempotencyKey": page.typed("key")}
    payload = (await page.ask("RefuseVisitor", input=given))["refuseVisitor"]
    return _told(page, payload, page.texts("已拒绝，住户会收到原因"))


async def leave(page: Page) -> Response:
    """Write down that a visitor went out."""
    payload = (await page.ask("LeaveVisitor", input=await _who_and_where(page)))["leaveVisitor"]
    return _told(page, payload, page.texts("已登记离开"))


async def decide(page: Page) -> Response:
    """Let in or not who asks without being invited."""
    approve = page.typed("decision") == "approve"
    given = {"visitorPass": page.typed("visitor"), "approve": approve, "reason": reason(page)}
    payload = (await page.ask("DecideVisitorPass", input=given))["decideVisitorPass"]
    done = page.texts("已同意来访，请核对后放行") if approve else page.texts("已拒绝来访")
    if payload["errors"] or not approve:
        return _told(page, payload, done)
    return page.go(local(page.typed("here")), "success", done)


async def _who_and_where(page: Page) -> dict[str, object]:
    return {"visitorPass": page.typed("visitor"), "door": door_of(page, await post_of(page))}


def reason(page: Page) -> str:
    """What was chosen, what was written, or both."""
    chosen = page.typed("chosen")
    label = Texts("zh").label(chosen) if chosen in REFUSALS else ""
    return "：".join(filter(None, (label, page.typed("words"))))


def _told(page: Page, payload: Data, done: str) -> Response:
    """The verdict in large words; a field that is wrong is said where the form still stands."""
    after, errors = local(page.typed("next")), payload["errors"]
    message = errors[0]["message"] if errors else done
    if not page.is_partial:
        return page.go(after, "danger" if errors else "success", message)
    if errors and errors[0]["field"]:
        return page.notify(Flash("danger", message))
    return page.show(
        "staff/guard_verdict.html", is_good=not errors, words=message, visit=None, resident="", house_number="", after=after,
        back_s=READ_S if errors else BACK_S, facts=payload.get("visitor"), is_scan=after == SCAN,
    )  # fmt: skip
