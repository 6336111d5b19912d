"""Small registers for tests, as Excel files."""

from __future__ import annotations

import io
from collections.abc import Sequence

import openpyxl

HOUSES = (
    "楼栋",
    "单元",
    "楼层",
    "房号",
    "建筑面积(㎡)",
    "房屋状态",
    "业主姓名",
    "联系电话",
    "证件号码",
    "车牌号",
)
PEOPLE = ("楼栋", "单元", "房号", "姓名", "与房屋关系", "联系电话", "证件号码", "入住日期")

Rows = Sequence[Sequence[object]]


def register(houses: Rows = (), people: Rows = ()) -> bytes:
    """A workbook with a sheet of houses and one of people; an empty one is left out."""
    book = openpyxl.Workbook()
    del book[book.sheetnames[0]]
    for title, header, rows in (("房屋", HOUSES, houses), ("住户", PEOPLE, people)):
        if rows:
            sheet = book.create_sheet(title)
            sheet.append(header)
            for row in rows:
                sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def house(room: str, owner: str | None, phone: str | None = None, *, area: object = 89.5, document: str | None = None,
          plate: str | None = None, building: str = "1号楼") -> tuple[object, ...]:  # fmt: skip
    """A row of the houses sheet."""
    return building, "1单元", int(room[:-2]), room, area, None, owner, phone, document, plate


def person(room: str, name: str, relation: str, phone: str | None = None, document: str | None = None,
           building: str = "1号楼") -> tuple[object, ...]:  # fmt: skip
    """A row of the people sheet."""
    return building, "1单元", room, name, relation, phone, document, None
