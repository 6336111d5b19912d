"""Meters and readings as files (仪表与读数导入), and what was used (用量)."""

from __future__ import annotations

from datetime import date

from starlette.responses import Response

from api.pages.asking import Data, Refusal
from api.pages.page import Page
from api.pages.staff.alarms import known
from api.pages.staff.fee_items import METER_KINDS
from api.pages.staff.place import place_of
from api.pages.staff.post import holds
from domains.billing import permissions as billing
from domains.kernel import clock

MONTHS = 6


async def show(page: Page) -> Response:
    """The form to upload a file."""
    return await _form(page)


async def _form(page: Page, report: Data | None = None, problem: str = "") -> Response:
    place = await place_of(page)
    if not holds(page, place, billing.METERS_WRITE):
        raise Refusal(
            "FORBIDDEN", page.texts("导入需要“维护仪表、录入与审核读数”权限，请联系管理员授权"), 403
        )
    return page.show("staff/meter_import.html", place=place, report=report, problem=problem)


async def upload(page: Page) -> Response:
    """Bring the whole file in, or nothing and what to correct."""
    file = page.uploaded("file")
    if file is None:
        return await _form(page, problem=page.texts("请先选择文件"))
    given = {"compound": (await place_of(page)).id, "file": file}
    if page.typed("what") == "meters":
        payload = (await page.ask("ImportMeters", input=given))["importMeters"]
    else:
        payload = (await page.ask("ImportMeterReadings", input=given))["importMeterReadings"]
    if payload["errors"]:
        return await _form(page, problem=payload["errors"][0]["message"])
    return await _form(page, payload)


async def show_use(page: Page) -> Response:
    """What was used by month, by building and kind."""
    place = await place_of(page)
    until = _month(page, "until") or clock.today().replace(day=1)
    since = _month(page, "since") or _earlier(until, MONTHS - 1)
    kind, building = known(page.asked("kind"), METER_KINDS), page.asked("building")
    answer = await page.ask(
        "Consumption", compound=place.id, fromMonth=since.isoformat(), untilMonth=until.isoformat(), kind=kind,
        building=building,
    )  # fmt: skip
    return page.show(
        "staff/consumption.html", place=place, since=since, until=until, kind=kind, building=building,
        kinds=METER_KINDS, **_table(answer["consumption"]),
    )  # fmt: skip


def _table(found: list[Data]) -> Data:
    """Rows of a building, kind and use, with a cell for each month."""
    months = sorted({each["month"] for each in found})
    rows: dict[tuple[str, str, bool], dict[str, Data]] = {}
    for each in found:
        key = (each["buildingName"] or "", each["kind"], each["isShared"])
        rows.setdefault(key, {})[each["month"]] = each
    return {"months": months, "rows": rows}


def _month(page: Page, name: str) -> date | None:
    """The first day of a month as a month field sends it."""
    written = page.asked(name)
    if not written:
        return None
    try:
        return date.fromisoformat(f"{written}-01")
    except ValueError:
        raise Refusal("DATE_INVALID", page.texts("日期不正确，请重新选择"), 400) from None


def _earlier(month: date, count: int) -> date:
    years, index = divmod(month.year * 12 + month.month - 1 - count, 12)
    return date(years, index + 1, 1)
