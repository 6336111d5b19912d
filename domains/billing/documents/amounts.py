"""Sums as papers write them (金额写法): in figures, and in capitals that nobody alters with a stroke (大写金额)."""

from __future__ import annotations

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_UNITS = ((10**8, "亿"), (10**4, "万"), (1000, "仟"), (100, "佰"), (10, "拾"))


def capitals(fen: int) -> str:
    """123005 → "壹仟贰佰叁拾元零伍分", 50 → "伍角整", −100 → "负壹元整".

    By 《支付结算办法》 annex 1: 整 after yuan, none after fen; zeros inside are one 零.
    """
    sign, (yuan, cents) = "负" if fen < 0 else "", divmod(abs(fen), 100)
    tenths, hundredths = divmod(cents, 10)
    written = f"{_whole(yuan)}元" if yuan or not cents else ""
    if tenths:
        written += f"{_DIGITS[tenths]}角"
    if hundredths:
        gap = "零" if yuan and not tenths else ""
        return f"{sign}{written}{gap}{_DIGITS[hundredths]}分"
    return f"{sign}{written}整"


def figures(fen: int) -> str:
    """128050 → "1,280.50", without a sign of the currency: for columns."""
    yuan, cents = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{yuan:,}.{cents:02}"


def _whole(number: int) -> str:
    for unit, name in _UNITS:
        if number >= unit:
            high, low = divmod(number, unit)
            gap = "零" if 0 < low < unit // 10 else ""
            return f"{_whole(high)}{name}{gap}{_whole(low) if low else ''}"
    return _DIGITS[number]
