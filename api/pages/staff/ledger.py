"""The books (总账): the trial balance at the end of a day, and the journals of some days."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from api.pages.page import Page
from api.pages.staff.place import place_of
from api.pages.staff.spans import day_of
from domains.kernel import clock

ROWS = 30
LIST = "/staff/ledger"
A_WEEK = timedelta(days=6)


async def show(page: Page) -> Response:
    """The last week unless asked otherwise."""
    place, span, after = await place_of(page), _span(page), page.asked("after")
    answer = await page.ask(
        "Journals", compound=place.id, fromOn=span["since"], untilOn=span["until"], first=ROWS, after=after
    )
    values = {"place": place, "wanted": {**span, "after": after}, "found": answer["journals"]}
    if page.is_partial:
        return page.show("staff/journal_cards.html", **values)
    balances = (await page.ask("LedgerBalances", compound=place.id, on=span["until"]))["ledgerBalances"]
    sums = {name: sum(each[name] for each in balances) for name in ("debitFen", "creditFen", "balanceFen")}
    return page.show("staff/ledger.html", **values, balances=balances, sums=sums)


def _span(page: Page) -> dict[str, str]:
    until = day_of(page, page.asked("until") or clock.today().isoformat())
    since = day_of(page, page.asked("since") or (until - A_WEEK).isoformat())
    return {"since": since.isoformat(), "until": until.isoformat()}
