"""Prices of fee items (收费标准): a price, tiers or a formula from a day on, and a try of it on one house."""

from __future__ import annotations

from starlette.responses import Response

from api.pages.asking import Data, Refusal
from api.pages.page import Page
from api.pages.staff import fee_items
from api.pages.staff.figures import day, needed, number_of, price_of
from api.pages.staff.houses import house_of
from api.pages.staff.place import place_of

AREAS = {"BUILT_AREA": "area", "INNER_AREA": "inner_area"}


async def save(page: Page) -> Response:
    """What the item costs from a day on; or, where only that is asked, what a house would pay."""
    id = page.typed("item")
    try:
        if page.typed("do") == "try":
            return await fee_items.one(page, id, tried=await _tried(page))
        given = {"feeItem": id, "fromOn": needed(page, day(page, "fromOn")), **_cost(page)}
    except Refusal as refusal:
        # What is not for the caller at all is no mistake in the form.
        if refusal.status >= 401:
            raise
        return await fee_items.one(page, id, refusal.message)
    payload = (await page.ask("SetFeePrice", input=given))["setFeePrice"]
    return await fee_items.changed(page, id, payload, page.texts("收费标准已保存"))


async def remove(page: Page) -> Response:
    """Take a price back that no bill was made with."""
    id = page.typed("item")
    given = {"feeItem": id, "fromOn": page.typed("fromOn")}
    payload = (await page.ask("RemoveFeePrice", input=given))["removeFeePrice"]
    return await fee_items.changed(page, id, payload, page.texts("收费标准已删除"))


def _cost(page: Page) -> dict[str, object]:
    if formula := page.typed("formula"):
        return {"formula": formula}
    tiers = _tiers(page)
    if tiers:
        return {"tiers": tiers}
    return {"priceFen": needed(page, price_of(page, page.typed("price")))}


def _tiers(page: Page) -> list[Data]:
    """The steps that are filled in; the first begins with nothing used."""
    rows = zip(page.form.getlist("above"), page.form.getlist("tier"), strict=False)
    read = [
        (number_of(page, str(above).strip()), price_of(page, str(price).strip())) for above, price in rows
    ]
    return [{"above": above or "0", "priceFen": price} for above, price in read if price is not None]


async def _tried(page: Page) -> Data:
    """What one house would pay for the months of a price."""
    house = await house_of(page, await place_of(page), page.typed("house"))
    formula = page.typed("formula")
    if not formula:
        price = needed(page, price_of(page, page.typed("price")))
        formula = f"{AREAS.get(page.typed('method'), 'area')} * {price}"
    answer = await page.ask("FormulaPrice", formula=formula, house=house["id"])
    return {"house": house["number"], "fen": answer["formulaPrice"]}
