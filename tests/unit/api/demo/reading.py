from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from itertools import zip_longest
from typing import Any

from openpyxl import load_workbook

from api.demo.workbook import Sheet

Row = dict[str, Any]  # Any: a cell holds text, a number, a date or nothing
House = tuple[str, str, str]

REGISTER_DAY = date(2026, 10, 1)


@dataclass(frozen=True)
class Register:
    buildings: list[Row]
    houses: list[Row]
    people: list[Row]
    vehicles: list[Row]

    def living(self) -> dict[House, list[Row]]:
        """Who lives in each house; owners who live elsewhere are left out."""
        homes: dict[House, list[Row]] = defaultdict(list)
        for row in self.people:
            if row["入住日期"]:
                homes[house(row)].append(row)
        return homes


def house(row: Row) -> House:
    return row["楼栋"], row["单元"], row["房号"]


def years(row: Row) -> int:
    born: date = row["出生日期"]
    return REGISTER_DAY.year - born.year - ((born.month, born.day) > (10, 1))


def of_sheets(sheets: Iterable[Sheet]) -> Register:
    """The register as it was made, decimals and all."""
    return Register(*([dict(zip(sheet.header, row, strict=True)) for row in sheet.rows] for sheet in sheets))


def of_workbook(data: bytes) -> Register:
    """The register as a reader of Excel files sees it."""
    book = load_workbook(BytesIO(data), read_only=True)
    assert book.sheetnames == ["楼栋", "房屋", "住户", "车辆"]
    return Register(*(_rows(book[name].iter_rows(values_only=True)) for name in book.sheetnames))


def _rows(rows: Iterator[tuple[object, ...]]) -> list[Row]:
    header = [str(name) for name in next(rows)]
    # A row ends at its last cell with a value.
    return [dict(zip_longest(header, map(_plain, row))) for row in rows]


def _plain(value: object) -> object:
    return value.date() if isinstance(value, datetime) else value
