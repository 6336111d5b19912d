"""The places in the API: compound, building, unit, house."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Annotated, cast
from uuid import UUID

import strawberry

from domains.estate import queries
from domains.estate.organisation import Counts
from schema.context import Context, Info
from schema.household import HouseHousehold
from schema.limits.cost import cost
from schema.place_loaders import (
    BuildingLoader,
    BuildingsLoader,
    CompoundCountsLoader,
    HouseCountLoader,
    RegionLoader,
    UnitLoader,
    UnitsLoader,
)
from schema.relay import After, Connection, First, Key, Node, connection, decode, page_request

if TYPE_CHECKING:
    from schema.organisation import Region

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


@strawberry.enum(description="Where a record comes from (数据来源).")
class RecordSource(Enum):
    IMPORT = strawberry.enum_value("import", description="台账导入")
    STAFF = strawberry.enum_value("staff", description="员工录入")


@strawberry.enum(description="In which order houses come (排序).")
class HouseOrder(Enum):
    PLACE = strawberry.enum_value(
        "place", description="As people count them: building, unit, room (按楼栋房号)."
    )
    LATEST = strawberry.enum_value("latest", description="What was recorded last comes first (按登记时间).")


ORDERS = {
    HouseOrder.PLACE: (HOUSES_SORT, queries.BY_PLACE, str),
    HouseOrder.LATEST: ("houses:recorded", queries.LATEST, datetime),
}


@strawberry.type(description="A unit of a building (单元): a staircase with its door.")
class Unit(Node):
    id: strawberry.Private[UUID]
    building_id: strawberry.Private[UUID]
    name: str = strawberry.field(description="As people write it: 1单元; empty if the building has none.")
    house_count: int = strawberry.field(description="Houses in it that the caller may see.")
    source: RecordSource = strawberry.field(description="Where the record comes from.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")

    @strawberry.field(description="The building it is in.")
    async def building(self, info: Info) -> Annotated[Building, strawberry.lazy("schema.estate")] | None:
        return cast("Building | None", await info.context.loader(BuildingLoader).load(self.building_id))

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.Unit)


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
    source: RecordSource = strawberry.field(description="Where the record comes from.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")

    @strawberry.field(
        description="Its units in the order people count them, those the caller may see; at most 100.",
        metadata=cost(assumed=5),
    )
    async def units(self, info: Info) -> list[Unit]:
        return cast("list[Unit]", await info.context.loader(UnitsLoader).load(self.id))

    @strawberry.field(description="Houses in it that the caller may see.")
    async def house_count(self, info: Info) -> int:
        return await info.context.loader(HouseCountLoader).load(self.id) or 0

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.Building)


@strawberry.type(description="A house (房屋).")
class House(HouseHousehold, Node):
    id: strawberry.Private[UUID]
    building_id: strawberry.Private[UUID]
    unit_id: strawberry.Private[UUID]
    compound_id: strawberry.Private[UUID]
    number: str = strawberry.field(description="As it is spoken: 3号楼1单元101.")
    building_name: str = strawberry.field(description="Name of the building.")
    unit_name: str = strawberry.field(description="Name of the unit (单元); empty if the building has none.")
    room: str = strawberry.field(description="Room number (房号).")
    floor: int | None = strawberry.field(description="Storey it is on.")
    floor_is_doubtful: bool = strawberry.field(
        description="Whether the storey lies outside of the storeys its building is registered with: worth a check."
    )
    built_area_m2: Decimal = strawberry.field(description="Built area in square metres (建筑面积).")
    inner_area_m2: Decimal | None = strawberry.field(description="Inner area in square metres (套内面积).")
    use: HouseUse = strawberry.field(description="What it is used for.")
    state: HouseState = strawberry.field(description="Who lives there.")
    is_rented: bool = strawberry.field(description="Let to tenants (出租屋标识).")
    handed_over_on: date | None = strawberry.field(description="Day of hand-over (交房日期).")
    source: RecordSource = strawberry.field(description="Where the record comes from.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")

    @strawberry.field(
        description="Number of the title deed (产权证号), for staff with estate.read and the house's owners; "
        "empty if none is recorded, null for others."
    )
    def title_document(self, info: Info) -> str | None:
        return queries.title_document(info.context.actor, cast("queries.House", self))

    @strawberry.field(description="The building it is in.")
    async def building(self, info: Info) -> Building | None:
        return cast("Building | None", await info.context.loader(BuildingLoader).load(self.building_id))

    @strawberry.field(description="The unit it is in.")
    async def unit(self, info: Info) -> Unit | None:
        return cast("Unit | None", await info.context.loader(UnitLoader).load(self.unit_id))

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.House)


@strawberry.input(description="What a list of houses is narrowed to.")
class HouseFilter:
    building: strawberry.ID | None = strawberry.field(default=None, description="Only this building.")
    unit: strawberry.ID | None = strawberry.field(default=None, description="Only this unit.")
    state: HouseState | None = strawberry.field(default=None, description="Only houses in this state.")
    use: HouseUse | None = strawberry.field(default=None, description="Only houses used for this.")
    number: str | None = strawberry.field(
        default=None, description="A part of the house's number, or the whole as people say it: 3-1-101."
    )

    def narrowed(self) -> queries.HouseFilter:
        """As the query takes it; an id of another type is refused."""
        return queries.HouseFilter(
            decode(self.building, "Building", "filter.building") if self.building else None,
            decode(self.unit, "Unit", "filter.unit") if self.unit else None,
            str(self.state.value) if self.state else None,
            str(self.use.value) if self.use else None,
            self.number,
        )


Filter = Annotated[HouseFilter | None, strawberry.argument(description="What to narrow to.")]
Order = Annotated[HouseOrder, strawberry.argument(description="In which order.")]


def _as_house(row: queries.House) -> House:
    return row  # type: ignore[return-value]  # rows stand for the type


async def houses_page(
    info: Info,
    compound_id: UUID,
    *,
    filter: HouseFilter | None,
    order: HouseOrder,
    first: int,
    after: str | None,
) -> Connection[House]:
    """A page of a compound's houses for staff."""
    sort, by, kind = ORDERS[order]
    page, actor = page_request(first, after, sort, kind, UUID), info.context.actor
    narrowed = (filter or HouseFilter()).narrowed()
    rows = await queries.houses(actor, compound_id, narrowed, after=page.after, limit=page.limit, order=by)

    def keys(row: queries.House) -> tuple[Key, ...]:
        return getattr(row, by.column), row.id

    async def count() -> int:
        return await queries.count_houses(actor, compound_id, narrowed)

    return connection(page, rows, keys, _as_house, count)


@strawberry.type(description="A residential compound (小区).")
class Compound(Node):
    id: strawberry.Private[UUID]
    region_id: strawberry.Private[UUID]
    name: str = strawberry.field(description="Name of the compound.")
    code: str = strawberry.field(description="What residents scan to register (登记码).")
    address: str = strawberry.field(description="Address.")
    service_phone: str = strawberry.field(description="The front desk's number (服务电话).")
    latitude: Decimal | None = strawberry.field(description="Degrees, GCJ-02.")
    longitude: Decimal | None = strawberry.field(description="Degrees, GCJ-02.")

    @strawberry.field(description="The neighbourhood committee it belongs to (社区); its `path` leads up.")
    async def region(self, info: Info) -> Annotated[Region, strawberry.lazy("schema.organisation")] | None:
        return cast("Region | None", await info.context.loader(RegionLoader).load(self.region_id))

    @strawberry.field(
        description="Its buildings in the order people count them, those the caller may see; at most 500.",
        metadata=cost(assumed=50),
    )
    async def buildings(self, info: Info) -> list[Building]:
        return cast("list[Building]", await info.context.loader(BuildingsLoader).load(self.id))

    @strawberry.field(description="Buildings in it that the caller may see.")
    async def building_count(self, info: Info) -> int:
        return (await info.context.loader(CompoundCountsLoader).load(self.id) or Counts()).buildings

    @strawberry.field(description="Houses in it that the caller may see.")
    async def house_count(self, info: Info) -> int:
        return (await info.context.loader(CompoundCountsLoader).load(self.id) or Counts()).houses

    @strawberry.field(description="Its houses; for staff with estate.read.")
    async def houses(
        self,
        info: Info,
        filter: Filter = None,
        order: Order = HouseOrder.PLACE,
        first: First = 20,
        after: After = None,
    ) -> Connection[House] | None:
        return await houses_page(info, self.id, filter=filter, order=order, first=first, after=after)

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.Compound)


async def compound_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Compounds by id, those the caller may see."""
    return {row.id: row for row in await queries.compounds(context.actor, ids)}


async def building_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Buildings by id, those the caller may see."""
    return await queries.buildings_by_id(context.actor, ids)


async def unit_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Units by id, those the caller may see."""
    return await queries.units_by_id(context.actor, ids)


async def house_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Houses by id, those the caller may see."""
    return await queries.houses_by_id(context.actor, ids)


NODES = {"Compound": compound_nodes, "Building": building_nodes, "Unit": unit_nodes, "House": house_nodes}


@strawberry.type
class EstateQuery:
    """Root fields of the places."""

    @strawberry.field(description="A compound in which the caller works or lives; for staff and residents.")
    async def compound(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its global id.")]
    ) -> Compound | None:
        wanted = decode(id, "Compound", "id")
        rows = await queries.compounds(info.context.actor, [wanted])
        if not rows:
            info.context.actor.refuse(wanted)
        return cast("Compound", rows[0])

    @strawberry.field(
        description="Compounds in which the caller works or lives, by name; at most 500, the rest by `organisation`.",
        metadata=cost(assumed=20),
    )
    async def compounds(self, info: Info) -> list[Compound]:
        return cast("list[Compound]", await queries.compounds(info.context.actor))

    @strawberry.field(description="A compound's houses; for staff with estate.read.")
    async def houses(
        self,
        info: Info,
        compound: Annotated[strawberry.ID, strawberry.argument(description="The compound.")],
        *,
        filter: Filter = None,
        order: Order = HouseOrder.PLACE,
        first: First = 20,
        after: After = None,
    ) -> Connection[House] | None:
        compound_id = decode(compound, "Compound", "compound")
        return await houses_page(info, compound_id, filter=filter, order=order, first=first, after=after)
