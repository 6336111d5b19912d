"""One worksheet's XML (ECMA-376 part 1, 18.3): its cells as written and its merged ranges."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from typing import TypeAlias

from domains.residents.register.package import Package, refuse

MAX_ROWS = 50_000
MAX_COLUMNS = 200
MAX_CELLS = 1_500_000
MAX_TEXT = 4_000


@dataclass(frozen=True, slots=True)
class Broken:
    """A cell without a value of its own: a formula (公式) or one of Excel's errors such as #N/A."""

    kind: str
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Merge:
    """A merged range (合并单元格), rows and columns from 1, both ends included."""

    top: int
    left: int
    bottom: int
    right: int

    def rows_among(self, present: Sequence[int]) -> Sequence[int]:
        """Those of the sorted row numbers that lie in the range."""
        return present[bisect_left(present, self.top) : bisect_right(present, self.bottom)]


RawCell: TypeAlias = str | Broken | tuple[Decimal, int]

_LETTERS = re.compile(r"[A-Z]{1,3}")
_TAKEN = frozenset({"v", "t", "f"})
_NUMERIC = frozenset({"n", "d"})
_DIGITS = "0123456789"
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_RANGE = re.compile(r"([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})")


@lru_cache(maxsize=1024)
def column_number(letters: str) -> int:
    """A → 1, AA → 27; 0 for what names no column."""
    if not _LETTERS.fullmatch(letters):
        return 0
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def unescaped(text: str) -> str:
    """A text with its _x000D_ and the like put back (ECMA-376 part 1, 22.9.2.19)."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


@dataclass(slots=True)
class RawSheet:
    """A worksheet being read: `rows` by number, each with its cells by column. Blank cells are left out."""

    texts: list[str]
    rows: dict[int, dict[int, RawCell]] = field(default_factory=dict)
    merges: list[Merge] = field(default_factory=list)
    _row: int = 0
    _column: int = 0
    _type: str = "n"
    _style: str = "0"
    _formula: str | None = None
    _value: str = ""
    _taking: str = ""
    _phonetic: bool = False
    _cells: int = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        # The commonest tags first: a register has a quarter of a million cells.
        if tag == "c":
            self._start_cell(attributes)
        elif tag in _TAKEN:
            self._taking = tag
        elif tag == "row":
            self._start_row(attributes)
        elif tag == "rPh":
            self._phonetic = True
        elif tag == "mergeCell":
            self._merge(attributes.get("ref", ""))

    def text(self, data: str) -> None:
        if self._taking == "f":
            self._formula = (self._formula or "") + data
        elif self._taking and not self._phonetic:
            self._value += data

    def end(self, tag: str) -> None:
        if tag == "c":
            self._end_cell()
        elif tag == "f":
            self._formula = self._formula or ""
        elif tag == "rPh":
            self._phonetic = False
        self._taking = ""

    def _start_row(self, attributes: dict[str, str]) -> None:
        written = attributes.get("r", "")
        self._row = int(written) if written.isascii() and written.isdigit() else self._row + 1
        self._column = 0

    def _start_cell(self, attributes: dict[str, str]) -> None:
        column = column_number(attributes.get("r", "").rstrip(_DIGITS))
        self._column = column or self._column + 1
        self._type = attributes.get("t", "n")
        self._style = attributes.get("s", "0")
        self._formula = None
        self._value = ""

    def _end_cell(self) -> None:
        value = self._cell_value()
        if value is None:
            return
        self._cells += 1
        if self._column > MAX_COLUMNS or self._cells > MAX_CELLS:
            refuse("REGISTER_TOO_LARGE")
        row = self.rows.setdefault(self._row, {})
        if not row and len(self.rows) > MAX_ROWS:
            refuse("REGISTER_TOO_LARGE")
        row[self._column] = value

    def _cell_value(self) -> RawCell | None:
        if self._formula is not None:
            return Broken("formula", f"={self._formula}"[:MAX_TEXT])
        text, kind = self._value, self._type
        if kind == "s":
            text = self._shared(text)
        elif kind in _NUMERIC and text:
            return self._number(text)
        elif kind == "e":
            return Broken("error", text[:MAX_TEXT])
        text = unescaped(text[:MAX_TEXT])
        return text if text and not text.isspace() else None

    def _shared(self, index: str) -> str:
        if not (index.isascii() and index.isdigit() and int(index) < len(self.texts)):
            refuse("REGISTER_DAMAGED")
        return self.texts[int(index)]

    def _number(self, text: str) -> RawCell:
        # Excel keeps 15 digits and shows those; the 16th and 17th in the file are binary noise.
        try:
            value = float(text)
        except ValueError:
            return text[:MAX_TEXT]
        if not isfinite(value):
            return Broken("error", text[:MAX_TEXT])
        style = int(self._style) if self._style.isascii() and self._style.isdigit() else 0
        return Decimal(f"{value:.15g}"), style

    def _merge(self, reference: str) -> None:
        match = _RANGE.fullmatch(reference)
        if match is None:
            return
        left, right = column_number(match[1]), min(column_number(match[3]), MAX_COLUMNS)
        self.merges.append(Merge(int(match[2]), left, int(match[4]), right))


def read_sheet(package: Package, part: str, texts: list[str]) -> RawSheet:
    """Read one worksheet. Raises RegisterUnreadable when it is damaged or beyond the limits."""
    sheet = RawSheet(texts)
    package.parse(part, (sheet.start, sheet.end, sheet.text))
    present = sorted(sheet.rows)
    covered = sum(
        len(merge.rows_among(present)) * max(merge.right - merge.left + 1, 0) for merge in sheet.merges
    )
    if covered > MAX_CELLS:
        refuse("REGISTER_TOO_LARGE")
    return sheet
