"""Between rows and between sheets: doubles, contradictions, co-owners, and houses the file does not know."""

from __future__ import annotations

from datetime import date

import pytest

from domains.kernel.documents import Sex
from domains.residents.register.problems import KEPT_ERRORS
from domains.residents.register.reading import Register, read_register
from domains.residents.register.rows import Capacity, Population, VehicleKind
from tests.unit.residents.register.workbooks import (
    HEADER,
    Value,
    body,
    codes,
    fill,
    house,
    read,
    read_house_rows,
    workbook,
)

PEOPLE = ("楼栋", "单元", "房号", "姓名", "与房屋关系", "性别", "联系电话", "证件号码", "人口类别", "标签")


def with_sheet(name: str, *rows: tuple[Value, ...]) -> Register:
    book = workbook([HEADER, house()])
    fill(book, name, rows)
    return read_register(body(book))


def test_a_house_listed_twice_names_both_rows() -> None:
    register = read_house_rows(house(owner="张三"), house("102"), house(owner="李四"))
    assert codes(register) == [(4, "房号", "HOUSE_DUPLICATE")]
    assert "第 4 行" in register.errors[0].message
    assert "第 2 行" in register.errors[0].message


def test_the_same_row_twice_names_both_rows() -> None:
    register = read_house_rows(house(note="共有"), house(note="共有"))
    assert codes(register) == [(3, "房号", "HOUSE_DUPLICATE")]


def test_a_house_with_two_areas_names_both_rows() -> None:
    register = read_house_rows(house(owner="张三", note="共有"), house(area=90, owner="李四", note="共有"))
    assert codes(register) == [(3, "房号", "HOUSE_CONFLICT")]
    assert "第 2 行" in register.errors[0].message


def test_a_house_on_two_sheets_names_the_other_sheet() -> None:
    book = workbook([HEADER, house()])
    fill(book, "又一张", [HEADER, house()])
    register = read_register(body(book))
    assert register.errors[0].sheet == "又一张"
    assert "工作表「台账」第 2 行" in register.errors[0].message


def test_co_owners_on_rows_of_one_merged_room_are_one_house() -> None:
    register = read_house_rows(
        house(owner="张三", phone="13800000001"),
        house(None, None, "李四", "13800000002", building=None, unit=None, floor=None),
        merged=["A2:A3", "B2:B3", "C2:C3", "D2:D3"],
    )
    assert codes(register) == []
    (found,) = register.houses
    assert [owner.name for owner in found.owners] == ["张三", "李四"]
    assert (found.rows, found.shared) == ((2, 3), True)


@pytest.mark.parametrize("share", ["50%", 0.5, "共同共有", "1/2"])
def test_co_owners_on_rows_that_say_so_are_one_house(share: Value) -> None:
    header = ("楼栋", "房号", "面积", "业主", "产权份额")
    register = read([header, ("1", "101", 89, "张三", share), ("1", "101", 89, "李四", share)])
    assert codes(register) == []
    assert [owner.name for owner in register.houses[0].owners] == ["张三", "李四"]


def test_people_of_houses_in_the_file_and_of_houses_that_must_exist_already() -> None:
    register = with_sheet(
        "人员",
        PEOPLE,
        ("1栋", "1", "101室", "李四", "妻子", "女", 13800000001, None, "户籍人口", "独居、党员"),
        ("9栋", "1", "101", "王五", "租客", None, None, "11010519491231002X", "流动人口", None),
    )
    assert codes(register) == []
    first, second = register.people
    assert (first.capacity, first.sex, first.tags) == (Capacity.FAMILY, Sex.FEMALE, ("独居", "党员"))
    assert (first.needs_existing_house, first.population) == (False, Population.PERMANENT)
    assert (second.capacity, second.needs_existing_house) == (Capacity.TENANT, True)
    assert (second.born_on, second.sex) == (date(1949, 12, 31), Sex.FEMALE)


@pytest.mark.parametrize(
    ("relation", "capacity"),
    [
        *((word, Capacity.OWNER) for word in ("业主", "户主", "本人", "产权人")),
        *((word, Capacity.FAMILY) for word in ("家属", "配偶", "子女", "父母", "儿 子")),
        *((word, Capacity.TENANT) for word in ("租户", "租客", "承租人")),
    ],
)
def test_a_relation_becomes_a_capacity(relation: str, capacity: Capacity) -> None:
    register = with_sheet("人员", PEOPLE, ("1", "1", "101", "李四", relation))
    assert register.people[0].capacity is capacity


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        (("1", "1", "101", "李四", "邻居"), "与房屋关系", "CHOICE_UNKNOWN"),
        (("1", "1", "101", "李四", None), "与房屋关系", "CELL_MISSING"),
        (("1", "1", "101", None, "业主", "男"), "姓名", "CELL_MISSING"),
        (("1", "1", None, "李四", "业主"), "房号", "CELL_MISSING"),
        (("1", "1", "101", "李四", "业主", "?"), "性别", "CHOICE_UNKNOWN"),
    ],
)
def test_a_wrong_person_is_named(row: tuple[Value, ...], column: str, code: str) -> None:
    register = with_sheet("人员", PEOPLE, row)
    assert codes(register) == [(2, column, code)]
    assert register.people == ()


def test_a_person_listed_twice_names_both_rows() -> None:
    row = ("1", "1", "101", "李四", "业主")
    assert codes(with_sheet("人员", PEOPLE, row, row)) == [(3, "姓名", "PERSON_DUPLICATE")]


def test_the_header_or_the_sheet_tells_the_capacity_where_no_column_does() -> None:
    owners = with_sheet("名单", ("楼栋", "单元", "房号", "业主姓名"), ("1", "1", "101", "李四"))
    tenants = with_sheet("租户名单", ("楼栋", "单元", "房号", "姓名"), ("1", "1", "101", "李四"))
    nobody = with_sheet("名单", ("楼栋", "单元", "房号", "姓名"), ("1", "1", "101", "李四"))
    assert owners.people[0].capacity is Capacity.OWNER
    assert tenants.people[0].capacity is Capacity.TENANT
    assert codes(nobody) == [(1, "与房屋关系", "COLUMN_MISSING")]


def test_a_birth_date_must_agree_with_the_document() -> None:
    header = ("楼栋", "单元", "房号", "姓名", "关系", "出生日期", "身份证号")
    row = ("1", "1", "101", "李四", "业主", "1950-01-01", "11010519491231002X")
    assert codes(with_sheet("人员", header, row)) == [(2, "出生日期", "BIRTH_CONFLICT")]


VEHICLES = ("楼栋", "单元", "房号", "车主", "车牌号", "车辆类型", "颜色")


def test_vehicles_are_cars_and_e_bikes() -> None:
    register = with_sheet(
        "车辆",
        VEHICLES,
        ("1", "1", "101", "张三", "浙A12345", "小汽车", "白"),
        ("1", "1", "101", "张三", "杭州 A00001", "电动车", None),
    )
    assert [(found.plate, found.kind) for found in register.vehicles] == [
        ("浙A12345", VehicleKind.CAR),
        ("杭州A00001", VehicleKind.EBIKE),
    ]


def test_a_plate_listed_twice_names_both_rows() -> None:
    row = ("1", "1", "101", "张三", "浙A12345", None, None)
    assert codes(with_sheet("车辆", VEHICLES, row, row)) == [(3, "车牌号", "VEHICLE_DUPLICATE")]


def test_buildings_carry_their_particulars() -> None:
    header = ("楼栋", "楼栋编码", "建成年份", "结构", "高度(m)", "建筑面积(㎡)", "使用年限", "经度", "纬度")
    register = with_sheet(
        "楼栋", header, ("1幢", "B1", "2018年", "框架", "52.5米", 12000, "70年", 120.1551, 30.27)
    )
    assert codes(register) == []
    (building,) = register.buildings
    assert (building.built_year, building.service_life_years) == (2018, 70)
    assert [str(value) for value in (building.height_m, building.longitude)] == ["52.50", "120.155100"]


def test_a_building_listed_twice_and_a_wrong_position_are_named() -> None:
    header = ("楼栋", "结构", "经度", "建成年份")
    register = with_sheet(
        "楼栋", header, ("1幢", "框架", 1, 2018), ("1#", "框架", 1, 2018), ("2幢", "框架", 999, "很久以前")
    )
    assert codes(register) == [
        (3, "楼栋", "BUILDING_DUPLICATE"),
        (4, "建成年份", "NUMBER_INVALID"),
        (4, "经度", "NUMBER_RANGE"),
    ]


def test_of_very_many_errors_the_first_are_kept_and_all_are_counted() -> None:
    register = read_house_rows(*(house(str(room), None) for room in range(1001, 1001 + KEPT_ERRORS + 20)))
    assert len(register.errors) == KEPT_ERRORS
    assert register.error_count == KEPT_ERRORS + 20
