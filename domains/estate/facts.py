"""What staff record of buildings and houses (楼栋与房屋属性): checked facts become columns.

A fact that is absent stays as it is; one that is None is cleared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypedDict

from domains.kernel import text
from domains.kernel.errors import Invalid


@dataclass(frozen=True, slots=True)
class Position:
    """A point on the map (经纬度): degrees, GCJ-02."""

    latitude: Decimal
    longitude: Decimal


class BuildingFacts(TypedDict, total=False):
    """Facts of a building."""

    code: str | None
    built_year: int | None
    use: str | None
    structure: str | None
    storeys_above: int | None
    storeys_below: int | None
    height_m: Decimal | None
    area_m2: Decimal | None
    service_life_years: int | None
    standard_address: str | None
    police_station: str | None
    street_in_charge: str | None
    position: Position | None


class HouseFacts(TypedDict, total=False):
    """Facts of a house."""

    floor: int | None
    built_area_m2: Decimal
    inner_area_m2: Decimal | None
    use: str
    state: str
    is_rented: bool
    handed_over_on: date | None
    title_document: str | None


Columns = dict[str, Any]  # Any: values of columns

JUDGED = ("built_area_m2", "inner_area_m2", "state", "is_rented")
"""Columns of a house that must agree with each other."""

_LENGTHS = {
    "code": 50, "use": 50, "structure": 50, "standard_address": 200, "police_station": 100,
    "street_in_charge": 100, "title_document": 60,
}  # fmt: skip
_RANGES = {
    "built_year": (1900, 2100), "storeys_above": (0, 200), "storeys_below": (0, 20),
    "service_life_years": (1, 200), "floor": (-20, 200),
}  # fmt: skip
_MEASURES = {
    "height_m": (Decimal(0), Decimal(1_000)), "area_m2": (Decimal(1), Decimal(10_000_000)),
    "built_area_m2": (Decimal("0.01"), Decimal(100_000)), "inner_area_m2": (Decimal("0.01"), Decimal(100_000)),
}  # fmt: skip
_CENT, _DEGREE = Decimal("0.01"), Decimal("0.000001")


def building_columns(facts: BuildingFacts) -> Columns:
    """Columns of a building. Raises Invalid NUMBER_RANGE or a TEXT_ code with the fact as its field."""
    columns = {name: _checked(name, value) for name, value in facts.items() if name != "position"}
    if "position" in facts:
        columns |= position_columns(facts["position"])
    return columns


def house_columns(facts: HouseFacts) -> Columns:
    """Columns of a house: a rented one is marked as let (出租屋标识) unless that is said as well.

    Raises Invalid NUMBER_RANGE, RENTAL_CONTRADICTED or a TEXT_ code with the fact as its field.
    """
    # A use of a house is one of a list, of a building a text of its own.
    kept = {
        name: value
        for name, value in facts.items()
        if name in ("use", "state", "is_rented", "handed_over_on")
    }
    columns = {name: _checked(name, value) for name, value in facts.items() if name not in kept} | kept
    if (handed_over_on := facts.get("handed_over_on")) and not 1900 <= handed_over_on.year <= 2100:
        raise _out_of_range("handed_over_on", 1900, 2100)
    if "state" in facts:
        columns.setdefault("is_rented", facts["state"] == "rented")
    return columns


def check_house(whole: Mapping[str, Any]) -> None:  # Any: as Columns
    """What must hold of the JUDGED columns. Raises Invalid INNER_AREA_EXCEEDS or RENTAL_CONTRADICTED."""
    built, inner = whole["built_area_m2"], whole["inner_area_m2"]
    if inner is not None and inner > built:
        raise Invalid("INNER_AREA_EXCEEDS", "套内面积不能大于建筑面积,请核对", "inner_area_m2")
    if whole["state"] == "rented" and not whole["is_rented"]:
        raise Invalid("RENTAL_CONTRADICTED", "房屋状态为出租时,出租屋标识不能取消", "is_rented")


def _checked(name: str, value: object) -> object:
    if name in _LENGTHS:
        return text.clean(str(value or ""), max_length=_LENGTHS[name], min_length=0, field=name)
    if value is None:
        return None
    if name in _RANGES:
        return _within(name, value, *_RANGES[name])
    return _measured(name, value, *_MEASURES[name], _CENT)


def _within(name: str, value: object, low: int, high: int) -> int:
    if not isinstance(value, int) or not low <= value <= high:
        raise _out_of_range(name, low, high)
    return value


def _measured(name: str, value: object, low: Decimal, high: Decimal, step: Decimal) -> Decimal:
    """Rounded half up, once; not a number is out of every range."""
    if not isinstance(value, Decimal) or not value.is_finite() or not low <= value <= high:
        raise _out_of_range(name, low, high)
    return value.quantize(step, ROUND_HALF_UP)


def position_columns(position: Position | None) -> Columns:
    """Columns of a point, to six decimals; None clears them. Raises Invalid NUMBER_RANGE."""
    if position is None:
        return {"latitude": None, "longitude": None}
    latitude = _measured("position.latitude", position.latitude, Decimal(-90), Decimal(90), _DEGREE)
    longitude = _measured("position.longitude", position.longitude, Decimal(-180), Decimal(180), _DEGREE)
    return {"latitude": latitude, "longitude": longitude}


def _out_of_range(field: str, low: object, high: object) -> Invalid:
    return Invalid("NUMBER_RANGE", f"应在 {low} 到 {high} 之间,请检查", field)
