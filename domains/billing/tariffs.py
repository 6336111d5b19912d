"""Prices of fee items (收费标准): a price, tiers (阶梯) or a formula, by how the item is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from domains.billing import formula
from domains.billing.fee_terms import PRICED
from domains.kernel.errors import Invalid

MOST_TIERS = 10
_PRICE_BELOW = Decimal(10**12)
_UNITS_BELOW = Decimal(10**10)


@dataclass(frozen=True, slots=True)
class Tier:
    """From how many units on one of them costs how much, in fen."""

    above: Decimal
    price_fen: Decimal


@dataclass(frozen=True, slots=True)
class Tariff:
    """One of a price in fen, tiers or a formula."""

    price_fen: Decimal | None = None
    tiers: Sequence[Tier] | None = None
    formula: str | None = None

    @property
    def columns(self) -> dict[str, object]:
        """As a row of fee_price has them; numbers in tiers are decimal text."""
        tiers = None
        if self.tiers is not None:
            tiers = [{"above": plain(each.above), "price_fen": plain(each.price_fen)} for each in self.tiers]
        return {"price_fen": self.price_fen, "tiers": tiers, "formula": self.formula}


def checked(tariff: Tariff, method: str) -> Tariff:
    """The tariff, its formula without blanks around it.

    Raises Invalid PRICE_NOT_NEEDED, PRICE_INVALID, TIERS_INVALID or FORMULA_INVALID.
    """
    if method not in PRICED:
        raise Invalid("PRICE_NOT_NEEDED", "公摊和一次性收费直接填写金额,不需要收费标准", "price_fen")
    given = [value for value in (tariff.price_fen, tariff.tiers, tariff.formula) if value is not None]
    if len(given) != 1:
        raise Invalid("PRICE_INVALID", "单价、阶梯和公式须填写其中一项,且只能一项", "price_fen")
    if (method == "formula") != (tariff.formula is not None):
        raise Invalid("PRICE_INVALID", "按公式收费的项目须填写公式,其他项目填写单价", "formula")
    if tariff.tiers is not None:
        _check_tiers(tariff.tiers, method)
    if tariff.price_fen is not None:
        _check_price(tariff.price_fen, "price_fen")
    if tariff.formula is not None:
        formula.parse(tariff.formula.strip())
        return Tariff(formula=tariff.formula.strip())
    return tariff


def _check_tiers(tiers: Sequence[Tier], method: str) -> None:
    if method != "metered":
        raise Invalid("TIERS_INVALID", "只有按表计量的项目可以设置阶梯", "tiers")
    if not 1 <= len(tiers) <= MOST_TIERS or tiers[0].above != 0:
        raise Invalid("TIERS_INVALID", f"请设置 1 到 {MOST_TIERS} 档,第一档从 0 开始", "tiers")
    for tier in tiers:
        _check_price(tier.price_fen, "tiers")
        if not 0 <= tier.above < _UNITS_BELOW or tier.above != round(tier.above, 4):
            raise Invalid("TIERS_INVALID", "每档的起始用量最多四位小数,请检查", "tiers")
    if any(upper.above <= lower.above for lower, upper in pairwise(tiers)):
        raise Invalid("TIERS_INVALID", "各档的起始用量须从小到大,不能重复", "tiers")


def _check_price(price_fen: Decimal, field: str) -> None:
    if not 0 <= price_fen < _PRICE_BELOW or price_fen != round(price_fen, 6):
        raise Invalid("PRICE_INVALID", "单价不能为负,以分为单位,最多六位小数", field)


def plain(value: Decimal) -> str:
    """Decimal text without an exponent or zeros at its end: 280, 0.5."""
    written = f"{value:f}"
    return written.rstrip("0").rstrip(".") if "." in written else written
