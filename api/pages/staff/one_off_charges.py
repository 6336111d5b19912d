"""Charges that come once (一次性收费): looked at before they are added, billed at once, or taken back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import uuid4

from starlette.responses import Response

from api.pages.asking import Data, Refusal
from api.pages.page import Page
from api.pages.staff.answering import told
from api.pages.staff.figures import amount, day, needed
from api.pages.staff.houses import house_of
from api.pages.staff.place import Place, place_of
from api.pages.staff.post import holds
from domains.billing import permissions as billing
from domains.estate import permissions as estate
from domains.kernel import clock

ROWS = 30
LIST = "/staff/fees/once"
MOST_HOUSES = 100
"""Of one form: each is looked up by its number."""
FEN_DIGITS = 15
_BETWEEN = re.compile(r"[\s,，、;；]+")


@dataclass(frozen=True, slots=True)
class Draft:
    """A charge that is looked at before it is added: the same amount, in fen, for each house."""

    item: Data
    houses: list[Data]
    charged_on: str
    amount_fen: int
    note: str

    @property
    def total_fen(self) -> int:
        """What all of the houses are charged together."""
        return self.amount_fen * len(self.houses)


async def show(page: Page) -> Response:
    """The charges of the compound, or of a house, the last one first."""
    try:
        return await _list(page, page.asked("house") or "")
    except Refusal as refusal:
        if refusal.status != 400 or page.is_partial:
            raise
        return await _list(page, "", refusal.message)


async def _list(page: Page, number: str, problem: str = "", draft: Draft | None = None) -> Response:
    place, after = await place_of(page), page.asked("after")
    sees_houses = holds(page, place, estate.READ)
    house = (await house_of(page, place, number))["id"] if number and sees_houses else None
    found = (await page.ask("OneOffCharges", compound=place.id, house=house, first=ROWS, after=after))[
        "oneOffCharges"
    ]
    may_write = holds(page, place, billing.FEES_WRITE)
    template = "staff/one_off_rows.html" if page.is_partial else "staff/one_off_charges.html"
    return page.show(
        template, place=place, found=found, number=number, after=after, problem=problem, draft=draft, today=clock.today(),
        items=await _items(page, place) if may_write and not page.is_partial else [], most=MOST_HOUSES, new_key=uuid4,
        sees_houses=sees_houses, may_write=may_write, may_bill=holds(page, place, billing.RUNS_APPROVE),
        reads_bills=holds(page, place, billing.BILLS_READ),
    )  # fmt: skip


async def _items(page: Page, place: Place) -> list[Data]:
    found = (await page.ask("FeeItems", compound=place.id, active=True))["feeItems"]
    return [each for each in found if each["method"] == "ONE_OFF"]


async def preview(page: Page) -> Response:
    """Which houses would be charged how much; nothing is written."""
    try:
        draft = await _draft(page)
    except Refusal as refusal:
        if refusal.status != 400:
            raise
        return await _list(page, "", refusal.message)
    return await _list(page, "", draft=draft)


async def _draft(page: Page) -> Draft:
    place, chosen = await place_of(page), page.typed("item")
    item = next((each for each in await _items(page, place) if each["id"] == chosen), None)
    if item is None:
        raise Refusal("NOT_ONE_OFF", page.texts("请选择一次性收费项目"), 400)
    if not page.typed("note"):
        raise Refusal("NOTE_NEEDED", page.texts("请写明收费原因，住户会看到"), 400)
    fen, charged_on = amount(page, "amount"), needed(page, day(page, "chargedOn"))
    return Draft(item, await _houses(page, place), charged_on, fen, page.typed("note"))


async def _houses(page: Page, place: Place) -> list[Data]:
    """The houses that were typed, each once. Raises Refusal, naming the number that fits none or several."""
    numbers = list(dict.fromkeys(filter(None, _BETWEEN.split(page.typed("houses")))))
    if not 1 <= len(numbers) <= MOST_HOUSES:
        raise Refusal("HOUSES_NEEDED", page.texts("请填写 1 到 {n} 个房号", n=MOST_HOUSES), 400)
    found: dict[str, Data] = {}
    for number in numbers:
        try:
            house = await house_of(page, place, number)
        except Refusal as refusal:
            if refusal.status != 400:
                raise
            message = page.texts("房号 {number}：{message}", number=number, message=refusal.message)
            raise Refusal(refusal.code, message, 400) from None
        found[house["id"]] = house
    return list(found.values())


async def add(page: Page) -> Response:
    """Charge the houses that were looked at, all of them or none."""
    houses = [each for each in page.form.getlist("houses") if isinstance(each, str)]
    fen = page.typed("fen")
    given = {
        "feeItem": page.typed("item"), "houses": houses, "chargedOn": needed(page, day(page, "chargedOn")),
        "amountFen": int(fen) if fen.isdecimal() and len(fen) <= FEN_DIGITS else 0, "note": page.typed("note"),
    }  # fmt: skip
    payload = (await page.ask("AddOneOffCharges", input=given))["addOneOffCharges"]
    done = page.texts("已登记 {n} 户的收费，随当月出账", n=len(houses))
    return told(page, payload, LIST) or page.go(LIST, "success", done)


async def cancel(page: Page) -> Response:
    """Take a charge back while no bill has it."""
    given = {"charge": page.typed("charge")}
    payload = (await page.ask("CancelOneOffCharge", input=given))["cancelOneOffCharge"]
    return told(page, payload, _back(page)) or page.go(_back(page), "success", page.texts("收费已撤销"))


async def bill_now(page: Page) -> Response:
    """Make the bill now instead of with the run of its month."""
    given = {"charge": page.typed("charge"), "idempotencyKey": page.typed("key")}
    payload = (await page.ask("BillOneOff", input=given))["billOneOff"]
    return told(page, payload, _back(page)) or page.go(_back(page), "success", page.texts("账单已生成"))


def _back(page: Page) -> str:
    number = page.typed("number")
    return f"{LIST}?{urlencode({'house': number})}" if number else LIST
