"""The lines of data under a header (数据行): notes and sums left out, values once per group filled."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from domains.estate.places import building_key, building_named_in, fold, unit_key
from domains.residents.register.fields import REPEATABLE, Field
from domains.residents.register.mapping import Column, Heading
from domains.residents.register.workbook import Cell, Sheet, SheetRow
from domains.residents.register.worksheet import Broken

EXAMPLE_MARK = "示例"

_TOTAL = re.compile(r"(本页|本栋|全部|总)?(合计|总计|小计|共计|累计)")
_FOOTER = re.compile(
    r"(制表|填表|填报|审核|审批|复核|经办|负责|主管|签字|签名|盖章|打印|统计|日期|注|备注|说明|填写说明|截止|截至)"
    r"(人|员|时间|日期|单位|部门)?([:(0-9]|$)"
    r"|以上|本表|※|第[0-9]+页|共[0-9]+[页户套条]"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One row of data: its fields' cells, and those of them that a merged range brought here from above."""

    sheet: str
    number: int
    cells: dict[Field, Cell]
    headers: dict[Field, str]
    merged: frozenset[Field] = frozenset()

    def text(self, wanted: Field) -> str:
        """The cell as one plain text, blank for a missing cell."""
        cell = self.cells.get(wanted)
        return "" if cell is None else str(cell)


@dataclass(slots=True)
class _Reader:
    sheet: Sheet
    heading: Heading
    columns: list[Column] = field(init=False)
    headers: dict[Field, str] = field(init=False)
    titles: dict[int, set[str]] = field(init=False)
    written: set[Cell] = field(default_factory=set)
    section: str = ""

    def __post_init__(self) -> None:
        self.columns = [column for column in self.heading.columns if column.field]
        self.headers = {column.field: column.header for column in reversed(self.columns) if column.field}

        self.titles = {column.number: set() for column in self.columns}
        for row in self.sheet.rows:
            if self.heading.first_row <= row.number <= self.heading.last_row:
                for column in self.titles.keys() & row.cells.keys():
                    self.titles[column].add(_squeezed(row.cells[column]))
                    self.written.add(row.cells[column])

    def lines(self) -> Iterator[Line]:
        for row in self.sheet.rows:
            if row.number <= self.heading.last_row or not self._has_data(row):
                continue
            if named := _section(row):
                self.section = named
            elif not (_is_total(row) or self._is_footer(row) or self._is_header(row) or _is_example(row)):
                yield self._line(row)

    def _has_data(self, row: SheetRow) -> bool:
        own = row.own()
        return any(column.number in own for column in self.columns)

    def _is_header(self, row: SheetRow) -> bool:
        """A header repeated on a later page (重复表头)."""
        if self.written.isdisjoint(row.cells.values()):
            return False
        own = {column: cell for column, cell in row.cells.items() if column in self.titles}
        same = sum(1 for column, cell in own.items() if _squeezed(cell) in self.titles[column])
        return same >= 2 and same * 2 >= len(own)

    def _is_footer(self, row: SheetRow) -> bool:
        first = fold(str(next(iter(row.cells.values()))))
        room = next((column.number for column in self.columns if column.field is Field.ROOM), 0)
        alone = len({str(cell) for cell in row.cells.values()}) == 1
        no_room = room not in row.cells or alone or fold(str(row.cells[room])) == first
        return no_room and (
            _FOOTER.match(first) is not None or (alone and len(row.cells) >= 4) or len(first) > 40
        )

    def _line(self, row: SheetRow) -> Line:
        cells: dict[Field, Cell] = {}
        merged: set[Field] = set()
        for column in self.columns:
            cell = row.cells.get(column.number)
            if column.field is None or cell is None:
                continue
            if column.field in cells and column.field in REPEATABLE:
                cells[column.field] = _both(cells[column.field], cell)
            else:
                cells[column.field] = cell
            if column.number in row.merged:
                merged.add(column.field)
        if self.section and Field.BUILDING not in cells:
            cells[Field.BUILDING] = self.section
        return Line(self.sheet.name, row.number, cells, self.headers, frozenset(merged))


def read_lines(sheet: Sheet, heading: Heading) -> list[Line]:
    """The data of a sheet, buildings and units filled downwards where that plainly is their habit."""
    lines = list(_Reader(sheet, heading).lines())
    lines = _filled(lines, Field.BUILDING)
    return _filled(lines, Field.UNIT) if _follows_habit(lines, Field.UNIT) else lines


def _filled(lines: list[Line], wanted: Field) -> list[Line]:
    if not _follows_habit(lines, wanted):
        return lines
    filled: list[Line] = []
    last: Cell | None = None
    building = ""
    for line in lines:
        here = building_key(line.text(Field.BUILDING))
        if wanted is Field.UNIT and here != building:
            last = None
        building = here
        last = line.cells.get(wanted, last)
        filled.append(replace(line, cells={**line.cells, wanted: last}) if last is not None else line)
    return filled


def _follows_habit(lines: list[Line], wanted: Field) -> bool:
    """Written once per group: mostly blank, the first line filled, never the same value twice in a row.

    Anything else is a column with holes, and guessing what belongs in a hole would move houses.
    """
    written = [line for line in lines if wanted in line.cells]
    if not written or len(written) * 2 > len(lines) or wanted not in lines[0].cells:
        return False
    if any(wanted in line.merged for line in written):
        return False
    if wanted is Field.BUILDING:
        keys = [(building_key(line.text(Field.BUILDING)), "") for line in written]
    else:
        keys = [
            (building_key(line.text(Field.BUILDING)), unit_key(line.text(Field.UNIT))) for line in written
        ]
    return all(before != after for before, after in pairwise(keys))


def _squeezed(cell: Cell) -> str:
    return "".join(cell.split()) if isinstance(cell, str) else ""


def _section(row: SheetRow) -> str | None:
    """A line that holds nothing but a building's name heads the lines under it (楼栋分隔行)."""
    texts = {str(cell) for cell in row.cells.values() if isinstance(cell, str)}
    if len(texts) != 1 or any(not isinstance(cell, str) for cell in row.cells.values()):
        return None
    (text,) = texts
    folded = fold(text)
    named = building_named_in(text)
    return named if named and len(folded) <= 12 and folded.endswith(("楼", "栋", "幢", "座", "#")) else None


def _is_total(row: SheetRow) -> bool:
    """A line of sums: one of its first texts is 合计 or the like."""
    texts = [fold(cell) for cell in row.cells.values() if isinstance(cell, str)][:3]
    return any(_TOTAL.match(text) for text in texts)


def _is_example(row: SheetRow) -> bool:
    first = next(iter(row.cells.values()))
    return isinstance(first, str) and first.strip().startswith(EXAMPLE_MARK)


def _both(first: Cell, second: Cell) -> Cell:
    if isinstance(first, Broken):
        return first
    return second if isinstance(second, Broken) else f"{first}\n{second}"
