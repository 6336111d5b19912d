"""Meters and readings out of a file: all of it, or what to correct."""

from __future__ import annotations

import io
from datetime import date
from uuid import uuid4

import pytest
from openpyxl import Workbook

from domains.billing.models import Meter, MeterReading
from domains.billing.service import meter_imports
from domains.billing.service.meter_imports import Imported
from domains.kernel.actor import Actor
from domains.kernel.errors import Forbidden, Invalid
from tests.factories import devices, estate, meters, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

METERS = (
    "表号",
    "表类型",
    "楼栋",
    "单元",
    "房号",
    "位数",
    "倍率",
    "初始读数",
    "安装日期",
    "日用量上限",
    "采集器编号",
)


@pytest.fixture
async def at() -> Scene:
    return await residents.scene()


@pytest.fixture
def actor(at: Scene) -> Actor:
    return at.staff("meters.write")


def csv_file(*rows: tuple[object, ...], encoding: str = "utf-8-sig") -> bytes:
    return "\r\n".join(",".join(map(str, row)) for row in rows).encode(encoding)


def excel_file(*rows: tuple[object, ...]) -> bytes:
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def codes(imported: Imported) -> list[tuple[int, str, str]]:
    return [(each.row, each.column, each.code) for each in imported.problems]


@pytest.mark.parametrize("form", ["csv", "gb18030", "xlsx"])
async def test_a_file_of_meters_is_entered(at: Scene, actor: Actor, form: str) -> None:
    device, code = await devices.device(at.compound_id, "other", code=uuid4().hex[:8]), ""
    from domains.devices.models import Device

    code = (await Device.get(pk=device)).code
    rows = (
        METERS, ("W-1", "水表", "1号楼", "1单元", "101", 5, "", 12.5, date(2026, 1, 5), "", code),
        ("E-1", "电表", "1", "1", "102", 6, 40, 0, "2026/1/5", 500, ""),
        ("G-1", "气表", "", "", "2-1-201", 5, "", 0, "2026年1月5日", "", ""), ("", "", "", "", "", "", "", "", "", "", ""),
        ("W-2", "水表", "1号楼", "", "", 5, "", 0, "2026-01-05", "", ""),
        ("W-3", "水表", "", "", "", 5, "", 0, "2026-01-05", "", ""),
    )  # fmt: skip
    data = (
        excel_file(*rows)
        if form == "xlsx"
        else csv_file(*rows, encoding="utf-8-sig" if form == "csv" else form)
    )
    imported = await meter_imports.import_meters(
        actor, compound_id=at.compound_id, file_name=f"仪表.{'xlsx' if form == 'xlsx' else 'csv'}", data=data
    )
    assert codes(imported) == [] and (imported.rows, imported.imported) == (5, 5)
    made = {
        row["number"]: row
        for row in await Meter.filter(compound_id=at.compound_id).values(
            "number", "kind", "house_id", "building_id", "device_id", "multiplier", "daily_most", "id"
        )
    }
    assert made["W-1"]["house_id"] == at.house_id and made["W-1"]["device_id"] == device
    assert (made["E-1"]["multiplier"], made["E-1"]["daily_most"]) == (40, 500)
    assert made["G-1"]["house_id"] == at.far_house_id and made["G-1"]["kind"] == "gas"
    assert (made["W-2"]["house_id"], made["W-2"]["building_id"]) == (None, at.building_id)
    assert (made["W-3"]["house_id"], made["W-3"]["building_id"]) == (None, None)
    assert await meters.totals(made["W-1"]["id"]) == [(12.5, 0)]
    again = await meter_imports.import_meters(
        actor, compound_id=at.compound_id, file_name="x.csv" if form != "xlsx" else "x.xlsx", data=data
    )
    assert {code for _, _, code in codes(again)} == {"METER_NUMBER_TAKEN"} and again.imported == 0


async def test_a_file_with_a_mistake_enters_nothing(at: Scene, actor: Actor) -> None:
    await estate.house(at.building_id, "101", "2单元")
    good = ("水表", "1号楼", "1单元", "101", 5, "", 0, "2026-01-05", "", "")
    rows = (
        METERS, ("A", *good), ("A", *good), ("B", "油表", *good[1:]), ("", *good),
        ("C", "水表", "9号楼", "", "101", *good[4:]), ("D", "水表", "1号楼", "1单元", "999", *good[4:]),
        ("E", "水表", "1号楼", "", "101", *good[4:]), ("F", *good[:4], 2, *good[5:]),
        ("G", *good[:4], 5, "x", *good[6:]), ("H", *good[:4], 5, "", 123456, *good[7:]),
        ("I", *good[:7], "昨天", "", ""), ("J", *good[:7], "2999-01-01", "", ""), ("K", *good[:9], "没有"),
        ("L", "水表", "", "", "某处", *good[4:]),
    )  # fmt: skip
    imported = await meter_imports.import_meters(
        actor, compound_id=at.compound_id, file_name="a.csv", data=csv_file(*rows)
    )
    # What the sheet itself says is told first; the rest once it can be read.
    assert codes(imported) == [
        (4, "表类型", "METER_KIND_UNKNOWN"), (5, "表号", "CELL_EMPTY"), (10, "倍率", "CELL_NUMBER"),
        (12, "安装日期", "CELL_DAY"), (15, "房号", "HOUSE_UNKNOWN"),
    ]  # fmt: skip
    sound = tuple(rows[place] for place in (0, 1, 2, 5, 6, 7, 8, 10, 12, 13))
    imported = await meter_imports.import_meters(
        actor, compound_id=at.compound_id, file_name="a.csv", data=csv_file(*sound)
    )
    assert codes(imported) == [
        (2, "表号", "METER_NUMBER_TWICE"), (3, "表号", "METER_NUMBER_TWICE"), (4, "房号", "HOUSE_UNKNOWN"),
        (5, "房号", "HOUSE_UNKNOWN"), (6, "单元", "UNIT_REQUIRED"), (7, "位数", "METER_DIGITS"),
        (8, "初始读数", "READING_OUT_OF_RANGE"), (9, "安装日期", "METER_DAY_OUT_OF_RANGE"),
        (10, "采集器编号", "DEVICE_NOT_FOUND"),
    ]  # fmt: skip
    assert imported.problems[0].message.startswith("第 2 行:")
    assert await Meter.filter(compound_id=at.compound_id).count() == 0


async def test_a_file_of_readings_is_kept(at: Scene, actor: Actor) -> None:
    first = await meters.meter(at.compound_id, at.house_id, number="R-1")
    await meters.meter(at.compound_id, at.next_door_id, number="R-2")
    await meters.meter(at.compound_id, at.next_door_id, number="R-2", kind="gas")
    rows = (
        ("表号", "表类型", "读数", "抄表日期", "备注"), ("R-1", "", 120, "2026-02-01", "x"),
        ("R-1", "", 130, "2026-03-01", ""), ("R-2", "水表", 20, "2026-02-01", ""),
    )  # fmt: skip

    async def bring(*lines: tuple[object, ...]) -> Imported:
        return await meter_imports.import_readings(
            actor, compound_id=at.compound_id, file_name="b.csv", data=csv_file(*lines)
        )

    imported = await bring(*rows)
    assert (imported.imported, imported.held, imported.known, codes(imported)) == (2, 1, 0, [])
    assert await meters.totals(first) == [(100, 0), (120, 20), (130, 30)]
    again = await bring(*rows)
    assert (again.imported, again.held, again.known) == (0, 0, 3)
    wrong = await bring(
        rows[0], ("R-1", "", 140, "2026-04-01"), ("R-2", "", 1, "2026-04-01"), ("R-9", "", 1, "2026-04-01"),
        ("R-1", "", 140, "2999-04-01"), ("R-1", "", 140, "2020-04-01"), ("R-1", "", -1, "2026-04-01"),
    )  # fmt: skip
    assert codes(wrong) == [
        (3, "表类型", "METER_AMBIGUOUS"), (4, "表号", "METER_NOT_FOUND"), (5, "抄表日期", "READING_IN_FUTURE"),
        (6, "抄表日期", "READING_BEFORE_INSTALLATION"), (7, "读数", "READING_OUT_OF_RANGE"),
    ]  # fmt: skip
    assert len(await meters.totals(first)) == 3


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.xlsx", b"", "REGISTER_EMPTY"), ("a.xlsx", b"PK\x03\x04rubbish", "REGISTER_DAMAGED"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "REGISTER_OLD_EXCEL"),
        ("a.csv", b"\xff\xfe\x00\x80", "SHEET_DAMAGED"),
        ("a.csv", '"表号'.encode(), "SHEET_DAMAGED"), ("a.csv", csv_file(METERS), "SHEET_EMPTY"),
        ("a.csv", b"x" * (10 * 1024 * 1024 + 1), "SHEET_TOO_LARGE"),
    ],
)  # fmt: skip
async def test_a_file_that_cannot_be_read(at: Scene, actor: Actor, name: str, data: bytes, code: str) -> None:
    with pytest.raises(Invalid, match=code):
        await meter_imports.import_meters(actor, compound_id=at.compound_id, file_name=name, data=data)


async def test_a_column_that_is_missing_is_named(at: Scene, actor: Actor) -> None:
    imported = await meter_imports.import_readings(
        actor, compound_id=at.compound_id, file_name="a.csv", data=csv_file(("表号", "日期"), ("A", "x"))
    )
    assert codes(imported) == [(1, "读数", "COLUMN_MISSING")]


async def test_staff_of_a_building_import_for_it_alone(at: Scene) -> None:
    local = residents.staff("meters.write", compound_id=at.compound_id, building_id=at.building_id)
    rows = (
        METERS, ("A", "水表", "1", "1", "101", 5, "", 0, "2026-01-05", "", ""),
        ("B", "水表", "2", "1", "201", 5, "", 0, "2026-01-05", "", ""),
        ("C", "水表", "", "", "", 5, "", 0, "2026-01-05", "", ""),
    )  # fmt: skip
    imported = await meter_imports.import_meters(
        local, compound_id=at.compound_id, file_name="a.csv", data=csv_file(*rows)
    )
    assert codes(imported) == [(3, "房号", "ROW_OUT_OF_REACH"), (4, "楼栋", "ROW_OUT_OF_REACH")]
    await meters.meter(at.compound_id, at.far_house_id, number="FAR")
    reading = csv_file(("表号", "读数", "日期"), ("FAR", 120, "2026-02-01"))
    imported = await meter_imports.import_readings(
        local, compound_id=at.compound_id, file_name="a.csv", data=reading
    )
    assert codes(imported) == [(2, "表号", "METER_NOT_FOUND")]
    with pytest.raises(Forbidden):
        await meter_imports.import_meters(
            local, compound_id=at.other_compound_id, file_name="a.csv", data=csv_file(*rows)
        )
    assert await MeterReading.filter(compound_id=at.compound_id, source="staff").count() == 0
