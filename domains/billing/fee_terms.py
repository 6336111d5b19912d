"""What a fee item may be (收费项目的约定): its terms, and which of them go together."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import NoReturn, TypedDict
from uuid import UUID

from domains.billing.rules import CATEGORIES, METER_KINDS, METHODS
from domains.kernel import text
from domains.kernel.errors import Invalid

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)
FROZEN = (
    "category", "method", "cycle_months", "timing", "anchor", "anchor_on", "price_months", "meter_kind", "tier_span",
    "pooled_by", "starts_on",
)  # fmt: skip
"""What a bill's line was understood by: it stays as it is from the first line, cost or charge on."""
PREPAYABLE = frozenset({"built_area", "inner_area", "fixed", "vehicle", "formula"})
"""Methods whose amount is known before the period is over."""
PRICED = PREPAYABLE | {"metered"}
"""Methods that need a price; a pooled cost and a charge that comes once are amounts already."""
MOST_BUILDINGS = 200


@dataclass(frozen=True, slots=True)
class FeeTerms:
    """The terms of a fee item; what a method does not need is left as it is here."""

    name: str
    category: str
    method: str
    starts_on: date
    cycle_months: int | None = None
    timing: str = "arrears"
    anchor: str = "calendar"
    anchor_on: date | None = None
    price_months: int = 1
    payer: str = "owner"
    vacancy_percent: Decimal = Decimal(100)
    bills_unsold: bool = False
    bears_late_fee: bool = True
    meter_kind: str | None = None
    tier_span: str | None = None
    pooled_by: str | None = None
    uses: Collection[str] = ()
    building_ids: Collection[UUID] = ()


class TermChanges(TypedDict, total=False):
    """Terms that are given; what is left out stays, or is as `FeeTerms` has it."""

    name: str
    category: str
    method: str
    starts_on: date
    cycle_months: int | None
    timing: str
    anchor: str
    anchor_on: date | None
    price_months: int
    payer: str
    vacancy_percent: Decimal
    bills_unsold: bool
    bears_late_fee: bool
    meter_kind: str | None
    tier_span: str | None
    pooled_by: str | None
    uses: Collection[str]
    building_ids: Collection[UUID]


def merged(current: FeeTerms | None, changes: TermChanges) -> FeeTerms:
    """The terms with the changes. Raises Invalid FEE_ITEM_INVALID where a new item lacks one that it needs."""
    if current is not None:
        return replace(current, **changes)
    for field in ("name", "category", "method", "starts_on"):
        if field not in changes:
            refuse("请填写这一项", field)
    return FeeTerms(**changes)


def checked(terms: FeeTerms, uses: Collection[str]) -> FeeTerms:
    """The terms with what follows from them; `uses` are those that a house may have.

    Raises Invalid FEE_ITEM_INVALID with the field, or a TEXT_ code of the name.
    """
    terms = replace(terms, name=text.clean(terms.name, max_length=40, field="name"))
    _check_words(terms, uses)
    _check_numbers(terms)
    terms = _anchored(terms)
    _check_method(terms)
    return replace(
        terms,
        tier_span=(terms.tier_span or "month") if terms.method == "metered" else None,
        uses=sorted(set(terms.uses)), building_ids=sorted(set(terms.building_ids)),
    )  # fmt: skip


def _check_words(terms: FeeTerms, uses: Collection[str]) -> None:
    known: dict[str, Collection[str]] = {
        "category": CATEGORIES, "method": METHODS, "timing": ("advance", "arrears"),
        "anchor": ("calendar", "hand_over"), "payer": ("owner", "tenant"),
    }  # fmt: skip
    for field, words in known.items():
        if getattr(terms, field) not in words:
            refuse("请重新选择", field)
    if not set(terms.uses) <= set(uses):
        refuse("没有这种房屋用途,请重新选择", "uses")
    if len(set(terms.building_ids)) > MOST_BUILDINGS:
        refuse(f"最多选择 {MOST_BUILDINGS} 栋楼,更多时请留空表示全部", "buildings")


def _check_numbers(terms: FeeTerms) -> None:
    if not 1 <= terms.price_months <= 120:
        refuse("价格对应的月数须在 1 到 120 之间", "price_months")
    percent = terms.vacancy_percent
    if not 0 <= percent <= 100 or percent != round(percent, 2):
        refuse("空置收费比例须在 0 到 100 之间,最多两位小数", "vacancy_percent")
    for field in ("starts_on", "anchor_on"):
        day = getattr(terms, field)
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            refuse("日期须在 2000 年到 2100 年之间", field)


def _anchored(terms: FeeTerms) -> FeeTerms:
    if terms.method == "one_off":
        if terms.cycle_months is not None:
            refuse("一次性收费没有周期,请留空", "cycle_months")
        return replace(terms, anchor="calendar", anchor_on=terms.starts_on)
    if terms.cycle_months is None or not 1 <= terms.cycle_months <= 120:
        refuse("收费周期须在 1 到 120 个月之间", "cycle_months")
    if terms.anchor == "hand_over":
        return replace(terms, anchor_on=None)
    if terms.anchor_on is None:
        refuse("请填写第一个周期从哪一天开始", "anchor_on")
    if terms.anchor_on > terms.starts_on:
        refuse("第一个周期的起始日不能晚于开始收费的日期", "anchor_on")
    return terms


def _check_method(terms: FeeTerms) -> None:
    if terms.method in ("metered", "pooled") and terms.timing != "arrears":
        refuse("按表计量和公摊的费用只能后付", "timing")
    if terms.method == "pooled" and terms.anchor != "calendar":
        refuse("公摊费用的周期须从日历上的日期算起", "anchor")
    if (terms.method == "metered") != (terms.meter_kind in METER_KINDS):
        refuse("按表计量须选择仪表种类,其他计费方式不能选择", "meter_kind")
    if terms.tier_span not in (None, "month", "year"):
        refuse("阶梯按月或按年累计,请重新选择", "tier_span")
    if (terms.method == "pooled") != (terms.pooled_by in ("built_area", "household")):
        refuse("公摊须选择按建筑面积或按户分摊,其他计费方式不能选择", "pooled_by")


def refuse(message: str, field: str) -> NoReturn:
    """Say what is wrong with a term, and what to do."""
    raise Invalid("FEE_ITEM_INVALID", message, field)
