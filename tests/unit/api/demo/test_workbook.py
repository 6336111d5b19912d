from __future__ import annotations

from datetime import date
from decimal import Decimal
from io import BytesIO
from zipfile import ZipFile

from openpyxl import load_workbook

from api.demo.workbook import Cell, Sheet, xlsx


def test_cells_come_back_as_they_were() -> None:
    rows: list[list[Cell]] = [
        ["<桂语里> & “银杏苑”", 12, Decimal("89.47"), date(2024, 2, 29)],
        ["0101", None, 0, date(1931, 5, 6)],
    ]
    book = load_workbook(BytesIO(xlsx([Sheet("甲&乙", ["文字", "整数", "小数", "日期"], rows)])))
    assert book.sheetnames == ["甲&乙"]
    _, first, second = book["甲&乙"].iter_rows()
    assert [cell.value for cell in first[:3]] == ["<桂语里> & “银杏苑”", 12, 89.47]
    assert [cell.value for cell in second[:3]] == ["0101", None, 0]
    assert [f"{row[3].value:%Y-%m-%d}" for row in (first, second)] == ["2024-02-29", "1931-05-06"]


def test_file_says_nothing_of_the_hour_it_was_written() -> None:
    archive = ZipFile(BytesIO(xlsx([Sheet("空", ["列"], [])])))
    assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert not [name for name in archive.namelist() if name.startswith("docProps")]
