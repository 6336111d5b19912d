"""Meters and readings out of a file (批量导入): the whole file, or nothing and what to correct."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import asyncpg

from domains.billing import meter_sheets as sheets
from domains.billing import meter_sql as sql
from domains.billing import permissions
from domains.billing.meter_sheets import MeterRow, ReadingRow
from domains.billing.service import meters as register
from domains.billing.service import reading_intake as intake
from domains.billing.service.meters import NewMeter
from domains.billing.service.reading_intake import Meter, Reading
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import DomainError, Invalid
from domains.kernel.ids import uuid7
from domains.residents.register.problems import Problems, RowError

R = TypeVar("R", MeterRow, ReadingRow)
_TITLES = {field: names[0] for field, names in {**sheets.METER_COLUMNS, **sheets.READING_COLUMNS}.items()}
_FIELDS = {"value": "value", "read_at": "read_on"}


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a file: with problems nothing was written. `held` readings wait for review, `known` ones were
    there before; `problems` are the first 500."""

    rows: int
    imported: int = 0
    held: int = 0
    known: int = 0
    problems: tuple[RowError, ...] = ()
    problem_count: int = 0


async def import_meters(actor: Actor, *, compound_id: UUID, file_name: str, data: bytes) -> Imported:
    """Enter the meters of a CSV or Excel file with their first readings; at most 50,000.

    Raises SHEET_TOO_LARGE, SHEET_DAMAGED, SHEET_EMPTY, or the REGISTER_ code of an Excel file that cannot be read.
    """
    actor.require(permissions.METERS_WRITE, compound_id)
    problems, rows = await _read(sheets.read_meters, file_name, data)
    if not problems.count:
        await _import_meters(actor, compound_id=compound_id, rows=rows, problems=problems)
    return _imported(rows, problems, {"accepted": len(rows)})


async def import_readings(actor: Actor, *, compound_id: UUID, file_name: str, data: bytes) -> Imported:
    """Keep the readings of a CSV or Excel file, as `import_meters`; what waits for review is no problem of the file."""
    actor.require(permissions.METERS_WRITE, compound_id)
    problems, rows = await _read(sheets.read_readings, file_name, data)
    results: dict[str, int] = {}
    if not problems.count:
        results = await _import_readings(actor, compound_id=compound_id, rows=rows, problems=problems)
    return _imported(rows, problems, results)


async def _read(
    read: Callable[[str, bytes, Problems], list[R]], file_name: str, data: bytes
) -> tuple[Problems, list[R]]:
    problems = Problems()
    rows = await asyncio.to_thread(read, file_name, data, problems)
    if not rows and not problems.count:
        raise Invalid("SHEET_EMPTY", "文件里没有数据,请按模板填写后上传", "file")
    return problems, rows


def _imported(rows: Sequence[object], problems: Problems, results: dict[str, int]) -> Imported:
    if problems.count:
        return Imported(len(rows), problems=problems.ordered(), problem_count=problems.count)
    accepted, held, known = (results.get(result, 0) for result in ("accepted", "held", "duplicate"))
    return Imported(len(rows), accepted, held, known)


@command("meter.import", caller="staff", permission=permissions.METERS_WRITE)
async def _import_meters(
    actor: Actor, *, compound_id: UUID, rows: Sequence[MeterRow], problems: Problems
) -> None:
    concerns("Meter", None, compound_id, rows=len(rows))
    actor.require(permissions.METERS_WRITE, compound_id)
    checked = await _placed(actor, compound_id, rows, problems)
    await _refuse_taken(compound_id, rows, problems)
    concerns("Meter", None, compound_id, problems=problems.count)
    if problems.count:
        return
    made = [(uuid7(), meter) for meter in checked]
    columns = [
        (id, each.house_id, each.building_id, each.device_id, each.kind, each.number, each.multiplier, each.digits,
         each.daily_most, each.installed_on) for id, each in made
    ]  # fmt: skip
    await database.execute(sql.WRITE_METERS, compound_id, clock.now(), *map(list, zip(*columns, strict=True)))
    await register.write_first(compound_id, made, actor)


async def _placed(
    actor: Actor, compound_id: UUID, rows: Sequence[MeterRow], problems: Problems
) -> list[NewMeter]:
    """The meters with their places and devices; what cannot be is a problem."""
    houses = await _houses(compound_id, rows)
    devices = {
        row["code"]: row["id"]
        for row in await database.fetch(sql.DEVICES_CODED, compound_id, [row.device for row in rows])
    }
    made = []
    for place, row in enumerate(rows, start=1):
        found = houses.get(place, [])
        if _check_place(actor, compound_id, row, found, problems):
            house = found[0] if found else {"id": None, "building_id": None}
            if row.device and row.device not in devices:
                _add(problems, row, "device", "DEVICE_NOT_FOUND", "本小区没有这个编号的设备,请先登记")
            made.append(_new(row, house["id"], house["building_id"], devices.get(row.device), problems))
    return made


def _check_place(
    actor: Actor,
    compound_id: UUID,
    row: MeterRow,
    found: Sequence[asyncpg.Record],
    problems: Problems,
) -> bool:
    field = "room" if row.room else "building"
    if row.building and not found:
        _add(problems, row, field, "HOUSE_UNKNOWN", "没有找到这套房屋或这栋楼,请核对楼栋、单元和房号")
    elif len(found) > 1:
        _add(problems, row, "unit", "UNIT_REQUIRED", "这栋楼有多个单元,请填写单元")
    elif not _may(actor, compound_id, found[0]["building_id"] if found else None):
        _add(problems, row, field, "ROW_OUT_OF_REACH", "您的权限不含这栋楼,请删去这一行或联系管理员")
    else:
        return True
    return False


def _may(actor: Actor, compound_id: UUID, building_id: UUID | None) -> bool:
    return actor.may(permissions.METERS_WRITE, compound_id, building_id or compound_id)


def _new(
    row: MeterRow, house_id: UUID | None, building_id: UUID | None, device_id: UUID | None, problems: Problems
) -> NewMeter:
    meter = NewMeter(
        row.kind, row.number, row.digits, row.installed_on, row.first_value, row.multiplier, row.daily_most,
        device_id, house_id, building_id,
    )  # fmt: skip
    try:
        return meter.checked()
    except DomainError as error:
        _add(problems, row, error.field or "number", error.code, error.message)
        return meter


async def _houses(compound_id: UUID, rows: Sequence[MeterRow]) -> dict[int, list[asyncpg.Record]]:
    keys = [[row.building for row in rows], [row.unit for row in rows], [row.room for row in rows]]
    found: dict[int, list[asyncpg.Record]] = {}
    for row in await database.fetch(sql.HOUSES_TYPED, compound_id, *keys):
        found.setdefault(row["place"], []).append(row)
    return found


async def _refuse_taken(compound_id: UUID, rows: Sequence[MeterRow], problems: Problems) -> None:
    kinds, numbers = [row.kind for row in rows], [row.number for row in rows]
    counts = Counter(zip(kinds, numbers, strict=True))
    taken = {row["place"] for row in await database.fetch(sql.TAKEN_NUMBERS, compound_id, kinds, numbers)}
    for place, row in enumerate(rows, start=1):
        if place in taken:
            message = "本小区已有同类型、同表号的在用仪表,请核对表号"
            _add(problems, row, "number", "METER_NUMBER_TAKEN", message)
        elif counts[row.kind, row.number] > 1:
            _add(problems, row, "number", "METER_NUMBER_TWICE", "这个表号在文件中出现了不止一次")


@command("meter_reading.import", caller="staff", permission=permissions.METERS_WRITE)
async def _import_readings(
    actor: Actor, *, compound_id: UUID, rows: Sequence[ReadingRow], problems: Problems
) -> dict[str, int]:
    concerns("Meter", None, compound_id, rows=len(rows))
    actor.require(permissions.METERS_WRITE, compound_id)
    meters = await _numbered(actor, compound_id, rows, problems)
    checked = [_reading(actor, row, meter, problems) for row, meter in zip(rows, meters, strict=True)]
    concerns("Meter", None, compound_id, problems=problems.count)
    if problems.count:
        return {}
    outcomes = await intake.take([each for each in checked if each is not None])
    return dict(Counter(outcome.result for outcome in outcomes))


async def _numbered(
    actor: Actor, compound_id: UUID, rows: Sequence[ReadingRow], problems: Problems
) -> list[Meter | None]:
    kinds, numbers = [row.kind for row in rows], [row.number for row in rows]
    found: dict[int, list[UUID]] = {}
    for each in await database.fetch(sql.METERS_NUMBERED, compound_id, kinds, numbers):
        if _may(actor, compound_id, each["building_id"]):
            found.setdefault(each["place"], []).append(each["id"])
    meters = await intake.locked({id for ids in found.values() for id in ids})
    meant: list[Meter | None] = []
    for place, row in enumerate(rows, start=1):
        ids = found.get(place, [])
        if not ids:
            _add(problems, row, "number", "METER_NOT_FOUND", "没有找到这块在用的表,请核对表号")
        elif len(ids) > 1:
            _add(problems, row, "kind", "METER_AMBIGUOUS", "有几块不同类型的表用这个表号,请填写表类型")
        meant.append(meters[ids[0]] if len(ids) == 1 else None)
    return meant


def _reading(actor: Actor, row: ReadingRow, meter: Meter | None, problems: Problems) -> Reading | None:
    if meter is None:
        return None
    at = intake.instant_of(row.read_on)
    try:
        return Reading(meter, intake.check(meter, row.value, at), at, "staff", actor.account_id)
    except DomainError as error:
        _add(problems, row, _FIELDS.get(error.field or "", "number"), error.code, error.message)
        return None


def _add(problems: Problems, row: MeterRow | ReadingRow, field: str, code: str, message: str) -> None:
    text = f"第 {row.line} 行:{message}"
    problems.add("", row.line, _TITLES[field], code, text, value=getattr(row, field, ""))
