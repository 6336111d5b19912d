"""Dunning at the desk (催缴): when a compound reminds, and the letters to print."""

from __future__ import annotations

import re

from starlette.responses import Response

from api.pages.asking import Data, Refusal
from api.pages.page import Page
from api.pages.staff.alarms import known
from api.pages.staff.answering import told
from api.pages.staff.place import place_of
from api.pages.staff.post import holds
from domains.billing import permissions as billing

ROWS = 30
LIST = "/staff/dunning"
MOST_STEPS, SPARE = 12, 2
FORMS = ("MESSAGE", "LETTER")
PRINTED = {"no": False, "yes": True}
_DAYS = re.compile(r"-?[0-9]{1,4}")


async def show(page: Page) -> Response:
    """The steps and the letters, those that were not printed unless asked otherwise."""
    asked = page.asked("printed") or "no"
    wanted = {"printed": asked if asked in (*PRINTED, "all") else "no", "after": page.asked("after")}
    return await _whole(page, wanted)


async def _whole(
    page: Page, wanted: dict[str, str | None], steps: list[Data] | None = None, problem: str = ""
) -> Response:
    place = await place_of(page)
    answer = await page.ask(
        "Dunning",
        compound=place.id,
        isPrinted=PRINTED.get(wanted["printed"] or ""),
        first=ROWS,
        after=wanted["after"],
    )
    shown = answer["dunningSteps"] if steps is None else steps
    spare = min(SPARE, MOST_STEPS - len(shown))
    template = "staff/dunning_letter_rows.html" if page.is_partial else "staff/dunning.html"
    return page.show(
        template, place=place, wanted=wanted, found=answer["dunningLetters"], problem=problem, forms=FORMS,
        steps=[*shown, *({"days": "", "form": FORMS[0]} for _ in range(spare))],
        may_write=holds(page, place, billing.DUNNING_WRITE),
    )  # fmt: skip


async def set_steps(page: Page) -> Response:
    """All steps at once; a line without days is no step."""
    typed = [
        {"days": str(days).strip(), "form": known(str(form), FORMS) or FORMS[0]}
        for days, form in zip(page.form.getlist("days"), page.form.getlist("form"), strict=False)
    ]
    filled = [each for each in typed if each["days"]]
    wanted: dict[str, str | None] = {"printed": "no", "after": None}
    if not all(_DAYS.fullmatch(each["days"]) for each in filled):
        return await _whole(page, wanted, [*filled], page.texts("请填写整数"))
    steps = [{**each, "days": int(each["days"])} for each in filled]
    given = {"compound": (await place_of(page)).id, "steps": steps}
    payload = (await page.ask("SetDunningSteps", input=given))["setDunningSteps"]
    if payload["errors"]:
        return await _whole(page, wanted, [*steps], payload["errors"][0]["message"])
    return page.go(LIST, "success", page.texts("催缴步骤已保存"))


async def print_letter(page: Page) -> Response:
    """A letter on paper, fetched at once."""
    payload = (await page.ask("PrintDunningLetter", input={"letter": page.typed("letter")}))[
        "printDunningLetter"
    ]
    if refused := told(page, payload, LIST):
        return refused
    if payload["document"] is None:
        raise Refusal("FORBIDDEN", page.texts("没有权限"), 403)
    return page.go(payload["document"]["address"])
