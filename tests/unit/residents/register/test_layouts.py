"""Rows as companies lay them out: merged, blank, summed up, split over sheets."""

from __future__ import annotations

import pytest

from domains.residents.register.reading import read_register
from tests.unit.residents.register.workbooks import (
    HEADER,
    Row,
    body,
    codes,
    fill,
    house,
    read,
    read_house_rows,
    rooms,
    workbook,
)


def test_a_merged_building_belongs_to_every_row_it_covers() -> None:
    register = read_house_rows(
        house("101"), house("102", building=None), house("201", building="2号楼"), merged=["A2:A3"]
    )
    assert rooms(register) == [("1", "1", "101"), ("1", "1", "102"), ("2", "1", "201")]


def test_any_column_may_be_merged() -> None:
    register = read_house_rows(
        house("101", 89.5, "张三"), house("102", None, None), merged=["E2:E3", "F2:F3", "B2:B3"]
    )
    assert codes(register) == []
    assert [found.owners[0].name for found in register.houses] == ["张三", "张三"]
    assert register.houses[1].area == register.houses[0].area


def test_blank_rows_between_are_nothing() -> None:
    register = read_house_rows(house("101"), (), (None, "  "), house("102"))
    assert codes(register) == []
    assert [found.row for found in register.houses] == [2, 5]


@pytest.mark.parametrize(
    "last",
    [
        ("合计", None, None, None, 5000),
        (None, None, "总 计", "2户", "=SUM(E2:E3)"),
        ("制表人：王五", None, None, None, "审核：赵六"),
        ("注：以上面积以房产证为准",),
        ("填表日期：2026-01-01",),
        ("本表由物业公司填写",),
    ],
)
def test_sums_and_notes_at_the_end_are_no_houses(last: tuple[str | int | None, ...]) -> None:
    register = read_house_rows(house("101"), last)
    assert codes(register) == []
    assert len(register.houses) == 1


def test_a_building_written_once_per_group_is_filled_downwards() -> None:
    rows = [house("101"), *(house(room, building=None) for room in ("102", "201"))]
    rows += [house("101", building="2号楼"), *(house(room, building=None) for room in ("102", "201"))]
    register = read_house_rows(*rows)
    assert codes(register) == []
    assert [key[0] for key in rooms(register)] == ["1", "1", "1", "2", "2", "2"]


def test_building_and_unit_written_once_per_group_are_filled_downwards() -> None:
    rows = []
    for building in ("1号楼", "2号楼"):
        for unit in ("1单元", "2单元"):
            first = building if unit == "1单元" else None
            rows += [house("101", building=first, unit=unit)]
            rows += [house(room, building=None, unit=None) for room in ("102", "201")]
    register = read_house_rows(*rows)
    assert codes(register) == []
    assert len(register.houses) == 12
    assert rooms(register)[11] == ("2", "2", "201")


def test_a_hole_in_a_filled_column_is_an_error_not_a_guess() -> None:
    register = read_house_rows(house("101"), house("102", building=None), house("201"))
    assert codes(register) == [(3, "楼栋", "CELL_MISSING")]
    assert register.errors[0].message == "第 3 行「楼栋」是空的，请填写楼栋，例如 1号楼"


def test_a_column_that_repeats_itself_is_not_filled_however_many_holes_it_has() -> None:
    rows = [house("101"), house("102")] + [house(str(room), building=None) for room in range(201, 205)]
    assert {code for _, _, code in codes(read_house_rows(*rows))} == {"CELL_MISSING"}


def test_a_sheet_per_building_takes_the_building_from_its_name() -> None:
    header = ("单元", "房号", "建筑面积", "业主")
    book = workbook([header, ("1单元", "101", 89.5, "张三")], sheet="3号楼")
    fill(book, "5栋业主台账", [header, ("1单元", "101", 89.5, "李四")])
    register = read_register(body(book))
    assert rooms(register) == [("3", "1", "101"), ("5", "1", "101")]
    assert register.houses[0].place.building == "3号楼"


def test_a_line_with_a_building_alone_heads_the_rows_under_it() -> None:
    rows = [("房号", "建筑面积", "业主"), ("1号楼",), ("101", 89, "张三"), ("2号楼",), ("101", 90, "李四")]
    register = read(rows, merged=["A2:C2", "A4:C4"])
    assert codes(register) == []
    assert rooms(register) == [("1", "", "101"), ("2", "", "101")]


def test_without_any_building_the_sheet_is_refused_once() -> None:
    register = read([("房号", "建筑面积"), ("101", 89), ("102", 90)])
    assert codes(register) == [(1, "楼栋", "COLUMN_MISSING")]


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("1-1-101", ("1", "1", "101")),
        ("1栋1单元101室", ("1", "1", "101")),
        ("1#101", ("1", "", "101")),
        ("1号楼2单元301", ("1", "2", "301")),
        ("3-1202", ("3", "", "1202")),
        ("A座1202", ("A", "", "1202")),
        ("金桂苑3幢2单元501室", ("3", "2", "501")),
        ("十二栋一单元101", ("12", "1", "101")),
        ("１－２－３０１", ("1", "2", "301")),
        ("2号楼1-301", ("2", "1", "301")),
        ("一期3栋101", ("1期3", "", "101")),
    ],
)
def test_a_house_number_written_whole_is_split(written: str, key: tuple[str, str, str]) -> None:
    assert rooms(read([("房屋", "建筑面积"), (written, 89.5)])) == [key]


def test_a_room_that_holds_its_unit_is_split_when_there_is_no_unit_column() -> None:
    register = read([("楼栋", "房号", "面积"), ("1号楼", "2-101", 89), ("1号楼", "2单元102室", 89)])
    assert rooms(register) == [("1", "2", "101"), ("1", "2", "102")]


def test_a_whole_house_number_beside_its_columns_must_agree_with_them() -> None:
    header = ("楼栋", "单元", "房号", "面积")
    rooms_written = ("1-1-101", "2-1-102", "1栋1单元103", "1-104")
    register = read([header, *(("1号楼", "1单元", room, 89) for room in rooms_written)])
    assert rooms(register) == [("1", "1", "101"), ("1", "1", "103"), ("1", "1", "104")]
    assert codes(register) == [(3, "房号", "HOUSE_NUMBER_CONFLICT")]


def test_phases_keep_buildings_of_one_number_apart() -> None:
    register = read(
        [("分期", "楼栋", "房号", "面积"), ("一期", "1号楼", "101", 89), ("二期", "1号楼", "101", 89)]
    )
    assert rooms(register) == [("1期1", "", "101"), ("2期1", "", "101")]


def test_a_blank_unit_among_filled_ones_is_an_error_but_a_shop_has_none() -> None:
    register = read_house_rows(
        house("101"),
        house("102"),
        house("103", unit=None),
        house("S1", unit=None, note="商铺"),
        house("101", building="2号楼", unit=None),
    )
    assert codes(register) == [(4, "单元", "UNIT_MISSING")]


def test_two_phone_columns_serve_one_owner() -> None:
    rows: list[Row] = [
        ("楼栋", "房号", "面积", "业主", "电话1", "电话2"),
        ("1", "101", 89, "张三", 13800000001, "13800000002"),
    ]
    (owner,) = read(rows).houses[0].owners
    assert (owner.phone, owner.other_phones) == ("13800000001", ("13800000002",))


def test_a_formula_in_a_column_nobody_reads_does_no_harm() -> None:
    register = read([(*HEADER, "物业费"), (*house(), "=E2*2.5")])
    assert codes(register) == []


def test_building_and_unit_may_share_a_column() -> None:
    register = read([("楼栋/单元", "房号", "面积"), ("1栋2单元", "101", 89), ("2号楼1单元", "1-101", 89)])
    assert rooms(register) == [("1", "2", "101"), ("2", "1", "101")]


def test_a_name_with_its_running_number_and_other_columns_nobody_reads() -> None:
    header = ("序号", "楼栋", "单元", "房号", "户型", "建筑面积", "业主", "是否缴费")
    rows = [("台账",), header, (1, "1", "1", "101", "三室", 89, "张三", "是"), (2, *[None] * 7)]
    register = read(rows, merged=["A1:H1"])
    assert codes(register) == []
    assert len(register.houses) == 1


def test_a_family_under_one_merged_house() -> None:
    header = ("楼栋", "单元", "房号", "姓名", "与户主关系")
    rows = [header, ("1", "1", "101", "张三", "户主"), (None, None, None, "李四", "妻")]
    register = read(rows, merged=["A2:A3", "B2:B3", "C2:C3"])
    assert codes(register) == []
    assert [person.place.key for person in register.people] == [("1", "1", "101")] * 2
