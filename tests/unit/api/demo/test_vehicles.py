from __future__ import annotations

import re
from random import Random

import pytest

from api.demo.numbers import Numbers, phone
from tests.unit.api.demo.reading import Register, house, years

_CHARACTER = "[0-9A-HJ-NP-Z]"
_PLATES = {
    "蓝色": re.compile(f"浙A{_CHARACTER}{{5}}"),
    "黄色": re.compile(f"浙A{_CHARACTER}{{5}}"),
    "绿色": re.compile(f"浙A[DF]{_CHARACTER}[0-9]{{4}}"),
    "白色": re.compile("杭州[A-HJ-NP-Z][0-9]{5}"),
}


def test_plates_have_the_form_of_their_colour(register: Register) -> None:
    for row in register.vehicles:
        assert _PLATES[row["车牌颜色"]].fullmatch(row["车牌号"])
        assert (row["车辆类型"] == "电动自行车") == (row["车牌颜色"] == "白色")
    assert {row["车牌颜色"] for row in register.vehicles} == set(_PLATES)


def test_green_plates_have_eight_characters(register: Register) -> None:
    assert {len(row["车牌号"]) for row in register.vehicles if row["车牌颜色"] == "绿色"} == {8}


def test_no_plate_is_given_twice(register: Register) -> None:
    plates = [row["车牌号"] for row in register.vehicles]
    assert len(plates) == len(set(plates))


def test_keepers_live_in_the_house_and_are_of_age(register: Register) -> None:
    homes = register.living()
    for row in register.vehicles:
        keeper = next(person for person in homes[house(row)] if person["姓名"] == row["车主"])
        assert years(keeper) >= (16 if row["车辆类型"] == "电动自行车" else 20)


def test_phones_do_not_repeat_before_the_block_is_used_up() -> None:
    numbers = Numbers(Random(0))
    assert len({numbers.phone() for _ in range(98_000)}) == 98_000
    with pytest.raises(ValueError, match="used up"):
        numbers.phone()


@pytest.mark.parametrize("ordinal", [-1, 100_000])
def test_no_phone_outside_the_block(ordinal: int) -> None:
    with pytest.raises(ValueError, match="no demo phone"):
        phone(ordinal)
