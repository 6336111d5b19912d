"""A compound's rules of passage (通行规则): one form."""

from __future__ import annotations

from starlette.responses import Response

from api.pages.asking import Data
from api.pages.page import Page
from api.pages.staff.alarms import known
from api.pages.staff.place import place_of
from api.pages.staff.post import holds
from domains.access import permissions as access

PATH = "/staff/access-rules"
APPROVERS = ("EITHER", "RESIDENT", "GUARD")
NUMBERS = ("longestWindowH", "mostUses", "dailyPassesPerHouse", "recordsKeptDays", "vehicleRecordsKeptDays")
LIMITS = ("visitorCars", "dailyOpenings")
"""Numbers that may be left empty: no limit."""
MOST_DIGITS = 6


async def show(page: Page) -> Response:
    """The rules as they are."""
    rules: Data = (await page.ask("AccessRules", compound=(await place_of(page)).id))["accessRules"]
    return await _form(page, {name: "" if value is None else value for name, value in rules.items()})


async def change(page: Page) -> Response:
    """Set the rules; a form that is refused is shown again as it was filled in."""
    typed: Data = {name: page.typed(name) for name in (*NUMBERS, *LIMITS, "approver")}
    typed["countsOffline"] = page.typed("countsOffline") == "on"
    if wrong := _first_wrong(typed):
        return await _form(page, typed, page.texts("请填写整数"), wrong)
    numbers = {name: int(typed[name]) if typed[name] else None for name in (*NUMBERS, *LIMITS)}
    given = {
        **numbers, "compound": (await place_of(page)).id, "countsOffline": typed["countsOffline"],
        "approver": known(typed["approver"], APPROVERS) or APPROVERS[0],
    }  # fmt: skip
    payload = (await page.ask("SetAccessRules", input=given))["setAccessRules"]
    if payload["errors"]:
        error = payload["errors"][0]
        return await _form(page, typed, error["message"], (error["field"] or [""])[-1])
    return page.go(PATH, "success", page.texts("通行规则已保存，新发出的通行证按新规则"))


def _first_wrong(typed: Data) -> str:
    """The first field without a whole number; no limit is none for some."""
    for name in (*NUMBERS, *LIMITS):
        value = typed[name]
        is_number = value.isascii() and value.isdecimal() and len(value) <= MOST_DIGITS
        if not is_number and (value or name in NUMBERS):
            return name
    return ""


async def _form(page: Page, rules: Data, problem: str = "", wrong: str = "") -> Response:
    place = await place_of(page)
    return page.show(
        "staff/access_rules.html", place=place, rules=rules, problem=problem, wrong=wrong, approvers=APPROVERS,
        may_write=holds(page, place, access.RULES_WRITE),
    )  # fmt: skip
