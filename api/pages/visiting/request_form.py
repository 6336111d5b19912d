"""Where a compound's code for visitors leads (访客登记): asking to be let in, without signing in."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.pages.asking import Refusal
from api.pages.landing import CODE
from api.pages.page import Page
from api.pages.visiting.pass_page import private

PURPOSES = ("VISIT", "DELIVERY", "SERVICE", "REPAIR", "MOVING", "VIEWING", "CARE", "OTHER")
FIELDS = ("building", "unit", "room", "name", "phone", "plate", "companions", "purpose")
Errors = Mapping[str, str]


async def show(page: Page) -> Response:
    """The form. Which compound it is, the page of the pass says: here every code looks the same, so that
    nobody tries them out."""
    return _form(page, {})


async def send(page: Page) -> Response:
    """Ask; on to the page that waits for the answer, or what to put right, beside each field."""
    typed = {name: page.typed(name) for name in FIELDS}
    companions = typed["companions"] or "0"
    if not (companions.isascii() and companions.isdecimal() and len(companions) < 4):
        return _form(page, {"companions": page.texts("请填写同行人数，没有就填 0")})
    if typed["purpose"] not in PURPOSES:
        return _form(page, {"purpose": page.texts("请选择来访事由")})
    given = {**typed, "companions": int(companions), "compoundCode": _code(page)}
    try:
        payload = (await page.ask("RequestVisitorPass", input=given))["requestVisitorPass"]
    except Refusal as refusal:
        return _form(page, {"": refusal.message}, refusal.status)
    if payload["errors"]:
        return _form(page, {_field(each["field"]): each["message"] for each in payload["errors"]})
    return page.go(payload["link"])


def _form(page: Page, errors: Errors, status: int = 200) -> Response:
    return private(page.show(
        "visitor/request.html", status, typed_code=_code(page), errors=errors, purposes=PURPOSES,
        typed={name: page.typed(name) for name in FIELDS},
    ))  # fmt: skip


def _code(page: Page) -> str:
    code = str(page.request.path_params["code"]).upper()
    if not CODE.fullmatch(code):
        raise HTTPException(404)
    return code


def _field(path: list[str] | None) -> str:
    # What is wrong with no field of the form, or with the code in the address, stands above it.
    return path[0] if path and path[0] in FIELDS else ""
