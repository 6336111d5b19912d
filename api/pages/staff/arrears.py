"""Arrears at the desk (欠费): who owes what since when, as a list, as bars and as a file; reminders and promises."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from markupsafe import Markup
from starlette.responses import Response

from api.pages import charts
from api.pages.asking import Data
from api.pages.page import Page
from api.pages.staff import figures
from api.pages.staff.alarms import known
from api.pages.staff.answering import told
from api.pages.staff.place import Place, place_of
from api.pages.staff.post import holds
from domains.billing import permissions as billing
from domains.kernel.money import display

ROWS = 30
LIST = "/staff/arrears"
PROMISES = "/staff/arrears/promises"
FILTERS = ("words", "building", "age", "least", "payer", "sort", "after")
AGES = ("30", "60", "90", "180", "365")
PAYERS = ("OWNER", "TENANT", "DEVELOPER")
SORTS = ("AGE", "AMOUNT")
STATES = ("OPEN", "KEPT", "BROKEN", "WITHDRAWN")


async def show(page: Page) -> Response:
    """All that is owed, the oldest first."""
    return await _list(page, {})


async def find(page: Page) -> Response:
    """What was searched for. It is posted, so that names and numbers stay out of addresses and logs."""
    return await _list(page, {name: page.typed(name) for name in FILTERS})


async def _list(page: Page, typed: dict[str, str]) -> Response:
    wanted = {name: typed.get(name, "") for name in FILTERS}
    place = await place_of(page)
    answer = await page.ask(
        "Arrears", compound=place.id, filter=_filter(page, wanted), sort=_sort(wanted), first=ROWS,
        after=wanted["after"] or None,
    )  # fmt: skip
    values = {"place": place, "wanted": wanted, "found": answer["arrears"], "may_remind": _may(page, place)}
    if page.is_partial:
        return page.show("staff/arrears_rows.html", **values)
    sums = (await page.ask("ArrearsSummary", compound=place.id))["arrearsSummary"]
    return page.show(
        "staff/arrears.html",
        **values,
        sums=sums,
        strips=strips(page, sums),
        ages=AGES,
        payers=PAYERS,
        sorts=SORTS,
    )


def _may(page: Page, place: Place) -> bool:
    return holds(page, place, billing.DUNNING_WRITE)


def _sort(wanted: dict[str, str]) -> str:
    return known(wanted["sort"], SORTS) or SORTS[0]


def _filter(page: Page, wanted: dict[str, str]) -> dict[str, object]:
    age = known(wanted["age"], AGES)
    least = figures.number_of(page, wanted["least"])
    given: dict[str, Any] = {  # Any: values of several types
        "words": wanted["words"], "building": wanted["building"], "payer": known(wanted["payer"], PAYERS),
        "ageAtLeast": int(age) if age else None, "fenAtLeast": int(Decimal(least) * 100) if least else None,
    }  # fmt: skip
    return {name: value for name, value in given.items() if value not in ("", None)}


def strips(page: Page, sums: list[Data]) -> list[Markup]:
    """A bar for each building, in the colours of the ages; the longest is the building that owes the most."""
    most = max((each["principalFen"] for each in sums[1:]), default=0)
    return [
        charts.bar(_ages(page, each), each["principalFen"] if at == 0 else most)
        for at, each in enumerate(sums)
    ]


def _ages(page: Page, each: Data) -> list[charts.Part]:
    return [
        charts.Part(age["principalFen"], f"age-{at}", f"{span(page, age)} {display(age['principalFen'])}")
        for at, age in enumerate(each["ages"])
    ]


def span(page: Page, age: Data) -> str:
    """A span of ages in words."""
    if age["untilDays"] is None:
        return page.texts("{n} 天以上", n=age["fromDays"] - 1)
    return page.texts("{since}–{until} 天", since=age["fromDays"], until=age["untilDays"])


async def export(page: Page) -> Response:
    """The same houses as a file, which is fetched at once."""
    wanted = {name: page.typed(name) for name in FILTERS}
    given = {
        "compound": (await place_of(page)).id, "filter": _filter(page, wanted), "sort": _sort(wanted), "format": "XLSX",
    }  # fmt: skip
    payload = (await page.ask("ExportArrears", input=given))["exportArrears"]
    return told(page, payload, LIST) or page.go(payload["file"]["address"])


async def remind(page: Page) -> Response:
    """Remind a house now."""
    payload = (await page.ask("RemindNow", input={"house": page.typed("house")}))["remindNow"]
    return await _changed(page, payload, page.texts("已发出催缴通知"))


async def promise(page: Page) -> Response:
    """Record by when somebody promised to pay."""
    given = {
        "house": page.typed("house"), "promisedOn": figures.needed(page, figures.day(page, "day")),
        "amountFen": figures.amount(page, "amount") if page.typed("amount") else None, "note": page.typed("note"),
    }  # fmt: skip
    payload = (await page.ask("RecordPromise", input=given))["recordPromise"]
    return await _changed(page, payload, page.texts("缴费承诺已登记，到期前不再催缴"))


async def _changed(page: Page, payload: Data, done: str) -> Response:
    """The house's row as it is after the change, or why nothing was changed."""
    if refused := told(page, payload, LIST):
        return refused
    place, house = await place_of(page), page.typed("house")
    answer = await page.ask(
        "Arrears",
        compound=place.id,
        filter={"words": page.typed("number")},
        sort=SORTS[0],
        first=ROWS,
        after=None,
    )
    rows = [each for each in answer["arrears"]["nodes"] if each["house"] == house]
    if not page.is_partial or not rows:
        return page.go(LIST, "success", done)
    return page.show("staff/arrears_row.html", each=rows[0], may_remind=_may(page, place), done=done)


async def show_promises(page: Page) -> Response:
    """What was promised, and what became of it; what is open unless asked otherwise."""
    place, state = await place_of(page), page.asked("state")
    wanted = {"state": state if state in STATES else STATES[0], "after": page.asked("after")}
    answer = await page.ask(
        "Promises", compound=place.id, state=wanted["state"], first=ROWS, after=wanted["after"]
    )
    template = "staff/promise_rows.html" if page.is_partial else "staff/promises.html"
    return page.show(
        template,
        place=place,
        wanted=wanted,
        states=STATES,
        found=answer["promises"],
        may_remind=_may(page, place),
    )


async def withdraw(page: Page) -> Response:
    """Take a promise back that was recorded by mistake."""
    payload = (await page.ask("WithdrawPromise", input={"promise": page.typed("promise")}))["withdrawPromise"]
    return told(page, payload, PROMISES) or page.go(PROMISES, "success", page.texts("承诺已撤回"))
