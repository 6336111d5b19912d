"""Number plates (号牌) of motor vehicles by GA 36-2018, and those of e-bikes, which each city makes its own."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from domains.kernel.text import InvalidText

Kind = Literal["car", "ebike"]
Flag = Literal["stolen", "cloned"]

_PROVINCE = "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"
# I and O are never in a serial, where they would be read as 1 and 0.
_SERIAL = "[A-HJ-NP-Z0-9]"
_ENERGY = "[A-HJK]"
"""D A B C E: battery; F G H J K: any other new energy."""

_SHAPES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (rf"{_PROVINCE}[A-Z]{_ENERGY}{_SERIAL}[0-9]{{4}}", ("green",)),
    (rf"{_PROVINCE}[A-Z][0-9]{{5}}{_ENERGY}", ("green", "yellow")),
    (rf"{_PROVINCE}[A-Z](?=.*[0-9]){_SERIAL}{{5}}", ("blue", "yellow", "black")),
    (rf"{_PROVINCE}[A-Z]{_SERIAL}{{4}}(?:学|挂)", ("yellow",)),
    (rf"{_PROVINCE}[A-Z]{_SERIAL}{{4}}警", ("white",)),
    (rf"粤Z{_SERIAL}{{4}}[港澳]", ("black",)),
    (rf"{_PROVINCE}[A-Z]{_SERIAL}{{4}}领|使[0-9]{{6}}|[0-9]{{6}}使", ("black",)),
    (rf"WJ{_PROVINCE}?{_SERIAL}{{5}}|[VZHKLENSBCGJ][A-Z][0-9]{{5}}", ("white",)),
)
_CAR_PLATES = tuple((re.compile(shape), colours) for shape, colours in _SHAPES)
_EBIKE_PLATE = re.compile(r"(?=.*[0-9])[A-Z0-9一-鿿]{4,12}")
_SEPARATORS = re.compile(r"[\s\-·•‧・.—_]")
_LONGEST_WRITTEN = 40


@dataclass(frozen=True, slots=True)
class Plate:
    """A plate in capitals without separators, and its colour; an e-bike's has none."""

    number: str
    colour: str


def normalise(written: str) -> str:
    """Capitals, half-width, without the dot, blanks and dashes: "浙a·12345" → "浙A12345"."""
    folded = unicodedata.normalize("NFKC", written[:_LONGEST_WRITTEN]).upper()
    return _SEPARATORS.sub("", folded)


def read(kind: Kind, written: str, colour: str | None = None) -> Plate:
    """The plate of a vehicle of `kind`. A colour that is not given is what the shape mostly has.

    Raises InvalidText: PLATE_INVALID, PLATE_COLOUR_CONFLICT.
    """
    number = normalise(written)
    if kind == "ebike":
        if not _EBIKE_PLATE.fullmatch(number):
            raise InvalidText(
                "PLATE_INVALID", "电动自行车号牌应为 4 到 12 位汉字、字母和数字,请对照号牌检查", "plate"
            )
        return Plate(number, "")
    possible = next((colours for shape, colours in _CAR_PLATES if shape.fullmatch(number)), None)
    if possible is None:
        raise InvalidText("PLATE_INVALID", "车牌号不正确,请对照号牌检查,例如 浙A12345、浙AD12345", "plate")
    if colour is not None and colour not in possible:
        raise InvalidText("PLATE_COLOUR_CONFLICT", "车牌号与号牌颜色不一致,请核对后重新选择", "plate_colour")
    return Plate(number, colour or possible[0])
