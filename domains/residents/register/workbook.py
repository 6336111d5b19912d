"""The cells of an Excel file (工作簿): sheets of rows, merged ranges filled, formulas marked."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

from domains.residents.register.package import Package, refuse
from domains.residents.register.worksheet import Broken, Merge, RawCell, read_sheet

Cell: TypeAlias = str | Decimal | date | Broken

MAX_SHEETS = 100
# Day 0 of the two calendars (ECMA-376 part 1, 18.17.4.1).
_SINCE_1900, _SINCE_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001 (cells have no zone)


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row with its cells by column, from 1; `merged` columns were filled from a merged range."""

    number: int
    cells: dict[int, Cell]
    merged: frozenset[int] = frozenset()

    def own(self) -> dict[int, Cell]:
        """The cells written in this row itself."""
        return {column: cell for column, cell in self.cells.items() if column not in self.merged}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet (工作表) as a person sees it."""

    name: str
    hidden: bool
    rows: tuple[SheetRow, ...]


@dataclass(slots=True)
class _Relations:
    targets: dict[str, str] = field(default_factory=dict)
    shared_strings: str = ""
    styles: str = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag != "Relationship" or attributes.get("TargetMode") == "External":
            return
        target = attributes.get("Target", "")
        path = target.lstrip("/") if target.startswith("/") else posixpath.normpath("xl/" + target)
        self.targets[attributes.get("Id", "")] = path
        kind = attributes.get("Type", "").rsplit("/", 1)[-1]
        if kind == "sharedStrings":
            self.shared_strings = path
        elif kind == "styles":
            self.styles = path


def _built_in_formats() -> dict[int, str]:
    # Here and below the library is imported by who reads a register: it takes 15 MiB and a sixth of a second.
    from openpyxl.styles.numbers import BUILTIN_FORMATS

    return dict(BUILTIN_FORMATS)


@dataclass(slots=True)
class _Contents:
    epoch: datetime = _SINCE_1900
    sheets: list[tuple[str, bool, str]] = field(default_factory=list)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "workbookPr" and attributes.get("date1904") in {"1", "true"}:
            self.epoch = _SINCE_1904
        elif tag == "sheet":
            relation = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            hidden = attributes.get("state", "visible") != "visible"
            self.sheets.append((attributes.get("name", ""), hidden, relation))


@dataclass(slots=True)
class _Styles:
    """Which cell styles show their number as a date."""

    formats: dict[int, str] = field(default_factory=_built_in_formats)
    dates: set[int] = field(default_factory=set)
    seen: int = -1
    inside: bool = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "numFmt":
            self.formats[_whole(attributes.get("numFmtId"))] = attributes.get("formatCode", "")
        elif tag == "cellXfs":
            self.inside = True
        elif tag == "xf" and self.inside:
            self._style(_whole(attributes.get("numFmtId")))

    def _style(self, number: int) -> None:
        from openpyxl.styles.numbers import is_date_format

        self.seen += 1
        # 27–36 and 50–58 are the date formats of the Chinese edition, which files use without declaring them.
        if 27 <= number <= 36 or 50 <= number <= 58 or is_date_format(self.formats.get(number, "")):
            self.dates.add(self.seen)

    def end(self, tag: str) -> None:
        if tag == "cellXfs":
            self.inside = False


@dataclass(slots=True)
class _Strings:
    """The table of texts; phonetic guides (拼音指南) are left out."""

    texts: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    phonetic: bool = False
    inside: bool = False

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        if tag == "si":
            self.parts = []
        elif tag == "rPh":
            self.phonetic = True
        elif tag == "t":
            self.inside = not self.phonetic

    def text(self, data: str) -> None:
        if self.inside:
            self.parts.append(data)

    def end(self, tag: str) -> None:
        if tag == "t":
            self.inside = False
        elif tag == "rPh":
            self.phonetic = False
        elif tag == "si":
            self.texts.append("".join(self.parts))


@dataclass(frozen=True, slots=True)
class _Book:
    """What every sheet of a workbook shares."""

    package: Package
    relations: _Relations
    texts: list[str]
    dates: set[int]
    epoch: datetime

    def sheet(self, name: str, hidden: bool, relation: str) -> Sheet:
        part = self.relations.targets.get(relation, "")
        if not self.package.has(part):
            return Sheet(name, hidden, ())
        raw = read_sheet(self.package, part, self.texts)
        rows: dict[int, dict[int, Cell]] = {
            number: {column: _cell(cell, self.dates, self.epoch) for column, cell in cells.items()}
            for number, cells in raw.rows.items()
        }
        merged = _fill(rows, raw.merges)
        return Sheet(
            name,
            hidden,
            tuple(SheetRow(row, rows[row], frozenset(merged.get(row, ()))) for row in sorted(rows)),
        )


def open_workbook(data: bytes) -> tuple[Sheet, ...]:
    """The sheets of an .xlsx file, in order. Raises RegisterUnreadable for anything that is not one."""
    package = Package(data)
    if package.has("xl/workbook.bin"):
        refuse("REGISTER_OLD_EXCEL")
    if not package.has("xl/workbook.xml") or not package.has("xl/_rels/workbook.xml.rels"):
        refuse("REGISTER_NOT_EXCEL")
    relations, contents, styles, strings = _Relations(), _Contents(), _Styles(), _Strings()
    package.parse("xl/_rels/workbook.xml.rels", (relations.start, _ignore, _ignore))
    package.parse("xl/workbook.xml", (contents.start, _ignore, _ignore))
    if package.has(relations.styles):
        package.parse(relations.styles, (styles.start, styles.end, _ignore))
    if package.has(relations.shared_strings):
        package.parse(relations.shared_strings, (strings.start, strings.end, strings.text))
    if len(contents.sheets) > MAX_SHEETS:
        refuse("REGISTER_TOO_LARGE")
    book = _Book(package, relations, strings.texts, styles.dates, contents.epoch)
    return tuple(book.sheet(*sheet) for sheet in contents.sheets)


def _cell(raw: RawCell, dates: set[int], epoch: datetime) -> Cell:
    if not isinstance(raw, tuple):
        return raw
    number, style = raw
    return _as_date(number, epoch) if style in dates else number


def _as_date(number: Decimal, epoch: datetime) -> Cell:
    from openpyxl.utils.datetime import from_excel

    try:
        moment = from_excel(float(number), epoch)
    except (ValueError, OverflowError, TypeError):
        return number
    return moment.date() if isinstance(moment, datetime) else number


def _fill(rows: dict[int, dict[int, Cell]], merges: list[Merge]) -> dict[int, set[int]]:
    """Give every cell of a merged range the value of its first; says which cells were filled, by row."""
    filled: dict[int, set[int]] = {}
    present = sorted(rows)
    for merge in merges:
        value = rows.get(merge.top, {}).get(merge.left)
        if value is None:
            continue
        for number in merge.rows_among(present):
            for column in range(merge.left, merge.right + 1):
                if (number, column) != (merge.top, merge.left):
                    rows[number][column] = value
                    filled.setdefault(number, set()).add(column)
    return filled


def _whole(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() else -1


def _ignore(*_arguments: object) -> None:
    """Parts of which only the elements' starts matter have nothing to do at the ends."""
