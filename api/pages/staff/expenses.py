"""What a compound spends (支出登记), with vouchers."""

from __future__ import annotations

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
LIST = "/staff/books/expenses"
CATEGORIES = (
    "STAFF", "CLEANING", "GREENING", "SECURITY", "REPAIR", "ENERGY", "LIFT", "INSURANCE", "OFFICE", "TAX", "OTHER",
)  # fmt: skip
FILTERS = ("month", "category", "after")


async def show(page: Page) -> Response:
    """The expenses of the compound, the last one first."""
    return await _whole(page, {name: page.asked(name) for name in FILTERS})


async def _whole(page: Page, wanted: dict[str, str | None], problem: str = "") -> Response:
    place = await place_of(page)
    answer = await page.ask(
        "Expenses", compound=place.id, month=month_of(page, wanted["month"]),
        category=known(wanted["category"], CATEGORIES), first=ROWS, after=wanted["after"],
    )  # fmt: skip
    template = "staff/expense_rows.html" if page.is_partial else "staff/expenses.html"
    return page.show(
        template, place=place, wanted=wanted, categories=CATEGORIES, found=answer["expenses"], problem=problem,
        today=clock.today(), may_write=holds(page, place, billing.BOOKS_WRITE),
    )  # fmt: skip


async def add(page: Page) -> Response:
    """Enter one; a form that is refused is shown again as it was filled in."""
    try:
        payload = await _added(page)
    except Refusal as refusal:
        if refusal.status != 400:
            raise
        return await _whole(page, dict.fromkeys(FILTERS), refusal.message)
    if payload["errors"]:
        return await _whole(page, dict.fromkeys(FILTERS), payload["errors"][0]["message"])
    return page.go(LIST, "success", page.texts("支出已登记"))


async def _added(page: Page) -> Data:
    given = {
        "compound": (await place_of(page)).id, "spentOn": figures.needed(page, figures.day(page, "day")),
        "category": known(page.typed("category"), CATEGORIES) or CATEGORIES[0], "note": page.typed("note"),
        "amountFen": figures.amount(page, "amount"), "voucher": page.uploaded("voucher"),
    }  # fmt: skip
    return dict((await page.ask("AddExpense", input=given))["addExpense"])


async def correct(page: Page) -> Response:
    """Take back some of an expense that residents read already."""
    given = {
        "expense": page.typed("expense"), "amountFen": figures.amount(page, "amount"), "note": page.typed("note"),
        "voucher": page.uploaded("voucher"),
    }  # fmt: skip
    payload = (await page.ask("CorrectExpense", input=given))["correctExpense"]
    return told(page, payload, LIST) or page.go(LIST, "success", page.texts("已冲减，记在今天"))


async def remove(page: Page) -> Response:
    """Remove one that was entered by mistake."""
    payload = (await page.ask("RemoveExpense", input={"expense": page.typed("expense")}))["removeExpense"]
    return told(page, payload, LIST) or page.go(LIST, "success", page.texts("支出已删除"))
