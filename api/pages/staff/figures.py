"""Numbers, amounts and days as people type them (金额、数量、日期). Each raises Refusal with what to do."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NoReturn, TypeVar

from api.pages.asking import Refusal
from api.pages.page import Page
from api.pages.staff.spans import day_of

T = TypeVar("T")
_NUMBER = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,8})?")
_WHOLE = re.compile(r"[0-9]{1,6}")
_CENTS = Decimal("0.01")


def number_of(page: Page, written: str) -> str | None:
    """A number that is not below zero; None for nothing."""
    if written and not _NUMBER.fullmatch(written):
        _refuse(page.texts("请填写数字，例如 12.5"))
    return written or None


def number(page: Page, name: str) -> str | None:
    """The number in a field; None for nothing."""
    return number_of(page, page.typed(name))


def whole(page: Page, name: str) -> int | None:
    """The whole number in a field; None for nothing."""
    written = page.typed(name)
    if written and not _WHOLE.fullmatch(written):
        _refuse(page.texts("请填写整数"))
    return int(written) if written else None


def day(page: Page, name: str) -> str | None:
    """The day in a field; None for nothing."""
    written = page.typed(name)
    return day_of(page, written).isoformat() if written else None


def needed(page: Page, value: T | None) -> T:
    """A value that may not be left out."""
    if value is None:
        _refuse(page.texts("请把必填的日期和数字填写完整"))
    return value


def price_of(page: Page, written: str) -> str | None:
    """Yuan as fen, with the decimals of a price; None for nothing."""
    read = number_of(page, written)
    return None if read is None else format(Decimal(read) * 100, "f")


def amount(page: Page, name: str) -> int:
    """The amount in a field in yuan as whole fen."""
    return amount_of(page, page.typed(name))


def amount_of(page: Page, written: str) -> int:
    """An amount that was typed in yuan as whole fen."""
    read = Decimal(needed(page, number_of(page, written)))
    if read != read.quantize(_CENTS):
        _refuse(page.texts("金额应为数字，最多两位小数"))
    return int(read * 100)


def _refuse(text: str) -> NoReturn:
    raise Refusal("NUMBER_INVALID", text, 400)
