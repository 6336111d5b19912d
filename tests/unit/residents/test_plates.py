"""Number plates by their real rules."""

from __future__ import annotations

import pytest

from domains.kernel.text import InvalidText
from domains.residents import plates


@pytest.mark.parametrize(
    ("written", "number", "colour"),
    [
        ("浙A12345", "浙A12345", "blue"),
        ("浙a·1b2c3", "浙A1B2C3", "blue"),
        ("京 Q-8Z 999", "京Q8Z999", "blue"),
        ("沪Ａ８８８８８", "沪A88888", "blue"),
        ("浙AD12345", "浙AD12345", "green"),
        ("浙AF1234D".replace("D", "5"), "浙AF12345", "green"),
        ("粤B12345D", "粤B12345D", "green"),
        ("浙A1234学", "浙A1234学", "yellow"),
        ("浙A1234挂", "浙A1234挂", "yellow"),
        ("浙A1234警", "浙A1234警", "white"),
        ("粤Z1234港", "粤Z1234港", "black"),
        ("粤Z12A4澳", "粤Z12A4澳", "black"),
        ("使123456", "使123456", "black"),
        ("沪A0012领", "沪A0012领", "black"),
    ],
)
def test_a_car_plate_and_its_colour(written: str, number: str, colour: str) -> None:
    assert plates.read("car", written) == plates.Plate(number, colour)


@pytest.mark.parametrize(
    "written",
    [
        "", "A12345", "浙12345", "浙A1234", "浙A123456", "浙AABCDE", "浙AI2345", "浙A1234O", "浙AL12345", "浙A12345L",
        "鸡A12345", "浙A1234港", "浙A12345" * 40, "浙A123%5", "使12345",
    ],
)  # fmt: skip
def test_what_is_no_car_plate(written: str) -> None:
    with pytest.raises(InvalidText) as refused:
        plates.read("car", written)
    assert refused.value.code == "PLATE_INVALID"


@pytest.mark.parametrize(
    ("written", "colour", "fits"),
    [
        ("浙A12345", "yellow", True), ("浙A12345", "black", True), ("浙A12345", "green", False),
        ("浙AD12345", "blue", False), ("浙A1234学", "blue", False), ("粤B12345D", "yellow", True),
    ],
)  # fmt: skip
def test_number_and_colour_fit_each_other(written: str, colour: str, fits: bool) -> None:
    if fits:
        assert plates.read("car", written, colour).colour == colour
        return
    with pytest.raises(InvalidText) as refused:
        plates.read("car", written, colour)
    assert refused.value.code == "PLATE_COLOUR_CONFLICT"


@pytest.mark.parametrize("written", ["杭州A12345", "浙A·0123456", "1234567", "余杭 B-0001"])
def test_an_ebike_plate(written: str) -> None:
    assert plates.read("ebike", written).colour == ""


@pytest.mark.parametrize("written", ["", "123", "电动自行车", "A" * 13, "浙A<123>"])
def test_what_is_no_ebike_plate(written: str) -> None:
    with pytest.raises(InvalidText):
        plates.read("ebike", written)
