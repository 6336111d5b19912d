"""Recording buildings and houses by staff, in the API (楼栋与房屋维护)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry

from domains.estate import queries
from domains.estate.facts import BuildingFacts, HouseFacts, Position
from domains.estate.service import buildings, houses
from schema.context import Info
from schema.errors import Payload, refusals_as_data
from schema.estate import Building, House, HouseState, HouseUse
from schema.permissions import staff_only
from schema.relay import decode

UNSET = strawberry.UNSET
FIRM = frozenset({"built_area_m2", "use", "state", "is_rented"})
"""Facts that every house has; null leaves them."""


@strawberry.input(description="A point on the map (经纬度).")
class PositionInput:
    latitude: Decimal = strawberry.field(description="Degrees north, GCJ-02, -90 to 90.")
    longitude: Decimal = strawberry.field(description="Degrees east, GCJ-02, -180 to 180.")


@strawberry.input
class BuildingFactsInput:
    """What both inputs of a building share: what is left out stays, null clears."""

    code: str | None = strawberry.field(
        default=UNSET, description="Code in the authorities' register, up to 50 characters."
    )
    built_year: int | None = strawberry.field(default=UNSET, description="Year of completion, 1900 to 2100.")
    use: str | None = strawberry.field(
        default=UNSET, description="As registered (用途), up to 50 characters."
    )
    structure: str | None = strawberry.field(
        default=UNSET, description="As registered (结构), up to 50 characters."
    )
    storeys_above: int | None = strawberry.field(default=UNSET, description="Storeys above ground, 0 to 200.")
    storeys_below: int | None = strawberry.field(default=UNSET, description="Storeys below ground, 0 to 20.")
    height_m: Decimal | None = strawberry.field(default=UNSET, description="Height in metres, 0 to 1000.")
    area_m2: Decimal | None = strawberry.field(
        default=UNSET, description="Built area in square metres, 1 to 10,000,000."
    )
    service_life_years: int | None = strawberry.field(
        default=UNSET, description="Design working life (设计使用年限), 1 to 200."
    )
    standard_address: str | None = strawberry.field(
        default=UNSET, description="Standard address (标准地址), up to 200 characters."
    )
    police_station: str | None = strawberry.field(
        default=UNSET, description="Police station in charge, up to 100 characters."
    )
    street_in_charge: str | None = strawberry.field(
        default=UNSET, description="Street office in charge, up to 100 characters."
    )
    position: PositionInput | None = strawberry.field(default=UNSET, description="Where it stands.")

    def facts(self) -> BuildingFacts:
        """As the service takes them."""
        given = _given(self, BuildingFacts)
        if place := given.get("position"):
            given["position"] = Position(place.latitude, place.longitude)
        return cast("BuildingFacts", given)


@strawberry.input(description="A building to record (楼栋).")
class CreateBuildingInput(BuildingFactsInput):
    compound: strawberry.ID = strawberry.field(description="The compound it is in.")
    name: str = strawberry.field(
        description="As people write it: 3号楼, up to 50 characters; 3栋 and 3幢 are the same building."
    )


@strawberry.input(description="What to change of a building: what is left out stays, null clears.")
class UpdateBuildingInput(BuildingFactsInput):
    building: strawberry.ID = strawberry.field(description="The building.")
    name: str | None = strawberry.field(
        default=None, description="Another name; its houses are numbered anew."
    )


@strawberry.input
class HouseFactsInput:
    """What both inputs of a house share: what is left out stays, null clears."""

    floor: int | None = strawberry.field(
        default=UNSET, description="Storey it is on, -20 to 200; -1 is the first basement."
    )
    inner_area_m2: Decimal | None = strawberry.field(
        default=UNSET, description="Inner area in square metres (套内面积), not above the built area."
    )
    use: HouseUse | None = strawberry.field(
        default=None, description="What it is used for; residential at first, cannot be cleared."
    )
    state: HouseState | None = strawberry.field(
        default=None, description="Who lives there; vacant at first, cannot be cleared."
    )
    is_rented: bool | None = strawberry.field(
        default=None, description="Let to tenants (出租屋标识); follows the state when it is left out."
    )
    handed_over_on: date | None = strawberry.field(default=UNSET, description="Day of hand-over (交房日期).")
    title_document: str | None = strawberry.field(
        default=UNSET, description="Number of the title deed (产权证号), up to 60 characters."
    )

    def facts(self) -> HouseFacts:
        """As the service takes them."""
        given = _given(self, HouseFacts)
        kept = {name: value for name, value in given.items() if value is not None or name not in FIRM}
        for name in {"use", "state"} & kept.keys():
            kept[name] = kept[name].value
        return cast("HouseFacts", kept)


@strawberry.input(description="A house to record (房屋).")
class CreateHouseInput(HouseFactsInput):
    building: strawberry.ID = strawberry.field(description="The building it is in.")
    unit: str = strawberry.field(
        default="",
        description="Its unit (单元), for example 1单元; recorded if it is new; empty if there is none.",
    )
    room: str = strawberry.field(description="Room number (房号), for example 101.")
    built_area_m2: Decimal = strawberry.field(
        description="Built area in square metres (建筑面积), above 0, up to 100,000."
    )


@strawberry.input(description="What to change of a house: what is left out stays, null clears.")
class UpdateHouseInput(HouseFactsInput):
    house: strawberry.ID = strawberry.field(description="The house.")
    unit: str | None = strawberry.field(default=None, description="Another unit of its building.")
    room: str | None = strawberry.field(default=None, description="Another room number.")
    built_area_m2: Decimal | None = strawberry.field(
        default=None, description="Built area in square metres (建筑面积), above 0, up to 100,000."
    )


def _given(input: object, facts: type) -> dict[str, Any]:  # Any: values of inputs
    values = {name: getattr(input, name) for name in facts.__annotations__}
    return {name: value for name, value in values.items() if value is not UNSET}


@strawberry.type(description="Result of recording a building.")
class BuildingPayload(Payload):
    building: Building | None = strawberry.field(
        default=None, description="The building as it is now; null when refused."
    )


@strawberry.type(description="Result of recording a house.")
class HousePayload(Payload):
    house: House | None = strawberry.field(
        default=None, description="The house as it is now; null when refused."
    )


async def _building(info: Info, id: UUID) -> BuildingPayload:
    found = await queries.buildings_by_id(info.context.actor, [id])
    return BuildingPayload(building=cast("Building | None", found.get(id)))


async def _house(info: Info, id: UUID) -> HousePayload:
    found = await queries.houses_by_id(info.context.actor, [id])
    return HousePayload(house=cast("House | None", found.get(id)))


@strawberry.type
class EstateMutation:
    """Mutations of places, for staff."""

    @strawberry.mutation(
        description="Record a building; for staff with estate.write in the whole compound.",
        extensions=[staff_only],
    )
    @refusals_as_data(BuildingPayload)
    async def create_building(
        self,
        info: Info,
        input: Annotated[CreateBuildingInput, strawberry.argument(description="The building.")],
    ) -> BuildingPayload:
        compound_id = decode(input.compound, "Compound", "compound")
        id = await buildings.create_building(
            info.context.actor, compound_id=compound_id, name=input.name, facts=input.facts()
        )
        return await _building(info, id)

    @strawberry.mutation(
        description="Change a building; for staff with estate.write there.", extensions=[staff_only]
    )
    @refusals_as_data(BuildingPayload)
    async def update_building(
        self,
        info: Info,
        input: Annotated[UpdateBuildingInput, strawberry.argument(description="The changes.")],
    ) -> BuildingPayload:
        id = decode(input.building, "Building", "building")
        await buildings.update_building(
            info.context.actor, building_id=id, name=input.name, facts=input.facts()
        )
        return await _building(info, id)

    @strawberry.mutation(
        description="Record a house; for staff with estate.write in its building.", extensions=[staff_only]
    )
    @refusals_as_data(HousePayload)
    async def create_house(
        self, info: Info, input: Annotated[CreateHouseInput, strawberry.argument(description="The house.")]
    ) -> HousePayload:
        building_id = decode(input.building, "Building", "building")
        id = await houses.create_house(
            info.context.actor, building_id=building_id, unit=input.unit, room=input.room, facts=input.facts()
        )
        return await _house(info, id)

    @strawberry.mutation(
        description="Change a house; for staff with estate.write in its building.", extensions=[staff_only]
    )
    @refusals_as_data(HousePayload)
    async def update_house(
        self, info: Info, input: Annotated[UpdateHouseInput, strawberry.argument(description="The changes.")]
    ) -> HousePayload:
        id = decode(input.house, "House", "house")
        await houses.update_house(
            info.context.actor, house_id=id, unit=input.unit, room=input.room, facts=input.facts()
        )
        return await _house(info, id)
