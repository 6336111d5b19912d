"""The desk at which people pay (收款台): a house is found, its bills are chosen, and the money is taken."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlencode
from uuid import uuid4

from starlette.responses import Response

from api.pages.asking import Data, Refusal
from api.pages.landing import drawing
from api.pages.page import Page
from api.pages.showcase import showcase
from api.pages.staff import figures, payments
from api.pages.staff.alarms import known
from api.pages.staff.place import place_of
from domains.kernel.money import display

ROWS = 20
LIST = "/staff/desk"
CODE = f"{LIST}/code"
IN_HAND = ("CASH", "POS", "TRANSFER")
BY_CODE = ("ALIPAY", "WECHAT")
PURPOSES = ("PROPERTY", "PARKING", "WATER", "ELECTRICITY", "HEATING", "SHARED")


@dataclass
class Till:
    """What somebody at the desk pays, as it was typed: fen, None where nothing was."""

    account: Data
    bills: list[Data]
    chosen: list[str]
    part_fen: int | None = None
    ahead_fen: int = 0
    given_fen: int | None = None
    problem: str = ""
    purposes: tuple[str, ...] = field(default=PURPOSES)

    @property
    def total_fen(self) -> int:
        """What it comes to today."""
        owed = sum(bill["outstandingFen"] for bill in self.bills if bill["id"] in self.chosen)
        return (owed if self.part_fen is None else self.part_fen) + self.ahead_fen

    @property
    def change_fen(self) -> int | None:
        """What is given back of the cash; below zero where more of it is needed."""
        return None if self.given_fen is None else self.given_fen - self.total_fen


async def show(page: Page) -> Response:
    """Where a house is looked for, by its number."""
    place, words = await place_of(page), page.asked("house")
    found = None
    if words:
        narrowed = {"number": words, "building": None}
        answer = await page.ask(
            "SearchHouses", compound=place.id, filter=narrowed, first=ROWS, after=page.asked("after")
        )
        found = answer["compound"]["houses"]
    return page.show("staff/desk_search.html", place=place, words=words or "", found=found)


async def show_house(page: Page) -> Response:
    """What a house has to pay, all of it chosen."""
    till = await _till(page, page.asked("house") or "")
    till.chosen = [bill["id"] for bill in till.bills if not bill["isBeingPaid"]]
    return await _shown(page, till)


async def _till(page: Page, house: str) -> Till:
    account = (await page.ask("DeskHouse", house=house))["houseAccount"]
    if not account:
        raise Refusal("NOT_FOUND", page.texts("没有找到这套房屋，请返回重新查找"), 404)
    return Till(account, await _bills(page, account["houseNumber"]), [])


async def _bills(page: Page, number: str) -> list[Data]:
    """What is open of the house of this number, the oldest first; the search finds longer numbers too."""
    place, found, after = await place_of(page), list[Data](), None
    while True:
        answer = (await page.ask("DeskBills", compound=place.id, number=number, after=after))["bills"]
        found += [bill for bill in answer["nodes"] if bill["houseNumber"] == number]
        if not answer["pageInfo"]["hasNextPage"]:
            return found[::-1]
        after = answer["pageInfo"]["endCursor"]


async def _shown(page: Page, till: Till) -> Response:
    return page.show(
        "staff/desk_house.html", place=await place_of(page), till=till, key=uuid4(), in_hand=IN_HAND, by_code=BY_CODE,
    )  # fmt: skip


async def count(page: Page) -> Response:
    """What the form comes to as it is filled in, and the change."""
    return page.show("staff/desk_sum.html", till=await _typed(page))


async def _typed(page: Page) -> Till:
    till = await _till(page, page.typed("house"))
    till.chosen = [str(each) for each in page.form.getlist("bill")]
    try:
        till.part_fen = figures.amount(page, "part") if page.typed("part") else None
        till.ahead_fen = figures.amount(page, "ahead") if page.typed("ahead") else 0
        till.given_fen = figures.amount(page, "given") if page.typed("given") else None
    except Refusal as refusal:
        till.problem = refusal.message
    return till


async def take(page: Page) -> Response:
    """Book what is in hand, or show a code to scan; a form that is refused is shown again."""
    till = await _typed(page)
    method = page.typed("method")
    is_short = method == "CASH" and till.change_fen is not None and till.change_fen < 0
    if is_short and not till.problem:
        till.problem = page.texts("收到的现金少于应收金额，请核对")
    payload = None if till.problem else await _taken(page, till, method)
    if payload is None or payload["errors"]:
        till.problem = till.problem or (payload or {})["errors"][0]["message"]
        return await _shown(page, till)
    payment = payload["payment"]
    if method in BY_CODE:
        return page.go(_code_address(payment["id"]))
    return page.go(payments.address(payment["id"]), "success", _words(page, till, method, payment))


async def _taken(page: Page, till: Till, method: str) -> Data:
    charge = {
        "house": till.account["house"], "bills": till.chosen, "partFen": till.part_fen, "topUpFen": till.ahead_fen,
        "purpose": known(page.typed("purpose"), PURPOSES), "expectedFen": _expected(page),
    }  # fmt: skip
    given = {"charge": charge, "idempotencyKey": page.typed("key")}
    if method in BY_CODE:
        return dict((await page.ask("ShowCodeToPay", input={**given, "channel": method}))["showCodeToPay"])
    way = {"method": known(method, IN_HAND) or IN_HAND[0], "reference": page.typed("reference")}
    return dict((await page.ask("RecordDeskPayment", input={**given, **way}))["recordDeskPayment"])


def _expected(page: Page) -> int:
    """What the cashier read when the button was pressed; what is no number is no sum that anything comes to."""
    written = page.typed("expected")
    return int(written) if written.isascii() and written.isdigit() and len(written) < 16 else 0


def _words(page: Page, till: Till, method: str, payment: Data) -> str:
    fen = payment["amountFen"]
    if method != "CASH" or till.given_fen is None:
        return page.texts("已收款 {fen}", fen=display(fen))
    return page.texts("已收款 {fen}，找零 {change}", fen=display(fen), change=display(till.given_fen - fen))


def _code_address(id: str) -> str:
    return f"{CODE}?{urlencode({'payment': id})}"


async def show_code(page: Page) -> Response:
    """The code, until it is paid."""
    payment = await payments.payment_of(page, page.asked("payment") or "")
    if payment["state"] != "OPEN":
        return page.go(payments.address(payment["id"]))
    text = next(
        (each["value"] for each in payment["clientParameters"] or () if each["name"] == "qrCode"), None
    )
    return page.show(
        "staff/desk_code.html", place=await place_of(page), payment=payment, code=drawing(text) if text else None,
        cashier=_stand_in(text or ""),
    )  # fmt: skip


def _stand_in(text: str) -> str:
    """The address behind the code where a demonstration's stand-in of the platform waits there; else nothing."""
    demo = showcase()
    return text if demo and demo.platform_url and text.startswith(f"{demo.platform_url}/") else ""


async def follow_code(page: Page) -> Response:
    """Whether it is paid by now; on to the payment once it is over."""
    payment = await payments.payment_of(page, page.asked("payment") or "")
    if payment["state"] == "PAID":
        words = page.texts("已收到付款 {fen}", fen=display(payment["amountFen"]))
        return page.go(payments.address(payment["id"]), "success", words)
    if payment["state"] != "OPEN":
        return page.go(payments.address(payment["id"]), "warning", page.texts("没有收到付款，收款码已失效"))
    return page.show("staff/desk_code_state.html", payment=payment)
