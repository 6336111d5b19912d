"""Cells as companies fill them: each is read as what it means, or refused with what to do."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from domains.kernel.documents import Kind
from domains.residents.register.rows import HouseStatus
from tests.unit.residents.register.workbooks import Value, codes, house, read, read_house_rows, rooms


@pytest.mark.parametrize(
    "written", ["1号楼", "1栋", "1幢", "1#", "１号楼", "1", 1, "一号楼", "第一栋", "01栋", "1#楼", " 1 号楼 "]
)
def test_a_building_is_the_same_however_it_is_written(written: Value) -> None:
    register = read_house_rows(house("101"), house("102", building=written))
    assert rooms(register) == [("1", "1", "101"), ("1", "1", "102")]
    assert {found.place.building for found in register.houses} == {"1号楼"}


@pytest.mark.parametrize("written", ["1单元", "1", 1, "一单元", "１单元", "01单元", "1 单元"])
def test_a_unit_is_the_same_however_it_is_written(written: Value) -> None:
    assert rooms(read_house_rows(house(unit=written))) == [("1", "1", "101")]


@pytest.mark.parametrize("written", ["101", 101, 101.0, "101.0", "１０１", "101室", "101 号", "0101"])
def test_a_room_is_the_same_however_it_is_written(written: Value) -> None:
    assert rooms(read_house_rows(house(written))) == [("1", "1", "101")]


@pytest.mark.parametrize(
    ("written", "area"),
    [
        (89.5, "89.50"),
        ("89.50㎡", "89.50"),
        ("８９．５", "89.50"),
        ("89.5 平方米", "89.50"),
        ("1,089.5m²", "1089.50"),
        (89.49999999999999, "89.50"),
        (89.555, "89.56"),
    ],
)
def test_an_area_is_read_in_square_metres(written: Value, area: str) -> None:
    assert str(read_house_rows(house(area=written)).houses[0].area) == area


@pytest.mark.parametrize(
    ("written", "code"),
    [
        (None, "CELL_MISSING"),
        ("/", "CELL_MISSING"),
        (0, "AREA_INVALID"),
        (-3, "AREA_INVALID"),
        (0.001, "AREA_INVALID"),
        (1_000_000, "AREA_INVALID"),
        ("约九十", "NUMBER_INVALID"),
        ("89.5.1", "NUMBER_INVALID"),
        ("1e5", "NUMBER_INVALID"),
        (date(2020, 1, 1), "CELL_BECAME_DATE"),
        ("=60+29.5", "CELL_FORMULA"),
        ("#N/A", "CELL_ERROR"),
    ],
)
def test_a_wrong_area_is_named(written: Value, code: str) -> None:
    register = read_house_rows(house(area=written))
    assert codes(register) == [(2, "建筑面积(㎡)", code)]
    assert register.errors[0].message.startswith("第 2 行「建筑面积(㎡)」")
    assert register.houses == ()


@pytest.mark.parametrize(
    "written",
    [
        date(2019, 3, 15),
        datetime(2019, 3, 15, 8),  # noqa: DTZ001 - Excel's dates have no time zone
        "2019.3.15",
        "2019年3月15日",
        "2019-03-15",
        "2019/3/15",
        "20190315",
        20190315,
        43539,
        "43539",
        "2019-03-15 00:00:00",
        "２０１９．３．１５",
    ],
)
def test_a_date_is_read_however_it_is_written(written: Value) -> None:
    register = read([("楼栋", "房号", "面积", "交房日期"), ("1", "101", 89, written)])
    assert codes(register) == []
    assert register.houses[0].delivered_on == date(2019, 3, 15)


@pytest.mark.parametrize("written", ["2019-02-30", "2019.3", 2019.3, "去年", "0019-01-01", 99999999])
def test_what_is_no_date_is_refused(written: Value) -> None:
    register = read([("楼栋", "房号", "面积", "交房日期"), ("1", "101", 89, written)])
    assert codes(register) == [(2, "交房日期", "DATE_INVALID")]


@pytest.mark.parametrize(
    "written", ["张三、李四", "张三,李四", "张三，李四", "张三/李四", "张三\n李四", "张三 李四", "张三；李四"]
)
def test_several_owners_share_a_cell(written: str) -> None:
    owners = read_house_rows(house(owner=written, phone="13800000001、13800000002")).houses[0].owners
    assert [(owner.name, owner.phone) for owner in owners] == [
        ("张三", "13800000001"),
        ("李四", "13800000002"),
    ]


def test_fewer_phones_than_owners_go_to_the_first() -> None:
    owners = read_house_rows(house(owner="张三、李四", phone="13800000001")).houses[0].owners
    assert [owner.phone for owner in owners] == ["13800000001", None]


def test_more_phones_than_owners_cannot_be_told_apart() -> None:
    phones = "13800000001、13800000002、13800000003"
    assert codes(read_house_rows(house(owner="张三、李四", phone=phones))) == [
        (2, "联系电话", "PHONES_UNCLEAR")
    ]


def test_a_padded_name_is_one_name() -> None:
    owners = read_house_rows(house(owner="张　三")).houses[0].owners
    assert [owner.name for owner in owners] == ["张三"]


@pytest.mark.parametrize(
    ("written", "phones"),
    [
        (13800000001, ["13800000001"]),
        ("13800000001.0", ["13800000001"]),
        ("138 0000 0001", ["13800000001"]),
        ("+86-13800000001", ["13800000001"]),
        ("13800000001/13900000002", ["13800000001", "13900000002"]),
        ("13800000001 13900000002", ["13800000001", "13900000002"]),
        ("13800000001（本人）\n0571-88880000", ["13800000001", "0571-88880000"]),
    ],
)
def test_a_phone_cell_is_read_however_it_is_written(written: Value, phones: list[str]) -> None:
    (owner,) = read_house_rows(house(phone=written)).houses[0].owners
    assert [owner.phone, *owner.other_phones] == phones


@pytest.mark.parametrize("written", ["12345", "1380000000", "没电话", "13800000001、123"])
def test_a_bad_phone_is_named(written: Value) -> None:
    assert codes(read_house_rows(house(phone=written))) == [(2, "联系电话", "PHONE_INVALID")]


def test_a_phone_without_an_owner_is_asked_about() -> None:
    register = read_house_rows(house(owner=None, phone="13800000001"))
    assert codes(register) == [(2, "联系电话", "CONTACT_WITHOUT_NAME")]


@pytest.mark.parametrize("nothing", ["无", "-", "/", "暂无", " ", "—"])
def test_a_mark_for_nothing_is_nothing(nothing: str) -> None:
    register = read_house_rows(house(owner=nothing, phone=nothing, note=nothing))
    assert codes(register) == []
    assert (register.houses[0].owners, register.houses[0].note) == ((), None)


@pytest.mark.parametrize(
    "markup", ["<script>alert(1)</script>", "=cmd|'/c calc'!A0", "张\x7f三", "@SUM(1)", "123"]
)
def test_markup_in_a_name_is_refused(markup: str) -> None:
    register = read_house_rows(house(owner=markup))
    assert register.error_count == 1
    assert register.errors[0].column == "业主姓名"
    assert register.errors[0].value.isprintable()


def test_markup_in_a_note_is_refused() -> None:
    assert codes(read_house_rows(house(note="<img src=x>"))) == [(2, "备注", "TEXT_MARKUP")]


@pytest.mark.parametrize(
    ("note", "status"),
    [
        ("未售", HouseStatus.UNSOLD),
        ("空置", HouseStatus.VACANT),
        ("出租", HouseStatus.RENTED),
        ("已出租给公司", HouseStatus.RENTED),
        ("自住", HouseStatus.OWNER_OCCUPIED),
        ("未出租", HouseStatus.OWNER_OCCUPIED),
        ("未入住", HouseStatus.VACANT),
        ("已交房", None),
        (None, None),
    ],
)
def test_the_note_tells_how_a_house_is_used(note: str | None, status: HouseStatus | None) -> None:
    assert read_house_rows(house(note=note)).houses[0].status is status


def test_unsold_in_place_of_an_owner_is_a_status_and_no_name() -> None:
    (found,) = read_house_rows(house(owner="未售")).houses
    assert (found.owners, found.status) == ((), HouseStatus.UNSOLD)


@pytest.mark.parametrize(
    ("written", "floor"), [(3, 3), ("3层", 3), ("3F", 3), ("B1", -1), ("负一", None), (-1, -1)]
)
def test_floors_above_and_below_ground(written: Value, floor: int | None) -> None:
    register = read_house_rows(house(floor=written))
    assert [found.floor for found in register.houses] == ([] if floor is None else [floor])


def test_a_room_that_excel_made_a_date_of_is_explained() -> None:
    register = read_house_rows(house(date(2026, 1, 1)))
    assert codes(register) == [(2, "房号", "CELL_BECAME_DATE")]
    assert "文本" in register.errors[0].message


def test_inner_area_cannot_exceed_the_area() -> None:
    register = read([("楼栋", "房号", "面积", "套内面积"), ("1", "101", 89, 90)])
    assert codes(register) == [(2, "套内面积", "INNER_AREA_EXCEEDS")]


DOCUMENTS = ("楼栋", "房号", "面积", "业主", "证件类型", "证件号码")


def test_documents_are_checked_and_paired_with_their_owners() -> None:
    numbers = "11010519491231002X、E12345678"
    register = read([DOCUMENTS, ("1", "101", 89, "张三、李四", "身份证、护照", numbers)])
    owners = register.houses[0].owners
    assert [(owner.document_kind, owner.document_number) for owner in owners] == [
        (Kind.RESIDENT_ID, "11010519491231002X"),
        (Kind.PASSPORT, "E12345678"),
    ]


@pytest.mark.parametrize(
    ("kind", "number", "code"),
    [
        ("身份证", "110105194912310021", "DOCUMENT_CHECK_DIGIT"),
        (None, 110105194912310020, "DOCUMENT_NUMBER_LOST_DIGITS"),
        ("身份证", "123", "DOCUMENT_NUMBER_INVALID"),
        ("驾驶证", "110105", "DOCUMENT_KIND_UNKNOWN"),
    ],
)
def test_a_wrong_document_is_named(kind: Value, number: Value, code: str) -> None:
    register = read([DOCUMENTS, ("1", "101", 89, "张三", kind, number)])
    assert code in [found for _, _, found in codes(register)]
    assert register.houses == ()


@pytest.mark.parametrize(
    "written", ["浙A12345", "浙 A·12345", "浙AD12345", "浙a12345", "浙A12345、浙AD12345"]
)
def test_plates_are_read(written: str) -> None:
    register = read([("楼栋", "房号", "面积", "车牌号"), ("1", "101", 89, written)])
    assert register.houses[0].plates[0] in {"浙A12345", "浙AD12345"}


def test_a_wrong_plate_is_named() -> None:
    register = read([("楼栋", "房号", "面积", "车牌号"), ("1", "101", 89, "A12345")])
    assert codes(register) == [(2, "车牌号", "PLATE_INVALID")]
