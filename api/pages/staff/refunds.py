"""Refunds (退款): those that wait for a decision, those that went, and those that did not go through."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from starlette.responses import Response

from api.pages.asking import Data
from api.pages.page import Page
from api.pages.staff.answering import told
from api.pages.staff.place import Place, place_of
from api.pages.staff.post import holds
from payments import permissions

ROWS = 20
LIST = "/staff/refunds"
STATES = ("REQUESTED", "ABNORMAL", "APPROVED", "SENT", "SUCCEEDED", "REJECTED", "CLOSED")
AT_DESK = ("CASH", "POS", "TRANSFER")


async def show(page: Page) -> Response:
    """The last ones first; what waits for a decision unless asked otherwise."""
    place, state = await place_of(page), page.asked("state")
    wanted = {"state": state if state in STATES else STATES[0], "after": page.asked("after")}
    answer = await page.ask(
        "Refunds", compound=place.id, states=[wanted["state"]], first=ROWS, after=wanted["after"]
    )
    template = "staff/refund_cards.html" if page.is_partial else "staff/refunds.html"
    return page.show(
        template, place=place, wanted=wanted, states=STATES, found=answer["refunds"], **_may(page, place)
    )


def _may(page: Page, place: Place) -> dict[str, Any]:  # Any: values of several types
    return {
        "may_decide": holds(page, place, permissions.REFUNDS_DECIDE),
        "keeps_desk": holds(page, place, permissions.DESK_WRITE), "at_desk": AT_DESK, "new_key": uuid4,
    }  # fmt: skip


async def decide(page: Page) -> Response:
    """Approve or reject what another asked for."""
    is_approved = page.typed("decision") == "APPROVE"
    given = {**_which(page), "approve": is_approved, "note": page.typed("note")}
    payload = (await page.ask("DecideRefund", input=given))["decideRefund"]
    done = page.texts("已同意，款项将原路退回") if is_approved else page.texts("已驳回，款项不变")
    return await _changed(page, payload, done)


async def retry(page: Page) -> Response:
    """Send one again that did not go through."""
    payload = (await page.ask("RetryRefund", input=_which(page)))["retryRefund"]
    return await _changed(page, payload, page.texts("已重新发起退款"))


async def keep(page: Page) -> Response:
    """Give one that did not go through to the house's prepayment."""
    payload = (await page.ask("KeepRefund", input=_which(page)))["keepRefund"]
    return await _changed(page, payload, page.texts("已转入房屋预存款"))


async def pay_out(page: Page) -> Response:
    """Hand one out at the desk."""
    payload = (await page.ask("PayOutRefund", input=_which(page)))["payOutRefund"]
    return await _changed(page, payload, page.texts("已登记退款，请把款项交给住户"))


def _which(page: Page) -> Data:
    return {"refund": page.typed("refund"), "idempotencyKey": page.typed("key")}


async def _changed(page: Page, payload: Data, done: str) -> Response:
    """The card as it is after the change, or why nothing was changed."""
    if refused := told(page, payload, LIST):
        return refused
    # Who decides without being allowed to read payments is not shown the refund.
    if not page.is_partial or payload["refund"] is None:
        return page.go(LIST, "success", done)
    place = await place_of(page)
    return page.show("staff/refund_card.html", each=payload["refund"], done=done, **_may(page, place))
