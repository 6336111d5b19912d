"""How a line's amount came, in words that residents understand (计算说明), from what the line keeps of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

from domains.billing.proration import month_shares

Language = Literal["zh", "en"]
Basis = Mapping[str, Any]  # Any: JSON, as the statement writes it

_UNITS = {
    "built_area": ("m²", "m²"), "inner_area": ("m²", "m²"), "fixed": ("户", "household"), "vehicle": ("辆", "car(s)"),
    "formula": ("户", "household"),
}  # fmt: skip
_SPANS = {"month": ("本期", "this period"), "year": ("本年", "this year")}


def explain(basis: Basis, language: Language = "zh") -> str:
    """The line's computation; empty where it keeps nothing of it."""
    en = language == "en"
    method = basis.get("method")
    if method == "metered":
        return _metered(basis, en)
    if method == "pooled":
        return _pooled(basis, en)
    if method == "one_off":
        return str(basis["note"]) or ("Charged once" if en else "一次性收费")
    segments = basis.get("segments", ())
    return (";" if not en else "; ").join(_segment(basis, each, en) for each in segments)


def _segment(basis: Basis, segment: Basis, en: bool) -> str:
    """11月1日至11月10日,89.53 m² × 2.80 元/月 × 10/30 天."""
    unit = _UNITS[basis["method"]][en]
    amount = f"{_number(segment['quantity'])} {unit} × {_price(segment['price'])} {_per(basis, en)}"
    factors = [amount, *_time(basis, segment, en), *_shares(basis, segment, en)]
    return f"{_days(segment, en)}{': ' if en else ','}{' × '.join(factors)}"


def _days(segment: Basis, en: bool) -> str:
    start = date.fromisoformat(segment["from"])
    last = date.fromisoformat(segment["until"]) - timedelta(days=1)
    if en:
        return start.isoformat() if start == last else f"{start} to {last}"
    if start == last:
        return f"{start.year}年{start.month}月{start.day}日"
    year = "" if last.year == start.year else f"{last.year}年"
    return f"{start.year}年{start.month}月{start.day}日至{year}{last.month}月{last.day}日"


def _per(basis: Basis, en: bool) -> str:
    months = basis["price_months"]
    if en:
        return "yuan a month" if months == 1 else f"yuan for {months} months"
    return {1: "元/月", 3: "元/季", 12: "元/年"}.get(months, f"元/{months}个月")


def _time(basis: Basis, segment: Basis, en: bool) -> Iterator[str]:
    """What share of the months that the price is for; nothing where it is all of them."""
    start, until = (date.fromisoformat(segment[name]) for name in ("from", "until"))
    shares = list(month_shares(date.fromisoformat(basis["anchor"]), start, until))
    whole = sum(share.days == share.of for share in shares)
    pieces = [f"{share.days}/{share.of}" for share in shares if share.days != share.of]
    terms = ([str(whole)] if whole else []) + pieces
    total = basis["price_months"]
    if terms == [str(total)]:
        return
    written = " + ".join(terms) if len(terms) == 1 else f"({' + '.join(terms)})"
    unit = (" month(s)" if en else "个月") if whole or len(terms) > 1 else (" of the month" if en else " 天")
    yield written + unit + ("" if total == 1 else f" ÷ {total}")


def _shares(basis: Basis, part: Basis, en: bool) -> Iterator[str]:
    """Shares of the price: an empty house's, an agreement's, a discount's."""
    named = (("vacant", "空置", "vacant"), ("agreed", "约定", "as agreed"))
    for name, zh, english in named:
        if name in part:
            yield f"{_number(part[name])}%{f' ({english})' if en else f'({zh})'}"
    off = Decimal(basis.get("discount", "0"))
    if off:
        yield f"{_number(str(100 - off))}%{' (paid ahead)' if en else '(预缴优惠)'}"
    if part.get("coefficient", "1") != "1":
        yield f"{'coefficient' if en else '系数'} {part['coefficient']}"


def _metered(basis: Basis, en: bool) -> str:
    readings = [_reading(each, en) for each in basis["readings"]]
    shares = [*_shares(basis, basis, en)]
    tail = "".join(f" × {share}" for share in shares)
    joint = "; " if en else ";"
    if "tiers" not in basis:
        price = f"{_number(basis['units'])} × {_price(basis['price'])} {'yuan' if en else '元'}{tail}"
        return joint.join([*readings, price])
    return joint.join([*readings, _tiers(basis, basis["tiers"], en) + tail])


def _reading(reading: Basis, en: bool) -> str:
    units = f"{_number(reading['last'])} − {_number(reading['first'])} = {_number(reading['units'])}"
    days = f"{reading['from']}–{reading['until']}" if en else f"{reading['from']} 至 {reading['until']}"
    return f"{'Meter' if en else '表'} {reading['number']}{': ' if en else ','}{days}{': ' if en else ','}{units}"


def _tiers(basis: Basis, tiers: Sequence[Basis], en: bool) -> str:
    bands = [f"{_number(each['units'])} × {_price(each['price'])}" for each in tiers]
    text = f"({' + '.join(bands)})" if len(bands) > 1 else "".join(bands)
    before = basis.get("counted", "0")
    if before == "0":
        return f"{'in tiers: ' if en else '阶梯:'}{text} {'yuan' if en else '元'}"
    span = _SPANS[basis["tier_span"]][en]
    used = f"{span}, {_number(before)} used before" if en else f"{span}已用 {_number(before)}"
    return f"in tiers ({used}): {text} yuan" if en else f"阶梯({used}):{text} 元"


def _pooled(basis: Basis, en: bool) -> str:
    total = f"{Decimal(basis['total_fen']) / 100:,.2f}"
    unit = " m²" if basis["pooled_by"] == "built_area" else (" household(s)" if en else " 户")
    share = f"{_number(basis['weight'])} ÷ {_number(basis['whole'])}{unit}"
    words = f"{total} yuan × {share}" if en else f"共 {total} 元分摊 × {share}"
    return f"{words}{' — ' if en else ','}{basis['note']}" if basis["note"] else words


def _number(text: str) -> str:
    """As it is kept, without zeros at its end."""
    value = Decimal(text)
    plain = f"{value:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _price(fen: str) -> str:
    """Fen in yuan, with two decimals at least."""
    yuan = f"{Decimal(fen) / 100:f}"
    whole, _, decimals = yuan.partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"
