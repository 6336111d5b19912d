"""Doors in the API: their register, and those that the caller opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, cast
from uuid import UUID

import strawberry

from domains.access.queries import doors as queries
from domains.access.rules import METHODS
from domains.access.service import doors as service
from schema.context import Context, Info, Loader
from schema.device_loaders import DeviceLoader
from schema.errors import Payload, refusals_as_data
from schema.limits.cost import cost
from schema.permissions import staff_only
from schema.place_loaders import BuildingLoader, UnitLoader
from schema.relay import After, Connection, First, Key, Node, connection, decode, encode, page_request

if TYPE_CHECKING:
    from schema.devices import Device
    from schema.door_commands import DoorCommand
    from schema.estate import Building, Unit

SORT = "doors:number"


@strawberry.enum(description="What kind of door it is (门禁类型).")
class DoorKind(Enum):
    GATE = strawberry.enum_value("gate", description="小区人行出入口")
    VEHICLE_GATE = strawberry.enum_value("vehicle_gate", description="车辆出入口")
    UNIT_DOOR = strawberry.enum_value("unit_door", description="单元门")
    FACILITY = strawberry.enum_value("facility", description="公共设施, such as a gym or a bicycle shed")


@strawberry.enum(description="Which way a door leads (通行方向).")
class DoorDirection(Enum):
    IN = strawberry.enum_value("in", description="只进")
    OUT = strawberry.enum_value("out", description="只出")
    BOTH = strawberry.enum_value("both", description="双向")


@strawberry.enum(
    description="How a door may be opened (通行方式). New values may appear: keep a default branch."
)
class AccessMethod(Enum):
    _ignore_ = "name label"
    for name, label in METHODS.items():
        locals()[name.upper()] = strawberry.enum_value(name, description=label)


@strawberry.enum(description="How a door is held (门的模式).")
class DoorMode(Enum):
    NORMAL = strawberry.enum_value("normal", description="正常: opened one by one")
    HELD_OPEN = strawberry.enum_value("held_open", description="常开: it stands open")
    CLOSED = strawberry.enum_value("closed", description="常闭: nobody opens it by phone or code")


@strawberry.enum(description="How a door stands, as far as its controller says (门状态).")
class DoorPosition(Enum):
    OPEN = strawberry.enum_value("open", description="开")
    CLOSED = strawberry.enum_value("closed", description="关")
    UNKNOWN = strawberry.enum_value("unknown", description="未知: it was not heard, or is not heard any more")


class DoorLoader(Loader[UUID, queries.Door]):
    """Doors the caller may see, by id."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, queries.Door]:
        """One statement for all that were asked for."""
        return await queries.by_id(self.context.actor, keys)


class RecentCommandsLoader(Loader[UUID, list[queries.DoorCommand]]):
    """The last orders to doors."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[queries.DoorCommand]]:
        """One statement for all doors."""
        return await queries.recent_commands(self.context.actor, keys)


def _compound(root: queries.Door) -> strawberry.ID:
    return strawberry.ID(encode("Compound", root.compound_id))


@strawberry.type(description="A door or gate (门禁点位).")
class Door(Node):
    id: strawberry.Private[UUID]
    compound_id: strawberry.Private[UUID]
    building_id: strawberry.Private[UUID | None]
    unit_id: strawberry.Private[UUID | None]
    device_id: strawberry.Private[UUID]
    compound: strawberry.ID = strawberry.field(resolver=_compound, description="Id of the compound.")
    number: int = strawberry.field(description="Its number in the compound, by which passes name it.")
    name: str = strawberry.field(description="As people call it: 南门.")
    kind: DoorKind = strawberry.field(description="What kind of door it is.")
    direction: DoorDirection = strawberry.field(description="Which way it leads.")
    methods: list[AccessMethod] = strawberry.field(
        description="How it may be opened, at most 12 ways.", metadata=cost(assumed=4)
    )
    is_for_visitors: bool = strawberry.field(description="Whether visitors' passes open it.")
    needs_screen: bool = strawberry.field(
        description="Whether it takes a visitor's code from a live page only, and no picture of it."
    )
    mode: DoorMode = strawberry.field(description="How it is held, as its controller has confirmed.")
    is_released: bool = strawberry.field(description="A fire alarm holds it open (消防联动).")
    position: DoorPosition = strawberry.field(description="How it stands.")
    position_at: datetime | None = strawberry.field(description="Since when; null where that is not known.")
    is_online: bool | None = strawberry.field(
        description="Whether its controller is heard; null until it was for the first time."
    )
    last_seen_at: datetime | None = strawberry.field(
        description="When its controller was last heard, to about half a minute."
    )
    list_sequence: int | None = strawberry.field(
        description="The revocation list that its gate has confirmed; null where it has none."
    )
    listed_at: datetime | None = strawberry.field(description="When it did: how old its list is.")
    recorded_at: datetime = strawberry.field(description="When it was registered.")
    last_used_at: datetime | None = strawberry.field(
        description="When the caller last opened it by phone; in `viewer.doors`, within 30 days."
    )

    @strawberry.field(
        description="The last orders to it (最近指令), at most 10; for staff with doors.read.",
        metadata=cost(assumed=10),
    )
    async def recent_commands(
        self, info: Info
    ) -> list[Annotated[DoorCommand, strawberry.lazy("schema.door_commands")]]:
        found = await info.context.loader(RecentCommandsLoader).load(self.id)
        return cast("list[DoorCommand]", found or [])

    @strawberry.field(description="Its controller; for staff with devices.read.")
    async def device(self, info: Info) -> Annotated[Device, strawberry.lazy("schema.devices")] | None:
        return cast("Device | None", await info.context.loader(DeviceLoader).load(self.device_id))

    @strawberry.field(description="The building it leads into; null for the compound's own.")
    async def building(self, info: Info) -> Annotated[Building, strawberry.lazy("schema.estate")] | None:
        if self.building_id is None:
            return None
        return cast("Building | None", await info.context.loader(BuildingLoader).load(self.building_id))

    @strawberry.field(description="The staircase it leads to; null where it serves more.")
    async def unit(self, info: Info) -> Annotated[Unit, strawberry.lazy("schema.estate")] | None:
        if self.unit_id is None:
            return None
        return cast("Unit | None", await info.context.loader(UnitLoader).load(self.unit_id))

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.Door)


@strawberry.input(description="A door to register.")
class RegisterDoorInput:
    compound: strawberry.ID = strawberry.field(description="The compound.")
    device: strawberry.ID = strawberry.field(
        description="Its controller: a door controller, gate or vehicle gate."
    )
    name: str = strawberry.field(description="As people call it, up to 60 characters.")
    kind: DoorKind = strawberry.field(description="What kind of door it is.")
    direction: DoorDirection = strawberry.field(default=DoorDirection.BOTH, description="Which way it leads.")
    building: strawberry.ID | None = strawberry.field(
        default=None, description="The building it leads into; none for the compound's own."
    )
    unit: strawberry.ID | None = strawberry.field(
        default=None, description="The staircase it leads to, of that building."
    )
    methods: list[AccessMethod] = strawberry.field(
        default_factory=lambda: [AccessMethod.APP, AccessMethod.QR],  # type: ignore[attr-defined]  # made from a table
        description="How it may be opened; by phone and QR code unless told.",
    )
    is_for_visitors: bool = strawberry.field(default=True, description="Whether visitors' passes open it.")
    needs_screen: bool = strawberry.field(
        default=False, description="Whether a visitor's code must come from a live page."
    )


@strawberry.input(description="What is to change about a door; what is left out stays.")
class UpdateDoorInput:
    door: strawberry.ID = strawberry.field(description="Its id.")
    name: str | None = strawberry.field(default=None, description="As people call it, up to 60 characters.")
    direction: DoorDirection | None = strawberry.field(default=None, description="Which way it leads.")
    methods: list[AccessMethod] | None = strawberry.field(default=None, description="How it may be opened.")
    is_for_visitors: bool | None = strawberry.field(
        default=None, description="Whether visitors' passes open it."
    )
    needs_screen: bool | None = strawberry.field(
        default=None, description="Whether a visitor's code must come from a live page."
    )
    device: strawberry.ID | None = strawberry.field(
        default=None, description="A controller in place of the old one."
    )


@strawberry.input(description="The door to remove.")
class RemoveDoorInput:
    door: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="Result of a command on a door.")
class DoorPayload(Payload):
    door: Door | None = strawberry.field(
        default=None, description="The door as it is now; null when refused."
    )


@strawberry.type(description="Result of removing a door.")
class RemoveDoorPayload(Payload):
    door: strawberry.ID | None = strawberry.field(default=None, description="The door that was removed.")


async def _payload(info: Info, id: UUID) -> DoorPayload:
    return DoorPayload(door=cast("Door | None", await info.context.loader(DoorLoader).load(id)))


def _values(methods: Sequence[AccessMethod]) -> list[str]:
    return [str(each.value) for each in methods]


@strawberry.type
class DoorsMutation:
    """Mutations of the register of doors."""

    @strawberry.mutation(
        description="Register a door; for staff with doors.write over the place it leads to.",
        extensions=[staff_only],
    )
    @refusals_as_data(DoorPayload)
    async def register_door(
        self, info: Info, input: Annotated[RegisterDoorInput, strawberry.argument(description="The door.")]
    ) -> DoorPayload:
        id = await service.register_door(
            info.context.actor, compound_id=decode(input.compound, "Compound", "compound"),
            device_id=decode(input.device, "Device", "device"), name=input.name, kind=str(input.kind.value),
            direction=str(input.direction.value), methods=_values(input.methods),
            building_id=decode(input.building, "Building", "building") if input.building else None,
            unit_id=decode(input.unit, "Unit", "unit") if input.unit else None,
            is_for_visitors=input.is_for_visitors, needs_screen=input.needs_screen,
        )  # fmt: skip
        return await _payload(info, id)

    @strawberry.mutation(
        description="Change a door, or name the controller it has now; for staff with doors.write.",
        extensions=[staff_only],
    )
    @refusals_as_data(DoorPayload)
    async def update_door(
        self, info: Info, input: Annotated[UpdateDoorInput, strawberry.argument(description="What is new.")]
    ) -> DoorPayload:
        id = await service.update_door(
            info.context.actor, door_id=decode(input.door, "Door", "door"), name=input.name,
            direction=str(input.direction.value) if input.direction else None,
            methods=None if input.methods is None else _values(input.methods),
            is_for_visitors=input.is_for_visitors, needs_screen=input.needs_screen,
            device_id=decode(input.device, "Device", "device") if input.device else None,
        )  # fmt: skip
        return await _payload(info, id)

    @strawberry.mutation(
        description="Take a door out of the register; its records stay. For staff with doors.write.",
        extensions=[staff_only],
    )
    @refusals_as_data(RemoveDoorPayload)
    async def remove_door(
        self, info: Info, input: Annotated[RemoveDoorInput, strawberry.argument(description="Which one.")]
    ) -> RemoveDoorPayload:
        await service.remove_door(info.context.actor, door_id=decode(input.door, "Door", "door"))
        return RemoveDoorPayload(door=input.door)


def _keys(row: queries.Door) -> tuple[Key, ...]:
    return row.number, row.id


def _as_door(row: queries.Door) -> Door:
    return row  # type: ignore[return-value]  # rows stand for the type


@strawberry.type
class DoorsQuery:
    """Root fields of doors."""

    @strawberry.field(
        description="A compound's doors by number; for staff with doors.read.", extensions=[staff_only]
    )
    async def doors(
        self,
        info: Info,
        *,
        compound: Annotated[strawberry.ID, strawberry.argument(description="The compound.")],
        building: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only of this building.")
        ] = None,
        kind: Annotated[DoorKind | None, strawberry.argument(description="Only these.")] = None,
        search: Annotated[str | None, strawberry.argument(description="A part of the name.")] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Door] | None:
        compound_id, page = (
            decode(compound, "Compound", "compound"),
            page_request(first, after, SORT, int, UUID),
        )
        within = decode(building, "Building", "building") if building else None
        actor, wanted = (
            info.context.actor,
            queries.DoorFilter(within, str(kind.value) if kind else None, search),
        )
        rows = await queries.doors(actor, compound_id, wanted, after=page.after, limit=page.limit)

        async def count() -> int:
            return await queries.count_doors(actor, compound_id, wanted)

        return connection(page, rows, _keys, _as_door, count)


@strawberry.type
class DoorsViewer:
    """The caller's own doors."""

    @strawberry.field(
        description="The doors that the caller opens as somebody who lives there, the last used first; at most 200.",
        metadata=cost(assumed=10),
    )
    async def doors(
        self,
        info: Info,
        house: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only on the way to this house.")
        ] = None,
    ) -> list[Door]:
        house_id = decode(house, "House", "house") if house else None
        return cast("list[Door]", await queries.openable(info.context.actor, house_id))


async def door_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Doors by id, those the caller may see."""
    return await queries.by_id(context.actor, ids)


NODES = {"Door": door_nodes}
