"""Scanning at the gate (扫码): whose a code is and whether it counts; nothing is used by looking."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from starlette.responses import Response

from api.pages.asking import Data
from api.pages.page import Page
from api.pages.staff.guard import REFUSALS, SCAN, shown
from api.pages.staff.guard_deciding import READ_S
from api.pages.staff.post import Post, door_of, holds, post_of
from domains.access import permissions as access


async def show(page: Page) -> Response:
    """The camera, and a field for six digits."""
    return await shown(page, "staff/guard_scan.html", here=SCAN, scan=None)


async def scan(page: Page) -> Response:
    """What was read, as a verdict over the camera."""
    post = await post_of(page)
    asked = {"compound": post.place.id, "door": door_of(page, post), "text": page.typed("text")}
    found = (await page.ask("ScanPass", **asked))["scanPass"]
    if page.is_partial:
        return page.show("staff/guard_verdict.html", **_verdict(page, found, post))
    return await shown(page, "staff/guard_scan.html", here=SCAN, scan=_verdict(page, found, post))


def _verdict(page: Page, found: Data, post: Post) -> dict[str, Any]:  # Any: values of a template
    visit = found["visitor"]
    return {
        "is_good": found["counts"], "words": found["message"], "visit": visit, "resident": found["resident"] or "",
        "house_number": found["houseNumber"] or "",
        "facts": None, "after": SCAN, "back_s": 0 if visit else READ_S, "is_scan": True, "post": post,
        "may_admit": holds(page, post.place, access.VISITORS_ADMIT), "refusals": REFUSALS, "new_key": uuid4,
    }  # fmt: skip
