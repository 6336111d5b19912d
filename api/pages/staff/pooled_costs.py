"""Shared costs (公摊费用): what was shared out over houses, and another period's cost."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import Response

from api.pages.asking import Data, Refusal
from api.pages.page import Page
from api.pages.staff.figures import amount, day, needed
from api.pages.staff.place import Place, place_of
from api.pages.staff.post import holds
from domains.billing import permissions as billing

ROWS = 24
LIST = "/staff/fees/shared"


async def show(page: Page) -> Response:
    """The costs of a pooled item, the last period first."""
    return await _list(page, page.asked("item"))


async def _list(page: Page, id: str | None, problem: str = "") -> Response:
    place = await place_of(page)
    items = await _items(page, place)
    chosen = next((each for each in items if each["id"] == id), items[0] if items else None)
    found = await _costs(page, chosen["id"]) if chosen else None
    template = "staff/pooled_rows.html" if page.is_partial else "staff/pooled_costs.html"
    return page.show(
        template, place=place, items=items, chosen=chosen, found=found, problem=problem,
        may_write=holds(page, place, billing.FEES_WRITE),
    )  # fmt: skip


async def _items(page: Page, place: Place) -> list[Data]:
    found = (await page.ask("FeeItems", compound=place.id))["feeItems"]
    return [each for each in found if each["method"] == "POOLED"]


async def _costs(page: Page, id: str) -> Data:
    found: Data = (await page.ask("PooledCosts", item=id, first=ROWS, after=page.asked("after")))[
        "pooledCosts"
    ]
    return found


async def show_one(page: Page) -> Response:
    """What each house bears of a cost; to a page that is open, more of them."""
    place, item = await place_of(page), page.asked("item") or ""
    cost = await page.ask("PooledCost", cost=page.asked("cost") or "", first=ROWS, after=page.asked("after"))
    if cost["pooledCost"] is None:
        raise Refusal("NOT_FOUND", page.texts("没有找到这笔公摊费用，请返回列表刷新后重试"), 404)
    template = "staff/pooled_share_rows.html" if page.is_partial else "staff/pooled_cost.html"
    return page.show(template, place=place, item=item, cost=cost["pooledCost"])


async def record(page: Page) -> Response:
    """Share a cost out over the houses of its item."""
    id = page.typed("item")
    try:
        given = {
            "feeItem": id, "periodFrom": needed(page, day(page, "periodFrom")), "totalFen": amount(page, "total"),
            "note": page.typed("note"),
        }  # fmt: skip
    except Refusal as refusal:
        return await _list(page, id, refusal.message)
    payload = (await page.ask("RecordPooledCost", input=given))["recordPooledCost"]
    return await _changed(page, payload, page.texts("公摊费用已登记并分摊到户"))


async def remove(page: Page) -> Response:
    """Take a cost back while no bill has a share of it."""
    given = {"pooledCost": page.typed("cost")}
    payload = (await page.ask("RemovePooledCost", input=given))["removePooledCost"]
    return await _changed(page, payload, page.texts("公摊费用已撤销"))


async def _changed(page: Page, payload: Data, done: str) -> Response:
    id = page.typed("item")
    if payload["errors"]:
        return await _list(page, id, payload["errors"][0]["message"])
    return page.go(f"{LIST}?{urlencode({'item': id})}", "success", done)
