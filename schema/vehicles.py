"""Vehicles and e-bikes in the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, cast
from uuid import UUID

import strawberry

from domains.residents import plates
from domains.residents.queries import vehicles as queries
from domains.residents.service import vehicles as service
from schema.context import Context, Info, Loader
from schema.errors import Payload, refusals_as_data
from schema.houses import HouseLoader
from schema.permissions import signed_in, staff_only
from schema.photos import Photo, shown
from schema.relay import After, Connection, First, Key, Node, connection, decode, page_request

if TYPE_CHECKING:
    from schema.estate import House

SORT = "vehicles:plate"


@strawberry.enum(description="Kind of vehicle (车辆类型).")
class VehicleKind(Enum):
    CAR = strawberry.enum_value("car", description="汽车")
    EBIKE = strawberry.enum_value("ebike", description="电动自行车")


@strawberry.enum(description="Colour of a number plate (号牌颜色).")
class PlateColour(Enum):
    BLUE = strawberry.enum_value("blue", description="蓝牌,小型汽车")
    GREEN = strawberry.enum_value("green", description="绿牌,新能源汽车")
    YELLOW = strawberry.enum_value("yellow", description="黄牌,大型汽车、教练车、挂车")
    WHITE = strawberry.enum_value("white", description="白牌,警用、军用")
    BLACK = strawberry.enum_value("black", description="黑牌,使领馆、港澳")


@strawberry.enum(description="What is wrong with a vehicle (车辆标记).")
class VehicleFlag(Enum):
    STOLEN = strawberry.enum_value("stolen", description="被盗")
    CLONED = strawberry.enum_value("cloned", description="套牌")


class VehiclesLoader(Loader[UUID, list[queries.Vehicle]]):
    """Vehicles by house, those the caller may see."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[queries.Vehicle]]:
        """One statement for all houses."""
        return await queries.of_houses(self.context.actor, keys)


@strawberry.type(description="A car or an e-bike of a house (车辆).")
class Vehicle(Node):
    id: strawberry.Private[UUID]
    house_id: strawberry.Private[UUID]
    photo_key: strawberry.Private[str | None]
    kind: VehicleKind = strawberry.field(description="Car or e-bike.")
    plate: str = strawberry.field(description="Number plate, without separators (车牌号).")
    plate_colour: PlateColour | None = strawberry.field(description="Colour of the plate; null for e-bikes.")
    brand: str = strawberry.field(description="Brand (品牌); empty if not given.")
    model: str = strawberry.field(description="Model (型号); empty if not given.")
    colour: str = strawberry.field(description="Colour of the vehicle (颜色); empty if not given.")
    flag: VehicleFlag | None = strawberry.field(description="Stolen or cloned; null if nothing is known.")
    recorded_at: datetime = strawberry.field(description="When it was registered.")

    @strawberry.field(description="Its photo (车辆照片); null if there is none.")
    def photo(self, info: Info) -> Photo | None:
        return shown(info.context, self.photo_key)

    @strawberry.field(description="Its house, where the caller may see it.")
    async def house(self, info: Info) -> Annotated[House, strawberry.lazy("schema.estate")] | None:
        return cast("House | None", await info.context.loader(HouseLoader).load(self.house_id))

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.Vehicle)


@strawberry.input(description="A vehicle to register.")
class RegisterVehicleInput:
    house: strawberry.ID = strawberry.field(description="The house it belongs to.")
    kind: VehicleKind = strawberry.field(description="Car or e-bike.")
    plate: str = strawberry.field(description="Number plate, for example 浙A12345.")
    plate_colour: PlateColour | None = strawberry.field(
        default=None, description="Colour of a car's plate; by default what the number's form mostly has."
    )
    brand: str = strawberry.field(default="", description="Brand, up to 40 characters.")
    model: str = strawberry.field(default="", description="Model, up to 40 characters.")
    colour: str = strawberry.field(default="", description="Colour, up to 20 characters.")


@strawberry.input(description="The vehicle to remove.")
class RemoveVehicleInput:
    vehicle: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.input(description="A mark on a vehicle.")
class FlagVehicleInput:
    vehicle: strawberry.ID = strawberry.field(description="Its id.")
    flag: VehicleFlag | None = strawberry.field(default=None, description="The mark; null clears it.")


@strawberry.type(description="Result of a command on a vehicle.")
class VehiclePayload(Payload):
    vehicle: Vehicle | None = strawberry.field(
        default=None, description="The vehicle as it is now; null when refused."
    )


@strawberry.type(description="Result of removing a vehicle.")
class RemoveVehiclePayload(Payload):
    vehicle: strawberry.ID | None = strawberry.field(
        default=None, description="The vehicle that was removed."
    )


async def _payload(info: Info, id: UUID) -> VehiclePayload:
    found = await queries.by_id(info.context.actor, [id])
    return VehiclePayload(vehicle=cast("Vehicle | None", found.get(id)))


@strawberry.type
class VehiclesMutation:
    """Mutations of vehicles."""

    @strawberry.mutation(
        description="Register a vehicle to one's own house, or as staff to any (车辆登记).",
        extensions=[signed_in],
    )
    @refusals_as_data(VehiclePayload)
    async def register_vehicle(
        self,
        info: Info,
        input: Annotated[RegisterVehicleInput, strawberry.argument(description="The vehicle.")],
    ) -> VehiclePayload:
        colour = input.plate_colour
        id = await service.register_vehicle(
            info.context.actor, house_id=decode(input.house, "House", "house"), kind=cast("plates.Kind", input.kind.value),
            plate=input.plate, plate_colour=str(colour.value) if colour else None, brand=input.brand, model=input.model,
            colour=input.colour,
        )  # fmt: skip
        return await _payload(info, id)

    @strawberry.mutation(description="Remove a vehicle; its plate is free again.", extensions=[signed_in])
    @refusals_as_data(RemoveVehiclePayload)
    async def remove_vehicle(
        self, info: Info, input: Annotated[RemoveVehicleInput, strawberry.argument(description="Which one.")]
    ) -> RemoveVehiclePayload:
        id = decode(input.vehicle, "Vehicle", "vehicle")
        await service.remove_vehicle(info.context.actor, vehicle_id=id)
        return RemoveVehiclePayload(vehicle=input.vehicle)

    @strawberry.mutation(
        description="Mark a vehicle as stolen or its plate as cloned, or clear the mark.",
        extensions=[staff_only],
    )
    @refusals_as_data(VehiclePayload)
    async def flag_vehicle(
        self, info: Info, input: Annotated[FlagVehicleInput, strawberry.argument(description="Which mark.")]
    ) -> VehiclePayload:
        id = decode(input.vehicle, "Vehicle", "vehicle")
        flag = cast("plates.Flag", input.flag.value) if input.flag else None
        await service.flag_vehicle(info.context.actor, vehicle_id=id, flag=flag)
        return await _payload(info, id)


def _keys(row: queries.Vehicle) -> tuple[Key, ...]:
    return row.plate, row.id


def _as_vehicle(row: queries.Vehicle) -> Vehicle:
    return row  # type: ignore[return-value]  # rows stand for the type


@strawberry.type
class VehiclesQuery:
    """Root fields of vehicles."""

    @strawberry.field(
        description="A compound's vehicles by plate; for staff, audited.", extensions=[staff_only]
    )
    async def vehicles(
        self,
        info: Info,
        *,
        compound: Annotated[strawberry.ID, strawberry.argument(description="The compound.")],
        plate: Annotated[str | None, strawberry.argument(description="A part of the plate.")] = None,
        flag: Annotated[VehicleFlag | None, strawberry.argument(description="Only those marked so.")] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Vehicle] | None:
        compound_id, page = decode(compound, "Compound", "compound"), page_request(first, after, SORT)
        actor, marked = info.context.actor, str(flag.value) if flag else None
        rows = await queries.vehicles(
            actor, compound_id, plate=plate, flag=marked, after=page.after, limit=page.limit
        )

        async def count() -> int:
            return await queries.count_vehicles(actor, compound_id, plate, marked)

        return connection(page, rows, _keys, _as_vehicle, count)


async def vehicle_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Vehicles by id, those the caller may see."""
    return await queries.by_id(context.actor, ids)


NODES = {"Vehicle": vehicle_nodes}
