"""Small Excel files for the tests, written the way property companies write them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date

from openpyxl import Workbook

from domains.residents.register.reading import Register, read_register

Value = str | int | float | date | None
Row = tuple[Value, ...]
Rows = Sequence[Sequence[Value]]

HEADER = ("楼栋", "单元", "楼层", "房号", "建筑面积(㎡)", "业主姓名", "联系电话", "备注")


def workbook(rows: Rows, *, sheet: str = "台账", merged: Sequence[str] = ()) -> Workbook:
    """A workbook of one sheet."""
    book = Workbook()
    fill(book, sheet, rows, merged)
    book.remove(book.worksheets[0])
    return book


def fill(book: Workbook, name: str, rows: Rows, merged: Sequence[str] = ()) -> None:
    """Add a sheet with these rows."""
    sheet = book.create_sheet(name)
    for row in rows:
        sheet.append(list(row))
    for cells in merged:
        sheet.merge_cells(cells)


def body(book: Workbook) -> bytes:
    """The workbook as a file."""
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read(rows: Rows, *, sheet: str = "台账", merged: Sequence[str] = ()) -> Register:
    """Read a register of one sheet."""
    return read_register(body(workbook(rows, sheet=sheet, merged=merged)))


def house(
    room: Value = "101",
    area: Value = 89.5,
    owner: Value = "张三",
    phone: Value = None,
    *,
    building: Value = "1号楼",
    unit: Value = "1单元",
    floor: Value = 1,
    note: Value = None,
) -> tuple[Value, ...]:
    """A row under HEADER."""
    return (building, unit, floor, room, area, owner, phone, note)


def read_house_rows(*rows: Sequence[Value], merged: Sequence[str] = ()) -> Register:
    """Read rows under HEADER."""
    return read([HEADER, *rows], merged=merged)


def codes(register: Register) -> list[tuple[int, str, str]]:
    """The errors as (row, column, code)."""
    return [(error.row, error.column, error.code) for error in register.errors]


def rooms(register: Register) -> list[tuple[str, str, str]]:
    """The identities of the houses."""
    return [house.place.key for house in register.houses]
