"""Bills at the desk (账单): search, one bill with how it came, asking for corrections, papers, a house's money."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from starlette.responses import Response

from api.pages.asking import Data, Refusal
from api.pages.page import Page
from api.pages.staff import figures
from api.pages.staff.alarms import known
from api.pages.staff.answering import told
from api.pages.staff.months import month_of
from api.pages.staff.place import place_of
from api.pages.staff.post import holds
from domains.billing import permissions as billing
from domains.kernel import clock

ROWS = 30
LIST = "/staff/bills"
STATES = ("OPEN", "PARTLY_PAID", "PAID", "VOID")
FILTERS = ("house", "month", "state", "overdue", "after")
CONCERNS = ("PRINCIPAL", "LATE_FEE")
KINDS = ("waiver", "adjustment", "void")
A_YEAR = timedelta(days=365)


async def show(page: Page) -> Response:
    """The bills of the compound, the newest first."""
    place = await place_of(page)
    wanted = {name: page.asked(name) for name in FILTERS}
    state = known(wanted["state"], STATES)
    answer = await page.ask(
        "Bills", compound=place.id, month=month_of(page, wanted["month"]), states=[state] if state else None,
        house=wanted["house"], overdue=wanted["overdue"] == "on", first=ROWS, after=wanted["after"],
    )  # fmt: skip
    template = "staff/bill_list.html" if page.is_partial and not wanted["after"] else "staff/bills.html"
    template = "staff/bill_rows.html" if page.is_partial and wanted["after"] else template
    return page.show(template, place=place, wanted=wanted, states=STATES, found=answer["bills"])


async def show_one(page: Page) -> Response:
    """One bill."""
    return await _whole(page, page.asked("bill") or "")


async def _whole(page: Page, id: str, problem: str = "") -> Response:
    bill: Data | None = (await page.ask("Bill", id=id))["bill"]
    if not bill:
        raise Refusal("NOT_FOUND", page.texts("没有找到这张账单，请返回列表刷新后重试"), 404)
    place = await place_of(page)
    return page.show(
        "staff/bill.html", place=place, bill=bill, problem=problem, concerns=CONCERNS,
        may_request=holds(page, place, billing.CORRECTIONS_REQUEST) and bill["state"] != "VOID",
    )  # fmt: skip


async def correct(page: Page) -> Response:
    """Ask for a waiver, an adjustment or to take the bill back; a form that is refused is shown again."""
    id = page.typed("bill")
    try:
        payload = await _requested(page, id)
    except Refusal as refusal:
        if refusal.status != 400:
            raise
        return await _whole(page, id, refusal.message)
    if payload["errors"]:
        return await _whole(page, id, payload["errors"][0]["message"])
    return page.go(address(id), "success", page.texts("已提交，等待另一位同事审批"))


async def _requested(page: Page, id: str) -> Data:
    kind, reason = known(page.typed("kind"), KINDS), page.typed("reason")
    if kind == "waiver":
        fen = figures.amount(page, "amount") if page.typed("amount") else None
        concerns = known(page.typed("concerns"), CONCERNS) or CONCERNS[0]
        given = {"bill": id, "concerns": concerns, "amountFen": fen, "reason": reason}
        payload: Data = (await page.ask("RequestWaiver", input=given))["requestWaiver"]
    elif kind == "adjustment":
        sign = -1 if page.typed("way") == "less" else 1
        line = {
            "line": page.typed("line"),
            "amountFen": sign * figures.amount(page, "amount"),
            "reason": reason,
        }
        payload = (await page.ask("RequestAdjustment", input=line))["requestAdjustment"]
    else:
        payload = (await page.ask("RequestVoid", input={"bill": id, "reason": reason}))["requestVoid"]
    return payload


async def print_bill(page: Page) -> Response:
    """The bill on paper, fetched at once."""
    id = page.typed("bill")
    payload = (await page.ask("IssueBillDocument", input={"bill": id}))["issueBillDocument"]
    return told(page, payload, address(id)) or page.go(payload["document"]["address"])


async def print_receipt(page: Page) -> Response:
    """The receipt of a payment, fetched at once."""
    payload = (await page.ask("IssueReceipt", input={"payment": page.typed("payment")}))["issueReceipt"]
    return told(page, payload, address(page.typed("bill"))) or page.go(payload["document"]["address"])


async def show_account(page: Page) -> Response:
    """What a house has paid ahead and deposited, and what moved it."""
    house, after = page.asked("house") or "", page.asked("after")
    account = (await page.ask("HouseAccount", house=house, first=ROWS, after=after))["houseAccount"]
    today = clock.today()
    template = "staff/house_account_rows.html" if page.is_partial else "staff/house_account.html"
    return page.show(
        template, place=await place_of(page), account=account, after=after, since=today - A_YEAR, until=today
    )


async def print_statement(page: Page) -> Response:
    """A house's statement of account on paper, fetched at once."""
    house = page.typed("house")
    span = {"from": figures.day(page, "since"), "until": figures.day(page, "until")}
    given = {"house": house, **{name: figures.needed(page, day) for name, day in span.items()}}
    payload = (await page.ask("IssueStatement", input=given))["issueStatement"]
    back = f"{LIST}/account?{urlencode({'house': house})}"
    return told(page, payload, back) or page.go(payload["document"]["address"])


def address(id: str) -> str:
    """Where a bill's page is."""
    return f"{LIST}/one?{urlencode({'bill': id})}"
