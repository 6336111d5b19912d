from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.kernel import phones
from domains.kernel.text import InvalidText

mobiles = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)


@pytest.mark.parametrize(
    "written",
    [
        "13800000001", "138 0000 0001", "138-0000-0001", "138.0000.0001", "１３８００００００01",
        "+86 138 0000 0001", "+8613800000001", "0086-13800000001", "8613800000001", "(+86)13800000001",
        "（86）138—0000—0001", "13800000001.0", "13800000001.00", "013800000001",
        "\u202d138 0000 0001\u202c", "\ufeff13800000001",
        "　13800000001\n", 13800000001, 13800000001.0,
    ],
)  # fmt: skip
def test_a_mobile_number_however_it_is_written(written: str | int | float) -> None:
    assert phones.normalise(written) == "13800000001"


@pytest.mark.parametrize(
    "written",
    [
        "", " ", "12345", "12800000001", "1380000000", "138000000012", "1380000000a", "0571-88880000",
        "+1 2025550100", "1.38E+10", "13800000001.5", 1.38e10 + 0.5, "13800000001/13900000002", "١٣٨٠٠٠٠٠٠٠١",
        "13800000001;--", "13800000001" + " " * 60 + "x", "-13800000001x", "null",
        "++8613800000001", float("nan"), True,
    ],
)  # fmt: skip
def test_what_is_no_mobile_number_is_refused_with_advice(written: str | int | float) -> None:
    with pytest.raises(InvalidText) as refused:
        phones.normalise(written, field="phone")
    assert (refused.value.code, refused.value.field) == ("PHONE_INVALID", "phone")
    assert "11 位" in refused.value.message
    assert "0001;" not in refused.value.message


@given(
    mobiles,
    st.sampled_from(["", "+86", "0086", "86", "+86 ", "(+86)", "+86-"]),
    st.lists(st.sampled_from(["", " ", "-", "  ", "\u3000"]), min_size=11, max_size=11),
    st.booleans(),
)
def test_every_spelling_of_a_number_is_that_number(
    number: str, prefix: str, gaps: list[str], full_width: bool
) -> None:
    digits = number.translate({ord("0") + n: ord("０") + n for n in range(10)}) if full_width else number
    written = prefix + "".join(digit + gap for digit, gap in zip(digits, gaps, strict=True))
    assert phones.normalise(written) == number
    assert phones.normalise(float(number)) == number


@given(st.text(max_size=70))
def test_anything_else_is_refused_and_never_read_wrong(written: str) -> None:
    try:
        number = phones.normalise(written)
    except InvalidText:
        return
    assert re.fullmatch(r"1[3-9][0-9]{9}", number)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("057188880000", "0571-88880000"),
        ("0571 8888 0000", "0571-88880000"),
        ("（0571）8888-0000", "0571-88880000"),
        ("+86 571 88880000", "0571-88880000"),
        ("０１０－65550000", "010-65550000"),
        ("0898-6550000", "0898-6550000"),
        ("88880000", "88880000"),
        ("0571-88880000-801", "0571-88880000转801"),
        ("0571-88880000转801", "0571-88880000转801"),
        ("4008008800", "400-800-8800"),
    ],
)
def test_fixed_lines_for_display(written: str, shown: str) -> None:
    assert phones.normalise_landline(written) == shown
    assert phones.normalise_landline(shown) == shown


@pytest.mark.parametrize(
    "written", ["", "110", "13800000001", "0571-1888000", "0000-88880000", "abc", "9" * 80]
)
def test_what_is_no_fixed_line_is_refused(written: str) -> None:
    with pytest.raises(InvalidText) as refused:
        phones.normalise_landline(written)
    assert refused.value.code == "LANDLINE_INVALID"


def test_masks_and_tails() -> None:
    assert phones.mask("13800000001") == "138****0001"
    assert phones.mask("0571-88880000") == "****00"
    assert phones.mask("12345") == "****"
    assert phones.tail("13800000001") == "0001"
    assert phones.tail("13800000001", 6) == "000001"
