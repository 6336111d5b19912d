"""Where a sheet's header is and which column holds which field (表头识别)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from domains.residents.register.fields import (
    ADDRESS_WORDS,
    REPEATABLE,
    Field,
    SheetKind,
    header_keys,
    recognise,
)
from domains.residents.register.problems import shown
from domains.residents.register.workbook import Sheet, SheetRow

# Column letter → the field it holds, or None for a column to be left out.
Corrections = Mapping[str, Field | None]

_SEARCHED_ROWS = 40
_PERSONAL = frozenset({Field.RELATION, Field.SEX, Field.BORN_ON, Field.POPULATION, Field.ETHNICITY})
_OF_VEHICLE = frozenset({Field.PLATE_COLOUR, Field.VEHICLE_KIND, Field.BRAND, Field.MODEL, Field.COLOUR})
_OF_HOUSE = frozenset({Field.INNER_AREA, Field.DELIVERED_ON, Field.STATUS, Field.TENANT_NAME})
_OF_BUILDING = frozenset(
    {
        Field.BUILDING_CODE,
        Field.BUILT_YEAR,
        Field.STRUCTURE,
        Field.FLOORS_ABOVE,
        Field.FLOORS_BELOW,
        Field.HEIGHT,
        Field.SERVICE_LIFE,
        Field.STANDARD_ADDRESS,
        Field.POLICE_STATION,
        Field.STREET,
        Field.LONGITUDE,
    }
)
_NAMES = frozenset({Field.NAME, Field.OWNER_NAME, Field.TENANT_NAME})

REQUIRED: dict[SheetKind, tuple[Field, ...]] = {
    SheetKind.BUILDINGS: (Field.BUILDING,),
    SheetKind.HOUSES: (Field.ROOM, Field.AREA),
    SheetKind.PEOPLE: (Field.ROOM, Field.NAME),
    SheetKind.VEHICLES: (Field.ROOM, Field.PLATE),
}
_ALIASES: dict[SheetKind, dict[Field, Field]] = {
    SheetKind.BUILDINGS: {Field.FLOOR: Field.FLOORS_ABOVE},
    SheetKind.HOUSES: {Field.NAME: Field.OWNER_NAME},
    SheetKind.PEOPLE: {
        Field.OWNER_NAME: Field.NAME,
        Field.TENANT_NAME: Field.NAME,
        Field.TENANT_PHONE: Field.PHONE,
    },
    SheetKind.VEHICLES: {Field.NAME: Field.OWNER_NAME},
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column as recognised: its header, its field (None: left out) and how sure that is, 0 to 1."""

    number: int
    header: str
    field: Field | None
    confidence: float

    @property
    def letter(self) -> str:
        """The column's name in Excel."""
        return _letter(self.number)


@dataclass(frozen=True, slots=True)
class Heading:
    """A sheet's header (表头): the rows it takes, its columns, and the kind of sheet they make."""

    first_row: int
    last_row: int
    columns: tuple[Column, ...]
    kind: SheetKind | None

    @property
    def fields(self) -> frozenset[Field]:
        """The fields that have a column."""
        return frozenset(column.field for column in self.columns if column.field)

    @property
    def missing(self) -> tuple[Field, ...]:
        """The fields this kind of sheet cannot do without and that have no column."""
        return tuple(field for field in REQUIRED[self.kind] if field not in self.fields) if self.kind else ()

    def header_of(self, field: Field) -> str:
        """The header of a field's first column, or an empty text."""
        return next((column.header for column in self.columns if column.field is field), "")


def find_heading(sheet: Sheet, corrections: Corrections | None = None) -> Heading | None:
    """The header of a sheet, with a person's corrections applied; None for a sheet that has none."""
    candidates = list(_candidates(sheet.rows[:_SEARCHED_ROWS]))
    best = max(candidates, key=_score, default=None)
    if corrections and (best is None or _score(best)[0] < 2):
        best = _corrected_row(sheet, corrections) or best
    if best is None:
        return None
    columns = _apply(best.columns, corrections or {})
    return _of_kind(replace(best, columns=columns))


def _candidates(rows: tuple[SheetRow, ...]) -> Iterator[Heading]:
    for row, following in pairwise((*rows, None)):
        if row is None:
            continue
        yield Heading(row.number, row.number, _columns(_texts(row)), None)
        if following is not None and _may_be_second_row(row, following):
            yield Heading(row.number, following.number, _columns(_joined(row, following)), None)


def _texts(row: SheetRow) -> dict[int, str]:
    return {column: cell for column, cell in row.cells.items() if isinstance(cell, str)}


def _may_be_second_row(row: SheetRow, following: SheetRow) -> bool:
    """A second header row holds nothing but texts, most of them headers, under more than a title."""
    lower = following.own()
    if len(set(_texts(row).values())) < 2 or len(lower) < 2:
        return False
    texts = [cell for cell in lower.values() if isinstance(cell, str)]
    known = sum(1 for text in texts if recognise(text))
    return len(texts) == len(lower) and known >= 2 and known * 2 >= len(lower)


def _joined(row: SheetRow, following: SheetRow) -> dict[int, str]:
    """Header texts of two rows: a group's title such as 业主信息 stands before the titles under it."""
    upper, lower = _texts(row), _texts(following)
    joined: dict[int, str] = {}
    group = ""
    for column in sorted({*upper, *lower}):
        above, below = upper.get(column, ""), lower.get(column, "")
        group = above or (group if below else "")
        joined[column] = _pair(group, below)
    return joined


def _pair(above: str, below: str) -> str:
    if not below or above == below:
        return above
    owner = above.replace("信息", "").replace("资料", "").replace("情况", "").strip()
    whole = recognise(owner + below)
    if whole and whole[1] > 0.6:
        return owner + below
    return f"{below}（{above}）" if above else below


def _columns(texts: Mapping[int, str]) -> tuple[Column, ...]:
    found = {number: recognise(text) for number, text in sorted(texts.items())}
    columns = []
    for number, text in sorted(texts.items()):
        field, confidence = found[number] or (None, 0.0)
        columns.append(Column(number, shown(text), field, confidence))
    return _without_rivals(columns)


def _without_rivals(columns: list[Column]) -> tuple[Column, ...]:
    """Of several columns for one field the surest stays; the others are left out and shown as such."""
    best: dict[Field, Column] = {}
    for column in columns:
        if column.field and (column.field not in best or column.confidence > best[column.field].confidence):
            best[column.field] = column
    return tuple(
        column
        if column.field is None or column.field in REPEATABLE or best[column.field] is column
        else replace(column, field=None, confidence=0.0)
        for column in columns
    )


def _letter(number: int) -> str:
    from openpyxl.utils import get_column_letter  # on first use, see `workbook`

    return get_column_letter(number)


def _score(heading: Heading) -> tuple[int, float]:
    return len(heading.fields), sum(column.confidence for column in heading.columns)


def _corrected_row(sheet: Sheet, corrections: Corrections) -> Heading | None:
    """With unknown headers, the first row with a text in every corrected column is the header."""
    wanted = {letter for letter, field in corrections.items() if field}
    for row in sheet.rows[:_SEARCHED_ROWS]:
        texts = _texts(row)
        if wanted and wanted <= {_letter(number) for number in texts}:
            return Heading(row.number, row.number, _columns(texts), None)
    return None


def _apply(columns: tuple[Column, ...], corrections: Corrections) -> tuple[Column, ...]:
    """A person's word outranks recognition: the recognised rival of a corrected column is left out."""
    taken = {field for field in corrections.values() if field} - REPEATABLE
    return tuple(
        replace(column, field=corrections[column.letter], confidence=1.0)
        if column.letter in corrections
        else replace(column, field=None, confidence=0.0)
        if column.field in taken
        else column
        for column in columns
    )


def _of_kind(heading: Heading) -> Heading:
    heading = _address_of_building(heading)
    kind = _kind(heading.fields)
    if kind is None:
        return heading
    aliases = {old: new for old, new in _ALIASES[kind].items() if new not in heading.fields}
    columns = [
        replace(column, field=aliases.get(column.field, column.field)) if column.field else column
        for column in heading.columns
    ]
    return replace(heading, columns=_without_rivals(columns), kind=kind)


def _address_of_building(heading: Heading) -> Heading:
    """地址 beside 结构 and 层数 is the building's address, elsewhere it names a house."""
    of_building = Field.BUILDING in heading.fields and heading.fields & _OF_BUILDING
    if not of_building or heading.fields & (_NAMES | {Field.UNIT}):
        return heading
    columns = [
        replace(column, field=Field.STANDARD_ADDRESS)
        if column.field is Field.ROOM and ADDRESS_WORDS & set(header_keys(column.header))
        else column
        for column in heading.columns
    ]
    return replace(heading, columns=_without_rivals(columns))


def _kind(fields: frozenset[Field]) -> SheetKind | None:
    if Field.ROOM in fields:
        return _kind_with_room(fields)
    if fields & {Field.UNIT, Field.OWNER_NAME} and fields & {Field.AREA}:
        return SheetKind.HOUSES
    if (
        Field.BUILDING in fields
        and fields & (_OF_BUILDING | {Field.AREA, Field.FLOOR})
        and not fields & _NAMES
    ):
        return SheetKind.BUILDINGS
    return None


def _kind_with_room(fields: frozenset[Field]) -> SheetKind | None:
    if Field.AREA in fields:
        return SheetKind.HOUSES
    if Field.PLATE in fields and not fields & (_PERSONAL | _OF_HOUSE):
        return SheetKind.VEHICLES
    if fields & _PERSONAL and fields & _NAMES:
        return SheetKind.PEOPLE
    if fields & _OF_VEHICLE and not fields & _OF_HOUSE:
        return SheetKind.VEHICLES
    if fields & (_OF_HOUSE - {Field.TENANT_NAME}):
        return SheetKind.HOUSES
    return SheetKind.PEOPLE if fields & _NAMES else None
