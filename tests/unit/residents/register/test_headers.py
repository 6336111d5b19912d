"""Headers as companies write them: every spelling finds its field, every layout its rows."""

from __future__ import annotations

import pytest
from openpyxl import Workbook

from domains.residents.register.fields import Field, SheetKind, recognise
from domains.residents.register.reading import read_register
from tests.unit.residents.register.workbooks import (
    HEADER,
    Row,
    body,
    codes,
    fill,
    house,
    read,
    rooms,
    workbook,
)

SPELLINGS = {
    Field.BUILDING: "楼栋|栋|幢|座|栋号|楼号|楼栋号（幢）|幢\n号|几号楼",
    Field.UNIT: "单元|单元号|梯|单 元",
    Field.FLOOR: "楼层|层|所在层",
    Field.ROOM: "房号|室号|门牌|房间号|户号|*房号|房 号|房号（室）",
    Field.AREA: "建筑面积（㎡）|建面|产权面积|面积|建筑面积(m²)|建筑面积\n（平方米）|房屋建筑面积：",
    Field.INNER_AREA: "套内面积|套内建筑面积（平米）|面积（套内）",
    Field.OWNER_NAME: "业主|产权人|户主|业主姓名|业 主 姓 名|业主1",
    Field.PHONE: "手机|联系电话|电话|联系方式|联系电话2|电话（业主）",
    Field.DOCUMENT_NUMBER: "身份证|证件号码|身份证号",
    Field.TENANT_PHONE: "租户电话|租客手机号码|电话（租户）",
    Field.TENANT_NAME: "租户|租客姓名",
}


@pytest.mark.parametrize(
    ("header", "field"),
    [(header, field) for field, headers in SPELLINGS.items() for header in headers.split("|")],
)
def test_a_spelling_finds_its_field(header: str, field: Field) -> None:
    found = recognise(header)
    assert found is not None
    assert found[0] is field


@pytest.mark.parametrize("header", ["紧急联系人电话", "公摊建筑面积", "序号", "物业费", "", "！", "张" * 80])
def test_what_is_no_field_of_ours_is_left_out(header: str) -> None:
    assert recognise(header) is None


def test_title_rows_above_the_header_are_passed_over() -> None:
    rows = [("幸福小区业主信息登记表",), ("制表日期：2026年1月",), (), HEADER, house()]
    register = read(rows, merged=["A1:H1"])
    assert register.sheets[0].header_row == 4
    assert rooms(register) == [("1", "1", "101")]


def test_a_header_of_two_rows_gives_each_group_its_own_columns() -> None:
    rows: list[Row] = [
        ("楼栋", "单元", "房号", "面积（㎡）", None, "业主信息", None, "租户信息", None),
        (None, None, None, "建筑面积", "套内面积", "姓名", "电话", "姓名", "联系方式"),
        ("1号楼", "1单元", "101", 89.5, 72, "张三", "13800000001", "李四", "13800000002"),
    ]
    merged = ["A1:A2", "B1:B2", "C1:C2", "D1:E1", "F1:G1", "H1:I1"]
    register = read(rows, merged=merged)
    assert codes(register) == []
    (found,) = register.houses
    assert (found.owners[0].name, found.owners[0].phone) == ("张三", "13800000001")
    assert (found.tenants[0].name, found.tenants[0].phone) == ("李四", "13800000002")
    assert str(found.inner_area) == "72.00"


def test_a_header_of_two_rows_reads_without_merged_cells_too() -> None:
    rows: list[Row] = [
        ("楼栋", "房号", "建筑面积", "租户", None),
        (None, None, None, "姓名", "电话"),
        ("1", "101", 89.5, "李四", "13800000002"),
    ]
    (found,) = read(rows).houses
    assert found.tenants[0].phone == "13800000002"


def test_a_header_repeated_on_later_pages_is_no_data() -> None:
    register = read([HEADER, house("101"), HEADER, house("102")])
    assert codes(register) == []
    assert len(register.houses) == 2


def test_the_better_of_two_rival_columns_is_taken_and_the_other_shown_as_left_out() -> None:
    register = read([("楼栋", "房号", "面积", "建筑面积"), ("1", "101", 1, 89.5)])
    assert str(register.houses[0].area) == "89.50"
    left_out = [column.header for column in register.sheets[0].columns if column.field is None]
    assert left_out == ["面积"]


def test_a_missing_required_column_is_named() -> None:
    register = read([("楼栋", "房号", "套内面积", "业主"), ("1", "101", 80, "张三")])
    assert register.sheets[0].missing == (Field.AREA,)
    assert codes(register) == [(1, "建筑面积", "COLUMN_MISSING")]
    assert register.houses == ()


def test_a_person_corrects_the_columns() -> None:
    rows: list[Row] = [("楼栋", "房号", "甲", "建筑面积"), ("1", "101", 89.5, 1)]
    data = body(workbook(rows))
    register = read_register(data, {"台账": {"C": Field.AREA}})
    assert str(register.houses[0].area) == "89.50"
    register = read_register(data, {"台账": {"D": None}})
    assert register.houses == ()


def test_a_person_names_the_columns_of_a_header_nobody_knows() -> None:
    rows: list[Row] = [("我的表",), ("甲", "乙", "丙"), ("1", "101", 89.5)]
    data = body(workbook(rows))
    assert codes(read_register(data)) == [(0, "", "REGISTER_NOT_FOUND")]
    register = read_register(data, {"台账": {"A": Field.BUILDING, "B": Field.ROOM, "C": Field.AREA}})
    assert rooms(register) == [("1", "", "101")]
    assert register.sheets[0].header_row == 2


def test_sheets_that_are_no_register_are_reported_as_skipped() -> None:
    book = workbook([HEADER, house()])
    fill(book, "空表", [])
    fill(book, "说明", [("请勿改动",), ("如有疑问请致电物业",)])
    fill(book, "旧表", [HEADER, house("102")])
    book["旧表"].sheet_state = "hidden"
    register = read_register(body(book))
    assert [bool(sheet.skipped_reason) for sheet in register.sheets] == [False, True, True, True]
    assert len(register.houses) == 1
    assert register.error_count == 0


def test_a_file_without_a_register_says_so() -> None:
    book = Workbook()
    assert codes(read_register(body(book))) == [(0, "", "REGISTER_NOT_FOUND")]


def test_the_four_kinds_of_sheets_are_told_apart() -> None:
    book = workbook([HEADER, house()])
    fill(book, "人员", [("楼栋", "单元", "房号", "姓名", "与房屋关系"), ("1", "1", "101", "李四", "配偶")])
    fill(book, "车辆", [("楼栋", "单元", "房号", "车主", "车牌号"), ("1", "1", "101", "张三", "浙A12345")])
    fill(book, "楼", [("楼栋", "结构", "层数", "地址"), ("1幢", "框架", 17, "幸福路 1 号")])
    register = read_register(body(book))
    assert codes(register) == []
    kinds = [SheetKind.HOUSES, SheetKind.PEOPLE, SheetKind.VEHICLES, SheetKind.BUILDINGS]
    assert [sheet.kind for sheet in register.sheets] == kinds
    assert register.buildings[0].floors_above == 17
    assert register.buildings[0].standard_address == "幸福路 1 号"
    assert register.buildings[0].key == register.houses[0].place.key[0]
