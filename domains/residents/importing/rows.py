"""From a register's words to the columns of the tables; sealing happens here, before any transaction."""

from __future__ import annotations

from typing import Any

from domains.estate.places import Place
from domains.estate.rules import sort_key
from domains.kernel import sealing
from domains.kernel.ids import uuid7
from domains.kernel.phones import tail
from domains.residents.importing.drafts import OccupancyDraft, People, PersonDraft
from domains.residents.register.reading import Register
from domains.residents.register.rows import BuildingRow, HouseRow, HouseStatus, VehicleRow

Row = dict[str, Any]  # Any: column values, on their way to JSON

PHONE = "person.phone"
PHONE_TAIL = "person.phone_tail"
DOCUMENT = "person.document"

USES = {
    "shop": ("商铺", "商业", "店面", "店铺", "底商", "网点"),
    "office": ("办公", "写字楼", "商务"),
    "parking": ("车位", "车库", "停车"),
    "storage": ("储藏", "仓库", "杂物", "地下室"),
    "residential": ("住宅", "住房", "公寓", "民用", "居住", "自住"),
}
STATES = {
    HouseStatus.OWNER_OCCUPIED: "self_occupied",
    HouseStatus.RENTED: "rented",
    HouseStatus.VACANT: "vacant",
    HouseStatus.UNSOLD: "unsold",
}
PLATE_COLOURS = {"蓝": "blue", "绿": "green", "黄": "yellow", "白": "white", "黑": "black"}


def house_use(text: str | None) -> str | None:
    """房屋用途 as a word of ours; None where the register is silent."""
    if not text:
        return None
    return next((use for use, words in USES.items() if any(word in text for word in words)), "other")


def plate_colour(text: str | None) -> str | None:
    """车牌颜色 as a word of ours."""
    return next((colour for mark, colour in PLATE_COLOURS.items() if mark in (text or "")), None)


def _place(place: Place) -> Row:
    building, unit, room = place.key
    return {"building_key": building, "unit_key": unit, "room_key": room}


def building_rows(register: Register) -> list[Row]:
    """Every building that is described or has a house."""
    rows = {row.key: _described(row) for row in register.buildings}
    for house in register.houses:
        key = house.place.key[0]
        rows.setdefault(key, {"key": key, "name": house.place.building})
    return [{"id": uuid7(), "sort": sort_key(row["key"]), **row} for row in rows.values()]


def _described(row: BuildingRow) -> Row:
    return {
        "key": row.key, "name": row.name, "code": row.code, "built_year": row.built_year, "use": row.use,
        "structure": row.structure, "storeys_above": row.floors_above, "storeys_below": row.floors_below,
        "height_m": row.height_m, "area_m2": row.area, "service_life_years": row.service_life_years,
        "standard_address": row.standard_address, "police_station": row.police_station,
        "street_in_charge": row.street, "latitude": row.latitude, "longitude": row.longitude,
    }  # fmt: skip


def unit_rows(register: Register) -> list[Row]:
    """Every unit that has a house; a building without units has one without a name."""
    places = {house.place.key[:2]: house.place for house in register.houses}
    return [
        {"id": uuid7(), "building_key": building, "key": unit, "name": place.unit, "sort": sort_key(unit)}
        for (building, unit), place in places.items()
    ]


def house_rows(register: Register) -> list[Row]:
    """The houses."""
    return [_house(house) for house in register.houses]


def _house(house: HouseRow) -> Row:
    state = STATES[house.status] if house.status else None
    if state is None and not house.owners and not house.tenants:
        state = "vacant"
    return {
        "id": uuid7(), **_place(house.place), "room": house.place.room, "room_sort": sort_key(house.place.key[2]),
        "floor": house.floor, "built_area_m2": house.area, "inner_area_m2": house.inner_area,
        "use": house_use(house.use), "state": state, "handed_over_on": house.delivered_on,
    }  # fmt: skip


def person_rows(people: People) -> list[Row]:
    """The humans, their sensitive columns sealed."""
    return [_person(draft) for draft in people.drafts]


def _person(draft: PersonDraft) -> Row:
    row: Row = {"n": draft.n, "id": uuid7(), "name": draft.name, **draft.facts}
    if draft.phone:
        row |= {
            "phone_sealed": sealing.seal(draft.phone, PHONE).hex(),
            "phone_index": sealing.find(draft.phone, PHONE).hex(),
            "phone_tail_index": sealing.find(tail(draft.phone), PHONE_TAIL).hex(),
        }
    if draft.document_number:
        row |= {
            "document_kind": draft.document_kind or "other",
            "document_sealed": sealing.seal(draft.document_number, DOCUMENT).hex(),
            "document_index": sealing.find(draft.document_number, DOCUMENT).hex(),
        }
    return row


def occupancy_rows(people: People) -> list[Row]:
    """Who is in which house, and where the file says so."""
    return [_occupancy(draft) for draft in people.occupancies.values()]


def _occupancy(draft: OccupancyDraft) -> Row:
    return {
        "id": uuid7(), "n": draft.person, **_place(draft.place), "capacity": draft.capacity.value,
        "relation": draft.relation[:20], "since_on": draft.since_on, "listed": draft.listed,
        "sheet": draft.sheet, "line": draft.line,
    }  # fmt: skip


def vehicle_rows(register: Register) -> list[Row]:
    """Cars and e-bikes, those of a vehicle sheet before the plates in a house's row."""
    rows = {row.plate: _vehicle(row) for row in register.vehicles}
    for house in register.houses:
        for plate in house.plates:
            rows.setdefault(plate, _plate(house, plate))
    return list(rows.values())


def _vehicle(row: VehicleRow) -> Row:
    return {
        "id": uuid7(), **_place(row.place), "plate": row.plate, "kind": row.kind.value,
        "plate_colour": plate_colour(row.plate_colour), "brand": row.brand, "model": row.model,
        "colour": row.colour, "owner_name": row.owner_name, "sheet": row.sheet, "line": row.row,
    }  # fmt: skip


def _plate(house: HouseRow, plate: str) -> Row:
    return {
        "id": uuid7(), **_place(house.place), "plate": plate, "kind": "car",
        "owner_name": house.owners[0].name if house.owners else None, "sheet": house.sheet, "line": house.row,
    }  # fmt: skip
