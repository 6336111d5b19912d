"""What was tried at doors (通行记录): search, files of it, and how much there was."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from starlette.responses import Response

from api.pages.asking import Data, Refusal
from api.pages.cookies import Flash
from api.pages.page import Page
from api.pages.staff.alarms import known
from api.pages.staff.place import Place
from api.pages.staff.post import post_of
from api.pages.staff.spans import day_of, period
from domains.kernel import clock

ROWS = 30
LIST = "/staff/access-records"
METHODS = (
    "APP", "QR", "CODE", "CARD", "FACE", "CALL", "PLATE", "GUARD", "BUTTON", "FIRE", "REMOTE", "OTHER",
)  # fmt: skip
RESULTS = ("OPENED", "REFUSED", "UNKNOWN")
DIRECTIONS = ("IN", "OUT", "UNKNOWN")
FIELDS = (
    "door", "name", "house", "plate", "method", "result", "direction", "by", "since", "until", "person", "pass", "after",
)  # fmt: skip
A_MONTH = timedelta(days=29)
Wanted = dict[str, str]


async def show(page: Page) -> Response:
    """The last records, of a person or a pass where an address names one."""
    return await _list(page, {name: page.asked(name) or "" for name in FIELDS if name in ("person", "pass")})


async def find(page: Page) -> Response:
    """What was searched for. It is posted, so that names and plates stay out of addresses and logs."""
    return await _list(page, {name: page.typed(name) for name in FIELDS})


async def _list(page: Page, typed: Wanted) -> Response:
    wanted = {name: typed.get(name, "") for name in FIELDS}
    post = await post_of(page)
    answer = await page.ask(
        "AccessRecords", compound=post.place.id, filter=await _filter(page, post.place, wanted), first=ROWS,
        after=wanted["after"] or None,
    )  # fmt: skip
    template = "staff/access_record_rows.html" if page.is_partial else "staff/access_records.html"
    return page.show(
        template, place=post.place, doors=post.doors, wanted=wanted, methods=METHODS, results=RESULTS,
        directions=DIRECTIONS, found=answer["accessRecords"],
    )  # fmt: skip


async def _filter(page: Page, place: Place, wanted: Wanted) -> dict[str, object]:
    given: dict[str, Any] = {  # Any: values of several types
        "door": wanted["door"], "name": wanted["name"], "plate": wanted["plate"], "person": wanted["person"],
        "visitorPass": wanted["pass"], "method": known(wanted["method"], METHODS),
        "result": known(wanted["result"], RESULTS), "direction": known(wanted["direction"], DIRECTIONS),
        "isVehicle": {"vehicle": True, "foot": False}.get(wanted["by"]),
        "house": await _house(page, place, wanted["house"]) if wanted["house"] else None,
        **period(page, wanted["since"], wanted["until"]),
    }  # fmt: skip
    return {name: value for name, value in given.items() if value not in ("", None)}


async def _house(page: Page, place: Place, number: str) -> str:
    """The one house that is meant. Raises Refusal where none is, or more than one."""
    compound: Data = (await page.ask("FindHouse", compound=place.id, number=number))["compound"]
    houses = compound["houses"]["nodes"]
    exact = [each for each in houses if each["number"] == number]
    if len(exact or houses) != 1:
        raise Refusal("HOUSE_NOT_FOUND", page.texts("请写出完整的房号，例如 3号楼1单元101"), 400)
    return str((exact or houses)[0]["id"])


async def export(page: Page) -> Response:
    """The same records as a file, which is fetched at once."""
    post = await post_of(page)
    narrowed = await _filter(page, post.place, {name: page.typed(name) for name in FIELDS})
    given = {"compound": post.place.id, "filter": narrowed, "format": "XLSX"}
    payload = (await page.ask("ExportAccessRecords", input=given))["exportAccessRecords"]
    if payload["errors"]:
        message = payload["errors"][0]["message"]
        return page.notify(Flash("danger", message)) if page.is_partial else page.go(LIST, "danger", message)
    return page.go(payload["file"]["address"])


async def show_statistics(page: Page) -> Response:
    """How often doors were passed on the days of a period, the last thirty unless told."""
    post, today = await post_of(page), clock.today()
    until = day_of(page, page.asked("until") or str(today))
    since = day_of(page, page.asked("since") or str(until - A_MONTH))
    answer = await page.ask(
        "AccessStatistics", compound=post.place.id, **{"from": str(since)}, until=str(until)
    )
    return page.show(
        "staff/access_statistics.html", place=post.place, since=since, until=until, found=answer["accessStatistics"]
    )  # fmt: skip
