"""Sums in capitals, by the rules of settlement documents."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.billing.documents.amounts import capitals, figures
from domains.kernel.money import MAX_FEN


@pytest.mark.parametrize(
    ("fen", "written"),
    [
        (0, "零元整"),
        (1, "壹分"),
        (5, "伍分"),
        (50, "伍角整"),
        (55, "伍角伍分"),
        (100, "壹元整"),
        (105, "壹元零伍分"),
        (1000, "壹拾元整"),
        (32504, "叁佰贰拾伍元零肆分"),
        (123005, "壹仟贰佰叁拾元零伍分"),
        (140950, "壹仟肆佰零玖元伍角整"),
        (600714, "陆仟零柒元壹角肆分"),
        (1640902, "壹万陆仟肆佰零玖元零贰分"),
        (10700053, "壹拾万柒仟元伍角叁分"),
        (1_000_100_00, "壹佰万零壹佰元整"),
        (100_010_000_00, "壹亿零壹万元整"),
        (100_000_001_00, "壹亿零壹元整"),
        (1_000_000_000_000_00, "壹万亿元整"),
        (MAX_FEN, "玖拾万零柒佰壹拾玖亿玖仟贰佰伍拾肆万柒仟肆佰零玖元玖角壹分"),
        (-12000, "负壹佰贰拾元整"),
    ],
)
def test_capitals(fen: int, written: str) -> None:
    assert capitals(fen) == written


def read(written: str) -> int:
    """The fen of a sum in capitals, read by another way than it is written."""
    digits, units = "零壹贰叁肆伍陆柒捌玖", {"拾": 10, "佰": 100, "仟": 1000}
    parts = re.fullmatch(r"(?:(.+)元)?零?(?:(.)角)?零?(?:(.)分)?整?", written)
    assert parts is not None, written

    def section(text: str) -> int:
        for name, size in (("亿", 10**8), ("万", 10**4)):
            if name in text:
                high, _, low = text.rpartition(name)
                return section(high) * size + section(low)
        total = digit = 0
        for char in text:
            if char in units:
                total, digit = total + digit * units[char], 0
            else:
                digit = digits.index(char)
        return total + digit

    yuan, tenths, hundredths = parts.groups()
    cents = (digits.index(tenths) * 10 if tenths else 0) + (digits.index(hundredths) if hundredths else 0)
    return section(yuan or "") * 100 + cents


@given(st.integers(0, MAX_FEN))
def test_capitals_are_read_back_as_they_were_and_end_as_the_rules_say(fen: int) -> None:
    written = capitals(fen)
    assert read(written) == fen
    assert "零零" not in written
    assert written.endswith("分") == (fen % 10 > 0)
    assert written.endswith("整") == (fen % 10 == 0)


def test_figures_have_thousands_and_two_decimals() -> None:
    assert [figures(fen) for fen in (0, 5, 128050, -123456789)] == [
        "0.00",
        "0.05",
        "1,280.50",
        "-1,234,567.89",
    ]
