"""House lines (房屋行) into houses."""

from __future__ import annotations

import re
from decimal import Decimal

from domains.residents.register import cells
from domains.residents.register.addresses import Addresses
from domains.residents.register.cells import LineReader
from domains.residents.register.contacts import owners, tenants
from domains.residents.register.fields import Field
from domains.residents.register.lines import Line
from domains.residents.register.problems import Problems
from domains.residents.register.rows import HouseRow, HouseStatus
from domains.residents.register.workbook import Cell

# In this order: 未出租 and 未入住 hold the words 出租 and 入住.
_STATUS_WORDS = (
    (re.compile("未售|待售|未出售|未销售|尾盘"), HouseStatus.UNSOLD),
    (re.compile("未入住|空置|空关|闲置|空房"), HouseStatus.VACANT),
    (re.compile("未出租|未租|不出租|自住|自用"), HouseStatus.OWNER_OCCUPIED),
    (re.compile("出租|已租|租赁|在租|租住"), HouseStatus.RENTED),
    (re.compile("入住|在住|常住"), HouseStatus.OWNER_OCCUPIED),
)
_SHARED = re.compile(r"共有|共同|按份|份额|夫妻|[0-9]+(\.[0-9]+)? ?%|[0-9]/[0-9]")


def read_house(
    line: Line, addresses: Addresses, sheet_building: str | None, above: HouseRow | None, problems: Problems
) -> HouseRow | None:
    """The house of a line, or None after noting its errors.

    `above` is the house of the line before: where the room's cell is merged with the one above, the line
    adds an owner to that house and need not repeat its area.
    """
    reader = LineReader(line, problems)
    place = addresses.place(reader, sheet_building)
    goes_on = (
        above is not None and place is not None and Field.ROOM in line.merged and above.place.key == place.key
    )
    area = reader.take(Field.AREA, cells.area, required=not goes_on)
    inner_area = reader.take(Field.INNER_AREA, cells.area)
    _check_inner(reader, area, inner_area)
    note = reader.take(Field.NOTE, cells.words(500))
    state = reader.take(Field.STATUS, cells.words(50))
    share = reader.take(Field.SHARE, _share)
    floor = reader.take(Field.FLOOR, cells.floor)
    use = reader.take(Field.USE, cells.words(50))
    delivered_on = reader.take(Field.DELIVERED_ON, cells.day)
    owned_by, let_to = owners(reader), tenants(reader)
    plates = reader.take(Field.PLATE, cells.plates) or ()
    area = area or (above.area if goes_on and above else None)
    if reader.failed or place is None or area is None:
        return None
    return HouseRow(
        sheet=line.sheet,
        row=line.number,
        place=place,
        floor=floor,
        area=area,
        inner_area=inner_area,
        use=use,
        delivered_on=delivered_on,
        status=_status(state, note, line.text(Field.OWNER_NAME)),
        owners=owned_by,
        tenants=let_to,
        plates=plates,
        note=note,
        shared=goes_on or _says_shared(share, note),
        rows=(line.number,),
    )


def _share(cell: Cell) -> str:
    """A share of ownership (产权份额) as a percentage or as written; Excel keeps 50% as the number 0.5."""
    return f"{cell:%}" if isinstance(cell, Decimal) and 0 < cell < 1 else cells.words(50)(cell)


def _says_shared(share: str | None, note: str | None) -> bool:
    return any(text is not None and _SHARED.search(text) is not None for text in (share, note))


def _status(state: str | None, note: str | None, owner: str) -> HouseStatus | None:
    """The status column speaks first, then the note, then what stands in place of an owner."""
    for text in (state, note, owner):
        for words, status in _STATUS_WORDS:
            if text and words.search(text):
                return status
    return None


def _check_inner(reader: LineReader, area: Decimal | None, inner_area: Decimal | None) -> None:
    if area and inner_area and inner_area > area:
        reader.fail(Field.INNER_AREA, "INNER_AREA_EXCEEDS", f"大于建筑面积 {area}，请核对两个面积")
