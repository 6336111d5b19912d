"""Reading a register (读取房屋台账): an Excel file's bytes in, staged rows and their errors out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from domains.residents.register import rules
from domains.residents.register.addresses import Addresses, building_of_sheet, names_building
from domains.residents.register.buildings import read_building
from domains.residents.register.fields import Field, SheetKind, title
from domains.residents.register.houses import read_house
from domains.residents.register.lines import Line, read_lines
from domains.residents.register.mapping import Column, Corrections, Heading, find_heading
from domains.residents.register.people import capacity_said_by, read_person, read_vehicle
from domains.residents.register.problems import Problems, RowError
from domains.residents.register.rows import BuildingRow, Capacity, HouseRow, PersonRow, VehicleRow
from domains.residents.register.workbook import Sheet, open_workbook


@dataclass(frozen=True, slots=True)
class SheetReading:
    """How one sheet was understood (识别结果), for a person to look over and correct.

    `header_row` counts from 1 (0: none found); `missing` are required fields without a column;
    `skipped_reason` is blank for a sheet that was read.
    """

    name: str
    kind: SheetKind | None = None
    header_row: int = 0
    columns: tuple[Column, ...] = ()
    missing: tuple[Field, ...] = ()
    rows: int = 0
    skipped_reason: str = ""


@dataclass(frozen=True, slots=True)
class Register:
    """A register as read. It may be applied only where `error_count` is 0; `errors` are the first 500."""

    sheets: tuple[SheetReading, ...]
    buildings: tuple[BuildingRow, ...]
    houses: tuple[HouseRow, ...]
    people: tuple[PersonRow, ...]
    vehicles: tuple[VehicleRow, ...]
    errors: tuple[RowError, ...]
    error_count: int


@dataclass(slots=True)
class _Reading:
    problems: Problems = field(default_factory=Problems)
    addresses: Addresses = field(default_factory=Addresses)
    buildings: list[BuildingRow] = field(default_factory=list)
    houses: list[HouseRow] = field(default_factory=list)
    people: list[PersonRow] = field(default_factory=list)
    vehicles: list[VehicleRow] = field(default_factory=list)

    def read(self, sheet: Sheet, corrections: Corrections | None) -> SheetReading:
        reason = "隐藏的工作表" if sheet.hidden else "" if sheet.rows else "空的工作表"
        heading = None if reason else find_heading(sheet, corrections)
        if heading is None or heading.kind is None:
            columns, row = (heading.columns, heading.last_row) if heading else ((), 0)
            return SheetReading(sheet.name, None, row, columns, skipped_reason=reason or "没有找到台账的表头")
        lines = read_lines(sheet, heading)
        missing = self._missing(sheet, heading, lines)
        if not missing:
            self._read_lines(sheet, heading, lines)
        return SheetReading(sheet.name, heading.kind, heading.last_row, heading.columns, missing, len(lines))

    def _missing(self, sheet: Sheet, heading: Heading, lines: list[Line]) -> tuple[Field, ...]:
        missing = list(heading.missing)
        if lines and not building_of_sheet(sheet.name) and not any(map(names_building, lines)):
            missing += [Field.BUILDING] if Field.BUILDING not in missing else []
        if heading.kind is SheetKind.PEOPLE and lines and _needs_relation(sheet, heading):
            missing.append(Field.RELATION)
        for wanted in missing:
            message = f"工作表「{sheet.name}」没有找到「{title(wanted)}」列，请补上这一列，或在列对应中指定它"
            self.problems.add(sheet.name, heading.last_row, title(wanted), "COLUMN_MISSING", message)
        return tuple(missing)

    def _read_lines(self, sheet: Sheet, heading: Heading, lines: list[Line]) -> None:
        building = building_of_sheet(sheet.name)
        if heading.kind is SheetKind.HOUSES:
            self._read_houses(lines, building)
        elif heading.kind is SheetKind.PEOPLE:
            said = _said_capacity(sheet, heading)
            read = (read_person(line, self.addresses, building, said, self.problems) for line in lines)
            self.people += [person for person in read if person]
        elif heading.kind is SheetKind.VEHICLES:
            seen = (read_vehicle(line, self.addresses, building, self.problems) for line in lines)
            self.vehicles += [vehicle for vehicle in seen if vehicle]
        else:
            built = (read_building(line, self.addresses, self.problems) for line in lines)
            self.buildings += [row for row in built if row]

    def _read_houses(self, lines: list[Line], building: str | None) -> None:
        above: HouseRow | None = None
        for line in lines:
            above = read_house(line, self.addresses, building, above, self.problems)
            if above:
                self.houses.append(above)


def read_register(data: bytes, overrides: Mapping[str, Corrections] | None = None) -> Register:
    """Read a register out of an .xlsx file.

    `overrides` corrects the recognised columns: by sheet name, column letter → field, or None to leave the
    column out. Raises RegisterUnreadable for a file that cannot be opened; whatever is wrong with a row is
    in `errors` instead.
    """
    sheets = open_workbook(data)
    reading = _Reading()
    seen = tuple(reading.read(sheet, (overrides or {}).get(sheet.name)) for sheet in sheets)
    problems = reading.problems
    if not any(sheet.kind for sheet in seen):
        message = "没有找到房屋台账：请确认表头有楼栋、房号、建筑面积等列，或下载模板填写"
        problems.add(seen[0].name if seen else "", 0, "", "REGISTER_NOT_FOUND", message)
    buildings = rules.one_row_per_building(reading.buildings, problems)
    houses = rules.one_row_per_house(reading.houses, problems)
    rules.one_style_of_units(houses, problems)
    people = rules.people_of_houses(reading.people, houses, problems)
    vehicles = rules.vehicles_of_houses(reading.vehicles, houses, problems)
    return Register(seen, buildings, houses, people, vehicles, problems.ordered(), problems.count)


def _said_capacity(sheet: Sheet, heading: Heading) -> Capacity | None:
    return capacity_said_by(heading.header_of(Field.NAME)) or capacity_said_by(sheet.name)


def _needs_relation(sheet: Sheet, heading: Heading) -> bool:
    return Field.RELATION not in heading.fields and _said_capacity(sheet, heading) is None
