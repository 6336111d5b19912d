"""Amounts (金额): integer fen in the books, yuan with two decimals on Alipay's wire and in bill files."""

from __future__ import annotations

import re
from typing import Final

_YUAN: Final = re.compile(r"(0|[1-9][0-9]{0,8})(?:\.([0-9]{1,2}))?")
_FEE_PER_MILLE: Final = 6
FEE_RATE: Final = "0.60%"


def fen(text: str) -> int | None:
    """`12.3` is 1230; None for what is no amount of 0.01 to 100,000,000.00 yuan."""
    found = _YUAN.fullmatch(text)
    if found is None:
        return None
    amount = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))
    return amount if 1 <= amount <= 10_000_000_000 else None


def yuan(amount_fen: int) -> str:
    """1230 is `12.30`."""
    whole, part = divmod(abs(amount_fen), 100)
    return f"{'-' if amount_fen < 0 else ''}{whole}.{part:02d}"


def fee_fen(amount_fen: int) -> int:
    """What the platform keeps of a payment (手续费), rounded half up."""
    return (amount_fen * _FEE_PER_MILLE + 500) // 1000
