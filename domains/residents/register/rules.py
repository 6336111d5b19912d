"""What must hold between rows and between sheets (行间校验): no doubles, no contradictions, known houses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from domains.residents.register.problems import Problems
from domains.residents.register.rows import BuildingRow, HouseRow, PersonRow, VehicleRow

_COMPARED = {
    "area": "建筑面积",
    "inner_area": "套内面积",
    "floor": "楼层",
    "use": "房屋用途",
    "delivered_on": "交房日期",
    "status": "房屋状态",
}


def one_row_per_house(rows: Iterable[HouseRow], problems: Problems) -> tuple[HouseRow, ...]:
    """Co-owners (共有人) on rows of their own become one house; every other repetition is an error.

    Two rows that agree in all but the owner are co-owners only where the register says so: the room's cell
    is merged over both, or a note or share column speaks of shared ownership. Without that the second row
    is as likely a mistyped room number, and joining the rows would lose a house without a word.
    """
    houses: dict[tuple[str, str, str], HouseRow] = {}
    for row in rows:
        first = houses.get(row.place.key)
        if first is None:
            houses[row.place.key] = row
        elif complaint := _complaint(first, row):
            code, message = complaint
            problems.add(row.sheet, row.row, "房号", code, f"第 {row.row} 行{message}", value=str(row.place))
        else:
            houses[row.place.key] = _joined(first, row)
    return tuple(houses.values())


def one_row_per_building(rows: Iterable[BuildingRow], problems: Problems) -> tuple[BuildingRow, ...]:
    """Each building once."""
    buildings: dict[str, BuildingRow] = {}
    for row in rows:
        first = buildings.setdefault(row.key, row)
        if first is not row:
            message = f"第 {row.row} 行的{row.name}与{_where(first, row.sheet)}重复，请只保留一行"
            problems.add(row.sheet, row.row, "楼栋", "BUILDING_DUPLICATE", message, value=row.name)
    return tuple(buildings.values())


def people_of_houses(
    rows: Iterable[PersonRow], houses: Iterable[HouseRow], problems: Problems
) -> tuple[PersonRow, ...]:
    """Each person of a house once; people of houses that the file does not list are marked."""
    known = {house.place.key for house in houses}
    people: dict[tuple[object, ...], PersonRow] = {}
    for row in rows:
        marked = replace(row, needs_existing_house=row.place.key not in known)
        first = people.setdefault((row.place.key, row.name, row.document_number or row.phone), marked)
        if first is not marked:
            message = f"第 {row.row} 行的{row.name}与{_where(first, row.sheet)}重复，请只保留一行"
            problems.add(row.sheet, row.row, "姓名", "PERSON_DUPLICATE", message, value=row.name)
    return tuple(people.values())


def vehicles_of_houses(
    rows: Iterable[VehicleRow], houses: Iterable[HouseRow], problems: Problems
) -> tuple[VehicleRow, ...]:
    """Each plate once; vehicles of houses that the file does not list are marked."""
    known = {house.place.key for house in houses}
    vehicles: dict[str, VehicleRow] = {}
    for row in rows:
        marked = replace(row, needs_existing_house=row.place.key not in known)
        first = vehicles.setdefault(row.plate, marked)
        if first is not marked:
            message = f"第 {row.row} 行的车牌号 {row.plate} 与{_where(first, row.sheet)}重复，请只保留一行"
            problems.add(row.sheet, row.row, "车牌号", "VEHICLE_DUPLICATE", message, value=row.plate)
    return tuple(vehicles.values())


def one_style_of_units(houses: Iterable[HouseRow], problems: Problems) -> None:
    """A building has units or has none: a blank among filled ones is an oversight, shops excepted (商铺)."""
    houses = tuple(houses)
    with_units = {house.place.key[0] for house in houses if house.place.key[1]}
    for house in houses:
        if house.place.key[1] or house.place.key[0] not in with_units or _is_no_dwelling(house):
            continue
        message = f"第 {house.row} 行「单元」是空的，而{house.place.building}有单元，请填写单元，例如 1单元"
        problems.add(house.sheet, house.row, "单元", "UNIT_MISSING", message)


def _is_no_dwelling(house: HouseRow) -> bool:
    said = f"{house.use or ''}{house.note or ''}{house.place.room}"
    return any(word in said for word in ("商", "铺", "店", "车库", "储藏", "物业", "办公", "公建", "配套"))


def _complaint(first: HouseRow, row: HouseRow) -> tuple[str, str] | None:
    where = _where(first, row.sheet)
    for attribute, title in _COMPARED.items():
        before, after = getattr(first, attribute), getattr(row, attribute)
        if before is not None and after is not None and before != after:
            return (
                "HOUSE_CONFLICT",
                f"的 {row.place} 与{where}是同一套房，但「{title}」不同，请核对房号或改成一致",
            )
    if {owner.name for owner in first.owners} & {owner.name for owner in row.owners} or not row.owners:
        return "HOUSE_DUPLICATE", f"的 {row.place} 与{where}重复，请删除其中一行"
    if first.shared or row.shared:
        return None
    return (
        "HOUSE_DUPLICATE",
        f"的 {row.place} 与{where}重复，请改正房号或删除其中一行；"
        "若两位业主共有这套房，请把姓名写在同一格（张三、李四）",
    )


def _joined(first: HouseRow, row: HouseRow) -> HouseRow:
    return replace(
        first,
        floor=first.floor if first.floor is not None else row.floor,
        inner_area=first.inner_area or row.inner_area,
        use=first.use or row.use,
        delivered_on=first.delivered_on or row.delivered_on,
        status=first.status or row.status,
        owners=first.owners + row.owners,
        tenants=tuple(dict.fromkeys(first.tenants + row.tenants)),
        plates=tuple(dict.fromkeys(first.plates + row.plates)),
        note=first.note or row.note,
        shared=True,
        rows=first.rows + row.rows,
    )


def _where(first: BuildingRow | HouseRow | PersonRow | VehicleRow, sheet: str) -> str:
    return f"第 {first.row} 行" if first.sheet == sheet else f"工作表「{first.sheet}」第 {first.row} 行"
