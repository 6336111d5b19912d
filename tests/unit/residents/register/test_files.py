"""Whole files: two real registers, the template, and everything that only pretends to be one."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from domains.residents.register.fields import SheetKind
from domains.residents.register.package import MAX_BYTES
from domains.residents.register.problems import RegisterUnreadable
from domains.residents.register.reading import read_register
from domains.residents.register.rows import HouseStatus
from domains.residents.register.template import template_workbook
from tests.unit.residents.register.workbooks import HEADER, body, codes, house, rooms, workbook

REGISTERS = Path(__file__).parents[3] / "data" / "registers"
SHEET = "xl/worksheets/sheet1.xml"


def plain() -> bytes:
    return body(workbook([HEADER, house()]))


def rewritten(data: bytes, **parts: bytes | None) -> bytes:
    """The file with parts replaced or left out; __ stands for the path's slash, _dot_ for its dot."""
    out = io.BytesIO()
    wanted = {name.replace("__", "/").replace("_dot_", "."): part for name, part in parts.items()}
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = wanted.pop(name, old.read(name))
            if part is not None:
                new.writestr(name, part)
        for name, part in wanted.items():
            new.writestr(name, part or b"")
    return out.getvalue()


def sheet_xml(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(SHEET)


def with_sheet_xml(xml: bytes) -> bytes:
    return rewritten(plain(), xl__worksheets__sheet1_dot_xml=xml)


def refused(data: bytes) -> str:
    with pytest.raises(RegisterUnreadable) as error:
        read_register(data)
    assert "请" in error.value.message
    return error.value.code


PLAIN = plain()


def test_a_real_register_loads_whole() -> None:
    register = read_register((REGISTERS / "register-jingui.xlsx").read_bytes())
    assert codes(register) == []
    assert len(register.houses) == 612
    assert {found.place.key[0] for found in register.houses} == set("123456")
    unsold = [found for found in register.houses if found.status is HouseStatus.UNSOLD]
    assert unsold
    assert all(not found.owners for found in unsold)
    assert any(found.owners and found.owners[0].phone is None for found in register.houses)
    assert register.houses[0].delivered_on == date(2019, 3, 15)


def test_a_real_register_with_defects_is_refused_with_each_named() -> None:
    register = read_register((REGISTERS / "register-defects.xlsx").read_bytes())
    assert codes(register) == [
        (5, "房号", "HOUSE_DUPLICATE"),
        (9, "建筑面积(㎡)", "CELL_MISSING"),
        (12, "建筑面积(㎡)", "NUMBER_INVALID"),
        (15, "建筑面积(㎡)", "AREA_INVALID"),
        (18, "联系电话", "PHONE_INVALID"),
        (21, "楼栋", "CELL_MISSING"),
        (25, "房号", "CELL_FORMULA"),
        (30, "业主姓名", "CELL_FORMULA"),
        (31, "业主姓名", "NAME_CHARACTER"),
    ]


def test_the_template_reads_as_empty_with_its_examples_and_without() -> None:
    data = template_workbook()
    register = read_register(data)
    assert codes(register) == []
    assert not (register.houses or register.people or register.vehicles or register.buildings)
    book = load_workbook(io.BytesIO(data))
    for sheet in book.worksheets[1:]:
        sheet.delete_rows(2, 2)
    assert codes(read_register(body(book))) == []


def test_every_column_of_the_template_is_recognised_and_its_examples_are_good_data() -> None:
    book = load_workbook(io.BytesIO(template_workbook()))
    for sheet in book.worksheets[1:]:
        for row in (2, 3):
            sheet.cell(row, 1).value = str(sheet.cell(row, 1).value).removeprefix("示例")
    register = read_register(body(book))
    assert codes(register) == []
    assert [sheet.kind for sheet in register.sheets[1:]] == list(SheetKind)
    assert all(column.field for sheet in register.sheets[1:] for column in sheet.columns)
    counts = (register.buildings, register.houses, register.people, register.vehicles)
    assert [len(rows) for rows in counts] == [2, 2, 2, 2]
    assert not any(person.needs_existing_house for person in register.people)


def test_the_template_offers_choices() -> None:
    book = load_workbook(io.BytesIO(template_workbook()))
    offered = book["人员"].data_validations.dataValidation
    assert '"业主,家属,租户"' in {choice.formula1 for choice in offered}
    assert all(len(str(choice.formula1)) <= 257 for choice in offered)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "REGISTER_EMPTY"),
        ("楼栋,房号\n1,101".encode("gbk"), "REGISTER_NOT_EXCEL"),
        (b"<html><table></table></html>", "REGISTER_NOT_EXCEL"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "REGISTER_OLD_EXCEL"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "REGISTER_ENCRYPTED",
        ),
        (b"PK\x03\x04" + bytes(100), "REGISTER_DAMAGED"),
        (b"PK" + bytes(MAX_BYTES), "REGISTER_TOO_LARGE"),
    ],
)
def test_what_is_no_workbook_is_refused(data: bytes, code: str) -> None:
    assert refused(data) == code


def test_a_zip_of_something_else_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "<a/>")
    assert refused(out.getvalue()) == "REGISTER_NOT_EXCEL"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_refused(share: float) -> None:
    data = plain()
    assert refused(data[: int(len(data) * share)]) == "REGISTER_DAMAGED"


def test_a_corrupt_part_is_refused() -> None:
    data = bytearray(plain())
    start = data.index(SHEET.encode()) + len(SHEET)
    data[start + 20 : start + 60] = bytes(40)
    assert refused(bytes(data)) == "REGISTER_DAMAGED"


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    assert refused(with_sheet_xml(b"<a>" + b" " * 20_000_000 + b"</a>")) == "REGISTER_UNSAFE"
    assert refused(with_sheet_xml(b" " * 90_000_000)) == "REGISTER_TOO_LARGE"


def test_a_file_of_very_many_parts_is_refused() -> None:
    out = io.BytesIO(plain())
    with zipfile.ZipFile(out, "a") as archive:
        for number in range(1_001):
            archive.writestr(f"xl/media/{number}.bin", b"")
    assert refused(out.getvalue()) == "REGISTER_TOO_LARGE"


@pytest.mark.parametrize(
    "entity",
    [
        b'<!ENTITY x SYSTEM "file:///etc/passwd">',
        b'<!ENTITY x SYSTEM "http://127.0.0.1:9/x">',
        b'<!ENTITY a "aaaaaaaaaa"><!ENTITY x "&a;&a;&a;&a;&a;">',
    ],
)
def test_entities_are_refused(entity: bytes) -> None:
    xml = sheet_xml(plain()).replace("张三".encode(), b"&x;")
    assert refused(with_sheet_xml(b"<!DOCTYPE w [" + entity + b"]>" + xml)) == "REGISTER_UNSAFE"


def test_twenty_thousand_columns_are_refused() -> None:
    cells = b"".join(b'<c t="inlineStr"><is><t>x</t></is></c>' for _ in range(20_000))
    xml = b"<worksheet><sheetData><row>" + cells + b"</row></sheetData></worksheet>"
    assert refused(with_sheet_xml(xml)) == "REGISTER_TOO_LARGE"


def test_more_rows_than_fifty_thousand_are_refused() -> None:
    cells = "".join(f'<row r="{row}"><c r="A{row}"><v>{row * 7919}</v></c></row>' for row in range(1, 50_002))
    xml = f"<worksheet><sheetData>{cells}</sheetData></worksheet>".encode()
    assert refused(with_sheet_xml(xml)) == "REGISTER_TOO_LARGE"


def test_a_merged_range_over_the_whole_sheet_costs_nothing() -> None:
    merge = b'<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells></worksheet>'
    xml = sheet_xml(plain()).replace(b"</worksheet>", merge)
    assert codes(read_register(with_sheet_xml(xml))) == [(0, "", "REGISTER_NOT_FOUND")]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<v>89.5</v>", b"<v>1e999</v>"),
        (b"<v>89.5</v>", b"<v>NaN</v>"),
        (b"<v>89.5</v>", b"<v>abc</v>"),
    ],
)
def test_numbers_that_are_none_are_errors_of_their_row(old: bytes, new: bytes) -> None:
    xml = sheet_xml(plain()).replace(old, new)
    ((row, column, _),) = codes(read_register(with_sheet_xml(xml)))
    assert (row, column) == (2, "建筑面积(㎡)")


def shared(data: bytes, strings: str) -> bytes:
    """The file with this table of texts, and the owner's name taken from it as Excel does."""
    relation = (
        b'<Relationship Id="rId99" Type="http://x/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
    )
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        relations = archive.read("xl/_rels/workbook.xml.rels").replace(b"</Relationships>", relation)
    owner = 't="inlineStr"><is><t>张三</t></is>'.encode()
    xml = sheet_xml(data)
    assert owner in xml
    return rewritten(
        data,
        xl___rels__workbook_dot_xml_dot_rels=relations,
        xl__worksheets__sheet1_dot_xml=xml.replace(owner, b't="s"><v>1</v>'),
        xl__sharedStrings_dot_xml=f"<sst><si><t>x</t></si>{strings}</sst>".encode(),
    )


@pytest.mark.parametrize(
    ("strings", "names"),
    [
        ("<si><t>张三</t></si>", ["张三"]),
        ('<si><r><t>张</t></r><r><t>三</t></r><rPh sb="0" eb="1"><t>zhang</t></rPh></si>', ["张三"]),
        ("<si><t>张三_x000D_\n李四</t></si>", ["张三", "李四"]),
    ],
)
def test_texts_come_from_the_shared_table_without_phonetic_guides(strings: str, names: list[str]) -> None:
    register = read_register(shared(plain(), strings))
    assert codes(register) == []
    assert [owner.name for owner in register.houses[0].owners] == names


def test_a_text_outside_the_shared_table_is_refused() -> None:
    assert refused(shared(plain(), "")) == "REGISTER_DAMAGED"


def test_parts_that_are_missing_do_not_break_the_reading() -> None:
    assert len(read_register(rewritten(plain(), xl__styles_dot_xml=None)).houses) == 1
    register = read_register(rewritten(plain(), xl__worksheets__sheet1_dot_xml=None))
    assert codes(register) == [(0, "", "REGISTER_NOT_FOUND")]


def test_dates_count_from_1904_where_the_file_says_so() -> None:
    book = workbook([("楼栋", "房号", "面积", "交房日期"), ("1", "101", 89, date(2019, 3, 15))])
    book.epoch = CALENDAR_MAC_1904
    assert read_register(body(book)).houses[0].delivered_on == date(2019, 3, 15)


CELLS = st.one_of(
    st.none(),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40),
    st.text("0123456789-/.栋单元室#号楼期一二十百AB（）、, ", max_size=20),
    st.integers(-(10**18), 10**18),
    st.floats(allow_nan=False, allow_infinity=False),
    st.dates(date(1900, 3, 1), date(9999, 12, 31)),
    st.booleans(),
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(CELLS, min_size=len(HEADER), max_size=len(HEADER)), min_size=1, max_size=4))
def test_no_cell_breaks_the_reading(rows: list[list[object]]) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(list(HEADER))
    for row in rows:
        sheet.append(row)
    register = read_register(body(book))
    assert len(register.errors) == register.error_count
    assert all(error.message and error.code for error in register.errors)
    assert len(set(rooms(register))) == len(register.houses)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 5_000), st.binary(min_size=1, max_size=8))
def test_no_byte_breaks_the_reading(position: int, noise: bytes) -> None:
    data = bytearray(PLAIN)
    data[position % len(data) : position % len(data) + len(noise)] = noise
    try:
        read_register(bytes(data))
    except RegisterUnreadable as error:
        assert error.code.startswith("REGISTER_")


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 5_000),
    st.sampled_from([b"", b"<", b">", b'"', b"\x00", b"<c/>", b"</row>", b"-1", b"99999999999"]),
)
def test_no_change_of_a_sheet_breaks_the_reading(position: int, noise: bytes) -> None:
    xml = sheet_xml(PLAIN)
    place = position % len(xml)
    try:
        read_register(rewritten(PLAIN, xl__worksheets__sheet1_dot_xml=xml[:place] + noise + xml[place + 1 :]))
    except RegisterUnreadable as error:
        assert error.code.startswith("REGISTER_")
