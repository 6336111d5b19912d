"""Alarms of devices in the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, cast
from uuid import UUID

import strawberry

from domains.devices.kinds import ALARM_KINDS
from domains.devices.queries import alarms as queries
from domains.devices.service import alarm_handling as service
from schema.context import Context, Info, Loader
from schema.device_loaders import DeviceLoader
from schema.errors import Payload, refusals_as_data
from schema.limits.cost import cost
from schema.permissions import staff_only
from schema.place_loaders import BuildingLoader
from schema.relay import After, Connection, First, Key, Node, connection, decode, page_request

if TYPE_CHECKING:
    from schema.devices import Device
    from schema.estate import Building

SORT = "alarms:opened:desc"


@strawberry.enum(
    description="What an alarm is about (告警类型). New values may appear: keep a default branch."
)
class AlarmKind(Enum):
    _ignore_ = "name kind"
    for name, kind in ALARM_KINDS.items():
        locals()[name.upper()] = strawberry.enum_value(name, description=f"{kind.zh}: {kind.en}.")


@strawberry.enum(description="How bad it is (告警级别).")
class AlarmLevel(Enum):
    CRITICAL = strawberry.enum_value("critical", description="紧急: lives are at stake")
    MAJOR = strawberry.enum_value("major", description="重要: see to it soon")
    MINOR = strawberry.enum_value("minor", description="一般: see to it some time")


@strawberry.enum(description="How far an alarm is (告警状态).")
class AlarmState(Enum):
    OPEN = strawberry.enum_value("open", description="未确认: nobody has seen to it yet")
    ACKNOWLEDGED = strawberry.enum_value("acknowledged", description="处理中: somebody sees to it")
    CLEARED = strawberry.enum_value("cleared", description="已解除: by itself or by hand")


class OpenAlarmsLoader(Loader[UUID, list[queries.Alarm]]):
    """The alarms of a device that are not cleared, those the caller may see."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[queries.Alarm]]:
        """One statement for all devices."""
        return await queries.open_of_devices(self.context.actor, keys)


@strawberry.type(
    description="A condition of a device that somebody has to see to (告警): one open at a time."
)
class Alarm(Node):
    id: strawberry.Private[UUID]
    building_id: strawberry.Private[UUID | None]
    device_id: strawberry.Private[UUID]
    kind: AlarmKind = strawberry.field(description="What it is about.")
    level: AlarmLevel = strawberry.field(description="How bad it is.")
    state: AlarmState = strawberry.field(description="How far it is.")
    device_name: str = strawberry.field(description="Name of the device.")
    device_code: str = strawberry.field(description="Code of the device, as its label says.")
    place: str = strawberry.field(description="Where the device stands, in words (安装位置); may be empty.")
    detail: str = strawberry.field(description="The device's own words, the last ones; may be empty.")
    opened_at: datetime = strawberry.field(description="When it was opened, by our clock.")
    said_at: datetime | None = strawberry.field(
        description="When the device says that it began; null where its clock cannot be believed."
    )
    reported_at: datetime = strawberry.field(description="When it was last reported.")
    reports: int = strawberry.field(description="How often it was reported.")
    flaps: int = strawberry.field(description="How often it ended and came back while it was open.")
    calm_since: datetime | None = strawberry.field(
        description="Since when the device says that it is over; it is cleared a little later."
    )
    shelved_until: datetime | None = strawberry.field(
        description="Cleared by hand while it lasted: until then reports of it open no other alarm."
    )
    acknowledged_at: datetime | None = strawberry.field(description="When somebody took it on.")
    acknowledged_by: str | None = strawberry.field(description="Name of who took it on.")
    cleared_at: datetime | None = strawberry.field(description="When it was over.")
    cleared_by: str | None = strawberry.field(
        description="Name of who cleared it; null where it ended by itself."
    )
    is_false: bool = strawberry.field(description="Somebody looked and found nothing (误报).")
    note: str = strawberry.field(description="What who cleared it found; empty where it ended by itself.")

    @strawberry.field(description="The device's building; null where it belongs to none, or may not be seen.")
    async def building(self, info: Info) -> Annotated[Building, strawberry.lazy("schema.estate")] | None:
        if self.building_id is None:
            return None
        return cast("Building | None", await info.context.loader(BuildingLoader).load(self.building_id))

    @strawberry.field(description="The device; null for who may not see devices there.")
    async def device(self, info: Info) -> Annotated[Device, strawberry.lazy("schema.devices")] | None:
        return cast("Device | None", await info.context.loader(DeviceLoader).load(self.device_id))

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.Alarm)


@strawberry.type(description="Alarms counted; times are means in minutes, null where there are none.")
class AlarmCount:
    kind: AlarmKind | None = strawberry.field(description="Of this kind; null where all are counted.")
    level: AlarmLevel | None = strawberry.field(description="Of this level; null where all are counted.")
    on_day: date | None = strawberry.field(
        description="Opened on this day in Asia/Shanghai; null where all are."
    )
    alarms: int = strawberry.field(description="How many were opened.")
    open: int = strawberry.field(description="How many of them are not cleared.")
    false_alarms: int = strawberry.field(description="How many of them were found to be nothing (误报).")
    minutes_to_acknowledge: float | None = strawberry.field(
        description="From opening until somebody took it on."
    )
    minutes_to_clear: float | None = strawberry.field(description="From opening until it was over.")


@strawberry.type(description="Alarms of a period (告警统计).")
class AlarmStatistics:
    since: datetime = strawberry.field(description="From then on.")
    until: datetime = strawberry.field(description="Before then.")
    total: AlarmCount = strawberry.field(description="All of them.")
    by_kind: list[AlarmCount] = strawberry.field(description="By kind, the most frequent first, at most 20.")
    by_level: list[AlarmCount] = strawberry.field(
        description="By level, at most 3.", metadata=cost(assumed=3)
    )
    by_day: list[AlarmCount] = strawberry.field(
        description="By day, those with alarms, at most 367.", metadata=cost(assumed=31)
    )


@strawberry.input(description="The alarm that one sees to.")
class AcknowledgeAlarmInput:
    alarm: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.input(description="The alarm to clear, and what was found.")
class ClearAlarmInput:
    alarm: strawberry.ID = strawberry.field(description="Its id.")
    note: str = strawberry.field(description="What was found and done, up to 200 characters.")
    is_false: bool = strawberry.field(default=False, description="It was nothing (误报).")


@strawberry.type(description="Result of a command on an alarm.")
class AlarmPayload(Payload):
    alarm: Alarm | None = strawberry.field(
        default=None, description="The alarm as it is now; null when refused."
    )


async def _payload(info: Info, id: UUID) -> AlarmPayload:
    found = await queries.by_id(info.context.actor, [id])
    return AlarmPayload(alarm=cast("Alarm | None", found.get(id)))


@strawberry.type
class AlarmsMutation:
    """Mutations of alarms, for staff."""

    @strawberry.mutation(
        description="Say that one sees to an alarm (确认告警); for staff with alarms.handle. Of two who do, the "
        "first one does.",
        extensions=[staff_only],
    )
    @refusals_as_data(AlarmPayload)
    async def acknowledge_alarm(
        self,
        info: Info,
        input: Annotated[AcknowledgeAlarmInput, strawberry.argument(description="Which one.")],
    ) -> AlarmPayload:
        id = decode(input.alarm, "Alarm", "alarm")
        await service.acknowledge_alarm(info.context.actor, alarm_id=id)
        return await _payload(info, id)

    @strawberry.mutation(
        description="Clear an alarm by hand (解除告警); for staff with alarms.handle. While its condition lasts, "
        "reports of it open no other for a while, see `shelvedUntil`.",
        extensions=[staff_only],
    )
    @refusals_as_data(AlarmPayload)
    async def clear_alarm(
        self, info: Info, input: Annotated[ClearAlarmInput, strawberry.argument(description="Which one.")]
    ) -> AlarmPayload:
        id = decode(input.alarm, "Alarm", "alarm")
        await service.clear_alarm(info.context.actor, alarm_id=id, note=input.note, is_false=input.is_false)
        return await _payload(info, id)


def _keys(row: queries.Alarm) -> tuple[Key, ...]:
    return row.opened_at, row.id


def _as_alarm(row: queries.Alarm) -> Alarm:
    return row  # type: ignore[return-value]  # rows stand for the type


def _value(wanted: Enum | None) -> str | None:
    return str(wanted.value) if wanted else None


def _id(wanted: strawberry.ID | None, type_name: str, field: str) -> UUID | None:
    return decode(wanted, type_name, field) if wanted else None


FromThen = Annotated[
    datetime | None, strawberry.argument(name="from", description="Only those opened from then on.")
]
BeforeThen = Annotated[datetime | None, strawberry.argument(description="Only those opened before then.")]
OfBuilding = Annotated[strawberry.ID | None, strawberry.argument(description="Only this building.")]
OfCompound = Annotated[strawberry.ID, strawberry.argument(description="The compound.")]


@strawberry.type
class AlarmsQuery:
    """Root fields of alarms, for staff."""

    @strawberry.field(
        description="A compound's alarms, the last opened first; for staff with alarms.read.",
        extensions=[staff_only],
    )
    async def alarms(
        self,
        info: Info,
        *,
        compound: OfCompound,
        state: Annotated[
            list[AlarmState] | None, strawberry.argument(description="Only those in one of these states.")
        ] = None,
        kind: Annotated[AlarmKind | None, strawberry.argument(description="Only this kind.")] = None,
        level: Annotated[AlarmLevel | None, strawberry.argument(description="Only this level.")] = None,
        building: OfBuilding = None,
        device: Annotated[strawberry.ID | None, strawberry.argument(description="Only this device.")] = None,
        from_: FromThen = None,
        until: BeforeThen = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Alarm] | None:
        actor, compound_id = info.context.actor, decode(compound, "Compound", "compound")
        page = page_request(first, after, SORT, datetime, UUID)
        narrowed = queries.AlarmFilter(
            None if state is None else [str(each.value) for each in state], _value(kind), _value(level),
            _id(building, "Building", "building"), _id(device, "Device", "device"), from_, until,
        )  # fmt: skip
        rows = await queries.alarms(actor, compound_id, narrowed, after=page.after, limit=page.limit)

        async def count() -> int:
            return await queries.count_alarms(actor, compound_id, narrowed)

        return connection(page, rows, _keys, _as_alarm, count)

    @strawberry.field(
        description="How many alarms a compound had within a period of up to 366 days, the last 30 days unless "
        "told: by kind, level and day; for staff with alarms.read.",
        extensions=[staff_only],
    )
    async def alarm_statistics(
        self,
        info: Info,
        *,
        compound: OfCompound,
        building: OfBuilding = None,
        from_: FromThen = None,
        until: BeforeThen = None,
    ) -> AlarmStatistics | None:
        found = await queries.alarm_statistics(
            info.context.actor, decode(compound, "Compound", "compound"), since=from_, until=until,
            building_id=_id(building, "Building", "building"),
        )  # fmt: skip
        return cast("AlarmStatistics", found)


async def alarm_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Alarms by id, those the caller may see or handle."""
    return await queries.by_id(context.actor, ids)


NODES = {"Alarm": alarm_nodes}
