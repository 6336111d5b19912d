"""What a register says, row by row (台账行): values with their sheet and Excel row, not yet stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from domains.estate.places import Place
from domains.kernel.documents import Kind, Sex


class HouseStatus(StrEnum):
    """How a house is used (房屋状态): 未售, 空置, 出租, 自住."""

    UNSOLD = "unsold"
    VACANT = "vacant"
    RENTED = "rented"
    OWNER_OCCUPIED = "owner_occupied"


class Capacity(StrEnum):
    """In which capacity a person belongs to a house (与房屋关系): 业主, 家属, 租户."""

    OWNER = "owner"
    FAMILY = "family"
    TENANT = "tenant"


class Population(StrEnum):
    """Kind of population (人口类别): 户籍人口, 流动人口, 重点关注人口."""

    PERMANENT = "permanent"
    FLOATING = "floating"
    KEY_ATTENTION = "attention"


class VehicleKind(StrEnum):
    """Kind of vehicle (车辆类型): 汽车, 电动自行车."""

    CAR = "car"
    EBIKE = "ebike"


@dataclass(frozen=True, slots=True)
class Contact:
    """An owner or tenant named in a house's row. Phones are normalised; the document is validated."""

    name: str
    phone: str | None = None
    other_phones: tuple[str, ...] = ()
    document_kind: Kind | None = None
    document_number: str | None = None


@dataclass(frozen=True, slots=True)
class BuildingRow:
    """A building (楼栋). Areas in m², height in m, service life in years, position in degrees."""

    sheet: str
    row: int
    name: str
    key: str
    code: str | None
    built_year: int | None
    use: str | None
    structure: str | None
    floors_above: int | None
    floors_below: int | None
    height_m: Decimal | None
    area: Decimal | None
    service_life_years: int | None
    standard_address: str | None
    police_station: str | None
    street: str | None
    longitude: Decimal | None
    latitude: Decimal | None


@dataclass(frozen=True, slots=True)
class HouseRow:
    """A house (房屋) with its owners. Areas in m²; `rows` are all Excel rows that speak of it."""

    sheet: str
    row: int
    place: Place
    floor: int | None
    area: Decimal
    inner_area: Decimal | None
    use: str | None
    delivered_on: date | None
    status: HouseStatus | None
    owners: tuple[Contact, ...]
    tenants: tuple[Contact, ...]
    plates: tuple[str, ...]
    note: str | None
    shared: bool = False
    rows: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person (人员) of a house; `needs_existing_house` where the file does not list that house."""

    sheet: str
    row: int
    place: Place
    name: str
    capacity: Capacity
    relation: str | None
    sex: Sex | None
    born_on: date | None
    ethnicity: str | None
    nationality: str | None
    native_place: str | None
    phone: str | None
    other_phones: tuple[str, ...]
    document_kind: Kind | None
    document_number: str | None
    registered_address: str | None
    population: Population | None
    tags: tuple[str, ...]
    work_unit: str | None
    moved_in_on: date | None
    needs_existing_house: bool = False


@dataclass(frozen=True, slots=True)
class VehicleRow:
    """A vehicle (车辆) of a house. `needs_existing_house` as for a person."""

    sheet: str
    row: int
    place: Place
    owner_name: str | None
    phone: str | None
    plate: str
    plate_colour: str | None
    kind: VehicleKind
    brand: str | None
    model: str | None
    colour: str | None
    needs_existing_house: bool = False
