"""Names of buildings, units and rooms (楼栋、单元、房号): one identity for the many ways of writing them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_DIGITS = {digit: value for value, digit in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2}
_NUMERAL = re.compile(r"[〇零一二两三四五六七八九十百]+")
_BUILDING_SUFFIX = re.compile(r"(号楼|号栋|号幢|#楼|#栋|栋楼|幢楼|座楼|大楼|栋|幢|座|楼|号|#)$")
_UNIT_SUFFIX = re.compile(r"(号单元|单元|号梯|梯|号门|门|号|#)$")
_ROOM_SUFFIX = re.compile(r"(室|号房|房号|房|号|户)$")
_CAPITALS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DASHES = re.compile(r"[‐‑‒–—―−－_~～]")
_N = r"[0-9]{1,3}[A-Z]?|[A-Z][0-9]{0,3}|[〇零一二两三四五六七八九十百]{1,4}"
_R = r"[0-9A-Z]{1,8}(?:[-][0-9A-Z]{1,3})?"
_WORDED = re.compile(
    rf"(?:.*?(?P<zone>(?:[0-9]{{1,2}}|[一二三四五六七八九十]{{1,3}})期))?[^0-9A-Z〇零一二两三四五六七八九十百]{{0,20}}?"
    rf"(?P<building>(?:{_N})(?:号楼|栋|幢|座|#楼|#|号))-?(?:(?P<unit>(?:{_N})(?:单元|梯|门))-?|(?P<bare>[0-9]{{1,2}})-)?"
    rf"(?P<room>{_R})(?:室|号房|号|房|户)?"
)
_DASHED = re.compile(
    rf"(?P<building>{_N})[-/.\\](?:(?P<unit>{_N})[-/.\\])?(?P<room>[0-9A-Z]{{1,8}})(?:室|号|房|户)?"
)
_UNIT_ROOM = re.compile(
    rf"(?P<unit>(?:{_N})(?:单元|梯|门)|(?:{_N})(?=[-/]))[-/]?(?P<room>[0-9A-Z]{{1,8}})(?:室|号|房|户)?"
)
_HEADING = re.compile(
    rf"(?:.*?(?P<zone>(?:[0-9]{{1,2}}|[一二三四五六七八九十]{{1,3}})期))?.*?(?P<building>(?:{_N})(?:号楼|栋|幢|座|#楼|#))"
)
_WITH_UNIT = re.compile(r"(?P<building>.*(?:号楼|栋|幢|座|#楼|#|楼))-?(?P<unit>[^-]{1,4}(?:单元|梯))")
_NUMBER_ALONE = re.compile(r"[0-9]{1,3}[A-Z]?|[A-Z]|[一二三四五六七八九十百]{1,4}")
_BARE_NAME = re.compile(r"[0-9]{1,3}|[A-Z]")


@dataclass(frozen=True, slots=True)
class Place:
    """A house's place in the compound (房屋位置): what is shown, and the `key` that is its identity."""

    building: str
    unit: str
    room: str
    key: tuple[str, str, str]

    def __str__(self) -> str:
        return f"{self.building}{self.unit}{self.room}"


@dataclass(frozen=True, slots=True)
class Parts:
    """What a house number written whole says (整写的房号); parts it leaves out are empty."""

    building: str
    unit: str
    room: str


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Half-width capitals without blanks, one kind of dash: "１ 号 楼" → "1号楼"."""
    # Of other alphabets a capital can be longer than its letter, and a key no longer fit its column.
    folded = unicodedata.normalize("NFKC", text).translate(_CAPITALS)
    return _DASHES.sub("-", re.sub(r"\s+", "", folded))


@lru_cache(maxsize=4096)
def building_key(text: str) -> str:
    """The identity of a building (楼栋): 1号楼, 1栋, 1幢, 1#, 第一栋, 01 and １ are all "1"."""
    folded = fold(text)
    zone, mark, rest = folded.rpartition("期")
    return (_plain(zone) + mark) + _plain(_BUILDING_SUFFIX.sub("", rest.removeprefix("第")) or rest)


def building_shown(text: str) -> str:
    """A building as it is shown: as written, but 3 alone is 3号楼 and A is A座, for nobody reads 31101."""
    written = text.strip()
    if not _NUMBER_ALONE.fullmatch(fold(written)):
        return written
    return written + ("座" if written.isascii() and written.isalpha() else "号楼")


def unit_shown(text: str) -> str:
    """A unit as it is shown: as written, but 1 alone is 1单元."""
    written = text.strip()
    return f"{written}单元" if _NUMBER_ALONE.fullmatch(fold(written)) else written


@lru_cache(maxsize=4096)
def unit_key(text: str) -> str:
    """The identity of a unit (单元): 1单元, 一单元, 01 and 1 are all "1"; none is ""."""
    folded = fold(text).removeprefix("第")
    return _plain(_UNIT_SUFFIX.sub("", folded) or folded)


@lru_cache(maxsize=4096)
def room_key(text: str) -> str:
    """The identity of a room (房号): 101室, 101号, 0101 and 101.0 are all "101"."""
    return _plain(room_shown(text))


@lru_cache(maxsize=4096)
def room_shown(text: str) -> str:
    """A room as it is shown: without 室 and without the .0 of a number."""
    folded = re.sub(r"^([0-9]+)\.0+$", r"\1", fold(text))
    return _ROOM_SUFFIX.sub("", folded) or folded


def whole_number(text: str) -> Parts | None:
    """Split 1-1-101, 1栋1单元101室, 1#101 or 金桂苑3幢2-501; None for what is no whole house number."""
    folded = fold(text)
    if len(folded) > 60:
        return None
    if match := _WORDED.fullmatch(folded):
        return Parts(
            (match["zone"] or "") + match["building"], match["unit"] or match["bare"] or "", match["room"]
        )
    if match := _DASHED.fullmatch(folded):
        return Parts(match["building"], match["unit"] or "", match["room"])
    return None


def unit_and_room(text: str) -> Parts | None:
    """Split 1单元101室 or 1-101 in a register whose building stands elsewhere."""
    match = _UNIT_ROOM.fullmatch(fold(text)[:60])
    return Parts("", match["unit"], match["room"]) if match else None


def building_and_unit(text: str) -> tuple[str, str]:
    """Split 1栋2单元, written in the building's column; the unit is blank for anything else."""
    match = _WITH_UNIT.fullmatch(fold(text)[:60])
    return (match["building"], match["unit"]) if match else (text, "")


def building_named_in(text: str) -> str | None:
    """The building a sheet's name or a line between the rows speaks of: 3号楼业主台账 → 3号楼."""
    folded = fold(text[:60])
    if _BARE_NAME.fullmatch(folded):
        return folded
    match = _HEADING.match(folded)
    return (match["zone"] or "") + match["building"] if match else None


def _plain(text: str) -> str:
    if _NUMERAL.fullmatch(text):
        return str(_number(text))
    match = re.fullmatch(r"0+([0-9]+[A-Z]*)", text)
    return match[1] if match else text


def _number(numeral: str) -> int:
    """一百零二 → 102, 十二 → 12, 二〇 → 20."""
    if not set(numeral) & set("十百"):
        return int("".join(str(_DIGITS[digit]) for digit in numeral))
    total = current = 0
    for character in numeral:
        if character in "十百":
            total += (current or 1) * (10 if character == "十" else 100)
            current = 0
        else:
            current = _DIGITS[character]
    return total + current
