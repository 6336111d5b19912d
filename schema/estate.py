"""The places in the API: compound, building, house."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated
from uuid import UUID

import strawberry

from domains.estate import queries
from schema.context import Context, Info, Loader
from schema.relay import After, Connection, First, Key, Node, connection, decode, page_request

HOUSES_SORT = "houses:sort"


@strawberry.enum(description="What a house is used for (房屋用途).")
class HouseUse(Enum):
    RESIDENTIAL = strawberry.enum_value("residential", description="住宅")
    SHOP = strawberry.enum_value("shop", description="商铺")
    OFFICE = strawberry.enum_value("office", description="办公")
    PARKING = strawberry.enum_value("parking", description="车位")
    STORAGE = strawberry.enum_value("storage", description="储藏室")
    OTHER = strawberry.enum_value("other", description="其他")


@strawberry.enum(description="Who lives there (房屋状态).")
class HouseState(Enum):
    SELF_OCCUPIED = strawberry.enum_value("self_occupied", description="自住")
    RENTED = strawberry.enum_value("rented", description="出租")
    VACANT = strawberry.enum_value("vacant", description="空置")
    UNSOLD = strawberry.enum_value("unsold", description="未售")


class BuildingLoader(Loader[UUID, queries.Building]):
    """Buildings the caller may see, by id."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, queries.Building]:
        """One statement for all that were asked for."""
        return {row.id: row for row in await queries.buildings(self.context.actor, ids=keys)}


@strawberry.type(description="A building (楼栋).")
class Building(Node):
    id: strawberry.Private[UUID]
    name: str = strawberry.field(description="As people write it: 3号楼.")
    code: str = strawberry.field(description="Code in the authorities' register; empty if none.")
    built_year: int | None = strawberry.field(description="Year of completion (建成年份).")
    use: str = strawberry.field(description="As registered (用途).")
    structure: str = strawberry.field(description="As registered (结构).")
    storeys_above: int | None = strawberry.field(description="Storeys above ground (地上层数).")
    storeys_below: int | None = strawberry.field(description="Storeys below ground (地下层数).")
    height_m: Decimal | None = strawberry.field(description="Height in metres.")
    area_m2: Decimal | None = strawberry.field(description="Built area in square metres.")
    service_life_years: int | None = strawberry.field(description="Design working life (设计使用年限).")
    standard_address: str = strawberry.field(description="Standard address (标准地址).")
    police_station: str = strawberry.field(description="Police station in charge (所属派出所).")
    street_in_charge: str = strawberry.field(description="Street office in charge (所属街道).")
    latitude: Decimal | None = strawberry.field(description="Degrees, GCJ-02.")
    longitude: Decimal | None = strawberry.field(description="Degrees, GCJ-02.")

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.Building)


@strawberry.type(description="A house (房屋).")
class House(Node):
    id: strawberry.Private[UUID]
    building_id: strawberry.Private[UUID]
    compound_id: strawberry.Private[UUID]
    number: str = strawberry.field(description="As it is spoken: 3号楼1单元101.")
    building_name: str = strawberry.field(description="Name of the building.")
    unit_name: str = strawberry.field(description="Name of the unit (单元); empty if the building has none.")
    room: str = strawberry.field(description="Room number (房号).")
    floor: int | None = strawberry.field(description="Storey it is on.")
    built_area_m2: Decimal = strawberry.field(description="Built area in square metres (建筑面积).")
    inner_area_m2: Decimal | None = strawberry.field(description="Inner area in square metres (套内面积).")
    use: HouseUse = strawberry.field(description="What it is used for.")
    state: HouseState = strawberry.field(description="Who lives there.")
    is_rented: bool = strawberry.field(description="Let to tenants (出租屋标识).")
    handed_over_on: date | None = strawberry.field(description="Day of hand-over (交房日期).")

    @strawberry.field(description="The building it is in.")
    async def building(self, info: Info) -> Building | None:
        return await info.context.loader(BuildingLoader).load(self.building_id)  # type: ignore[return-value]  # rows stand for the type

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.House)


@strawberry.input(description="What a list of houses is narrowed to.")
class HouseFilter:
    building: strawberry.ID | None = strawberry.field(default=None, description="Only this building.")
    state: HouseState | None = strawberry.field(default=None, description="Only houses in this state.")
    number: str | None = strawberry.field(default=None, description="A part of the house's number.")

    def narrowed(self) -> queries.HouseFilter:
        """As the query takes it; an id of another type is refused."""
        building = decode(self.building, "Building", "building") if self.building else None
        return queries.HouseFilter(building, str(self.state.value) if self.state else None, self.number)


def _house_keys(row: queries.House) -> tuple[Key, ...]:
    return row.sort, row.id


def _as_house(row: queries.House) -> House:
    return row  # type: ignore[return-value]  # rows stand for the type


async def houses_page(
    info: Info, compound_id: UUID, narrowed: queries.HouseFilter, first: int | None, after: str | None
) -> Connection[House]:
    """A page of a compound's houses for staff."""
    page = page_request(first, after, HOUSES_SORT)
    actor = info.context.actor
    rows = await queries.houses(actor, compound_id, narrowed, after=page.after, limit=page.limit)

    async def count() -> int:
        return await queries.count_houses(actor, compound_id, narrowed)

    return connection(page, rows, _house_keys, _as_house, count)


@strawberry.type(description="A residential compound (小区).")
class Compound(Node):
    id: strawberry.Private[UUID]
    name: str = strawberry.field(description="Name of the compound.")
    code: str = strawberry.field(description="What residents scan to register (登记码).")
    address: str = strawberry.field(description="Address.")
    service_phone: str = strawberry.field(description="The front desk's number (服务电话).")
    latitude: Decimal | None = strawberry.field(description="Degrees, GCJ-02.")
    longitude: Decimal | None = strawberry.field(description="Degrees, GCJ-02.")

    @strawberry.field(description="Its buildings in the order people count them.")
    async def buildings(self, info: Info) -> list[Building]:
        return await queries.buildings(info.context.actor, compound_ids=[self.id])  # type: ignore[return-value]  # rows stand for the type

    @strawberry.field(description="Its houses in the order people count them; for staff.")
    async def houses(
        self,
        info: Info,
        first: First = 20,
        after: After = None,
        filter: Annotated[HouseFilter | None, strawberry.argument(description="What to narrow to.")] = None,
    ) -> Connection[House]:
        return await houses_page(info, self.id, (filter or HouseFilter()).narrowed(), first, after)

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.Compound)


async def compound_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Compounds by id, those the caller may see."""
    return {row.id: row for row in await queries.compounds(context.actor, ids)}


async def building_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Buildings by id, those the caller may see."""
    return {row.id: row for row in await queries.buildings(context.actor, ids=ids)}


async def house_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Houses by id, those the caller may see."""
    return await queries.houses_by_id(context.actor, ids)


NODES = {"Compound": compound_nodes, "Building": building_nodes, "House": house_nodes}


@strawberry.type
class EstateQuery:
    """Root fields of the places."""

    @strawberry.field(description="A compound in which the caller works or lives; for staff and residents.")
    async def compound(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its global id.")]
    ) -> Compound:
        wanted = decode(id, "Compound", "id")
        rows = await queries.compounds(info.context.actor, [wanted])
        if not rows:
            info.context.actor.refuse()
        return rows[0]  # type: ignore[return-value]  # rows stand for the type

    @strawberry.field(description="Compounds in which the caller works or lives, by name.")
    async def compounds(self, info: Info) -> list[Compound]:
        return await queries.compounds(info.context.actor)  # type: ignore[return-value]  # rows stand for the type
