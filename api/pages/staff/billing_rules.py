"""How a compound bills (计费规则), and what late payment costs (滞纳金规则)."""

from __future__ import annotations

from decimal import Decimal

from starlette.responses import Response

from api.pages.asking import Data, Refusal
from api.pages.page import Page
from api.pages.staff.figures import day, needed, number, whole
from api.pages.staff.place import place_of
from api.pages.staff.post import holds
from domains.billing import permissions as billing

PATH = "/staff/fees/rules"
NUMBERS = ("billingDay", "monthsBack", "dueDays")
CHOICES = ("isAutomatic", "allowsPartPayment", "deductsAutomatically")


async def show(page: Page) -> Response:
    """The rules as they are."""
    return await _form(page)


async def _form(page: Page, typed: Data | None = None, problem: str = "", wrong: str = "") -> Response:
    place = await place_of(page)
    rules: Data = (await page.ask("BillingRules", compound=place.id))["billingRules"]
    now = {name: "" if rules[name] is None else rules[name] for name in (*NUMBERS, *CHOICES)}
    return page.show(
        "staff/billing_rules.html", place=place, rules=now | (typed or {}), late=rules["lateFeeRules"],
        problem=problem, wrong=wrong, may_write=holds(page, place, billing.FEES_WRITE),
    )  # fmt: skip


async def change(page: Page) -> Response:
    """Set the rules; a form that is refused is shown again as it was filled in."""
    typed: Data = {name: page.typed(name) for name in NUMBERS}
    typed |= {name: page.typed(name) == "on" for name in CHOICES}
    numbers: dict[str, int | None] = {}
    for name in NUMBERS:
        try:
            numbers[name] = whole(page, name)
        except Refusal as refusal:
            return await _form(page, typed, refusal.message, name)
    given = {"compound": (await place_of(page)).id, **typed, **numbers}
    payload = (await page.ask("SetBillingRules", input=given))["setBillingRules"]
    if payload["errors"]:
        error = payload["errors"][0]
        return await _form(page, typed, error["message"], (error["field"] or [""])[-1])
    return page.go(PATH, "success", page.texts("计费规则已保存"))


async def set_late_fee(page: Page) -> Response:
    """What bills issued from a day on cost when they are paid late."""
    try:
        given = _late_fee(page)
    except Refusal as refusal:
        return await _form(page, problem=refusal.message)
    given |= {"compound": (await place_of(page)).id}
    payload = (await page.ask("SetLateFeeRule", input=given))["setLateFeeRule"]
    if payload["errors"]:
        return await _form(page, problem=payload["errors"][0]["message"])
    return page.go(PATH, "success", page.texts("滞纳金规则已保存，此后出的账单按新规则"))


def _late_fee(page: Page) -> Data:
    per_mille = Decimal(needed(page, number(page, "rate")))
    return {
        "fromOn": needed(page, day(page, "fromOn")), "dailyRate": format(per_mille / 1000, "f"),
        "graceDays": whole(page, "graceDays") or 0, "isGraceCharged": page.typed("isGraceCharged") == "on",
        "capPercent": number(page, "capPercent"),
    }  # fmt: skip
