"""What may be recorded of a building and a house."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domains.estate.facts import (
    BuildingFacts,
    HouseFacts,
    Position,
    building_columns,
    check_house,
    house_columns,
)
from domains.kernel.errors import Invalid


def test_what_is_absent_stays_and_null_clears() -> None:
    facts: BuildingFacts = {"code": None, "built_year": None, "position": None, "use": "住宅"}
    assert building_columns(facts) == {
        "code": "", "built_year": None, "use": "住宅", "latitude": None, "longitude": None,
    }  # fmt: skip
    assert building_columns({}) == {}


def test_measures_are_rounded_half_up_once() -> None:
    facts: BuildingFacts = {
        "height_m": Decimal("54.125"),
        "position": Position(Decimal("30.12345678"), Decimal(120)),
    }
    assert building_columns(facts) == {
        "height_m": Decimal("54.13"), "latitude": Decimal("30.123457"), "longitude": Decimal(120),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "code", "field"),
    [
        ({"built_year": 1899}, "NUMBER_RANGE", "built_year"),
        ({"storeys_above": 201}, "NUMBER_RANGE", "storeys_above"),
        ({"storeys_below": -1}, "NUMBER_RANGE", "storeys_below"),
        ({"height_m": Decimal("NaN")}, "NUMBER_RANGE", "height_m"),
        ({"area_m2": Decimal("Infinity")}, "NUMBER_RANGE", "area_m2"),
        ({"area_m2": Decimal("0.5")}, "NUMBER_RANGE", "area_m2"),
        ({"position": Position(Decimal("120.1"), Decimal("30.2"))}, "NUMBER_RANGE", "position.latitude"),
        ({"position": Position(Decimal("30.2"), Decimal("180.1"))}, "NUMBER_RANGE", "position.longitude"),
        ({"code": "x" * 51}, "TEXT_TOO_LONG", "code"),
        ({"police_station": "派出所\x00"}, "TEXT_INVISIBLE_CHARACTER", "police_station"),
    ],
)
def test_a_building_that_cannot_be(facts: Any, code: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        building_columns(facts)
    assert (refused.value.code, refused.value.field) == (code, field)


@pytest.mark.parametrize(
    ("facts", "code", "field"),
    [
        ({"floor": 201}, "NUMBER_RANGE", "floor"),
        ({"floor": -21}, "NUMBER_RANGE", "floor"),
        ({"built_area_m2": Decimal(0)}, "NUMBER_RANGE", "built_area_m2"),
        ({"built_area_m2": Decimal("-89")}, "NUMBER_RANGE", "built_area_m2"),
        ({"built_area_m2": Decimal("1e30")}, "NUMBER_RANGE", "built_area_m2"),
        ({"handed_over_on": date(1, 1, 1)}, "NUMBER_RANGE", "handed_over_on"),
        ({"title_document": "浙" * 61}, "TEXT_TOO_LONG", "title_document"),
    ],
)
def test_a_house_that_cannot_be(facts: Any, code: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        house_columns(facts)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_a_rented_house_is_let_unless_something_else_is_said() -> None:
    assert house_columns({"state": "rented"})["is_rented"] is True
    assert house_columns({"state": "vacant"})["is_rented"] is False
    assert house_columns({"state": "self_occupied", "is_rented": True})["is_rented"] is True
    assert "is_rented" not in house_columns({"floor": 3})


def house(**columns: object) -> dict[str, object]:
    return {
        "built_area_m2": Decimal("89.50"), "inner_area_m2": None, "state": "vacant", "is_rented": False, **columns,
    }  # fmt: skip


def test_columns_that_contradict_each_other() -> None:
    check_house(house(inner_area_m2=Decimal("89.50")))
    with pytest.raises(Invalid, match="INNER_AREA_EXCEEDS"):
        check_house(house(inner_area_m2=Decimal("89.51")))
    with pytest.raises(Invalid, match="RENTAL_CONTRADICTED"):
        check_house(house(state="rented"))
    facts: HouseFacts = {"state": "rented", "is_rented": False}
    with pytest.raises(Invalid, match="RENTAL_CONTRADICTED"):
        check_house(house(**house_columns(facts)))
