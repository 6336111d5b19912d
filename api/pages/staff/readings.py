"""Readings (读数): entering those of a building by the keyboard, and reviewing those that wait."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import uuid4

from starlette.responses import Response

from api.pages.asking import Data, Refusal
from api.pages.cookies import Flash
from api.pages.page import Page
from api.pages.staff.alarms import known
from api.pages.staff.fee_items import METER_KINDS
from api.pages.staff.figures import day, number, number_of
from api.pages.staff.place import place_of
from api.pages.staff.post import holds
from domains.billing import permissions as billing
from domains.kernel import clock

ENTER, REVIEW = "/staff/meters/enter", "/staff/meters/review"
AT_ONCE = 50
ROWS = 20
WALK = ("building", "kind", "on")


async def show(page: Page) -> Response:
    """The meters of a building that have no reading of the month yet, each with a field."""
    return await _sheet(page, {name: page.asked(name) or "" for name in WALK}, {})


async def _sheet(
    page: Page, walk: dict[str, str], refused: dict[str, tuple[str, str]], said: str = ""
) -> Response:
    place = await place_of(page)
    if not holds(page, place, billing.METERS_WRITE):
        raise Refusal(
            "FORBIDDEN", page.texts("录入读数需要“维护仪表、录入与审核读数”权限，请联系管理员授权"), 403
        )
    on = walk["on"] or clock.today().isoformat()
    narrowed = {
        "kind": known(walk["kind"], METER_KINDS), "building": walk["building"] or None,
        "unreadSince": f"{on[:7]}-01",
    }  # fmt: skip
    answer = await page.ask(
        "Meters", compound=place.id, filter=narrowed, first=AT_ONCE, after=page.asked("after")
    )
    return page.show(
        "staff/readings_enter.html", place=place, walk=walk | {"on": on}, kinds=METER_KINDS, found=answer["meters"],
        refused=refused, said=said, new_key=uuid4, today=clock.today().isoformat(),
    )  # fmt: skip


async def enter(page: Page) -> Response:
    """Keep the readings that were typed; what was refused stays in its field with why."""
    walk = {name: page.typed(name) for name in WALK}
    typed = {
        name[6:]: str(value).strip() for name, value in page.form.multi_items() if name.startswith("value:")
    }
    typed = {meter: value for meter, value in typed.items() if value}
    wrong = _misread(page, typed)
    if wrong or not typed:
        said = page.texts("有读数没有录入，请看各行的说明") if wrong else page.texts("请至少填写一块表的读数")
        return await _sheet(
            page, walk, wrong | {m: (v, "") for m, v in typed.items() if m not in wrong}, said
        )
    payload = await _record(page, typed)
    if payload["errors"]:
        return await _sheet(
            page, walk, {m: (v, "") for m, v in typed.items()}, payload["errors"][0]["message"]
        )
    return await _answered(page, walk, typed, payload["answers"])


def _misread(page: Page, typed: dict[str, str]) -> dict[str, tuple[str, str]]:
    wrong = {}
    for meter, value in typed.items():
        try:
            number_of(page, value)
        except Refusal as refusal:
            wrong[meter] = (value, refusal.message)
    return wrong


async def _record(page: Page, typed: dict[str, str]) -> Data:
    on = day(page, "on")
    # Of another day only the day is known: it counts at noon, as in a file.
    at = None if on in (None, clock.today().isoformat()) else f"{on}T12:00:00+08:00"
    given = {
        "idempotencyKey": page.typed("key"), "compound": (await place_of(page)).id,
        "readings": [{"meter": meter, "value": value, "readAt": at} for meter, value in typed.items()],
    }  # fmt: skip
    payload: Data = (await page.ask("RecordReadings", input=given))["recordReadings"]
    return payload


async def _answered(page: Page, walk: dict[str, str], typed: dict[str, str], answers: list[Data]) -> Response:
    rows = list(zip(typed.items(), answers, strict=True))
    refused = {
        meter: (value, each["message"]) for (meter, value), each in rows if each["result"] == "REFUSED"
    }
    held = sum(each["result"] == "HELD" for each in answers)
    said = page.texts("已录入 {n} 个读数，其中 {held} 个待审核", n=len(answers) - len(refused), held=held)
    if refused:
        return await _sheet(page, walk, refused, said + page.texts("；有读数没有录入，请看各行的说明"))
    return page.go(f"{ENTER}?{urlencode(walk)}", "warning" if held else "success", said)


async def show_waiting(page: Page) -> Response:
    """The readings that wait for review, the longest waiting first."""
    place = await place_of(page)
    building = page.asked("building")
    answer = await page.ask(
        "ReadingsToReview", compound=place.id, building=building, first=ROWS, after=page.asked("after")
    )
    template = "staff/reading_cards.html" if page.is_partial else "staff/readings_review.html"
    return page.show(
        template, place=place, building=building, found=answer["readingsToReview"],
        may_write=holds(page, place, billing.METERS_WRITE),
    )  # fmt: skip


async def review(page: Page) -> Response:
    """Accept one as it is or with what the register really showed, or reject it."""
    accept = page.typed("decision") == "ACCEPT"
    try:
        value = number(page, "value") if accept else None
    except Refusal as refusal:
        return _told(page, refusal.message)
    given = {
        "reading": page.typed("reading"),
        "accept": accept,
        "value": value,
        "reason": page.typed("reason"),
    }
    payload = (await page.ask("ReviewReading", input=given))["reviewReading"]
    if payload["errors"]:
        return _told(page, payload["errors"][0]["message"])
    if page.is_partial:
        return page.show("staff/reading_card.html", reading=payload["reading"], may_write=True)
    return page.go(REVIEW, "success", page.texts("读数已审核"))


def _told(page: Page, message: str) -> Response:
    return page.notify(Flash("danger", message)) if page.is_partial else page.go(REVIEW, "danger", message)
