"""The house that a form is about, by its number as it is spoken (房号)."""

from __future__ import annotations

from api.pages.asking import Data, Refusal
from api.pages.page import Page
from api.pages.staff.place import Place


async def house_of(page: Page, place: Place, number: str) -> Data:
    """The one house of that number. Raises Refusal where there is none, or more than one."""
    found = await page.ask("FindHouse", compound=place.id, number=number) if number else None
    # Who may not see houses gets a compound without them.
    seen = (found["compound"] or {}).get("houses") if found else None
    houses: list[Data] = seen["nodes"] if seen else []
    exact = [each for each in houses if each["number"] == number] or houses
    if not exact:
        raise Refusal("HOUSE_NOT_FOUND", page.texts("没有找到这套房屋，请按 3-1-101 的写法填写房号"), 400)
    if len(exact) > 1:
        raise Refusal("HOUSE_UNCLEAR", page.texts("有多套房屋符合这个房号，请填写完整房号"), 400)
    return exact[0]
