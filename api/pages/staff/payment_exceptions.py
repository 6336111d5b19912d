"""Payments that went wrong (支付异常): what is open, what may be done about it, and what was done."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from starlette.responses import Response

from api.pages.asking import Refusal
from api.pages.page import Page
from api.pages.staff.alarms import known
from api.pages.staff.answering import told
from api.pages.staff.place import Place, place_of
from payments.exception_rules import EXCEPTIONS, NEEDS_NOTE

ROWS = 20
LIST = "/staff/payments/exceptions"
KINDS = tuple(kind.upper() for kind in EXCEPTIONS)
NOTED = frozenset(action.upper() for action in NEEDS_NOTE)
STATES = ("OPEN", "CLOSED")


async def show(page: Page) -> Response:
    """What is open in the compound, the last first, unless asked otherwise; what is of none, for who runs all of it."""
    place = await _place(page)
    of_none = not place.id or page.asked("of") == "NONE"
    wanted = {
        "state": known(page.asked("state"), STATES) or STATES[0], "kind": known(page.asked("kind"), KINDS),
        "of": "NONE" if of_none else None, "after": page.asked("after"),
    }  # fmt: skip
    answer = await page.ask(
        "PaymentExceptions", compound=None if of_none else place.id, open=wanted["state"] == STATES[0],
        kinds=[wanted["kind"]] if wanted["kind"] else None, first=ROWS, after=wanted["after"],
    )  # fmt: skip
    template = "staff/exception_cards.html" if page.is_partial else "staff/exceptions.html"
    found = answer["paymentExceptions"]
    return page.show(
        template, place=place, wanted=wanted, states=STATES, kinds=KINDS, found=found, **_forms()
    )


async def _place(page: Page) -> Place:
    """Whoever runs the installation need not work in a compound."""
    try:
        return await place_of(page)
    except Refusal:
        if not page.context.actor.operator:
            raise
        return Place({"id": "", "name": page.texts("不属于任何小区")}, [])


def _forms() -> dict[str, Any]:  # Any: values of several types
    return {"new_key": uuid4, "noted": NOTED}


async def settle(page: Page) -> Response:
    """Do one of the things that fit it; the card as it is after that, or why nothing was done."""
    given = {
        "exception": page.typed("exception"), "action": page.typed("action"), "note": page.typed("note"),
        "idempotencyKey": page.typed("key"),
    }  # fmt: skip
    payload = (await page.ask("SettlePaymentException", input=given))["settlePaymentException"]
    if refused := told(page, payload, LIST):
        return refused
    each = payload["exception"]
    done = _done(page, each["closedAt"] is not None, page.typed("action")) if each else page.texts("已处理")
    if not page.is_partial or each is None:
        return page.go(LIST, "success", done)
    return page.show("staff/exception_card.html", each=each, done=done, **_forms())


def _done(page: Page, is_over: bool, action: str) -> str:
    if is_over:
        return page.texts("已处理")
    if action == "REFUND":
        return page.texts("已提交，等待另一位同事审批")
    if action == "ASK":
        return page.texts("正在向支付平台查询，有结果后自动关闭")
    return page.texts("已提交，等待另一位同事确认")
