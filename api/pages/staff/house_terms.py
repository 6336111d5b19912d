"""What holds for one house alone (个别约定、缴费责任、空置), and vacancies to decide."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import Response

from api.pages.asking import Data, Refusal
from api.pages.cookies import Flash
from api.pages.page import Page
from api.pages.staff.alarms import known
from api.pages.staff.figures import day, needed, number
from api.pages.staff.houses import house_of
from api.pages.staff.place import place_of
from api.pages.staff.post import holds
from domains.billing import permissions as billing
from domains.estate import permissions as estate
from domains.residents import permissions as residents

ROWS = 20
LIST = "/staff/fees/houses"
STATES = ("REQUESTED", "APPROVED", "REJECTED")
PAYERS = ("OWNER", "TENANT", "DEVELOPER")


async def show(page: Page) -> Response:
    """Where to look a house up, and the vacancies of the compound; those to decide unless asked otherwise."""
    return await _list(page)


async def _list(page: Page, problem: str = "") -> Response:
    place = await place_of(page)
    state = known(page.asked("state"), STATES) or STATES[0]
    answer = await page.ask(
        "Vacancies", compound=place.id, state=state, first=ROWS, after=page.asked("after")
    )
    template = "staff/vacancy_cards.html" if page.is_partial else "staff/house_terms.html"
    return page.show(
        template, place=place, state=state, states=STATES, found=answer["vacancies"], problem=problem,
        sees_houses=holds(page, place, estate.READ), may_write=holds(page, place, billing.FEES_WRITE),
    )  # fmt: skip


async def find(page: Page) -> Response:
    """On to the house of a number."""
    try:
        house = await house_of(page, await place_of(page), page.typed("number"))
    except Refusal as refusal:
        return await _list(page, refusal.message)
    return page.go(address(house["id"]))


def address(id: str) -> str:
    """Where a house's page is."""
    return f"{LIST}/one?{urlencode({'house': id})}"


async def show_one(page: Page) -> Response:
    """One house."""
    return await _one(page, page.asked("house") or "")


async def _one(page: Page, id: str, problem: str = "") -> Response:
    place = await place_of(page)
    may_write = holds(page, place, billing.FEES_WRITE)
    terms = await page.ask(
        "HouseTerms", compound=place.id, house=id, first=ROWS, after=page.asked("after"),
        names=may_write and holds(page, place, residents.READ), reads=holds(page, place, billing.FEES_READ),
    )  # fmt: skip
    if not terms["house"]:
        raise Refusal("NOT_FOUND", page.texts("没有找到这套房屋，请返回列表刷新后重试"), 404)
    items = (await page.ask("FeeItems", compound=place.id, active=True))["feeItems"]
    return page.show(
        "staff/house_terms_one.html", place=place, problem=problem, items=items, payers=PAYERS, may_write=may_write,
        people=_people(terms["house"]), **{"vacancies": None, **terms},
    )  # fmt: skip


def _people(house: Data) -> list[Data]:
    """Who may be named as the one who pays: owners and tenants of the house, those who left as well."""
    seen: dict[str, Data] = {}
    for each in house.get("occupancies") or []:
        if each["capacity"] != "FAMILY":
            seen.setdefault(f"{each['capacity']}:{each['person']}", each)
    return [{**each, "value": value} for value, each in seen.items()]


async def agree(page: Page) -> Response:
    """Another share of a price, or a coefficient."""
    try:
        given = _span(page) | {
            "feeItem": page.typed("item"), "percent": number(page, "percent") or "100",
            "coefficient": number(page, "coefficient") or "1",
        }  # fmt: skip
    except Refusal as refusal:
        return await _one(page, page.typed("house"), refusal.message)
    payload = (await page.ask("SetFeeAgreement", input=given))["setFeeAgreement"]
    return await _changed(page, payload, page.texts("个别约定已登记"))


async def end_agreement(page: Page) -> Response:
    """An agreement's last day."""
    given = {"agreement": page.typed("agreement"), "untilOn": needed(page, day(page, "untilOn"))}
    payload = (await page.ask("EndFeeAgreement", input=given))["endFeeAgreement"]
    return await _changed(page, payload, page.texts("个别约定已结束"))


async def make_liable(page: Page) -> Response:
    """Who pays from a day on: a capacity, or somebody in it by name."""
    payer, _, person = page.typed("payer").partition(":")
    try:
        given = _span(page) | {
            "payer": known(payer, PAYERS) or "OWNER", "person": person or None,
            "feeItem": page.typed("item") or None,
        }  # fmt: skip
    except Refusal as refusal:
        return await _one(page, page.typed("house"), refusal.message)
    payload = (await page.ask("SetLiability", input=given))["setLiability"]
    return await _changed(page, payload, page.texts("缴费责任已登记"))


async def end_liability(page: Page) -> Response:
    """The last day on which somebody pays."""
    given = {"liability": page.typed("liability"), "untilOn": needed(page, day(page, "untilOn"))}
    payload = (await page.ask("EndLiability", input=given))["endLiability"]
    return await _changed(page, payload, page.texts("缴费责任已结束"))


async def record_vacancy(page: Page) -> Response:
    """The house stands empty."""
    try:
        given = _span(page)
        needed(page, given["untilOn"])
    except Refusal as refusal:
        return await _one(page, page.typed("house"), refusal.message)
    payload = (await page.ask("RecordVacancy", input=given))["recordVacancy"]
    return await _changed(page, payload, page.texts("空置已登记"))


def _span(page: Page) -> dict[str, object]:
    return {
        "house": page.typed("house"), "fromOn": needed(page, day(page, "fromOn")), "untilOn": day(page, "untilOn"),
        "note": page.typed("note"),
    }  # fmt: skip


async def _changed(page: Page, payload: Data, done: str) -> Response:
    """The house as it is now, or its page with what was refused and the form as it was filled in."""
    house = page.typed("house")
    if payload["errors"]:
        return await _one(page, house, payload["errors"][0]["message"])
    return page.go(address(house), "success", done)


async def decide_vacancy(page: Page) -> Response:
    """Confirm or reject one: the card as it is now, or why it stays as it was."""
    given = {
        "vacancy": page.typed("vacancy"), "approve": page.typed("decision") == "APPROVE",
        "reason": page.typed("reason"),
    }  # fmt: skip
    payload = (await page.ask("DecideVacancy", input=given))["decideVacancy"]
    return await _card(page, payload, page.texts("空置申请已审核"))


async def end_vacancy(page: Page) -> Response:
    """The first day that is not vacant any more."""
    given = {"vacancy": page.typed("vacancy"), "untilOn": needed(page, day(page, "untilOn"))}
    payload = (await page.ask("EndVacancy", input=given))["endVacancy"]
    return await _card(page, payload, page.texts("空置已提前结束"))


async def _card(page: Page, payload: Data, done: str) -> Response:
    tone, message = ("danger", payload["errors"][0]["message"]) if payload["errors"] else ("success", done)
    if not page.is_partial:
        return page.go(LIST, "danger" if payload["errors"] else "success", message)
    if tone == "danger":
        return page.notify(Flash("danger", message))
    place = await place_of(page)
    return page.show(
        "staff/vacancy_card.html",
        vacancy=payload["vacancy"],
        may_write=holds(page, place, billing.FEES_WRITE),
    )
