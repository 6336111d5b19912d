"""Meters (仪表): the register, one meter with its readings and what was used, putting in and taking out."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import Response

from api.pages.asking import Data, Refusal
from api.pages.page import Page
from api.pages.staff.alarms import known
from api.pages.staff.fee_items import METER_KINDS
from api.pages.staff.figures import day, needed, number, whole
from api.pages.staff.houses import house_of
from api.pages.staff.place import Place, place_of
from api.pages.staff.post import holds
from domains.billing import permissions as billing
from domains.kernel import clock

ROWS = 30
LIST = "/staff/meters"
FILTERS = ("q", "kind", "building", "unread", "after")


async def show(page: Page) -> Response:
    """The meters of the compound by house."""
    place = await place_of(page)
    wanted = {name: page.asked(name) for name in FILTERS}
    narrowed = {
        "kind": known(wanted["kind"], METER_KINDS), "building": wanted["building"], "search": wanted["q"],
        "unreadSince": first_of_month() if wanted["unread"] == "yes" else None,
        "isRemoved": wanted["unread"] == "gone",
    }  # fmt: skip
    found = (await page.ask(
        "Meters", compound=place.id, filter=narrowed, first=ROWS, after=wanted["after"]
    ))["meters"]  # fmt: skip
    template = "staff/meter_rows.html" if page.is_partial else "staff/meters.html"
    return page.show(
        template, place=place, wanted=wanted, kinds=METER_KINDS, found=found,
        may_write=holds(page, place, billing.METERS_WRITE),
    )  # fmt: skip


def first_of_month() -> str:
    """The first day of this month."""
    return clock.today().replace(day=1).isoformat()


async def show_one(page: Page) -> Response:
    """One meter, or more of its readings."""
    id = page.asked("meter") or ""
    if page.is_partial:
        return page.show("staff/meter_reading_rows.html", id=id, readings=await _readings(page, id))
    return await _one(page, id)


async def _readings(page: Page, id: str) -> Data:
    answer = await page.ask("MeterReadings", meter=id, first=ROWS, after=page.asked("after"))
    found: Data = answer["meterReadings"]
    return found


async def _one(page: Page, id: str, problem: str = "") -> Response:
    place = await place_of(page)
    meter: Data | None = (await page.ask("Meter", id=id))["node"]
    if not meter:
        raise Refusal("NOT_FOUND", page.texts("没有找到这块表，请返回列表刷新后重试"), 404)
    return page.show(
        "staff/meter.html", place=place, id=id, meter=meter, readings=await _readings(page, id), problem=problem,
        today=clock.today().isoformat(), may_write=holds(page, place, billing.METERS_WRITE),
    )  # fmt: skip


def address(id: str) -> str:
    """Where a meter's page is."""
    return f"{LIST}/one?{urlencode({'meter': id})}"


async def show_form(page: Page) -> Response:
    """An empty form."""
    return await _form(page)


async def _form(page: Page, problem: str = "") -> Response:
    place = await place_of(page)
    if not holds(page, place, billing.METERS_WRITE):
        raise Refusal(
            "FORBIDDEN", page.texts("装表需要“维护仪表、录入与审核读数”权限，请联系管理员授权"), 403
        )
    return page.show(
        "staff/meter_form.html",
        place=place,
        kinds=METER_KINDS,
        problem=problem,
        today=clock.today().isoformat(),
    )


async def register(page: Page) -> Response:
    """Put a meter in; a form that is refused is shown again as it was filled in."""
    place = await place_of(page)
    try:
        given = _plate(page) | await _owner(page, place)
    except Refusal as refusal:
        if refusal.status >= 401:
            raise
        return await _form(page, refusal.message)
    payload = (await page.ask("RegisterMeter", input=given))["registerMeter"]
    if payload["errors"]:
        return await _form(page, payload["errors"][0]["message"])
    return page.go(address(payload["meter"]["id"]), "success", page.texts("仪表已登记"))


async def _owner(page: Page, place: Place) -> Data:
    """Whose meter it is: a house's, a building's, or the compound's."""
    number = page.typed("house")
    house = (await house_of(page, place, number))["id"] if number else None
    return {
        "compound": place.id, "kind": known(page.typed("kind"), METER_KINDS) or "WATER", "house": house,
        "building": None if house else page.typed("building") or None,
    }  # fmt: skip


def _plate(page: Page) -> Data:
    return {
        "number": page.typed("number"), "digits": needed(page, whole(page, "digits")),
        "installedOn": needed(page, day(page, "installedOn")), "firstValue": number(page, "firstValue") or "0",
        "multiplier": number(page, "multiplier") or "1", "dailyMost": number(page, "dailyMost"),
    }  # fmt: skip


async def update(page: Page) -> Response:
    """Correct what the plate says, or the bound of a day's use."""
    id = page.typed("meter")
    try:
        given = {
            "meter": id, "number": page.typed("number"), "digits": needed(page, whole(page, "digits")),
            "dailyMost": number(page, "dailyMost"),
        }  # fmt: skip
    except Refusal as refusal:
        return await _one(page, id, refusal.message)
    payload = (await page.ask("UpdateMeter", input=given))["updateMeter"]
    if payload["errors"]:
        return await _one(page, id, payload["errors"][0]["message"])
    return page.go(address(id), "success", page.texts("仪表资料已更正"))


async def replace(page: Page) -> Response:
    """Another meter takes the place of this one."""
    id = page.typed("meter")
    try:
        final = needed(page, number(page, "finalValue"))
        given = {"meter": id, "finalValue": final, **_plate(page)}
    except Refusal as refusal:
        return await _one(page, id, refusal.message)
    payload = (await page.ask("ReplaceMeter", input=given))["replaceMeter"]
    if payload["errors"]:
        return await _one(page, id, payload["errors"][0]["message"])
    return page.go(address(payload["meter"]["id"]), "success", page.texts("已换表，新表从今后的读数起计量"))


async def remove(page: Page) -> Response:
    """Take a meter out, with what it shows at last."""
    id = page.typed("meter")
    try:
        final = needed(page, number(page, "finalValue"))
        given = {"meter": id, "onDay": needed(page, day(page, "onDay")), "finalValue": final}
    except Refusal as refusal:
        return await _one(page, id, refusal.message)
    payload = (await page.ask("RemoveMeter", input=given))["removeMeter"]
    if payload["errors"]:
        return await _one(page, id, payload["errors"][0]["message"])
    return page.go(address(id), "success", page.texts("仪表已拆除"))
