"""Where a staff member starts (工作台首页)."""

from __future__ import annotations

from starlette.responses import Response

from api.pages.page import Page, local
from api.pages.staff.place import choose


async def show(page: Page) -> Response:
    """The first page on which the caller has something to do."""
    items = page.navigation
    if items:
        # A message that was left is for the page that is shown.
        return page.go(items[0].path)
    return page.show("staff/nothing.html")


async def choose_compound(page: Page) -> Response:
    """Another compound, from now on; one in which the caller does not work is not taken."""
    await choose(page, page.typed("compound"))
    return page.go(local(page.typed("next")))
