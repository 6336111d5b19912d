"""One cell into one typed value (单元格取值), and the error that says in Chinese what to write instead."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import TypeVar

from domains.kernel import documents, phones, text
from domains.kernel.text import InvalidText
from domains.residents.register.fields import Field, title
from domains.residents.register.lines import Line
from domains.residents.register.problems import Problems
from domains.residents.register.workbook import Cell
from domains.residents.register.worksheet import Broken

T = TypeVar("T")

MAX_AREA = Decimal(100_000)
_CENT = Decimal("0.01")
_NOTHING = frozenset(
    {"", "无", "-", "--", "---", "/", "//", "\\", "—", "——", "*", "暂无", "没有", "不详", "未知", "空"}
    | {"N/A", "NA", "NULL", "NONE", "待定", "待补"}
)
_HINTS = {
    Field.BUILDING: "请填写楼栋，例如 1号楼",
    Field.UNIT: "请填写单元，例如 1单元；没有单元的楼栋请整栋都不填",
    Field.ROOM: "请填写房号，例如 101",
    Field.AREA: "请填写平方米数，例如 89.5",
    Field.NAME: "请填写姓名",
    Field.OWNER_NAME: "请填写姓名；若这一行没有业主，请同时清空电话和证件号码",
    Field.RELATION: "请填写业主、家属或租户",
    Field.PLATE: "请填写车牌号，例如 浙A12345",
}
_NUMBER = re.compile(r"[-+]?[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?|[-+]?\.[0-9]+")
_MEASURES = re.compile(r"(m2|㎡|平方米|平米|平方|平|米|m|层|年|楼|f)$", re.IGNORECASE)
_DAY = re.compile(r"([0-9]{4})[年./\-]([0-9]{1,2})[月./\-]([0-9]{1,2})日?")
_COMPACT_DAY = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_MONTH = re.compile(r"[0-9]{4}[年./\-][0-9]{1,2}月?")
_SERIALS = range(10_000, 80_000)
_SERIAL_ZERO = date(1899, 12, 30)
_SPLIT = re.compile(r"[、，,；;/|｜／\n\r\t&]+")
_WIDE_GAP = re.compile(r"(?<=[\u4e00-\u9fff]{2}) +(?=[\u4e00-\u9fff]{2})|  +")
_MARKUP = re.compile(r"<[/!a-zA-Z]|^[=@]")
_NOTE_IN_BRACKETS = re.compile(r"[(（][^)）0-9]*[)）]")
PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][A-Z0-9]{4,5}[A-Z0-9挂学警港澳]"
)
_FREE_PLATE = re.compile(r"[A-Z0-9\u4e00-\u9fff]{4,12}")


class LineReader:
    """Takes typed values out of one line; what cannot be taken becomes an error of that row."""

    def __init__(self, line: Line, problems: Problems) -> None:
        self.line = line
        self.failed = False
        self._problems = problems

    def take(self, field: Field, parse: Callable[[Cell], T], *, required: bool = False) -> T | None:
        """The field's value, or None where the cell is blank or wrong; a wrong or missing one is noted."""
        cell = self.line.cells.get(field)
        if cell is None or is_nothing(cell):
            if required:
                self.fail(field, "CELL_MISSING", f"是空的，{_HINTS.get(field, '请填写')}")
            return None
        if isinstance(cell, Broken):
            self.fail(field, *_broken(cell))
            return None
        try:
            return parse(cell)
        except InvalidText as error:
            self.fail(field, error.code, f"：{error.message}")
            return None

    def fail(self, field: Field, code: str, complaint: str) -> None:
        """Note an error about a field of this line."""
        self.failed = True
        header = self.line.headers.get(field) or title(field)
        message = f"第 {self.line.number} 行「{header}」{complaint}"
        value = self.line.cells.get(field)
        self._problems.add(self.line.sheet, self.line.number, header, code, message, value=value)


def is_nothing(cell: Cell) -> bool:
    """Whether a cell says that there is nothing: blank, 无, / and the like."""
    return isinstance(cell, str) and len(cell) <= 10 and _is_nothing(cell)


@lru_cache(maxsize=4096)
def _is_nothing(text: str) -> bool:
    return unicodedata.normalize("NFKC", text).strip().upper() in _NOTHING


def _broken(cell: Broken) -> tuple[str, str]:
    if cell.kind == "formula":
        return "CELL_FORMULA", "是公式，请改成数值：复制该列，再“选择性粘贴—数值”"
    return "CELL_ERROR", f"是 Excel 的错误值 {cell.text[:20]}，请填写正确的内容"


def plain(cell: Cell) -> str:
    """The cell as text; a whole number has no .0. Raises InvalidText for a date, which Excel made of 1-1."""
    if isinstance(cell, date):
        raise InvalidText("CELL_BECAME_DATE", "被 Excel 变成了日期，请把该列设为“文本”格式后重新填写")
    if isinstance(cell, Decimal):
        return format(cell.to_integral_value() if cell == cell.to_integral_value() else cell, "f")
    return str(cell)


def words(max_length: int, *, fold: bool = False) -> Callable[[Cell], str]:
    """A parser for a line of text of at most `max_length` characters, without markup; `fold` makes
    the characters of names and numbers half-width before they are counted."""

    def parse(cell: Cell) -> str:
        return _clean(plain(cell), max_length, fold)

    return parse


# Most columns repeat a handful of words thousands of times.
@lru_cache(maxsize=8192)
def _clean(written: str, max_length: int, fold: bool) -> str:
    line = " ".join(written.split())
    if _MARKUP.search(line):
        raise InvalidText("TEXT_MARKUP", "含有代码或公式，请删除后填写普通文字")
    return text.clean(line, max_length=max_length, fold=fold)


def number(cell: Cell) -> Decimal:
    """A number written as one or as text, with its unit of measure or not. Raises InvalidText."""
    if isinstance(cell, Decimal):
        return cell
    written = re.sub(r"\s", "", unicodedata.normalize("NFKC", plain(cell)))
    written = _MEASURES.sub("", written)
    if len(written) > 20 or not _NUMBER.fullmatch(written):
        raise InvalidText("NUMBER_INVALID", "不是数字，请只填写数字，例如 89.5")
    return Decimal(written.replace(",", ""))


def area(cell: Cell) -> Decimal:
    """Square metres (平方米), rounded half up to two places. Raises InvalidText."""
    square_metres = number(cell)
    if not 0 < square_metres <= MAX_AREA:
        raise InvalidText("AREA_INVALID", "面积应大于 0 且不超过 100000，请填写平方米数，例如 89.5")
    rounded = square_metres.quantize(_CENT, ROUND_HALF_UP)
    if not rounded:
        raise InvalidText("AREA_INVALID", "面积应大于 0 且不超过 100000，请填写平方米数，例如 89.5")
    return rounded


def measure(low: int, high: int, places: str = "0.01") -> Callable[[Cell], Decimal]:
    """A parser for a number from `low` to `high`, rounded half up to the places of `places`."""

    def parse(cell: Cell) -> Decimal:
        value = number(cell)
        if not low <= value <= high:
            raise InvalidText("NUMBER_RANGE", f"应在 {low} 到 {high} 之间，请检查")
        return value.quantize(Decimal(places), ROUND_HALF_UP)

    return parse


def whole(low: int, high: int) -> Callable[[Cell], int]:
    """A parser for a whole number from `low` to `high`."""

    def parse(cell: Cell) -> int:
        value = number(cell)
        if value != value.to_integral_value() or not low <= value <= high:
            raise InvalidText("NUMBER_RANGE", f"应是 {low} 到 {high} 之间的整数，请检查")
        return int(value)

    return parse


def floor(cell: Cell) -> int:
    """A floor (楼层): 3, 3层, B1 and -1 for the first basement. Raises InvalidText FLOOR_INVALID."""
    written = (
        ""
        if isinstance(cell, date)
        else re.sub(r"\s", "", unicodedata.normalize("NFKC", plain(cell))).upper()
    )
    match = re.fullmatch(r"(?:(B|负|地下|-)|地上|第)?([0-9]{1,3})(?:\.0+)?(?:/[0-9]{1,3})?[层楼F]?", written)
    if not match or int(match[2]) > 200:
        raise InvalidText("FLOOR_INVALID", "不是楼层，请填写数字，例如 3，地下一层填写 -1")
    return -int(match[2]) if match[1] else int(match[2])


def day(cell: Cell) -> date:
    """A date (日期) written as one, as an Excel serial, or as 2019.3.15, 2019年3月15日, 20190315."""
    found = cell if isinstance(cell, date) else _day_written(cell)
    if found is None or not 1900 <= found.year <= 2100:
        raise InvalidText("DATE_INVALID", "不是有效的日期，请按 2019-03-15 的样子填写年、月、日")
    return found


@lru_cache(maxsize=4096)
def _day_written(cell: str | Decimal | Broken) -> date | None:
    if isinstance(cell, Decimal) and cell == cell.to_integral_value() and int(cell) in _SERIALS:
        return _SERIAL_ZERO + timedelta(days=int(cell))
    written = unicodedata.normalize("NFKC", plain(cell)).strip()
    written = re.sub(r"[ T][0-9]{1,2}:[0-9:.]+Z?$", "", written).replace(" ", "")
    if written.isascii() and written.isdigit() and len(written) == 5:
        return _SERIAL_ZERO + timedelta(days=int(written))
    match = _DAY.fullmatch(written) or _COMPACT_DAY.fullmatch(written)
    try:
        return date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None


def year(cell: Cell) -> int:
    """A year (年份): 2015, 2015年, or the year of a date."""
    if isinstance(cell, date):
        return cell.year
    written = unicodedata.normalize("NFKC", plain(cell)).strip()
    if match := _MONTH.fullmatch(written) or _DAY.fullmatch(written):
        written = match[0][:4]
    found = number(written)
    if found != found.to_integral_value() or not 1900 <= found <= 2100:
        raise InvalidText("YEAR_INVALID", "不是年份，请填写四位数字，例如 2015")
    return int(found)


def split(cell: Cell) -> list[str]:
    """Several entries in one cell: parted by 、 , ; / | a new line, or a gap between Chinese names."""
    pieces = [gap for part in _SPLIT.split(plain(cell)) for gap in _WIDE_GAP.split(part)]
    return [piece.strip() for piece in pieces if piece.strip()]


def names(cell: Cell) -> tuple[str, ...]:
    """The names in a cell (姓名), each valid. Raises InvalidText."""
    return tuple(text.name(piece) for piece in split(cell) if not is_nothing(piece))


def name(cell: Cell) -> str:
    """One person's name (姓名). Raises InvalidText."""
    return text.name(plain(cell))


def phone_numbers(cell: Cell) -> tuple[str, ...]:
    """The telephone numbers in a cell (电话), mobile or landline, without repetition. Raises InvalidText."""
    written = _NOTE_IN_BRACKETS.sub(" ", plain(cell)).strip()
    try:
        return (_phone(written),)
    except InvalidText:
        pieces = [piece for part in split(written) for piece in _apart(part) if not is_nothing(piece)]
        if not pieces:
            raise
    return tuple(dict.fromkeys(_phone(piece) for piece in pieces))


def _apart(part: str) -> list[str]:
    """Blanks part two numbers, but they also stand within one: 138 0000 0001."""
    pieces = part.split()
    return pieces if all(len(re.sub(r"\D", "", piece)) >= 7 for piece in pieces) else [part]


def _phone(written: str) -> str:
    try:
        return phones.normalise(written)
    except InvalidText as not_mobile:
        try:
            return phones.normalise_landline(written)
        except InvalidText:
            raise not_mobile from None


def document_kinds(cell: Cell) -> tuple[documents.Kind, ...]:
    """The kinds of document (证件类型) in a cell. Raises InvalidText."""
    return tuple(documents.kind_named(piece) for piece in split(cell))


def document_numbers(cell: Cell) -> tuple[str | int, ...]:
    """The document numbers (证件号码) in a cell as written; a number stays one: it may have lost digits."""
    if isinstance(cell, Decimal) and cell == cell.to_integral_value():
        return (int(cell),)
    return tuple(piece for piece in split(cell) if not is_nothing(piece))


def plates(cell: Cell) -> tuple[str, ...]:
    """The number plates (车牌号) of motor cars in a cell, in capitals without blanks. Raises InvalidText."""
    return tuple(plate(piece) for piece in split(cell) if not is_nothing(piece))


def plate(cell: Cell) -> str:
    """One motor car's plate (车牌号), in capitals without blanks and dots. Raises InvalidText."""
    written = _plate_written(cell)
    if not PLATE.fullmatch(written):
        raise InvalidText("PLATE_INVALID", "不是有效的车牌号，请检查，例如 浙A12345、浙AD12345")
    return written


def free_plate(cell: Cell) -> str:
    """An e-bike's plate (电动自行车号牌), whose form differs from city to city. Raises InvalidText."""
    written = _plate_written(cell)
    if not _FREE_PLATE.fullmatch(written):
        raise InvalidText("PLATE_INVALID", "不是有效的号牌，请填写 4 到 12 位汉字、字母和数字")
    return written


def _plate_written(cell: Cell) -> str:
    folded = unicodedata.normalize("NFKC", plain(cell)).upper()
    return re.sub(r"[\s\-·•.・]", "", folded)


def choice(options: dict[str, T], allowed: str) -> Callable[[Cell], T]:
    """A parser for a word out of a list; `allowed` names the words in the error."""

    def parse(cell: Cell) -> T:
        written = re.sub(r"\s", "", unicodedata.normalize("NFKC", plain(cell))).upper()
        if written not in options:
            raise InvalidText("CHOICE_UNKNOWN", f"不认识，请填写{allowed}")
        return options[written]

    return parse
