"""Meters and readings in a file that people keep (仪表清单、抄表单): CSV or Excel, rows out, or what to correct.

The first row is the header. Every problem names its row as a spreadsheet counts it.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import islice

from domains.billing.rules import METER_KINDS
from domains.estate import places
from domains.kernel.errors import Invalid
from domains.residents.register.problems import Problems, RegisterUnreadable
from domains.residents.register.workbook import Cell, open_workbook

MOST_ROWS = 50_000
MOST_BYTES = 10 * 1024 * 1024

METER_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "number": ("表号", "仪表编号", "表具编号"), "kind": ("表类型", "仪表类型", "类型"), "building": ("楼栋", "楼号"),
    "unit": ("单元",), "room": ("房号", "房间", "房屋"), "digits": ("位数", "表盘位数"), "multiplier": ("倍率",),
    "first_value": ("初始读数", "起始读数", "底数"), "installed_on": ("安装日期", "启用日期"),
    "daily_most": ("日用量上限",), "device": ("采集器编号", "采集器"),
}  # fmt: skip
READING_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "number": ("表号", "仪表编号", "表具编号"), "kind": ("表类型", "仪表类型", "类型"),
    "value": ("读数", "本期读数", "抄表读数"), "read_on": ("抄表日期", "日期"),
}  # fmt: skip

_KINDS = {label: kind for kind, label in METER_KINDS.items()} | {
    "冷水表": "water", "自来水表": "water", "气表": "gas", "天然气表": "gas", "热表": "heat", "热能表": "heat",
}  # fmt: skip
_DAY = re.compile(r"([0-9]{4})[年./-]([0-9]{1,2})[月./-]([0-9]{1,2})日?")
_TEXT_MARK = re.compile(r"'(?=[=+@＝＋＠-])")


@dataclass(frozen=True, slots=True)
class MeterRow:
    """A meter as a file has it; the place as keys (see estate.places), empty for a meter of the building or of the
    compound."""

    line: int
    number: str
    kind: str
    building: str
    unit: str
    room: str
    digits: int
    multiplier: Decimal
    first_value: Decimal
    installed_on: date
    daily_most: Decimal | None
    device: str


@dataclass(frozen=True, slots=True)
class ReadingRow:
    """A reading as a file has it; `kind` is empty where the number alone is meant to say which meter."""

    line: int
    number: str
    kind: str
    value: Decimal
    read_on: date


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the file, its cells by field."""

    number: int
    cells: Mapping[str, Cell]
    titles: Mapping[str, str]
    problems: Problems

    def refuse(self, field: str, code: str, message: str) -> None:
        """Note what is wrong with a cell."""
        text = f"第 {self.number} 行:{message}"
        self.problems.add("", self.number, self.titles[field], code, text, value=self.text(field))

    def text(self, field: str) -> str:
        """A cell as text: a number as it is written."""
        cell = self.cells.get(field, "")
        # The database keeps no NUL and could not even be asked for one; any other control character is refused by name.
        shown = f"{cell.normalize():f}" if isinstance(cell, Decimal) else str(cell).replace("\0", "\1")
        return _TEXT_MARK.sub("", unicodedata.normalize("NFKC", shown).strip(), count=1)

    def required(self, field: str) -> str:
        """A text that must be there."""
        text = self.text(field)
        if not text:
            self.refuse(field, "CELL_EMPTY", f"请填写「{self.titles[field]}」")
        return text

    def kind(self, *, needed: bool) -> str:
        """A kind of meter by its Chinese name."""
        text = self.required("kind") if needed else self.text("kind")
        if text and text not in _KINDS:
            self.refuse(
                "kind", "METER_KIND_UNKNOWN", f"没有「{text}」这种仪表,可填:{'、'.join(METER_KINDS.values())}"
            )
        return _KINDS.get(text, "")

    def decimal(self, field: str, default: Decimal | None = None) -> Decimal | None:
        """A number; one that is left out is `default`, or a problem where there is none to take."""
        text = self.text(field).replace(",", "")
        if not text:
            return default
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or abs(number) >= 10**12:
            self.refuse(field, "CELL_NUMBER", f"「{self.titles[field]}」应为数字")
            return None
        return number

    def number_needed(self, field: str) -> Decimal:
        """A number that must be there."""
        return (self.required(field) and self.decimal(field)) or Decimal(0)

    def day(self, field: str) -> date:
        """A day, as Excel keeps it or as people write it."""
        cell = self.cells.get(field)
        if isinstance(cell, date):
            return cell
        match = _DAY.fullmatch(self.required(field))
        try:
            if match:
                return date(*map(int, match.groups()))
        except ValueError:
            match = None
        if self.text(field):
            self.refuse(field, "CELL_DAY", f"「{self.titles[field]}」应为日期,例如 2026-05-01")
        return date.min


def read_meters(file_name: str, data: bytes, problems: Problems) -> list[MeterRow]:
    """The meters of a file. Raises RegisterUnreadable for a file that cannot be read at all; what is wrong with a
    row is a problem."""
    return [_meter(line) for line in _lines(file_name, data, METER_COLUMNS, _METER_NEEDS, problems)]


def read_readings(file_name: str, data: bytes, problems: Problems) -> list[ReadingRow]:
    """The readings of a file, as `read_meters`."""
    lines = _lines(file_name, data, READING_COLUMNS, _READING_NEEDS, problems)
    return [
        ReadingRow(
            line.number, line.required("number"), line.kind(needed=False), line.number_needed("value"),
            line.day("read_on"),
        )
        for line in lines
    ]  # fmt: skip


_METER_NEEDS = ("number", "kind", "digits", "first_value", "installed_on")
_READING_NEEDS = ("number", "value", "read_on")


def _meter(line: Line) -> MeterRow:
    building, unit, room = _place(line)
    digits = line.number_needed("digits")
    if digits != int(digits):
        line.refuse("digits", "METER_DIGITS", "表盘整数位数应为 3 到 9 位,请看清表盘")
    return MeterRow(
        line.number, line.required("number"), line.kind(needed=True), building, unit, room, int(digits),
        line.decimal("multiplier", Decimal(1)) or Decimal(0), line.number_needed("first_value"),
        line.day("installed_on"), line.decimal("daily_most"), line.text("device"),
    )  # fmt: skip


def _place(line: Line) -> tuple[str, str, str]:
    building, unit, room = (line.text(field) for field in ("building", "unit", "room"))
    if room and not building:
        parts = places.whole_number(room)
        if parts is None:
            line.refuse("room", "HOUSE_UNKNOWN", f"看不懂房号「{room}」,请写成 3-1-101 或补上楼栋")
            return "", "", ""
        building, unit, room = parts.building, parts.unit, parts.room
    return (
        places.building_key(building) if building else "", places.unit_key(unit) if unit else "",
        places.room_key(room) if room else "",
    )  # fmt: skip


def _lines(
    file_name: str,
    data: bytes,
    columns: Mapping[str, tuple[str, ...]],
    needs: Sequence[str],
    problems: Problems,
) -> Iterator[Line]:
    rows = _csv(data) if file_name.lower().endswith(".csv") else _excel(data)
    titles = {field: names[0] for field, names in columns.items()}
    _, header = next(rows, (1, {}))
    fields = _fields(header, columns)
    missing = [field for field in needs if field not in fields.values()]
    for field in missing:
        problems.add("", 1, titles[field], "COLUMN_MISSING", f"没有找到「{titles[field]}」列,请补上这一列")
    if missing:
        return
    for count, (number, cells) in enumerate(rows, start=1):
        if count > MOST_ROWS:
            raise _unreadable("SHEET_TOO_LARGE", f"一次最多导入 {MOST_ROWS} 行,请拆成几个文件")
        named = {fields[column]: cell for column, cell in cells.items() if column in fields}
        if any(str(cell).strip() for cell in named.values()):
            yield Line(number, named, titles, problems)


def _fields(header: Mapping[int, Cell], columns: Mapping[str, tuple[str, ...]]) -> dict[int, str]:
    """Which field each column holds; of two columns of a field the first counts."""
    found: dict[int, str] = {}
    for column, cell in sorted(header.items()):
        title = re.sub(r"[\s*()()]|\(.*\)", "", unicodedata.normalize("NFKC", str(cell)))
        field = next((field for field, names in columns.items() if title in names), None)
        if field is not None and field not in found.values():
            found[column] = field
    return found


def _excel(data: bytes) -> Iterator[tuple[int, Mapping[int, Cell]]]:
    sheet = next((sheet for sheet in open_workbook(data) if not sheet.hidden and sheet.rows), None)
    for row in sheet.rows if sheet else ():
        yield row.number, row.cells


def _csv(data: bytes) -> Iterator[tuple[int, Mapping[int, Cell]]]:
    if len(data) > MOST_BYTES:
        raise _unreadable("SHEET_TOO_LARGE", "文件超过 10 MB,请拆成几个文件")
    reader = csv.reader(io.StringIO(_decoded(data), newline=""), strict=True)
    try:
        for row in islice(reader, MOST_ROWS + 2):
            yield reader.line_num, dict(enumerate(row[:200], start=1))
    except csv.Error:
        raise _unreadable("SHEET_DAMAGED", "CSV 文件格式有误,请在 Excel 中打开后另存再上传") from None


def _decoded(data: bytes) -> str:
    """As Excel saves it: UTF-8 with its mark, or the code page of a Chinese Windows."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _unreadable("SHEET_DAMAGED", "看不懂文件的文字编码,请另存为 UTF-8 编码的 CSV 再上传")


def _unreadable(code: str, message: str) -> Invalid:
    return RegisterUnreadable(code, message, "file")
