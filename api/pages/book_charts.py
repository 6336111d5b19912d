"""A month's accounts as charts (账目图表), for the desk and for residents alike."""

from __future__ import annotations

from markupsafe import Markup

from api.pages import charts
from api.pages.asking import Data
from api.pages.page import Page
from domains.kernel.money import display

FLOWS = (
    ("billedFen", "billed", "应收"),
    ("collectedFen", "collected", "实收"),
    ("spentFen", "spent", "支出"),
)


def pictures(page: Page, books: Data) -> dict[str, object]:
    """The month's charts: the last months side by side, income by fee item, spending by category."""
    incomes = [(each["name"], each["collectedFen"]) for each in books["incomes"]]
    label = page.texts.label
    spendings = [(label(f"expense:{each['category']}"), each["amountFen"]) for each in books["spentOn"]]
    months = [_month(page, each) for each in books["months"]]
    return {
        "months": charts.columns(months, page.texts("近几个月收支")), "incomes": _bars(incomes, "collected"),
        "spendings": _bars(spendings, "spent"),
    }  # fmt: skip


def _month(page: Page, each: Data) -> tuple[str, list[charts.Part]]:
    month = each["month"][:7]
    parts = [
        charts.Part(each[name], look, f"{month} {page.texts(title)} {display(each[name])}")
        for name, look, title in FLOWS
    ]
    # A year is said where it begins: twelve names have to fit on a phone.
    number = month[5:].lstrip("0")
    return f"{month[2:4]}/1" if number == "1" else number, parts


def _bars(rows: list[tuple[str, int]], look: str) -> list[tuple[str, int, Markup]]:
    most = max((fen for _, fen in rows), default=0)
    return [(name, fen, charts.bar([charts.Part(fen, look, display(fen))], most)) for name, fen in rows]
