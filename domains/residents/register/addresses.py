"""Which house a line is about (房屋定位): by columns, a number written whole, or the sheet's name."""

from __future__ import annotations

from dataclasses import dataclass, field

from domains.estate.places import (
    Parts,
    Place,
    building_and_unit,
    building_key,
    building_named_in,
    building_shown,
    fold,
    room_key,
    room_shown,
    unit_and_room,
    unit_key,
    unit_shown,
    whole_number,
)
from domains.residents.register.cells import LineReader, words
from domains.residents.register.fields import Field
from domains.residents.register.lines import Line

_ZONE, _BUILDING, _UNIT, _ROOM = (words(most, fold=True) for most in (20, 50, 30, 60))


@dataclass(slots=True)
class Addresses:
    """Finds places, keeping the first spelling of every building and unit for display."""

    buildings: dict[str, str] = field(default_factory=dict)
    units: dict[tuple[str, str], str] = field(default_factory=dict)

    def building(self, written: str) -> tuple[str, str]:
        """A building's shown name and its identity."""
        key = building_key(written)
        return self.buildings.setdefault(key, building_shown(written)), key

    def place(self, reader: LineReader, sheet_building: str | None) -> Place | None:
        """The house of a line, or None after noting what is missing; `sheet_building` is the sheet's."""
        room = reader.take(Field.ROOM, _ROOM, required=True)
        building = reader.take(Field.BUILDING, _BUILDING) or ""
        zone = reader.take(Field.ZONE, _ZONE) or ""
        building, of_building = building_and_unit(building)
        unit = reader.take(Field.UNIT, _UNIT) or of_building
        if room is None or reader.failed:
            return None
        parts = _parts(reader.line, building, unit, room, sheet_building)
        if not parts.building:
            reader.take(Field.BUILDING, _BUILDING, required=True)
            return None
        if not _agrees(parts, building, unit):
            reader.fail(Field.ROOM, "HOUSE_NUMBER_CONFLICT", "与楼栋、单元两列不一致，请核对后改成一致")
            return None
        return self._place(_zoned(zone, parts.building), parts.unit, parts.room)

    def _place(self, building: str, unit: str, room: str) -> Place:
        shown_building, in_building = self.building(building)
        in_unit = unit_key(unit)
        shown_unit = self.units.setdefault((in_building, in_unit), unit_shown(unit))
        return Place(shown_building, shown_unit, room_shown(room), (in_building, in_unit, room_key(room)))


def names_building(line: Line) -> bool:
    """Whether a line says its building by a column or by a house number written whole."""
    return Field.BUILDING in line.cells or whole_number(line.text(Field.ROOM)) is not None


def building_of_sheet(name: str) -> str | None:
    """The building a sheet is named after (以楼栋命名的工作表)."""
    return building_named_in(name)


def _parts(line: Line, building: str, unit: str, room: str, sheet_building: str | None) -> Parts:
    """The room as written, unless a column is missing and the room says what belongs there."""
    if building and unit:
        return _repeated(building, unit, room)
    has_column = Field.BUILDING in line.headers
    if building or (sheet_building and not has_column):
        return _within_building(line, building or sheet_building or "", unit, room)
    whole = None if has_column else whole_number(room)
    return Parts(whole.building, unit or whole.unit, whole.room) if whole else Parts("", unit, room)


def _repeated(building: str, unit: str, room: str) -> Parts:
    """A room that repeats what its building and unit columns say: 1-1-101, 1栋1单元101, 1-101."""
    if room.isascii() and room.isalnum():
        return Parts(building, unit, room)
    whole, inner = whole_number(room), unit_and_room(room)
    if whole and whole.unit:
        return whole
    same_unit = inner is not None and unit_key(inner.unit) == unit_key(unit)
    return Parts(building, unit, inner.room if inner and same_unit else room)


def _within_building(line: Line, building: str, unit: str, room: str) -> Parts:
    whole = whole_number(room)
    if whole and building_key(whole.building) == building_key(building) and (whole.unit or "-" not in room):
        return Parts(building, unit or whole.unit, whole.room)
    if Field.UNIT in line.headers:
        return Parts(building, unit, room)
    inner = unit_and_room(room)
    return Parts(building, inner.unit, inner.room) if inner else Parts(building, unit, room)


def _agrees(parts: Parts, building: str, unit: str) -> bool:
    same_building = not building or building_key(parts.building) == building_key(building)
    return same_building and (not unit or unit_key(parts.unit) == unit_key(unit))


def _zoned(zone: str, building: str) -> str:
    """一期 and 二期 may both have a building 1; the phase is then part of the building's name."""
    if not zone or fold(building).startswith(fold(zone)):
        return building
    return (zone if "期" in zone or not zone.isdigit() else zone + "期") + building
