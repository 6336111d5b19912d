"""The compound's books at the desk (账目公示): a month as it is now and as it was published."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import Response

from api.pages.asking import Data
from api.pages.book_charts import pictures
from api.pages.page import Page
from api.pages.staff.months import last_month, month_of
from api.pages.staff.place import place_of
from api.pages.staff.post import holds
from domains.billing import permissions as billing

LIST = "/staff/books"


async def show(page: Page) -> Response:
    """A month as it would be published, the last one unless told; and the months that are."""
    return await _whole(page, page.asked("month") or last_month())


async def _whole(page: Page, month: str, problem: str = "") -> Response:
    place = await place_of(page)
    books = (await page.ask("Books", compound=place.id, month=month_of(page, month)))["books"]
    months = (await page.ask("PublishedMonths", compound=place.id))["publishedMonths"]
    published = next((each for each in months if each["month"][:7] == month), None)
    return page.show(
        "staff/books.html", place=place, month=month, books=books, months=months, published=published,
        problem=problem, pictures=pictures(page, books), may_publish=holds(page, place, billing.BOOKS_PUBLISH),
    )  # fmt: skip


async def publish(page: Page) -> Response:
    """Publish the month; what residents read of it from now on."""
    month = page.typed("month")
    given = {
        "compound": (await place_of(page)).id,
        "month": month_of(page, month),
        "note": page.typed("note"),
    }
    payload = (await page.ask("PublishAccounts", input=given))["publishAccounts"]
    if payload["errors"]:
        return await _whole(page, month, payload["errors"][0]["message"])
    return page.go(published_address(month), "success", page.texts("账目已公示，住户现在可以查看"))


async def show_published(page: Page) -> Response:
    """A month as residents read it."""
    place, month = await place_of(page), page.asked("month") or last_month()
    accounts = (await page.ask("OpenBooks", compound=place.id, month=month_of(page, month)))["openBooks"]
    books: Data = accounts["books"]
    return page.show(
        "staff/published_books.html", place=place, month=month, accounts=accounts, books=books,
        pictures=pictures(page, books),
    )  # fmt: skip


def published_address(month: str) -> str:
    """Where a published month's page is."""
    return f"{LIST}/published?{urlencode({'month': month})}"
