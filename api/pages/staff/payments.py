"""Payments (缴费记录): what is being paid and was paid, with what it pays and what went back of it."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode
from uuid import uuid4

from starlette.responses import Response

from api.pages.asking import Data, Refusal
from api.pages.page import Page
from api.pages.staff import figures
from api.pages.staff.alarms import known
from api.pages.staff.answering import told
from api.pages.staff.place import place_of
from api.pages.staff.post import holds
from domains.kernel import clock
from payments import permissions

ROWS = 30
LIST = "/staff/payments"
STATES = ("OPEN", "PAID", "CLOSED", "VOIDED")


async def show(page: Page) -> Response:
    """The payments of the compound, the newest first."""
    place = await place_of(page)
    wanted = {"state": known(page.asked("state"), STATES), "after": page.asked("after")}
    states = [wanted["state"]] if wanted["state"] else None
    answer = await page.ask("Payments", compound=place.id, states=states, first=ROWS, after=wanted["after"])
    template = "staff/payment_rows.html" if page.is_partial else "staff/payments.html"
    return page.show(
        template,
        place=place,
        wanted=wanted,
        states=STATES,
        found=answer["payments"],
        open=answer["open"]["totalCount"],
    )


async def show_one(page: Page) -> Response:
    """One payment."""
    return await _whole(page, page.asked("payment") or "")


async def _whole(page: Page, id: str, problem: str = "") -> Response:
    payment, place = await payment_of(page, id), await place_of(page)
    left = [part for part in payment["parts"] if part["paidFen"] > part["givenBackFen"]]
    keeps_desk = holds(page, place, permissions.DESK_WRITE)
    return page.show(
        "staff/payment.html", place=place, payment=payment, problem=problem, new_key=uuid4,
        left=left if payment["state"] == "PAID" and holds(page, place, permissions.REFUNDS_REQUEST) else [],
        may_void=keeps_desk and _is_voidable(payment), keeps_desk=keeps_desk,
    )  # fmt: skip


async def payment_of(page: Page, id: str) -> Data:
    """A payment that the caller may see. Raises Refusal."""
    payment: Data | None = (await page.ask("Payment", id=id))["payment"]
    if not payment:
        raise Refusal("NOT_FOUND", page.texts("没有找到这笔缴费，请返回列表刷新后重试"), 404)
    return payment


def _is_voidable(payment: Data) -> bool:
    """Taken at the desk today, and nothing of it went back; who may, the command decides."""
    if payment["state"] != "PAID" or payment["product"] != "DESK" or payment["refunds"]:
        return False
    return clock.business_date(datetime.fromisoformat(payment["paidAt"])) == clock.today()


async def ask_again(page: Page) -> Response:
    """Have the platform asked what became of it."""
    id = page.typed("payment")
    payload = (await page.ask("ConfirmPaymentHint", input={"payment": id}))["confirmPaymentHint"]
    return told(page, payload, address(id)) or page.go(
        address(id), "success", page.texts("已向支付平台查询，下面是最新状态")
    )


async def give_up(page: Page) -> Response:
    """Close one that nobody wants to pay any more."""
    id = page.typed("payment")
    payload = (await page.ask("CancelPayment", input={"payment": id}))["cancelPayment"]
    if refused := told(page, payload, address(id)):
        return refused
    state = (await payment_of(page, id))["state"]
    done = {
        "CLOSED": ("success", page.texts("已关闭，账单可以重新缴费")),
        "PAID": ("warning", page.texts("住户已经付款，不能关闭")),
    }
    tone, words = done.get(state, ("warning", page.texts("平台暂未确认关闭，系统会继续查询")))
    return page.go(address(id), tone, words)  # type: ignore[arg-type]  # one of the three above


async def void(page: Page) -> Response:
    """Take back what was taken at the desk by mistake."""
    id = page.typed("payment")
    given = {"payment": id, "reason": page.typed("reason"), "idempotencyKey": page.typed("key")}
    payload = (await page.ask("VoidDeskPayment", input=given))["voidDeskPayment"]
    if payload["errors"]:
        return await _whole(page, id, payload["errors"][0]["message"])
    return page.go(address(id), "success", page.texts("已作废，账单恢复待缴；现金请退还住户"))


async def request_refund(page: Page) -> Response:
    """Ask for money to go back; a form that is refused is shown again."""
    id = page.typed("payment")
    try:
        given = {
            "payment": id, "parts": _parts(page), "reason": page.typed("reason"),
            "idempotencyKey": page.typed("key"),
        }  # fmt: skip
        payload = (await page.ask("RequestRefund", input=given))["requestRefund"]
    except Refusal as refusal:
        if refusal.status != 400:
            raise
        return await _whole(page, id, refusal.message)
    if payload["errors"]:
        return await _whole(page, id, payload["errors"][0]["message"])
    return page.go(address(id), "success", page.texts("已提交，等待另一位同事审批"))


def _parts(page: Page) -> list[Data]:
    written = zip(page.form.getlist("part"), page.form.getlist("amount"), strict=False)
    return [
        {"part": str(part), "amountFen": figures.amount_of(page, str(fen).strip())}
        for part, fen in written
        if str(fen).strip()
    ]


async def print_receipt(page: Page) -> Response:
    """Its receipt, fetched at once."""
    payload = (await page.ask("IssueReceipt", input={"payment": page.typed("receipt")}))["issueReceipt"]
    back = address(page.typed("payment"))
    return told(page, payload, back) or page.go(payload["document"]["address"])


def address(id: str) -> str:
    """Where a payment's page is."""
    return f"{LIST}/one?{urlencode({'payment': id})}"
