"""Fee items (收费项目): what is charged today, one item with its prices, and a new one."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import Response

from api.pages.asking import Data, Refusal
from api.pages.page import Page
from api.pages.staff.alarms import known
from api.pages.staff.figures import day, needed, number, whole
from api.pages.staff.place import place_of
from api.pages.staff.post import holds
from domains.billing import permissions as billing
from domains.estate import permissions as estate

LIST = "/staff/fees"
METHODS = ("BUILT_AREA", "INNER_AREA", "FIXED", "METERED", "POOLED", "VEHICLE", "FORMULA", "ONE_OFF")
CATEGORIES = (
    "PROPERTY", "PARKING", "WATER", "HOT_WATER", "ELECTRICITY", "GAS", "HEATING", "SHARED", "WASTE", "DEPOSIT",
    "OTHER",
)  # fmt: skip
METER_KINDS = ("WATER", "HOT_WATER", "ELECTRICITY", "GAS", "HEAT")
TIMINGS, ANCHORS, PAYERS = ("ARREARS", "ADVANCE"), ("CALENDAR", "HAND_OVER"), ("OWNER", "TENANT")
SPANS, SHARINGS = ("MONTH", "YEAR"), ("BUILT_AREA", "HOUSEHOLD")
USES = ("RESIDENTIAL", "SHOP", "OFFICE", "PARKING", "STORAGE", "OTHER")
PREPAYABLE = ("BUILT_AREA", "INNER_AREA", "FIXED", "VEHICLE", "FORMULA")
"""Methods whose amount is known before the period is over."""
PRICED = (*PREPAYABLE, "METERED")
TRIED = ("BUILT_AREA", "INNER_AREA", "FORMULA")
"""Methods of which a price can be tried on a house."""
TIERS = 5


async def show(page: Page) -> Response:
    """The items of the compound with what they cost today; those that ended only if asked for."""
    place = await place_of(page)
    active = None if page.asked("ended") == "yes" else True
    found = (await page.ask("FeeItems", compound=place.id, active=active))["feeItems"]
    return page.show(
        "staff/fee_items.html", place=place, items=found, shows_ended=active is None,
        may_write=holds(page, place, billing.FEES_WRITE),
    )  # fmt: skip


async def show_one(page: Page) -> Response:
    """One item."""
    return await one(page, page.asked("item") or "")


async def one(page: Page, id: str, problem: str = "", tried: Data | None = None) -> Response:
    """The page of an item, after a command that was refused with what was wrong."""
    place = await place_of(page)
    item: Data | None = (await page.ask("FeeItem", id=id))["node"]
    if not item:
        raise Refusal("NOT_FOUND", page.texts("没有找到这个收费项目，请返回列表刷新后重试"), 404)
    return page.show(
        "staff/fee_item.html", place=place, item=item, problem=problem, tried=tried, payers=PAYERS, uses=USES,
        is_priced=item["method"] in PRICED, is_prepayable=item["method"] in PREPAYABLE, tiers=range(TIERS),
        may_try=item["method"] in TRIED and holds(page, place, estate.READ), address=address,
        may_write=holds(page, place, billing.FEES_WRITE),
    )  # fmt: skip


def address(id: str) -> str:
    """Where an item's page is."""
    return f"{LIST}/one?{urlencode({'item': id})}"


async def show_form(page: Page) -> Response:
    """A form with the fields that the method of the address needs."""
    return await _form(page, known(page.asked("method"), METHODS) or METHODS[0])


async def _form(page: Page, method: str, problem: str = "", wrong: str = "") -> Response:
    place = await place_of(page)
    if not holds(page, place, billing.FEES_WRITE):
        raise Refusal(
            "FORBIDDEN", page.texts("新建收费项目需要“维护收费项目与标准”权限，请联系管理员授权"), 403
        )
    return page.show(
        "staff/fee_item_form.html", place=place, method=method, methods=METHODS, categories=CATEGORIES,
        meter_kinds=METER_KINDS, timings=TIMINGS, anchors=ANCHORS, payers=PAYERS, spans=SPANS, sharings=SHARINGS,
        uses=USES, prepayable=PREPAYABLE, problem=problem, wrong=wrong, is_new=not page.form,
    )  # fmt: skip


async def create(page: Page) -> Response:
    """Make an item; a form that is refused is shown again as it was filled in."""
    method = known(page.typed("method"), METHODS) or METHODS[0]
    place = await place_of(page)
    try:
        given = {"compound": place.id, "method": method, **_terms(page, method), **_lasting(page)}
    except Refusal as refusal:
        return await _form(page, method, refusal.message)
    payload = (await page.ask("SetFeeItem", input=given))["setFeeItem"]
    if payload["errors"]:
        error = payload["errors"][0]
        return await _form(page, method, error["message"], (error["field"] or [""])[-1])
    return page.go(address(payload["feeItem"]["id"]), "success", page.texts("收费项目已建立"))


def _terms(page: Page, method: str) -> dict[str, object]:
    """What stays as it is once the item is billed."""
    cycle = None if method == "ONE_OFF" else needed(page, whole(page, "cycleMonths"))
    starts_on = needed(page, day(page, "startsOn"))
    in_advance = method in PREPAYABLE and page.typed("timing") == "ADVANCE"
    from_hand_over = method in PREPAYABLE and page.typed("anchor") == "HAND_OVER"
    return {
        "category": known(page.typed("category"), CATEGORIES) or "OTHER", "cycleMonths": cycle,
        "startsOn": starts_on, "timing": "ADVANCE" if in_advance else "ARREARS",
        "anchor": "HAND_OVER" if from_hand_over else "CALENDAR",
        "anchorOn": None if from_hand_over else day(page, "anchorOn") or f"{starts_on[:7]}-01",
        "priceMonths": whole(page, "priceMonths") or 1,
        "meterKind": known(page.typed("meterKind"), METER_KINDS) if method == "METERED" else None,
        "tierSpan": known(page.typed("tierSpan"), SPANS) if method == "METERED" else None,
        "pooledBy": known(page.typed("pooledBy"), SHARINGS) if method == "POOLED" else None,
    }  # fmt: skip


def _lasting(page: Page) -> dict[str, object]:
    """What may change while the item is billed."""
    return {
        "name": page.typed("name"), "payer": known(page.typed("payer"), PAYERS) or "OWNER",
        "vacancyPercent": number(page, "vacancyPercent") or "100", "billsUnsold": page.typed("billsUnsold") == "on",
        "bearsLateFee": page.typed("bearsLateFee") == "on",
        "uses": [each for each in USES if each in page.form.getlist("uses")],
        "buildings": [each for each in page.form.getlist("buildings") if isinstance(each, str)],
    }  # fmt: skip


async def update(page: Page) -> Response:
    """Change what may change."""
    id, place = page.typed("item"), await place_of(page)
    try:
        given = {"compound": place.id, "feeItem": id, **_lasting(page)}
    except Refusal as refusal:
        return await one(page, id, refusal.message)
    payload = (await page.ask("SetFeeItem", input=given))["setFeeItem"]
    return await changed(page, id, payload, page.texts("收费项目已更改，今后的账单按新内容"))


async def end(page: Page) -> Response:
    """The item's last day, or that it goes on."""
    id = page.typed("item")
    given = {"feeItem": id, "endsOn": day(page, "endsOn")}
    payload = (await page.ask("EndFeeItem", input=given))["endFeeItem"]
    return await changed(page, id, payload, page.texts("停止收费的日期已保存"))


async def set_discount(page: Page) -> Response:
    """What paying so many months ahead saves; no percent takes it away."""
    id = page.typed("item")
    try:
        months = needed(page, whole(page, "months"))
        given = {"feeItem": id, "months": months, "percent": number(page, "percent")}
    except Refusal as refusal:
        return await one(page, id, refusal.message)
    payload = (await page.ask("SetAdvanceDiscount", input=given))["setAdvanceDiscount"]
    return await changed(page, id, payload, page.texts("预缴优惠已保存"))


async def changed(page: Page, id: str, payload: Data, done: str) -> Response:
    """The item as it is now, or its page with what was refused and the form as it was filled in."""
    if payload["errors"]:
        return await one(page, id, payload["errors"][0]["message"])
    return page.go(address(id), "success", done)
