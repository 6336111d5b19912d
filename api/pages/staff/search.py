"""Finding houses and residents (房屋住户查询)."""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import Response

from api.pages.asking import Data
from api.pages.page import Page
from api.pages.staff.place import Place, place_of
from domains.estate import permissions as estate
from domains.residents import permissions as residents

ROWS = 20
HOUSES, RESIDENTS = "houses", "residents"
_PHONE = re.compile(r"(?:\+?86)?1\d{10}")
_TAIL = re.compile(r"\d{4}")
_DOCUMENT = re.compile(r"[A-Za-z]{0,2}\d{6,18}[0-9Xx]?")


async def show(page: Page) -> Response:
    """The search box, with nothing searched for yet."""
    wanted = {"q": "", "building": ""}
    return page.show(
        "staff/search.html", place=await place_of(page), wanted=wanted, houses=None, residents=None
    )


async def find(page: Page) -> Response:
    """What was searched for. It is posted, so that names and numbers stay out of addresses and logs."""
    place = await place_of(page)
    wanted = {name: page.typed(name) for name in ("q", "building", "part", "after")}
    found: dict[str, Any] = {  # Any: the shape is that of the documents
        HOUSES: await _houses(page, place, wanted) if _asks(page, HOUSES, estate.READ) else None,
        RESIDENTS: await _residents(page, place, wanted) if _asks(page, RESIDENTS, residents.READ) else None,
    }
    if not page.is_partial:
        return page.show("staff/search.html", place=place, wanted=wanted, **found)
    part = wanted["part"]
    template = f"staff/search_{part}.html" if found.get(part) else "staff/search_found.html"
    return page.show(template, wanted=wanted, **found)


def _asks(page: Page, part: str, permission: str) -> bool:
    """One list when more of it is asked for, else both, as far as the caller may see them."""
    return page.typed("part") in ("", part) and bool(page.context.actor.compounds(permission))


async def _houses(page: Page, place: Place, wanted: dict[str, str]) -> Data:
    narrowed = {"number": wanted["q"] or None, "building": wanted["building"] or None}
    after = wanted["after"] or None
    found = await page.ask("SearchHouses", compound=place.id, filter=narrowed, first=ROWS, after=after)
    return dict(found["compound"]["houses"])


async def _residents(page: Page, place: Place, wanted: dict[str, str]) -> Data:
    narrowed = {**meaning(wanted["q"]), "building": wanted["building"] or None}
    after = wanted["after"] or None
    found = await page.ask("SearchResidents", compound=place.id, filter=narrowed, first=ROWS, after=after)
    return dict(found["residents"])


def meaning(typed: str) -> dict[str, str]:
    """What somebody who types this is looking for: a phone, its last four digits, a document, a house
    or, when there is no digit in it, a name."""
    plain = re.sub(r"[\s-]", "", typed)
    if not plain:
        return {}
    if _PHONE.fullmatch(plain):
        return {"phone": plain}
    if _TAIL.fullmatch(plain):
        return {"phoneTail": plain}
    if _DOCUMENT.fullmatch(plain):
        return {"documentNumber": plain}
    return {"house" if re.search(r"\d", plain) else "name": typed}
