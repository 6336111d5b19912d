"""Where a link to published accounts leads (账目公示页): a month's figures and charts, for whoever was given the link."""

from __future__ import annotations

from starlette.responses import Response

from api.pages.asking import Refusal
from api.pages.book_charts import pictures
from api.pages.page import Page
from api.pages.visiting.pass_page import private


async def show(page: Page) -> Response:
    """The month of the link as it was published last; a plain page for a link that opens nothing."""
    try:
        found = (await page.ask("LinkedAccounts", token=page.request.path_params["token"]))["linkedAccounts"]
    except Refusal as refusal:
        # What is too long or no text at all is a link that nobody was given, too.
        status = 404 if refusal.status == 400 else refusal.status
        return private(
            page.show("open_books.html", status, found=None, refusal=refusal, is_unknown=status == 404)
        )
    accounts, books = found["accounts"], found["accounts"]["books"]
    return private(page.show(
        "open_books.html", found=found, accounts=accounts, books=books, month=accounts["month"][:7],
        pictures=pictures(page, books),
    ))  # fmt: skip
