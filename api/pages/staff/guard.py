"""The guard's page (保安工作台): who is expected and who is inside, one visitor, alarms, and what is new."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from starlette.responses import Response

from api.pages.asking import Data, Refusal
from api.pages.page import Page, local
from api.pages.staff import alarms
from api.pages.staff.place import Place, place_of
from api.pages.staff.post import holds, post_of, stand_at
from domains.access import permissions as access
from domains.devices import permissions as devices

LIST = "/staff/guard"
SCAN = "/staff/guard/scan"
FOLLOWED = ("visitor_pass.changed", "alarm.changed")
REFUSALS = ("refusal:DOCUMENT", "refusal:NO_ANSWER", "refusal:NOT_WANTED", "refusal:FACTS", "refusal:CAR")
"""Why somebody is sent away, to choose from; the host reads it in Chinese."""
PURPOSES = ("VISIT", "DELIVERY", "SERVICE", "REPAIR", "MOVING", "VIEWING", "CARE", "OTHER")


async def show(page: Page) -> Response:
    """Today's visitors."""
    return await _desk(page, "")


async def find(page: Page) -> Response:
    """Who was searched for. It is posted, so that names and numbers stay out of addresses and logs."""
    return await _desk(page, page.typed("words"))


async def _desk(page: Page, words: str) -> Response:
    place = await place_of(page)
    values: dict[str, Any] = {"words": words, "desk": None, "found": None}  # Any: the documents' shapes
    if words:
        values["found"] = (await page.ask("GuardSearch", compound=place.id, words=words))["guardSearch"]
    else:
        values["desk"] = (await page.ask("GuardDesk", compound=place.id))["guardDesk"]
    if page.is_partial:
        return page.show("staff/guard_visits.html", **values)
    return await shown(page, "staff/guard.html", within=place, **values)


async def shown(
    page: Page, template: str, *, here: str = LIST, within: Place | None = None, **values: Any
) -> Response:  # Any: as above
    """A page of the guard's, with the gate and the alarms that every one of them has."""
    post = await post_of(page, within)
    return page.show(
        template, post=post, place=post.place, here=here, open=await _open_alarms(page, post.place), **values,
        may_admit=holds(page, post.place, access.VISITORS_ADMIT), refusals=REFUSALS, new_key=uuid4,
        may_handle=holds(page, post.place, devices.ALARMS_HANDLE),
        may_see_alarms=holds(page, post.place, devices.ALARMS_READ),
    )  # fmt: skip


async def _open_alarms(page: Page, place: Place) -> Data | None:
    if not holds(page, place, devices.ALARMS_READ):
        return None
    return await page.ask("OpenAlarms", compound=place.id)


async def show_strip(page: Page) -> Response:
    """How many alarms nobody has seen to, and those that are critical: for a page that is open."""
    found = await _open_alarms(page, await place_of(page))
    return page.show("staff/guard_strip.html", open=found)


async def choose_gate(page: Page) -> Response:
    """Stand at another door from now on."""
    await stand_at(page, page.typed("door"))
    return page.go(local(page.typed("next")))


async def show_visitor(page: Page) -> Response:
    """All that a guard may know of one visitor, and what can be done."""
    visit = (await page.ask("GuardVisitor", id=page.asked("pass") or ""))["node"]
    if not visit:
        raise Refusal("NOT_FOUND", page.texts("没有找到这位访客，请返回列表刷新后重试"), 404)
    return await shown(page, "staff/guard_visitor.html", visit=visit, after=LIST)


async def show_alarms(page: Page) -> Response:
    """What is not cleared yet, the last opened first."""
    place = await place_of(page)
    found = await alarms.found(page, place, state=("OPEN", "ACKNOWLEDGED"), after=page.asked("after"))
    values: dict[str, Any] = {
        "found": found,
        "after": f"{LIST}/alarms",
        "wanted": {"after": page.asked("after")},
    }  # Any: as above
    if page.is_partial:
        return page.show(
            "staff/guard_alarm_cards.html", **values, may_handle=holds(page, place, devices.ALARMS_HANDLE)
        )
    return await shown(page, "staff/guard_alarms.html", here=f"{LIST}/alarms", within=place, **values)


async def listen(page: Page) -> Response:
    """That visits or alarms changed, as server-sent events; what changed, the page asks for itself."""
    after = page.request.headers.get("last-event-id") or page.asked("after")
    try:
        return await page.follow("StaffEvents", _changed, after=after, names=FOLLOWED)
    except Refusal:
        # No content: a browser does not ask again, and the page goes on by asking now and then.
        return Response(status_code=204)


def _changed(answer: Data) -> bytes:
    happened = answer["viewerEvents"]
    name = "alarms" if happened["name"].startswith("alarm") else "visits"
    return f"id: {happened['cursor']}\nevent: {name}\ndata:\n\n".encode()
