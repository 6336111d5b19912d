"""Money (金额): whole fen (分) and one rounding rule, half up, once, at the end of a line.

Every amount lies within ±(2^53−1) fen, the integers that JSON clients keep exactly; whatever
leaves that range raises InvalidAmount AMOUNT_OUT_OF_RANGE.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

from domains.kernel.errors import Invalid

MAX_FEN = 2**53 - 1

# Wide enough that a product of any two database numbers is exact before its one rounding.
_EXACT = Context(prec=2000, traps=[])
_YUAN = re.compile(r"(-?)¥?([0-9]{1,15}|[0-9]{1,3}(?:,[0-9]{3}){1,4})(?:\.([0-9]{1,2}))?元?")


class InvalidAmount(Invalid, ValueError):
    """An amount that cannot be: AMOUNT_INVALID or AMOUNT_OUT_OF_RANGE."""


def round_half_up(value: Decimal) -> int:
    """The nearest whole fen; a half goes away from zero: 0.5 → 1 and −0.5 → −1 (四舍五入).

    A refund therefore rounds to exactly what the charge rounded to. Raises InvalidAmount
    AMOUNT_OUT_OF_RANGE, also for NaN and infinity.
    """
    if not value.is_finite() or value.copy_abs() > MAX_FEN + 1:
        raise _out_of_range()
    return within_range(int(value.to_integral_value(ROUND_HALF_UP)))


def multiply(rate: Decimal, quantity: Decimal) -> int:
    """`rate` × `quantity` in whole fen, rounded once.

    Either the rate is fen per unit and the quantity units (280.5 fen per m² × 89.53 m²), or the
    rate is a ratio and the quantity fen (late fee 滞纳金: 0.0005 × 31240 fen).
    Raises InvalidAmount AMOUNT_OUT_OF_RANGE.
    """
    return round_half_up(_EXACT.multiply(rate, quantity))


def display(fen: int) -> str:
    """For people: 128050 → "¥1,280.50", −5 → "-¥0.05"."""
    yuan, cents = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}¥{yuan:,}.{cents:02}"


def plain_yuan(fen: int) -> str:
    """As platforms write it: 128050 → "1280.50"."""
    yuan, cents = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{yuan}.{cents:02}"


def parse_yuan(written: str, *, field: str | None = None) -> int:
    """The fen of an amount in yuan (元) as a person writes it: "128.50", "1,280.5", "¥128", "-3元".

    Raises InvalidAmount: AMOUNT_INVALID for anything else, for more than two decimals and for
    what is no text (a float has already lost what was written); AMOUNT_OUT_OF_RANGE.
    """
    if not isinstance(written, str):
        raise _unreadable(field)
    match = _YUAN.fullmatch(unicodedata.normalize("NFKC", written).strip())
    if not match:
        raise _unreadable(field)
    sign, yuan, decimals = match.groups()
    fen = int(yuan.replace(",", "")) * 100 + int((decimals or "0").ljust(2, "0"))
    return within_range(-fen if sign else fen, field=field)


def split(total_fen: int, weights: Sequence[int | Decimal]) -> list[int]:
    """`total_fen` shared out (分摊) by weight so that the parts sum to it exactly.

    Each part is its exact share cut to whole fen; the fen left over go to the largest
    remainders, the earlier part first among equals. A negative total mirrors the positive one.
    ValueError when a weight is negative or not finite, or when there is none above zero.
    """
    if not all(Decimal(weight).is_finite() and weight >= 0 for weight in weights) or not any(weights):
        raise ValueError("weights are finite, not negative, and one at least is above zero")
    exact = [Fraction(weight) for weight in weights]
    amount, whole = abs(within_range(total_fen)), sum(exact)
    shares = [amount * weight / whole for weight in exact]
    parts = [int(share) for share in shares]
    by_remainder = sorted(range(len(parts)), key=lambda i: parts[i] - shares[i])
    for i in by_remainder[: amount - sum(parts)]:
        parts[i] += 1
    return parts if total_fen >= 0 else [-part for part in parts]


def within_range(fen: int, *, field: str | None = None) -> int:
    """`fen` itself. Raises InvalidAmount AMOUNT_OUT_OF_RANGE beyond ±(2^53−1)."""
    if abs(fen) > MAX_FEN:
        raise _out_of_range(field)
    return fen


def _unreadable(field: str | None) -> InvalidAmount:
    return InvalidAmount("AMOUNT_INVALID", "金额格式不正确，请填写元，最多两位小数，例如 128.50", field)


def _out_of_range(field: str | None = None) -> InvalidAmount:
    return InvalidAmount("AMOUNT_OUT_OF_RANGE", "金额超出范围，请检查后重新填写", field)
